"""Reading what was captured and published."""

import hashlib
import json
from collections.abc import Collection
from typing import Any

from ledger import api as ledger
from traceability.common.models import Document
from traceability.epcis import event as epcis_event
from traceability.epcis.event import EventView

from .models import CapturedEvent, CaptureJob, PublishedEvent


def bodies(indexes: Collection[int]) -> dict[int, dict[str, Any]]:
    """The committed events at these log indexes, as written; two queries."""
    hashes = dict(PublishedEvent.objects.filter(index__in=indexes).values_list("statement_hash", "index"))
    documents = Document.objects.filter(statement_hash__in=hashes).values_list("statement_hash", "body")
    return {hashes[name]: json.loads(bytes(body)) for name, body in documents}


def views(indexes: Collection[int]) -> dict[int, EventView]:
    """The meaning of the events at these log indexes."""
    return {index: epcis_event.read(body) for index, body in bodies(indexes).items()}


def is_known_body(body: bytes, *, reporter: str) -> bool:
    """Whether the party has sent this very document before."""
    return CaptureJob.objects.filter(reporter=reporter, body_sha256=hashlib.sha256(body).hexdigest()).exists()


def job(job_id: str, *, reporter: str) -> CaptureJob | None:
    """A capture job of this reporter, or None."""
    return CaptureJob.objects.filter(id=job_id, reporter=reporter).first()


def unfinished(jobs: Collection[CaptureJob]) -> set[str]:
    """The IDs of those jobs of which some event is not published yet; two queries, however many jobs."""
    rows = CapturedEvent.objects.filter(job__in=jobs).values_list("job_id", "statement_hash")
    jobs_by_hash = {name: job for job, name in rows}
    published = ledger.positions(jobs_by_hash)
    return {job for name, job in jobs_by_hash.items() if name not in published}


def captured(reporter: str, event_id: str, declaration: str = "") -> CapturedEvent | None:
    """What was captured under this idempotency key, or None."""
    return CapturedEvent.objects.filter(reporter=reporter, event_id=event_id, declaration=declaration).first()


def by_key(reporter: str, idempotency_key: str) -> list[CapturedEvent]:
    """What a party's call with this idempotency key became."""
    return list(CapturedEvent.objects.filter(reporter=reporter, idempotency_key=idempotency_key))
