"""One shipment: both sides line by line, where it stands, its events with proofs, what can be done."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache

from ledger import api as ledger
from traceability.capture.models import PublishedEvent
from traceability.common.clock import now_ms
from traceability.common.models import Document
from traceability.custody import selectors as custody
from traceability.custody import shipments, sides
from traceability.custody.matching import Match
from traceability.custody.models import Shipment
from traceability.custody.sides import Line, Standing, State
from traceability.exceptions import expected
from traceability.exceptions.comparison import Compared
from traceability.exceptions.expected import Expected
from traceability.parties import selectors as parties
from traceability.parties.models import Member
from traceability.scans.tables import step_for
from traceability.visibility import receipts
from traceability.visibility.rules import visible_events
from traceability.web.shared import names
from traceability.web.shared.names import lasted

from . import expected_rows
from .access import member_view

PAGE_SIZE = 100
MAX_EVENTS = 200
MAX_GOODS = 50  # named in the address of an exception's form
MAX_PARTS = 20  # of a thing that came in parts
STANDINGS = {
    Standing.TRANSIT: (gettext_lazy("On the way"), "is-unknown"),
    Standing.PARTIAL: (gettext_lazy("Partly received"), "is-warn"),
    Standing.SHORT: (gettext_lazy("Goods are missing"), "is-danger"),
    Standing.OVER: (gettext_lazy("More than was despatched"), "is-warn"),
    Standing.RECEIVED: (gettext_lazy("Received"), "is-ok"),
    Standing.VOID: (gettext_lazy("Called back before it was received"), "is-unknown"),
    Standing.VOID_RECEIVED: (gettext_lazy("Called back after goods had been received"), "is-danger"),
    Standing.UNSENT: (gettext_lazy("Received without a recorded despatch"), "is-warn"),
}
LINE_STATES = {
    State.AWAITED: (gettext_lazy("Not received"), "is-unknown"),
    State.RECEIVED: (gettext_lazy("Received"), "is-ok"),
    State.PART: (gettext_lazy("A part is missing"), "is-warn"),
    State.SURPLUS: (gettext_lazy("Not on the despatch"), "is-warn"),
}


@dataclass(frozen=True)
class Known:
    """A shipment that the member may see, with the receipts that belong to it by content."""

    row: Shipment  # where only a list says what was sent, as if that had been despatched
    matches: Sequence[Match]
    events: Sequence[PublishedEvent]  # those that the member's party may see
    incoming: bool
    expected: Expected

    @property
    def is_sent(self) -> bool:
        return self.row.shipped_index is not None

    @property
    def by_list(self) -> bool:
        """Whether the expected side is that of a list."""
        return not self.is_sent and bool(self.expected.advice or self.expected.order)

    @property
    def by_amount(self) -> bool:
        """Whether the expected side has no serial numbers, so that no single thing is missing or besides."""
        return self.by_list and not self.row.despatched


@never_cache
@member_view
def shipment(request: HttpRequest, member: Member) -> HttpResponse:
    """The shipment of `?despatch=`, sent by or to the party."""
    found, zone = _found(request, member), names.zone_of(member)
    row, naming = found.row, names.Names()
    lines = shipments.lines(row, found.matches, found.expected.things)
    lots = sides.by_lot(lines)
    if found.by_list:
        lots = expected_rows.with_amounts(lots, found.expected)
    naming.learn(
        parties_of=[row.sender, row.receiver, row.receiver_party], gtins=[gtin for gtin, _lot in lots if gtin]
    ).of_events(found.events)
    page = Paginator(lines, PAGE_SIZE).get_page(request.GET.get("page"))
    compared = expected_rows.compared(found.expected, lines, is_sent=found.is_sent)
    naming.learn(gtins=[one.gtin for one in compared if one.gtin])
    text, tone = _state(found, lines, compared)
    absent = shipments.absent(row, lines)
    context = {
        "member": member,
        "section": "shipments",
        "despatch": row.despatch,
        "number": names.document(row.despatch),
        "shown": names.short_document(row.despatch),
        "incoming": found.incoming,
        "sender": naming.party(row.sender),
        "receiver": naming.party(row.receiver or row.receiver_party),
        "state": text,
        "tone": tone,
        "sent": names.moment(row.shipped_ms, zone),
        "arrived": names.moment(_arrived_ms(found), zone),
        "dwell": _dwell(found),
        "void_received": found.incoming
        and _standing(found, lines) == Standing.VOID_RECEIVED
        and "receive" in _can(member),
        "by_content": bool(found.matches),
        "sources": [(one.despatch, names.short_document(one.despatch)) for one in _sources(found, member)],
        "lots": [
            (naming.product(gtin) or gtin, lot, expected, received, max(expected - received, 0))
            for (gtin, lot), (expected, received) in lots.items()
        ],
        "lines": [_line(line, absent.get(line.epc, ()), by_amount=found.by_amount) for line in page.object_list],
        "page": page,
        "more": f"&despatch={request.GET['despatch']}",
        "events": [_event(event, found, naming, zone) for event in found.events[:MAX_EVENTS]],
        "by_list": found.by_list,
        "compared": [(naming.product(one.gtin) or one.gtin, one) for one in compared],
        "lists": expected_rows.lists(found.expected, zone),
        "against": expected_rows.against_record(found.expected, row),
        "tasks": _tasks(found, lines, member),
        "exceptions": _exceptions(found, lines, absent),
    }
    return render(request, "portal/shipment.html", context)


@never_cache
@member_view
def proofs(request: HttpRequest, member: Member) -> HttpResponse:
    """The shipment's events with their claims and proofs, for `python -m ledger.verify` (docs/formats.md)."""
    found = _found(request, member)
    held = Document.objects.in_bulk([event.statement_hash for event in found.events])
    bundle = ledger.evidence(
        [
            ledger.EvidenceRequest(name, json.loads(bytes(one.body)), bytes(one.secret), lambda _name: True)
            for name, one in sorted(held.items())
        ]
    )
    headers = {"Content-Disposition": 'attachment; filename="shipment.json"'}
    return HttpResponse(
        json.dumps(bundle, ensure_ascii=False, indent=1), content_type="application/json", headers=headers
    )


def _found(request: HttpRequest, member: Member) -> Known:
    """The shipment with what of its events the party may see; a stranger's despatch does not exist."""
    despatch = request.GET.get("despatch", "")[:1024]
    if "\x00" in despatch:
        raise Http404
    own = set(parties.uris_of(member.party))
    row, told = _own_row(despatch, own), expected.told(member.party, despatch)
    if row is None and not (told.advice or told.order):
        raise Http404
    row = expected.as_despatched(row or expected.shipment_of(member.party, despatch, told, own), told)
    to_match = expected.to_be_matched(member.party, row, told)
    matches = shipments.by_content([to_match]).get(row.despatch, [])
    events = list(visible_events(shipments.events(row, matches), member.party))
    receipts.shown((event.index, event.reporter) for event in events)
    seen = {event.index for event in events}
    matches = [one for one in matches if one.index in seen]
    told = expected.with_order(member.party, told, seen)
    found = Known(row, matches, events, row.sender not in own, told)
    row.received_ms = _arrived_ms(found) if row.shipped_index is None else row.received_ms
    return found


def _own_row(despatch: str, own: Collection[str]) -> Shipment | None:
    """The shipment that is recorded, if the party sent it, is to receive it or received what nobody sent."""
    row = custody.shipment(despatch)
    if row is None:
        return None
    concerned = {row.sender, row.receiver, row.receiver_party if row.shipped_index is None else ""}
    return row if concerned & set(own) else None


def _state(found: Known, lines: Sequence[Line], compared: Sequence[Compared]) -> tuple[Any, str]:
    """Where it stands, in words; what only a list speaks of is judged by the list, packs without serial numbers too."""
    standing = _standing(found, lines)
    if not found.by_list:
        return STANDINGS[standing]
    if not any(one.received for one in compared):
        return gettext_lazy("Expected, nothing received yet"), "is-unknown"
    if standing in {Standing.RECEIVED, Standing.OVER, Standing.UNSENT}:
        short, over = any(one.short for one in compared), any(one.over for one in compared)
        late = now_ms() - (found.row.received_ms or 0) >= sides.PARTIAL_MS
        standing = Standing.OVER if over else Standing.RECEIVED
        if short:
            standing = Standing.SHORT if late else Standing.PARTIAL
    return STANDINGS[standing]


def _sources(found: Known, member: Member) -> list[Shipment]:
    own = set(parties.uris_of(member.party))
    return [one for one in shipments.sources(found.row) if own & {one.sender, one.receiver}]


def _standing(found: Known, lines: Sequence[Line]) -> Standing:
    return standing_of(found.row, lines, arrived_ms=_arrived_ms(found))


def standing_of(row: Shipment, lines: Sequence[Line], *, arrived_ms: int | None) -> Standing:
    """Where a shipment stands now; `arrived_ms`: of the newest receipt, those by content among them."""
    return sides.standing(
        lines,
        is_void=row.status == "void",
        is_sent=row.shipped_index is not None or bool(row.despatched),
        received_ms=arrived_ms,
        now_ms=now_ms(),
    )


def _arrived_ms(found: Known) -> int | None:
    by_content = {match.index for match in found.matches}
    times = [event.event_time_ms for event in found.events if event.index in by_content]
    return max([*times, *([found.row.received_ms] if found.row.received_ms is not None else [])], default=None)


def _dwell(found: Known) -> str:
    """How long it was or has been under way, and how long that takes on this lane."""
    if found.row.shipped_ms is None or found.row.status == "void":
        return ""
    arrived, lane = _arrived_ms(found), shipments.lane(found.row)
    took_ms = max((arrived if arrived is not None else now_ms()) - found.row.shipped_ms, 0)
    text = lasted(took_ms)
    if lane is None:
        return text
    usual = _("usually {time} on this lane, over the last {n}").format(time=lasted(lane.median_ms), n=lane.shipments)
    if took_ms > lane.longest_ms:
        return _("{time}: longer than each of these ({usual})").format(time=text, usual=usual)
    return f"{text} ({usual})"


def _line(line: Line, absent: Sequence[str], *, by_amount: bool) -> dict[str, Any]:
    text, tone = LINE_STATES[State.RECEIVED if by_amount and line.state == State.SURPLUS else line.state]
    return {
        "shown": names.goods(line.epc),
        "path": names.pack_path(line.epc),
        "state": text,
        "tone": tone,
        "expected": sum(line.expected.values()),
        "received": sum(line.received.values()),
        "missing": line.missing,
        "surplus": 0 if by_amount else line.surplus,
        "parts": [names.goods(part) for part in line.parts[:MAX_PARTS]],
        "more_parts": max(len(line.parts) - MAX_PARTS, 0),
        "absent": [names.goods(part) for part in absent[:MAX_PARTS]],
        "more_absent": max(len(absent) - MAX_PARTS, 0),
    }


def _event(event: PublishedEvent, found: Known, naming: names.Names, zone: Any) -> dict[str, Any]:
    return {
        "at": names.moment(event.event_time_ms, zone),
        "step": names.step(event),
        "place": naming.place(names.place_of(event)),
        "reporter": naming.party(event.reporter),
        "index": event.index,
        "by_content": event.index in {match.index for match in found.matches},
        "void": event.voided_by is not None or event.declaration_ms is not None,
    }


def _tasks(found: Known, lines: Sequence[Line], member: Member) -> list[tuple[str, str]]:
    """The steps that fit where the shipment stands: (step id, label)."""
    standing, can = _standing(found, lines), _can(member)
    under_way = found.by_amount or standing in {Standing.TRANSIT, Standing.PARTIAL, Standing.SHORT}
    wanted = "receive" if found.incoming else "void_shipping"
    return [(wanted, can[wanted])] if under_way and wanted in can else []


def _exceptions(found: Known, lines: Sequence[Line], absent: Mapping[str, Sequence[str]]) -> list[tuple[Any, str]]:
    """The queries of an exception's form for what is missing of goods that came in, and for what came besides."""
    if not found.incoming or found.by_amount:
        return []
    awaited = [line.epc for line in lines if line.state == State.AWAITED and found.row.received_ms is not None]
    surplus = [line.epc for line in lines if line.state == State.SURPLUS]
    sender = parties.party_by_uri(found.row.sender)
    given = [("despatch", names.document(found.row.despatch)), ("partner", sender.id if sender else "")]
    kinds = [
        (
            gettext_lazy("missing goods"),
            "data-no-product",
            [*awaited, *(epc for one in absent.values() for epc in one)],
        ),
        (gettext_lazy("surplus goods"), "product-no-data", surplus),
    ]
    return [
        (text, urlencode([("kind", kind), *given, *(("code", names.goods(epc)) for epc in epcs[:MAX_GOODS])]))
        for text, kind, epcs in kinds
        if epcs
    ]


def _can(member: Member) -> dict[str, str]:
    found: Collection[Any] = [step_for(member.party.roles, name) for name in ("receive", "void_shipping")]
    return {step.id: str(step.label) for step in found if step is not None}
