"""The one way in: validate, commit, sign, store and submit, in one transaction per document (architecture.md, 3)."""

import hashlib
import hmac
import json
import logging
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction

from ledger import api as ledger
from traceability.common import documents, metrics, sealing, storage_full, strict_json
from traceability.common.clock import now_ms
from traceability.common.problems import ProblemError
from traceability.epcis import document as epcis_document
from traceability.epcis import event as epcis_event
from traceability.epcis import validation
from traceability.epcis.faults import Fault
from traceability.parties import selectors as parties
from traceability.parties.models import Party

from . import master_data, selectors
from .models import CapturedEvent, CaptureJob

log = logging.getLogger(__name__)

KIND = "event"
FUTURE_TOLERANCE_MS = 5 * 60 * 1000
MAX_ERRORS_SHOWN = 50
_NUL_SHOWN = "\ufffd"
_HASHES_PER_LINE = 100


class CaptureError(ProblemError):
    """Capture refused; nothing was stored."""


@dataclass(frozen=True)
class Accepted:
    """An event that is stored and submitted, now or before."""

    event_id: str
    statement_hash: str
    already_recorded: bool
    declaration: str = ""  # declarationTime of an error declaration


@dataclass(frozen=True)
class Prepared:
    """An event ready to be committed; `place` is its place in the call."""

    place: int
    body: dict[str, Any]
    event_id: str
    declaration: str
    content_sha256: str

    @property
    def key(self) -> "Key":
        return self.event_id, self.declaration


# eventID and declarationTime: what makes a reporter's event the same one again.
Key = tuple[str, str]
# Signs new events: the documents and statements of these, in their order.
Sign = Callable[[Sequence[Prepared]], documents.Signed]
# What a caller stores in the transaction that stores the events.
Beside = Callable[[Sequence[Accepted]], object]


@storage_full.refused()
def accept_document(body: bytes, *, reporter: Party, error_behaviour: str = "rollback") -> CaptureJob:
    """Take in an EPCISDocument or EPCISQueryDocument; the job, with its signed submission receipt.

    The same bytes by the same party give the first job. Under `rollback` any fault refuses the whole document
    (CaptureError, nothing stored); under `proceed` faulty events are left out and listed in the job's errors.
    """
    digest = hashlib.sha256(body).hexdigest()
    known = CaptureJob.objects.filter(reporter=reporter.uri, body_sha256=digest).first()
    if known is not None:
        return known
    require_room(len(body))
    document = _parse(body)
    faults = validation.validate_document(document, cbv_compliant=reporter.cbv_compliant)
    if any(fault.event_index is None for fault in faults) or (faults and error_behaviour == "rollback"):
        raise _refusal(faults)
    events = epcis_document.events(document)
    if len(events) > settings.CAPTURE_MAX_EVENTS:
        raise _too_large(f"a document has at most {settings.CAPTURE_MAX_EVENTS} events")
    bad = {fault.event_index for fault in faults}
    prepared, refused = _prepare([(place, event) for place, event in enumerate(events) if place not in bad], reporter)
    if refused and error_behaviour == "rollback":
        raise _refusal(refused)
    job = CaptureJob(
        id=uuid.uuid4().hex,
        reporter=reporter.uri,
        body_sha256=digest,
        error_behaviour=error_behaviour,
        created_ms=now_ms(),
        event_count=len(events),
        errors=[_error(fault) for fault in [*faults, *refused]],
    )
    strict = error_behaviour == "rollback"

    def note_header(_accepted: Sequence[Accepted]) -> None:
        master_data.note_header(document, job=job.id, reporter=reporter)

    try:
        _store(prepared, reporter=reporter, sign=_hosted(reporter, {}), job=job, strict=strict, beside=note_header)
    except IntegrityError:
        known = CaptureJob.objects.filter(reporter=reporter.uri, body_sha256=digest).first()
        if known is None:
            raise
        return known  # the same bytes came at the same moment, and theirs was the first job
    return job


@storage_full.refused()
def accept_events(
    events: Sequence[Mapping[str, Any]],
    *,
    reporter: Party,
    annotation: Mapping[str, Any] | None = None,
    idempotency_key: str = "",
    sign: Sign | None = None,
    beside: Beside | None = None,
) -> list[Accepted]:
    """Take in bare events (each with its own `@context`), all or none; CaptureError names event and field.

    `sign` gives the signed documents of events that are new; without it the party's hosted key signs. `beside` runs in
    the transaction that stores the events: what it stores stands or falls with them.
    """
    require_room(0)
    faults = []
    for place, event in enumerate(events):
        found = validation.validate_event(event, cbv_compliant=reporter.cbv_compliant)
        faults += [Fault(place, fault.pointer, fault.code, fault.message) for fault in found]
    if faults:
        raise _refusal(faults)
    bare = [(place, epcis_document.bare(event)) for place, event in enumerate(events)]
    prepared, refused = _prepare(bare, reporter)
    if refused:
        raise _refusal(refused)
    return _store(
        prepared,
        reporter=reporter,
        sign=sign or _hosted(reporter, annotation or {}),
        idempotency_key=idempotency_key,
        strict=True,
        beside=beside,
    )


def parse_event(body: bytes) -> dict[str, Any]:
    """One bare event from the bytes of a request; CaptureError when it is not strict JSON."""
    require_room(len(body))
    event = _parse(body)
    if not isinstance(event, dict):
        raise CaptureError(400, "not-an-event", "the body must be one EPCIS event", "ValidationException")
    return event


def _parse(body: bytes) -> Any:
    try:
        return strict_json.loads(body)
    except strict_json.StrictJsonError as error:
        raise CaptureError(400, f"json-{error.code}", error.detail, "ValidationException") from error


def require_room(size: int) -> None:
    if size > settings.CAPTURE_MAX_BYTES:
        raise _too_large(f"a document has at most {settings.CAPTURE_MAX_BYTES} bytes")
    if ledger.backlog() > settings.CAPTURE_MAX_BACKLOG:
        raise CaptureError(
            503, "backlog", "too many events wait for the log; send this again later", headers={"Retry-After": "5"}
        )


def _too_large(detail: str) -> CaptureError:
    headers = {
        "GS1-EPCIS-Capture-Limit": str(settings.CAPTURE_MAX_EVENTS),
        "GS1-EPCIS-Capture-File-Size-Limit": str(settings.CAPTURE_MAX_BYTES),
    }
    return CaptureError(413, "capture-limit", detail, "CaptureLimitExceededException", headers=headers)


def _prepare(events: Sequence[tuple[int, dict[str, Any]]], reporter: Party) -> tuple[list[Prepared], list[Fault]]:
    """Give each event its ID and key; faults name those from the future or doubled with other content."""
    latest = now_ms() + FUTURE_TOLERANCE_MS
    prepared: list[Prepared] = []
    faults: list[Fault] = []
    seen: dict[Key, str] = {}
    for place, event in events:
        if late := [pointer for pointer, time in _times(event) if epcis_event.time_ms(time) > latest]:
            detail = "this time lies more than five minutes in the future"
            faults += [Fault(place, pointer, "future-event", detail) for pointer in late]
            continue
        item = _identified(place, event, reporter)
        if seen.setdefault(item.key, item.content_sha256) != item.content_sha256:
            faults.append(
                Fault(place, "/eventID", "event-id-reused", f"{item.event_id} stands twice with other content")
            )
        else:
            prepared.append(item)
    return prepared, faults


def _times(event: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """When it happened, and when it was declared void; with their pointers."""
    yield "/eventTime", event["eventTime"]
    if declaration := event.get("errorDeclaration"):
        yield "/errorDeclaration/declarationTime", declaration["declarationTime"]


def content_of(event: Mapping[str, Any], reporter: str) -> str:
    """The hash of what was sent, from the event as it was committed: an ID that we minted was not sent."""
    sent = _sorted({name: value for name, value in event.items() if name != "eventID"})
    if _minted_id(reporter.encode() + b"\0" + sent) != event["eventID"]:
        sent = _sorted(event)
    return hashlib.sha256(sent).hexdigest()


def _sorted(event: Mapping[str, Any]) -> bytes:
    return json.dumps(event, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()


def _identified(place: int, event: dict[str, Any], reporter: Party) -> Prepared:
    content = _sorted(event)
    event_id = event.get("eventID")
    if event_id is None:
        event_id = _minted_id(reporter.uri.encode() + b"\0" + content)
        event = {**event, "eventID": event_id}
    declaration = event.get("errorDeclaration")
    return Prepared(
        place=place,
        body=event,
        event_id=event_id,
        declaration=declaration["declarationTime"] if declaration else "",
        content_sha256=hashlib.sha256(content).hexdigest(),
    )


def _minted_id(content: bytes) -> str:
    """A UUIDv8 from a keyed hash: the same content by the same reporter mints the same ID, and nobody can guess it."""
    raw = bytearray(hmac.digest(sealing.id_key(sealing.EVENT_IDS), content, "sha256")[:16])
    raw[6] = raw[6] & 0x0F | 0x80
    raw[8] = raw[8] & 0x3F | 0x80
    return f"urn:uuid:{uuid.UUID(bytes=bytes(raw))}"


def _store(prepared: Sequence[Prepared], **call: Any) -> list[Accepted]:
    """Store what is new; when another request stored one of these meanwhile, look again and judge by that."""
    try:
        return _store_new(prepared, **call)
    except IntegrityError:
        return _store_new(prepared, **call)


def _store_new(
    prepared: Sequence[Prepared],
    *,
    reporter: Party,
    sign: Sign,
    strict: bool,
    job: CaptureJob | None = None,
    idempotency_key: str = "",
    beside: Beside | None = None,
) -> list[Accepted]:
    # Read before the events: what comes in between is then known as an event, not taken for another under this key.
    under_key = selectors.by_key(reporter.uri, idempotency_key) if idempotency_key else []
    fresh, known, conflicts = _split(prepared, reporter)
    if conflicts and strict:
        raise _refusal(conflicts, status=409, kind="ResourceAlreadyExistsException")
    if fresh and under_key:
        detail = "this idempotency key stands for another event; use a new one for each"
        raise CaptureError(409, "idempotency-key-reused", detail, "ResourceAlreadyExistsException")
    unknown = master_data.unknown_identifiers([item.body for item in fresh])
    signed = sign(fresh)
    hashes = {item.key: one.statement_hash for item, one in zip(fresh, signed.documents, strict=True)}
    merged = {**known, **hashes}
    accepted = [
        Accepted(item.event_id, merged[item.key], item.key in known, item.declaration)
        for item in prepared
        if item.key in merged
    ]
    if job is not None:
        job.already_recorded = len(known)
        job.errors = _shown([*job.errors, *map(_error, conflicts)])
        job.receipt = ledger.submission_receipt([*hashes.values(), *known.values()], now_ms())
    # Crash before this commits: nothing was recorded, and the same bytes sent again are a first time.
    with transaction.atomic():
        if job is not None:
            job.save(force_insert=True)
        documents.store(signed)
        key = idempotency_key or None
        rows = [_captured(item, hashes[item.key], reporter=reporter, job=job, key=key) for item in fresh]
        CapturedEvent.objects.bulk_create(rows, batch_size=500)
        if unknown and fresh:
            master_data.note(unknown, event_id=fresh[0].event_id, reporter=reporter)
        if beside is not None:
            beside(accepted)
    # Crash here: recorded, and nobody was told. Sent again it is known by job, eventID or key, and answered so.
    transaction.on_commit(lambda: _say_accepted(list(hashes.values()), known=len(known), reporter=reporter, job=job))
    return accepted


def _captured(
    item: Prepared, statement_hash: str, *, reporter: Party, job: CaptureJob | None, key: str | None
) -> CapturedEvent:
    return CapturedEvent(
        statement_hash=statement_hash,
        job=job,
        reporter=reporter.uri,
        event_id=item.event_id,
        declaration=item.declaration,
        content_sha256=item.content_sha256,
        idempotency_key=key,
    )


def _say_accepted(hashes: Sequence[str], *, known: int, reporter: Party, job: CaptureJob | None) -> None:
    """Count what was taken in, and log each new statement by its hash: where following it through the logs begins."""
    metrics.count_captured(new=len(hashes), known=known)
    facts = {"party": reporter.uri, "job": job.id if job else "", "already_recorded": known}
    for start in range(0, len(hashes) or 1, _HASHES_PER_LINE):
        log.info("accepted", extra={**facts, "statements": hashes[start : start + _HASHES_PER_LINE]})


def _hosted(reporter: Party, annotation: Mapping[str, Any]) -> Sign:
    """Signing with the party's hosted key."""

    def sign(prepared: Sequence[Prepared]) -> documents.Signed:
        try:
            key = parties.signer_for(reporter)
        except LookupError as error:
            detail = "this party has no signing key in force here; register one, or send statements of its own device"
            raise CaptureError(409, "no-signing-key", detail, "SecurityException") from error
        drafts = [documents.Draft(KIND, item.body, reporter.uri, key, annotation) for item in prepared]
        try:
            return documents.prepare(drafts)
        except ledger.ClaimsError as error:
            raise _refusal([_claims_fault(prepared, reporter, error)]) from error

    return sign


def _claims_fault(prepared: Sequence[Prepared], reporter: Party, error: ledger.ClaimsError) -> Fault:
    """Which event it is whose content has no claims: each is tried anew, since this is rare."""
    for item in prepared:
        try:
            ledger.commit_claims(item.body, secret=bytes(32), party=reporter.uri)
        except ledger.ClaimsError as found:
            return Fault(item.place, "", "claims", str(found))
    return Fault(None, "", "claims", str(error))


def _split(prepared: Sequence[Prepared], reporter: Party) -> tuple[list[Prepared], dict[Key, str], list[Fault]]:
    """What is new, what was recorded before (key -> statement hash), and what contradicts a recorded event."""
    rows = CapturedEvent.objects.filter(reporter=reporter.uri, event_id__in=[item.event_id for item in prepared])
    recorded = {(row.event_id, row.declaration): row for row in rows}
    fresh: dict[Key, Prepared] = {}
    known: dict[Key, str] = {}
    conflicts: list[Fault] = []
    for item in prepared:
        row = recorded.get(item.key)
        if row is None:
            fresh[item.key] = item
        elif row.content_sha256 == item.content_sha256:
            known[item.key] = row.statement_hash
        else:
            conflicts.append(
                Fault(item.place, "/eventID", "event-id-reused", f"{item.event_id} is recorded with other content")
            )
    return list(fresh.values()), known, conflicts


def _refusal(faults: Sequence[Fault], *, status: int = 400, kind: str = "ValidationException") -> CaptureError:
    first = faults[0]
    where = "the document" if first.event_index is None else f"event {first.event_index}"
    detail = f"{where}, {first.pointer or '/'}: {first.message}"
    if len(faults) > 1:
        detail += f" (and {len(faults) - 1} more)"
    return CaptureError(status, first.code, detail, kind, [_error(fault) for fault in faults[:MAX_ERRORS_SHOWN]])


def _shown(errors: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The first errors of a job, and how many more there were."""
    more = len(errors) - MAX_ERRORS_SHOWN
    if more <= 0:
        return list(errors)
    rest = {"event": None, "pointer": "", "code": "more", "message": f"and {more} more faults in events left out"}
    return [*errors[:MAX_ERRORS_SHOWN], rest]


def _error(fault: Fault) -> dict[str, Any]:
    return {
        "event": fault.event_index,
        "pointer": fault.pointer.replace("\0", _NUL_SHOWN),  # PostgreSQL keeps no NUL
        "code": fault.code,
        "message": fault.message.replace("\0", _NUL_SHOWN),
    }
