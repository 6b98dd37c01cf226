"""Signing what is new and putting it into the database."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import F

from ledger import api as ledger
from traceability.common import bulk, documents, metrics
from traceability.epcis.faults import Fault
from traceability.parties import selectors as parties
from traceability.parties.models import Party

from .models import CapturedEvent, CaptureJob
from .prepare import Key, Prepared
from .refusals import being_recorded, refusal, refused

log = logging.getLogger("traceability.capture")

KIND = "event"
_HASHES_PER_LINE = 100

# Signs new events: the documents and statements of these, in their order.
Sign = Callable[[Sequence[Prepared]], documents.Signed]


@dataclass(frozen=True)
class Split:
    """What is new, what was recorded before (key -> statement hash), and what contradicts a recorded event."""

    fresh: list[Prepared]
    known: dict[Key, str]
    conflicts: list[Fault]


def split(prepared: Sequence[Prepared], reporter: Party) -> Split:
    """Tell new events from recorded ones; one query. CaptureError when one belongs to a document that is still open."""
    rows = CapturedEvent.objects.filter(reporter=reporter.uri, event_id__in=[item.event_id for item in prepared])
    recorded = {(row.event_id, row.declaration): row for row in rows.annotate(is_open=F("job__waiting"))}
    fresh: dict[Key, Prepared] = {}
    known: dict[Key, str] = {}
    conflicts: list[Fault] = []
    for item in prepared:
        row = recorded.get(item.key)
        if row is None:
            fresh[item.key] = item
        elif row.is_open:
            raise being_recorded(f"{item.event_id} is in a document of yours that is being worked on")
        elif row.content_sha256 == item.content_sha256:
            known[item.key] = row.statement_hash
        else:
            conflicts.append(
                Fault(item.place, "/eventID", "event-id-reused", f"{item.event_id} is recorded with other content")
            )
    return Split(list(fresh.values()), known, conflicts)


def insert(
    items: Sequence[Prepared], signed: documents.Signed, *, job: CaptureJob | None = None, key: str = ""
) -> None:
    """Keep new events and queue their statements, in the caller's transaction."""
    keep(items, signed, job=job, key=key)
    ledger.submit(signed.statements)


def keep(items: Sequence[Prepared], signed: documents.Signed, *, job: CaptureJob | None = None, key: str = "") -> None:
    """Keep documents and keys of new events, in the caller's transaction; IntegrityError when one is not new."""
    documents.keep(signed)
    rows = (
        (
            one.statement_hash,
            job and job.id,
            one.party,
            item.event_id,
            item.declaration,
            item.content_sha256,
            key or None,
        )
        for item, one in zip(items, signed.documents, strict=True)
    )
    bulk.insert(CapturedEvent, _COLUMNS, rows)


_COLUMNS = (
    "statement_hash", "job_id", "reporter", "event_id", "declaration", "content_sha256", "idempotency_key",
)  # fmt: skip


def hosted(reporter: Party, annotation: Mapping[str, Any]) -> Sign:
    """Signing with the party's hosted key."""

    def sign(prepared: Sequence[Prepared]) -> documents.Signed:
        try:
            key = parties.signer_for(reporter)
        except LookupError as error:
            detail = "this party has no signing key in force here; register one, or send statements of its own device"
            raise refused("no-signing-key", detail) from error
        drafts = [documents.Draft(KIND, item.body, reporter.uri, key, annotation) for item in prepared]
        try:
            return documents.prepare(drafts)
        except ledger.ClaimsError as error:
            raise refusal([_claims_fault(prepared, reporter, error)]) from error

    return sign


def say_accepted(hashes: Sequence[str], *, known: int, reporter: Party, job: CaptureJob | None) -> None:
    """Count what was taken in, and log each new statement by its hash: where following it through the logs begins."""
    metrics.count_captured(new=len(hashes), known=known)
    facts = {"party": reporter.uri, "job": job.id if job else "", "already_recorded": known}
    for start in range(0, len(hashes) or 1, _HASHES_PER_LINE):
        log.info("accepted", extra={**facts, "statements": hashes[start : start + _HASHES_PER_LINE]})


def _claims_fault(prepared: Sequence[Prepared], reporter: Party, error: ledger.ClaimsError) -> Fault:
    """Which event it is whose content has no claims: each is tried anew, since this is rare."""
    for item in prepared:
        try:
            ledger.commit_claims(item.body, secret=bytes(32), party=reporter.uri)
        except ledger.ClaimsError as found:
            return Fault(item.place, "", "claims", str(found))
    return Fault(None, "", "claims", str(error))
