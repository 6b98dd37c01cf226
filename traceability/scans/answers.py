"""What a scan was answered, kept with the raw codes; the same nonce finds its first answer again."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from django.db import IntegrityError, transaction

from traceability.capture.models import CapturedEvent
from traceability.capture.services import Accepted
from traceability.common.problems import ProblemError
from traceability.parties.models import Party

from .models import ScanEvent
from .preflight import ALLOW, STOP, Preflight, Reason
from .reading import Scan

MAX_NONCE = MAX_DEVICE = 64
MAX_REASON = 500


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
        return replace(self, override_reason=reason.strip()[:MAX_REASON])

    def refused(self) -> "Answer":
        """Without its nonce: the same call may come again with an override."""
        return replace(self, nonce="")

    def accepted(self, events: Sequence[Accepted]) -> "Answer":
        return replace(
            self,
            event_ids=[one.event_id for one in events],
            statement_hashes=[one.statement_hash for one in events],
        )


def require_room(nonce: str, device: str) -> None:
    """Refuse names that are longer than what is kept of them."""
    for name, value, limit in (("nonce", nonce, MAX_NONCE), ("device", device, MAX_DEVICE)):
        if len(value) > limit or "\x00" in value:
            raise ProblemError(400, name, f"{name} has at most {limit} characters and no NUL")


def with_ids(party: Party, nonce: str, events: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The events, each with the ID that party and nonce give it; without a nonce, capture mints one."""
    if not nonce:
        return list(events)
    return [{"eventID": _event_id(party, nonce, place), **event} for place, event in enumerate(events)]


def first(scan: Scan, nonce: str) -> Answer | None:
    """The answer that this nonce was given before, or None. ProblemError when it stood for another scan."""
    row = ScanEvent.objects.filter(party=scan.party.id, nonce=nonce).first()
    if row is not None:
        if (row.step, row.place, row.codes) != (scan.step.id, scan.site.uri, scan.raw):
            raise ProblemError(409, "nonce-reused", "this nonce stands for another scan; use a new one for each scan")
        return _answer(scan, row)
    events = captured(scan, nonce)  # the first call broke off after capture: its events stand
    return keep(Answer(scan, Preflight(ALLOW, ()), nonce=nonce).accepted(events)) if events else None


def captured(scan: Scan, nonce: str) -> list[Accepted]:
    """The events that capture has under this nonce, in their order."""
    if not nonce:
        return []
    row = CapturedEvent.objects.filter(
        reporter=scan.party.uri, event_id=_event_id(scan.party, nonce, 0), declaration=""
    ).first()
    if row is None:
        return []
    rows = CapturedEvent.objects.filter(reporter=scan.party.uri, idempotency_key=nonce)
    order = {_event_id(scan.party, nonce, place): place for place in range(rows.count())}
    found = sorted(rows, key=lambda row: order.get(row.event_id, len(order)))
    return [Accepted(row.event_id, row.statement_hash, already_recorded=True) for row in found]


def keep(answer: Answer) -> Answer:
    """Store the answer; when the same nonce was answered meanwhile, that one."""
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
    return answer


def _answer(scan: Scan, row: ScanEvent) -> Answer:
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
