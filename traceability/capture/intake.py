"""A document's way through the house: read once and judged, read again, signed and stored.

A small one is stored in one transaction. Of a large one, whose job waits, batch after batch is stored ahead, and the
transaction that ends the job makes them all count: memory and write gate are held for a batch, however large it is.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction

from ledger import api as ledger
from traceability.common.clock import now_ms
from traceability.epcis import document as epcis_document
from traceability.epcis import validation
from traceability.epcis.source import Source
from traceability.parties.models import Party

from . import master_data, prepare, staging, store
from .models import CaptureJob
from .refusals import Tally, too_large
from .staging import BATCH, Batches, OvertakenError

ROLLBACK, PROCEED = "rollback", "proceed"
ERROR_BEHAVIOURS = (ROLLBACK, PROCEED)


@dataclass(frozen=True)
class Terms:
    """On what terms a document comes: whose it is, what a fault does, prefixes that are declared outside of it."""

    reporter: Party
    error_behaviour: str = ROLLBACK
    extensions: Mapping[str, str] = field(default_factory=dict)


@dataclass
class _Judged:
    count: int
    tally: Tally
    ahead: bool  # the job is a row already and waits: its events are stored before it ends


@dataclass(frozen=True)
class _Beside:
    """What is stored beside the events: the header's master data, and identifiers that no master data knows."""

    frame: Mapping[str, Any]
    unknown: list[tuple[str, str]]


def take_in(source: Source, terms: Terms, job: CaptureJob) -> None:
    """Store the events of a document with its job, which is new or waits.

    Under `rollback` any fault refuses the whole document (CaptureError, nothing stored); under `proceed` faulty events
    are left out and listed in the job's errors.
    """
    judged = _judge(source, terms, ahead=job.waiting)
    if judged.tally.concerns_document or (judged.tally.count and terms.error_behaviour == ROLLBACK):
        raise judged.tally.refusal()
    if judged.ahead:
        CaptureJob.objects.filter(id=job.id).update(event_count=judged.count)  # for those who watch it
    try:
        _record(source, terms, job, judged)
    except IntegrityError:
        # Another request stored one of these meanwhile: look again and judge by that.
        staging.withdraw(job.id)
        _record(source, terms, job, judged)


def _judge(source: Source, terms: Terms, *, ahead: bool) -> _Judged:
    """The first reading: how many events there are, and every fault that they have by themselves."""
    check = validation.DocumentCheck(
        source.frame, cbv_compliant=terms.reporter.cbv_compliant, extensions=terms.extensions
    )
    judged = _Judged(0, Tally(check.faults), ahead)
    now = now_ms()
    for place, event in enumerate(source.events()):
        if place == settings.CAPTURE_MAX_EVENTS:
            raise too_large(f"a document has at most {settings.CAPTURE_MAX_EVENTS} events")
        judged.tally.add(check.event(place, event) or prepare.late(place, event, now=now))
        judged.count += 1
    return judged


def _record(source: Source, terms: Terms, job: CaptureJob, judged: _Judged) -> None:
    """The second reading: what is new is signed and stored, and then the job ends."""
    known: list[str] = []
    unknown: dict[tuple[str, str], None] = {}
    tally, recorded = Tally(), Tally()
    sign = store.hosted(terms.reporter, {})
    batches = Batches(job, judged.ahead)
    for batch in _batched(_identified(source, terms, judged.tally.events, tally)):
        found = store.split(batch, terms.reporter)
        recorded.add(found.conflicts)
        known += found.known.values()
        unknown |= dict.fromkeys(master_data.unknown_identifiers([item.body for item in found.fresh]))
        batches.add(found.fresh, sign(found.fresh))
    if terms.error_behaviour == ROLLBACK:
        if tally.count:
            raise tally.refusal()
        if recorded.count:
            raise recorded.refusal()
    faults = Tally([*judged.tally.first, *tally.first, *recorded.first])
    faults.count = judged.tally.count + tally.count + recorded.count
    hashes = batches.hashes
    job.event_count, job.already_recorded, job.errors = judged.count, len(known), faults.errors()
    job.receipt = ledger.submission_receipt([*hashes, *known], now_ms())
    job.last_statement = hashes[-1] if hashes else ""
    _commit(batches, terms, _Beside(source.frame, list(unknown)))
    # Crash here: recorded, and nobody was told. Sent again it is known by job, eventID or key, and answered so.
    transaction.on_commit(lambda: store.say_accepted(hashes, known=len(known), reporter=terms.reporter, job=job))


def _identified(source: Source, terms: Terms, bad: set[int], tally: Tally) -> Iterator[prepare.Prepared]:
    """The good events with their IDs, each once; `tally` gets those that stand twice with other content."""
    outer = epcis_document.outer_context(source.frame, terms.extensions)
    once = prepare.Once()
    for place, event in enumerate(source.events()):
        if place in bad:
            continue
        item = prepare.identified(place, epcis_document.bare(event, outer), terms.reporter)
        if fault := once.fault(item):
            tally.add([fault])
        elif not once.is_again(item):
            once.add(item)
            yield item


def _commit(batches: Batches, terms: Terms, beside: _Beside) -> None:
    # Crash before this commits: nothing was recorded; a job that waits is taken up again, and the same bytes sent again
    # are a first time.
    job = batches.job
    with transaction.atomic():
        if batches.ahead and not CaptureJob.objects.select_for_update().filter(id=job.id, waiting=True).exists():
            raise OvertakenError(job.id)
        job.waiting, job.finished_ms = False, now_ms()
        job.save(force_insert=not batches.ahead)
        batches.store()
        if beside.unknown and batches.first_event_id:
            master_data.note(beside.unknown, event_id=batches.first_event_id, reporter=terms.reporter)
        master_data.note_header(beside.frame, job=job.id, reporter=terms.reporter)


def _batched(items: Iterator[prepare.Prepared]) -> Iterator[list[prepare.Prepared]]:
    while batch := [item for _, item in zip(range(BATCH), items, strict=False)]:
        yield batch
