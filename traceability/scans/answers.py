"""What a scan was answered, kept with the raw codes; the same nonce finds its first answer again."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from django.db import IntegrityError, transaction

from traceability.capture import selectors as capture
from traceability.capture.services import Accepted
from traceability.common import metrics
from traceability.common.models import Document
from traceability.common.problems import ProblemError, pointer
from traceability.parties.models import Party

from . import in_force
from .models import ScanEvent
from .preflight import ALLOW, STOP, Preflight, Reason
from .reading import Scan

MAX_NONCE = MAX_DEVICE = 64
MAX_REASON = 500
_LIMITS = {"nonce": MAX_NONCE, "device": MAX_DEVICE, "override_reason": MAX_REASON}


@dataclass(frozen=True)
class Answer:
    """A scan, what preflight said of it, and what it became."""

    scan: Scan
    preflight: Preflight
    nonce: str = ""
    device: str = ""
    override_reason: str = ""
    event_ids: Sequence[str] = ()
    statement_hashes: Sequence[str] = ()

    @property
    def stops(self) -> list[str]:
        """The reason codes that stop the step."""
        return sorted({reason.code for reason in self.preflight.reasons if reason.verdict == STOP})

    def overridden(self, reason: str) -> "Answer":
        return replace(self, override_reason=reason.strip())

    def refused(self) -> "Answer":
        """Without its nonce: the same call may come again with an override."""
        return replace(self, nonce="")

    def accepted(self, events: Sequence[Accepted]) -> "Answer":
        return replace(
            self,
            event_ids=[one.event_id for one in events],
            statement_hashes=[one.statement_hash for one in events],
        )


def require_room(**texts: str) -> None:
    """Refuse texts that are longer than what is kept of them."""
    for name, value in texts.items():
        if len(value) > _LIMITS[name] or "\x00" in value:
            code = name.replace("_", "-")
            detail = f"{name} has at most {_LIMITS[name]} characters and no NUL"
            raise ProblemError(400, code, detail, pointer=pointer(name))


def with_ids(party: Party, nonce: str, events: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The events, each with the ID that party and nonce give it; without a nonce, capture mints one."""
    if not nonce:
        return list(events)
    return [{"eventID": _event_id(party, nonce, place), **event} for place, event in enumerate(events)]


def first(scan: Scan, nonce: str) -> Answer | None:
    """The answer that this nonce was given before, or None. ProblemError when it stood for another scan."""
    row = ScanEvent.objects.filter(party=scan.party.id, nonce=nonce).first()
    if row is not None:
        return _answer(scan, row)
    events = captured(scan, nonce)  # the answer is not kept any more, or never was: its events stand
    if not events:
        return None
    if not _is_about(scan, events):
        raise _reused()
    return keep(Answer(scan, Preflight(ALLOW, ()), nonce=nonce).accepted(events))


def _reused() -> ProblemError:
    detail = "this nonce stands for another scan; use a new one for each scan"
    return ProblemError(409, "nonce-reused", detail, pointer="/nonce")


def _is_about(scan: Scan, events: Sequence[Accepted]) -> bool:
    """Whether these events name all that was scanned: what else the broken call said of it was not kept."""
    bodies = Document.objects.filter(statement_hash__in=[one.statement_hash for one in events])
    text = "".join(bytes(body).decode() for body in bodies.values_list("body", flat=True))
    return all(json.dumps(epc, ensure_ascii=False) in text for epc in scan.epcs)


def key(nonce: str) -> str:
    """The idempotency key of a scan's events: apart from those that callers of the EPCIS interface choose."""
    return f"scan:{nonce}" if nonce else ""


def captured(scan: Scan, nonce: str) -> list[Accepted]:
    """The events that capture has under this nonce, in their order."""
    if not nonce:
        return []
    rows = capture.by_key(scan.party.uri, key(nonce))
    order = {_event_id(scan.party, nonce, place): place for place in range(len(rows))}
    # An undo's declaration has the ID of what it declares void; what it says anew comes after it.
    found = sorted(rows, key=lambda row: (row.declaration == "", order.get(row.event_id, len(order))))
    return [Accepted(row.event_id, row.statement_hash, already_recorded=True) for row in found]


def keep(answer: Answer) -> Answer:
    """Store the answer, or find that which its nonce was given meanwhile; ProblemError when that was another scan's."""
    scan = answer.scan
    try:
        with transaction.atomic():
            ScanEvent.objects.create(
                party=scan.party.id,
                member=scan.member.pseudonym if scan.member else "",
                device=answer.device,
                nonce=answer.nonce or None,
                step=scan.step.id,
                place=scan.site.uri,
                codes=scan.raw,
                details=scan.details,
                profile=in_force.current().name,
                verdict=answer.preflight.verdict,
                reasons=[
                    {"verdict": one.verdict, "code": one.code, "epc": one.epc} for one in answer.preflight.reasons
                ],
                override_reason=answer.override_reason,
                event_ids=list(answer.event_ids),
                statement_hashes=list(answer.statement_hashes),
                scanned_ms=scan.now,
            )
    except IntegrityError:
        row = ScanEvent.objects.filter(party=scan.party.id, nonce=answer.nonce).first()
        if row is None:
            raise
        return _answer(scan, row)
    metrics.count_scan(scan.step.id, answer.preflight.verdict)
    return answer


def _answer(scan: Scan, row: ScanEvent) -> Answer:
    if (row.step, row.place, row.codes, row.details) != (scan.step.id, scan.site.uri, scan.raw, scan.details):
        raise _reused()
    reasons = tuple(Reason(one["verdict"], one["code"], one["epc"]) for one in row.reasons)
    return Answer(
        scan,
        Preflight(row.verdict, reasons),
        nonce=row.nonce or "",
        device=row.device,
        override_reason=row.override_reason,
        event_ids=row.event_ids,
        statement_hashes=row.statement_hashes,
    )


def _event_id(party: Party, nonce: str, place: int) -> str:
    return f"urn:uuid:{uuid5(NAMESPACE_URL, f'{party.uri}/scans/{nonce}/{place}')}"
