"""Scanning: preflight from current state, then record through capture."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.db import transaction

from traceability.capture import selectors as captured
from traceability.capture import services as capture
from traceability.capture.models import EventEpc, PublishedEvent
from traceability.common.clock import now_ms
from traceability.common.problems import ProblemError
from traceability.custody import selectors as custody
from traceability.custody.models import ItemState, Shipment
from traceability.gs1 import scan
from traceability.gs1.errors import Gs1Error
from traceability.gs1.scan import ScannedCode
from traceability.parties import selectors as parties
from traceability.parties.models import Member, Party, Site

from . import build
from .models import ScanEvent
from .preflight import STOP, Known, Preflight, judge
from .steps import Shape, Step
from .tables import step_for

MAX_CODES = 1000
UNDO_DAYS_MS = 10 * 86_400_000


@dataclass(frozen=True)
class Recorded:
    """What a recorded step became."""

    event_ids: list[str]
    statement_hashes: list[str]
    preflight: Preflight


@dataclass(frozen=True)
class _Scan:
    """A scan that was read: step, codes, place, and the time it happens."""

    party: Party
    step: Step
    codes: list[ScannedCode]
    site: Site
    details: dict[str, str]
    now: int

    @property
    def today(self) -> date:
        return datetime.fromtimestamp(self.now / 1000, ZoneInfo(self.site.time_zone)).date()

    @property
    def offset_minutes(self) -> int:
        offset = datetime.fromtimestamp(self.now / 1000, ZoneInfo(self.site.time_zone)).utcoffset()
        return int(offset.total_seconds() // 60) if offset else 0


def preflight(
    *,
    party: Party,
    step: str,
    codes: Sequence[str],
    place: str,
    details: Mapping[str, str] | None = None,
) -> Preflight:
    """What speaks against the step, from what is recorded now; ProblemError for a step or place not the party's."""
    return _judge(_read(party, step, codes, place, details or {}))


def record(
    *,
    party: Party,
    step: str,
    codes: Sequence[str],
    place: str,
    member: Member | None = None,
    override_reason: str = "",
    details: Mapping[str, str] | None = None,
    nonce: str = "",
) -> Recorded:
    """Record the step as events, after preflight. A stop needs `override_reason` (and, of a member, the quality role).

    The same `nonce` by the same party gives the first answer again and records nothing.
    """
    if nonce and (first := ScanEvent.objects.filter(party=party.id, nonce=nonce).first()):
        return Recorded(first.event_ids, first.statement_hashes, Preflight(first.verdict, ()))
    read = _read(party, step, codes, place, details or {})
    _require_role(read.step, member)
    verdict = _judge(read)
    if not read.step.is_recorded:
        _keep(read, codes, verdict, member=member, nonce=nonce)
        return Recorded([], [], verdict)
    if verdict.verdict == STOP:
        _require_override(read, codes, verdict, member=member, reason=override_reason)
    annotation = {"member": member.pseudonym if member else "", "verdict": verdict.verdict}
    extensions: dict[str, Any] = {"dosetrail:member": member.pseudonym} if member else {}
    if verdict.verdict == STOP:
        extensions["dosetrail:override"] = {
            "reason": override_reason,
            "against": sorted({reason.code for reason in verdict.reasons if reason.verdict == STOP}),
        }
    accepted = capture.accept_events(
        build.events(_act(read, extensions)), reporter=party, annotation=annotation, idempotency_key=nonce
    )
    recorded = Recorded([one.event_id for one in accepted], [one.statement_hash for one in accepted], verdict)
    _keep(read, codes, verdict, member=member, nonce=nonce, override_reason=override_reason, recorded=recorded)
    return recorded


def _read(party: Party, step_id: str, raw: Sequence[str], place: str, details: Mapping[str, str]) -> _Scan:
    step = step_for(party.roles, step_id)
    if step is None:
        raise ProblemError(400, "unknown-step", f"{step_id!r} is not a step of this party's roles")
    if not 1 <= len(raw) <= MAX_CODES:
        raise ProblemError(400, "codes", f"a step takes 1 to {MAX_CODES} codes")
    site = parties.site_by_uri(place) or Site.objects.filter(id=place).first()
    if site is None or site.party_id != party.id:
        raise ProblemError(403, "not-your-place", f"{place!r} is not a place of this party")
    now = now_ms()
    clean = {name: str(value).strip() for name, value in details.items() if str(value).strip()}
    missing = [name for name in step.needs if name not in clean]
    if missing:
        raise ProblemError(400, "details-missing", f"the step {step.id} needs: {', '.join(missing)}")
    today = datetime.fromtimestamp(now / 1000, UTC).date()
    return _Scan(party, step, [_code(text, today) for text in raw], site, _resolved(clean, today), now)


def _code(raw: str, today: date) -> ScannedCode:
    try:
        return scan.parse(raw, today=today)
    except Gs1Error as error:
        raise ProblemError(400, f"code-{error.code}", f"{raw[:60]!r}: {error.detail}") from error


def _resolved(details: dict[str, str], today: date) -> dict[str, str]:
    """Party names become URIs, a container's code its EPC."""
    for name in ("receiver", "sender"):
        if name in details:
            value = details[name]
            party = parties.party_by_uri(value) or Party.objects.filter(id=value).first()
            if party is None:
                raise ProblemError(400, f"unknown-{name}", f"{value!r} is not a party that is registered here")
            details[name] = _owner_uri(party)
    if "container" in details:
        container = _code(details["container"], today)
        if not container.epc:
            raise ProblemError(400, "container", "the container needs an SSCC")
        details["container"] = container.epc
    if "quantity_left" in details and not details["quantity_left"].isdigit():
        raise ProblemError(400, "quantity-left", "the quantity left must be a whole number")
    return details


def _owner_uri(party: Party) -> str:
    uris = parties.uris_of(party)
    return uris[-1] if len(uris) > 1 else uris[0]


def _judge(read: _Scan) -> Preflight:
    epcs = [code.epc for code in read.codes if code.epc]
    known = _known(epcs)
    despatched = None
    if read.step.biz_step == "receiving" and (despatch := read.details.get("despatch")):
        row = Shipment.objects.filter(despatch=despatch).first()
        despatched = row.despatched if row else None
    return judge(
        read.step,
        read.codes,
        known,
        place=read.site.uri,
        own_uris=parties.uris_of(read.party),
        today=read.today,
        despatched=despatched,
    )


def _known(epcs: Sequence[str]) -> dict[str, Known]:
    located = custody.states(epcs)
    lots = custody.lot_statuses({(one.item.gtin, one.item.lot) for one in located.values()})
    found = {}
    for epc, one in located.items():
        lot = lots.get((one.item.gtin, one.item.lot))
        found[epc] = Known(
            status=one.status,
            place=one.place,
            lot=one.item.lot,
            expiry=_expiry(one.item),
            held=one.item.held_index is not None
            or one.holder.held_index is not None
            or (lot is not None and lot.held_index is not None),
            recalled=lot is not None and lot.recalled_index is not None,
            destinations=frozenset({one.holder.destination} - {""}),
        )
    return found


def _expiry(item: ItemState) -> date | None:
    try:
        return date.fromisoformat(item.expiry[:10])
    except ValueError:
        return None


def _require_role(step: Step, member: Member | None) -> None:
    if member is not None and step.quality_only and member.role not in {Member.Role.QUALITY, Member.Role.ADMIN}:
        raise ProblemError(403, "role", "this step needs the quality role")


def _require_override(
    read: _Scan, raw: Sequence[str], verdict: Preflight, *, member: Member | None, reason: str
) -> None:
    stops = [one for one in verdict.reasons if one.verdict == STOP]
    if reason.strip() and (member is None or member.role in {Member.Role.QUALITY, Member.Role.ADMIN}):
        return
    _keep(read, raw, verdict, member=member)
    errors = [{"code": one.code, "message": str(one.text), "epc": one.epc} for one in stops]
    detail = "preflight stops this; recording it all the same needs an override reason (and the quality role)"
    raise ProblemError(409, "preflight-stop", detail, errors=errors)


def _act(read: _Scan, extensions: Mapping[str, Any]) -> build.Act:
    children: Sequence[str] = ()
    original = None
    if read.step.shape is Shape.UNPACK:
        children = custody.contents(read.codes[0].epc) if len(read.codes) == 1 else ()
    if read.step.shape is Shape.UNDO:
        original = _dispensing_to_undo(read)
    return build.Act(
        step=read.step,
        time_ms=read.now,
        offset_minutes=read.offset_minutes,
        place=read.site.uri,
        own_uri=_owner_uri(read.party),
        codes=read.codes,
        children=children,
        original=original,
        details=read.details,
        extensions=extensions,
    )


def _dispensing_to_undo(read: _Scan) -> dict[str, Any]:
    """The party's newest dispensing of the pack at this place within ten days (EU 2016/161, Article 13)."""
    if len(read.codes) != 1:
        raise ProblemError(400, "one-code", "undo takes one pack at a time")
    indexes = EventEpc.objects.filter(epc=read.codes[0].epc, role="epc").values("event_index")
    row = (
        PublishedEvent.objects.filter(
            index__in=indexes, biz_step="dispensing", declaration_ms=None, voided_by=None, reporter=read.party.uri
        )
        .filter(biz_location=read.site.uri, event_time_ms__gte=read.now - UNDO_DAYS_MS)
        .order_by("-event_time_ms")
        .first()
    )
    if row is None:
        raise ProblemError(
            409, "nothing-to-undo", "no dispensing of this pack at this place in the last ten days can be undone"
        )
    return captured.bodies([row.index])[row.index]


def _keep(
    read: _Scan,
    raw: Sequence[str],
    verdict: Preflight,
    *,
    member: Member | None,
    nonce: str = "",
    override_reason: str = "",
    recorded: Recorded | None = None,
) -> None:
    with transaction.atomic():
        ScanEvent.objects.create(
            party=read.party.id,
            member=member.pseudonym if member else "",
            nonce=nonce or None,
            step=read.step.id,
            place=read.site.uri,
            codes=list(raw),
            verdict=verdict.verdict,
            reasons=[{"verdict": one.verdict, "code": one.code, "epc": one.epc} for one in verdict.reasons],
            override_reason=override_reason[:500],
            event_ids=recorded.event_ids if recorded else [],
            statement_hashes=recorded.statement_hashes if recorded else [],
            scanned_ms=read.now,
        )
