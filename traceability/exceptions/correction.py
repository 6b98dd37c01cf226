"""A lot number or expiry date that was recorded wrongly: its maker declares the making incorrect and says it anew."""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any
from uuid import uuid4

from django.db import transaction

from traceability.capture import selectors as captured
from traceability.capture import services as capture
from traceability.capture.models import CapturedEvent, EventEpc, PublishedEvent
from traceability.capture.services import Accepted
from traceability.common import bulk, storage_full
from traceability.common.clock import now_ms
from traceability.common.problems import ProblemError
from traceability.custody import selectors as custody
from traceability.custody import stops
from traceability.custody.models import ItemState
from traceability.epcis.context import PREFIXES
from traceability.epcis.event import EXPIRY, LOT
from traceability.gs1 import keys, scan
from traceability.gs1.epc import canonical
from traceability.gs1.errors import Gs1Error
from traceability.parties.models import Member, Party
from traceability.products import selectors as products
from traceability.scans import build, reading
from traceability.scans.preflight import ALLOW
from traceability.visibility import rules

MAX_CODES = 1_000
MAX_PACKS = 20_000
_CODES = {"pack", "sscc", "nmpa"}
_OWN_NAMES = {f"{prefix}{name}" for prefix in ("cbvmda:", PREFIXES["cbvmda"]) for name in (LOT, EXPIRY)}


@dataclass(frozen=True)
class Wanted:
    """What the packs of these codes should have been recorded with; a case stands for all packs in it."""

    codes: Sequence[str]
    lot: str
    expiry: str  # ISO date


@dataclass(frozen=True)
class Plan:
    """What a correction would do: packs by what is recorded of them now, and the events that it declares incorrect."""

    packs: frozenset[str]
    recorded: Mapping[tuple[str, str], int]  # lot and ISO date -> packs
    events: Sequence[PublishedEvent]
    gtin: str
    lot: str
    expiry: str


def plan(party: Party, wanted: Wanted) -> Plan:
    """What would be corrected; records nothing. ProblemError says why it cannot be.

    Only who recorded the making corrects it. Packs of a lot that is recalled or frozen keep it: what a notice counted
    does not leave it by a correction.
    """
    lot, expiry = _said(wanted)
    packs = _packs(wanted.codes, party)
    makings = _makings(packs, party)  # before anything is said of the packs: others learn nothing of them here
    states = custody.items(packs)
    gtins = {one.gtin for one in states.values()}
    if len(states) < len(packs) or len(gtins) != 1 or "" in gtins:
        raise _problem("one-product", "/codes")
    gtin = gtins.pop()
    known = products.lot(gtin, lot)
    if known is None and products.item_by_gtin(gtin) is not None:
        raise _problem("lot-unregistered", "/lot")
    if known is not None and known.expiry_date.isoformat() != expiry:
        raise _problem("expiry-of-lot", "/expiry")
    wrong = {epc: one for epc, one in states.items() if (one.lot, one.expiry[:10]) != (lot, expiry)}
    if not wrong:
        raise _problem("nothing-to-correct", "/codes")
    _require_free(gtin, wrong.values())
    events = {event.index: event for epc in wrong for event in makings[epc]}
    counted = Counter((one.lot, one.expiry[:10]) for one in wrong.values())
    return Plan(frozenset(wrong), dict(counted), [events[index] for index in sorted(events)], gtin, lot, expiry)


@storage_full.refused()
def correct(member: Member, wanted: Wanted, *, reason: str) -> list[Accepted]:
    """Declare the makings incorrect and record what is true instead, in one transaction. ProblemError as in `plan`.

    Of each event: the same event with an error declaration, one for the corrected packs, and one for those that stay.
    """
    if not reading.is_quality(member):
        raise ProblemError(403, "role", "records are corrected by people with the quality role")
    if not 1 <= len(reason.strip()) <= 500:
        raise ProblemError(400, "reason", "say why, in 1 to 500 characters", pointer="/reason")
    with transaction.atomic():
        found = plan(member.party, wanted)
        # Two at one moment: the second waits here, and finds the first one's declarations.
        ids = [event.event_id for event in found.events]
        own = CapturedEvent.objects.filter(reporter=member.party.uri, event_id__in=ids)
        list(own.filter(declaration="").select_for_update().order_by("statement_hash"))
        if own.exclude(declaration="").exists():
            raise _problem("correction-waiting", "/codes")
        bodies = captured.bodies([event.index for event in found.events])
        now = now_ms()
        corrected = [
            one
            for event in found.events
            for one in anew(
                bodies[event.index], found, at=build.local(now, event.offset_minutes), reason=reason.strip()
            )
        ]
        annotation = {"member": member.pseudonym, "role": member.role, "verdict": ALLOW}
        return capture.accept_events(corrected, reporter=member.party, annotation=annotation)


def anew(original: Mapping[str, Any], found: Plan, *, at: str, reason: str) -> list[dict[str, Any]]:
    """The making declared incorrect at a moment `at`, and the events that stand in its place, at its own time.

    EPCIS 2.0, section 7.4.1.4: the declaration names its corrective events.
    """
    wrong = [one for one in original["epcList"] if canonical(one) in found.packs]
    kept = [one for one in original["epcList"] if canonical(one) not in found.packs]
    names = [f"urn:uuid:{uuid4()}" for _ in range(2 if kept else 1)]
    declared = build.declared_void(original, at=at, reason=reason, corrected_by=names)
    base = {name: value for name, value in declared.items() if name != "errorDeclaration"}
    ilmd = {name: value for name, value in base.get("ilmd", {}).items() if name not in _OWN_NAMES}
    said = {f"cbvmda:{LOT}": found.lot, f"cbvmda:{EXPIRY}": found.expiry}
    # What the scanner read then says the wrong lot; it stays in the declared event.
    unread = {name: value for name, value in base.items() if name != "dosetrail:scanned"}
    right = {**unread, "eventID": names[0], "epcList": wrong, "ilmd": {**ilmd, **said}}
    return [declared, right, *([{**base, "eventID": names[1], "epcList": kept}] if kept else [])]


def _said(wanted: Wanted) -> tuple[str, str]:
    lot = wanted.lot.strip()
    try:
        keys.require("10", lot)
    except Gs1Error as error:
        raise _problem("lot", "/lot") from error
    try:
        return lot, date.fromisoformat(wanted.expiry.strip()).isoformat()
    except ValueError as error:
        raise _problem("expiry", "/expiry") from error


def _packs(codes: Sequence[str], party: Party) -> set[str]:
    if not 1 <= len(codes) <= MAX_CODES:
        raise ProblemError(400, "codes", f"give 1 to {MAX_CODES} codes", pointer="/codes")
    today = datetime.fromtimestamp(now_ms() / 1000, UTC).date()
    packs, cases = set[str](), set[str]()
    for raw in codes:
        try:
            code = scan.parse(raw[: reading.MAX_TEXT], today=today)
        except Gs1Error as error:
            raise ProblemError(400, f"code-{error.code}", f"{raw[:60]!r}: {error.detail}", pointer="/codes") from error
        if code.kind not in _CODES or "\x00" in raw or len(raw) > reading.MAX_TEXT:
            raise _problem("not-packs", "/codes")
        (cases if code.kind == "sscc" else packs).add(code.epc)
    inside = custody.all_contents(rules.visible_things(cases, party))
    packs |= {epc for epc in inside if "/00/" not in epc}
    if not packs:
        raise _problem("empty-case", "/codes")
    if len(packs) > MAX_PACKS:
        raise _problem("too-many-packs", "/codes")
    return packs


def _require_free(gtin: str, items: Collection[ItemState]) -> None:
    for status in stops.lot_statuses({(gtin, one.lot) for one in items if one.lot}).values():
        if status.recalled_index is not None:
            raise _problem("lot-recalled", "/codes")
        if status.frozen_index is not None:
            raise _problem("lot-frozen", "/codes")


def _makings(packs: Collection[str], party: Party) -> dict[str, list[PublishedEvent]]:
    """The effective commissionings of each of these packs; all have to be the party's own."""
    links = EventEpc.objects.filter(role="epc").values_list("event_index", "epc")
    naming = list(bulk.among(links, "epc", packs))
    rows = PublishedEvent.objects.filter(event_type="ObjectEvent", action="ADD", declaration_ms=None, voided_by=None)
    events = {row.index: row for row in bulk.among(rows, "index", {index for index, _ in naming})}
    found: dict[str, list[PublishedEvent]] = defaultdict(list)
    for index, epc in naming:
        if index in events:
            found[epc].append(events[index])
    if found.keys() != set(packs) or any(row.reporter != party.uri for row in events.values()):
        raise _problem("not-your-making", "/codes", status=403)
    waiting = CapturedEvent.objects.filter(reporter=party.uri, event_id__in=[row.event_id for row in events.values()])
    if waiting.exclude(declaration="").exists():
        raise _problem("correction-waiting", "/codes")
    bodies = captured.bodies(list(events))
    if any(body.get("quantityList") for body in bodies.values()):
        raise _problem("not-commissioned", "/codes")
    return found


_DETAILS = {
    "lot": "a lot number has 1 to 20 characters of GS1's set 82",
    "expiry": "the expiry date is YYYY-MM-DD",
    "not-packs": "a correction is about packs, or cases and pallets with packs in them",
    "empty-case": "nothing is recorded as inside these cases",
    "too-many-packs": f"a correction takes at most {MAX_PACKS} packs at once",
    "one-product": "all packs have to be recorded, and of one product",
    "lot-unregistered": "this lot of the product is not registered; register it first",
    "expiry-of-lot": "this lot is registered with another expiry date",
    "nothing-to-correct": "all of these packs are recorded so already",
    "lot-recalled": "a pack of a recalled lot keeps it; speak with the regulator",
    "lot-frozen": "a pack of a frozen lot keeps it; speak with the regulator",
    "not-commissioned": "the making of one of these packs is recorded with quantities beside it",
    "not-your-making": "the making of one of these packs is not on record as your commissioning of single packs",
    "correction-waiting": "a correction of these packs is on its way to the log; try again in a few seconds",
}
_CONFLICTS = {"nothing-to-correct", "lot-recalled", "lot-frozen", "not-commissioned", "correction-waiting"}


def _problem(code: str, pointer: str, *, status: int = 0) -> ProblemError:
    return ProblemError(status or (409 if code in _CONFLICTS else 400), code, _DETAILS[code], pointer=pointer)
