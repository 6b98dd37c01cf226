"""Reading what was captured and published."""

import json
from collections.abc import Collection
from typing import Any

from django.db import models

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


def is_known_body(sha256: str, *, reporter: str) -> bool:
    """Whether the party has sent a document of these bytes before, and it did not fail."""
    return CaptureJob.objects.filter(reporter=reporter, body_sha256=sha256, failed=False).exists()


def job(job_id: str, *, reporter: str) -> CaptureJob | None:
    """A capture job of this reporter, or None."""
    return CaptureJob.objects.filter(id=job_id, reporter=reporter).first()


def unfinished(jobs: Collection[CaptureJob]) -> set[str]:
    """The IDs of those jobs that wait, or of which some event is not published yet; two queries at most.

    Statements are published in the order in which they were queued, so that a job's last one speaks for all.
    """
    waiting = {one.id for one in jobs if one.waiting}
    last = {one.last_statement: one.id for one in jobs if one.last_statement}
    published = ledger.positions(last)
    older = [one for one in jobs if not one.waiting and not one.last_statement and one.event_count]
    rows = CapturedEvent.objects.filter(job__in=older).values_list("statement_hash", "job_id") if older else []
    by_hash = dict(rows)
    published_by_hash = ledger.positions(by_hash) if by_hash else {}
    return (
        waiting
        | {job for name, job in last.items() if name not in published}
        | {job for name, job in by_hash.items() if name not in published_by_hash}
    )


def captured(reporter: str, event_id: str, declaration: str = "") -> CapturedEvent | None:
    """What was captured under this idempotency key, or None."""
    return recorded().filter(reporter=reporter, event_id=event_id, declaration=declaration).first()


def recorded() -> models.QuerySet[CapturedEvent]:
    """What was captured, without the events of documents that are being worked on: those may still be refused."""
    return CapturedEvent.objects.exclude(job__waiting=True)


def by_key(reporter: str, idempotency_key: str) -> list[CapturedEvent]:
    """What a party's call with this idempotency key became."""
    return list(CapturedEvent.objects.filter(reporter=reporter, idempotency_key=idempotency_key))
