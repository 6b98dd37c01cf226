"""The way in: whatever is captured passes one of these doors (architecture.md, 3)."""

import codecs
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, transaction

from traceability.common import storage_full, strict_json
from traceability.common.clock import now_ms
from traceability.epcis import document as epcis_document
from traceability.epcis import validation
from traceability.epcis.faults import Fault
from traceability.parties.models import Party

from . import jobs, master_data, prepare, selectors, store
from .intake import ROLLBACK, Terms
from .models import CaptureJob
from .refusals import CaptureError as CaptureError
from .refusals import Tally, refusal, require_room
from .store import Sign
from .uploads import Upload


@dataclass(frozen=True)
class Accepted:
    """An event that is stored and submitted, now or before."""

    event_id: str
    statement_hash: str
    already_recorded: bool
    declaration: str = ""  # declarationTime of an error declaration


# What a caller stores in the transaction that stores the events.
Beside = Callable[[Sequence[Accepted]], object]


def accept_document(
    body: bytes,
    *,
    reporter: Party,
    error_behaviour: str = ROLLBACK,
    media: str = jobs.JSON,
    extensions: Mapping[str, str] | None = None,
) -> CaptureJob:
    """Take in an EPCISDocument or EPCISQueryDocument in memory; as `jobs.accept`, and never later."""
    terms = Terms(reporter, error_behaviour, extensions or {})
    return jobs.accept(Upload.of(io.BytesIO(body)), terms, media=media, at_once=True)


@storage_full.refused()
def accept_events(
    events: Sequence[Mapping[str, Any]],
    *,
    reporter: Party,
    annotation: Mapping[str, Any] | None = None,
    idempotency_key: str = "",
    sign: Sign | None = None,
    beside: Beside | None = None,
    extensions: Mapping[str, str] | None = None,
) -> list[Accepted]:
    """Take in bare events (each with its own `@context`), all or none; CaptureError names event and field.

    `extensions` are prefixes declared outside them; those that an event uses become part of its own context.

    `sign` gives the signed documents of events that are new; without it the party's hosted key signs. `beside` runs in
    the transaction that stores the events: what it stores stands or falls with them.
    """
    require_room()
    tally = Tally()
    for place, event in enumerate(events):
        found = validation.validate_event(event, cbv_compliant=reporter.cbv_compliant, extensions=extensions)
        tally.add(Fault(place, fault.pointer, fault.code, fault.message) for fault in found)
    if tally.count:
        raise tally.refusal()
    call = _Call(reporter, sign or store.hosted(reporter, annotation or {}), idempotency_key, beside)
    outer = epcis_document.outer_context({}, extensions)
    prepared = _prepared([epcis_document.bare(event, outer) for event in events], reporter)
    try:
        return _store(prepared, call)
    except IntegrityError:
        # Another request stored one of these meanwhile: look again and judge by that.
        return _store(prepared, call)


def parse_event(body: bytes) -> dict[str, Any]:
    """One bare event from the bytes of a request; CaptureError when it is not strict JSON."""
    require_room(len(body))
    try:
        event = strict_json.loads(body.removeprefix(codecs.BOM_UTF8))
    except strict_json.StrictJsonError as error:
        raise CaptureError(400, f"json-{error.code}", error.detail, "ValidationException") from error
    if not isinstance(event, dict):
        raise CaptureError(400, "not-an-event", "the body must be one EPCIS event", "ValidationException")
    return event


@dataclass(frozen=True)
class _Call:
    reporter: Party
    sign: Sign
    idempotency_key: str
    beside: Beside | None


def _prepared(events: Sequence[dict[str, Any]], reporter: Party) -> list[prepare.Prepared]:
    """Give each bare event its ID and key; CaptureError for those from the future or doubled with other content."""
    now = now_ms()
    once, tally = prepare.Once(), Tally()
    prepared = []
    for place, event in enumerate(events):
        tally.add(prepare.late(place, event, now=now))
        item = prepare.identified(place, event, reporter)
        if fault := once.fault(item):
            tally.add([fault])
        once.add(item)
        prepared.append(item)
    if tally.count:
        raise tally.refusal()
    return prepared


def _store(prepared: Sequence[prepare.Prepared], call: _Call) -> list[Accepted]:
    # Read before the events: what comes in between is then known as an event, not taken for another under this key.
    under_key = selectors.by_key(call.reporter.uri, call.idempotency_key) if call.idempotency_key else []
    found = store.split(prepared, call.reporter)
    if found.conflicts:
        raise refusal(found.conflicts)
    if found.fresh and under_key:
        detail = "this idempotency key stands for another event; use a new one for each"
        raise CaptureError(409, "idempotency-key-reused", detail, "ResourceAlreadyExistsException")
    unknown = master_data.unknown_identifiers([item.body for item in found.fresh])
    signed = call.sign(found.fresh)
    fresh = {item.key: one.statement_hash for item, one in zip(found.fresh, signed.documents, strict=True)}
    merged = {**found.known, **fresh}
    accepted = [
        Accepted(item.event_id, merged[item.key], item.key in found.known, item.declaration) for item in prepared
    ]
    # Crash before this commits: nothing was recorded, and the same bytes sent again are a first time.
    with transaction.atomic():
        store.insert(found.fresh, signed, key=call.idempotency_key)
        if unknown and found.fresh:
            master_data.note(unknown, event_id=found.fresh[0].event_id, reporter=call.reporter)
        if call.beside is not None:
            call.beside(accepted)
    # Crash here: recorded, and nobody was told. Sent again it is known by eventID or key, and answered so.
    hashes = list(fresh.values())
    transaction.on_commit(lambda: store.say_accepted(hashes, known=len(found.known), reporter=call.reporter, job=None))
    return accepted
