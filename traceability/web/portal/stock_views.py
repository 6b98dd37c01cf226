"""What stands at the party's own places, and what travels to and from it."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from traceability.capture.models import PublishedEvent
from traceability.custody import selectors as custody
from traceability.custody import shipments as shipments_read
from traceability.custody import stops
from traceability.custody.models import ItemState, Shipment
from traceability.custody.sides import Standing
from traceability.exceptions import expected
from traceability.gs1.errors import Gs1Error
from traceability.parties import selectors as parties
from traceability.parties.models import Member, Party, Site
from traceability.products import selectors as products
from traceability.visibility.rules import visible_indexes
from traceability.web.shared import names

from . import shipment_views, stock_search
from .access import member_view

PAGE_SIZE = 100
FEW = 3  # names of what lies in one container
# In the words of the CSV; where nobody recorded a despatch, the fold's word stands.
_STATUSES: Mapping[Standing, str] = {
    Standing.TRANSIT: "open",
    Standing.PARTIAL: "partial",
    Standing.SHORT: "partial",
    Standing.OVER: "received",
    Standing.RECEIVED: "received",
    Standing.VOID: "void",
    Standing.VOID_RECEIVED: "void",
}


@dataclass(frozen=True)
class StockRow:
    """A loose pack or an outermost container at one of the party's places."""

    epc: str
    product: str
    lot: str
    expiry: str
    status: str
    held: bool
    recalled: bool
    frozen: bool
    site: str
    since: str
    contains: int  # packs, at any depth; 0 where nothing is known inside

    @property
    def shown(self) -> str:
        return names.goods(self.epc)

    @property
    def status_text(self) -> str:
        return str(names.STATUSES.get(self.status, self.status))


@dataclass(frozen=True)
class ShipmentRow:
    """A despatch advice as the party sees it."""

    uri: str
    despatch: str
    incoming: bool
    sender: str
    receiver: str
    status: str  # open | partial | received | void
    state: str  # the same in words, as its own page says it
    tone: str
    sent: str
    arrived: str
    despatched: int  # packs, as they lay in their containers when these left; so are the two below
    received: int
    missing: int
    by_content: bool

    @property
    def number(self) -> str:
        return names.short_document(self.uri)


@member_view
def stock(request: HttpRequest, member: Member) -> HttpResponse:
    """The stock of the party's places, a hundred rows a page; `?q=` and `&state=` narrow it."""
    search, sites, fault = stock_search.Search.read(request.GET.dict()), stock_search.sites_of(member.party), ""
    try:
        found = stock_search.found(search, sites)
    except Gs1Error as error:
        found, fault = ItemState.objects.none(), names.code_fault(error.code)
    page = Paginator(found, PAGE_SIZE).get_page(request.GET.get("page"))
    context = {
        "member": member,
        "section": "stock",
        "rows": stock_rows(page.object_list, sites, member),
        "page": page,
        "total": page.paginator.count,
        "search": search,
        "more": f"&{search.query}" if search.query else "",
        "states": stock_search.STATES,
        "fault": fault,
    }
    return render(request, "portal/stock.html", context)


@member_view
def shipments(request: HttpRequest, member: Member) -> HttpResponse:
    """Shipments from and to the party, those under way first."""
    uris = parties.uris_of(member.party)
    rows = custody.shipments_of(uris)
    page = Paginator(rows, PAGE_SIZE).get_page(request.GET.get("page"))
    context = {
        "member": member,
        "section": "shipments",
        "rows": list(shipment_rows(page.object_list, member)),
        "page": page,
        "total": len(rows),
        "waiting": [
            (one.document, names.document(one.document), one.kind, one.partner.name if one.partner else "", one.lines)
            for one in expected.waiting(member.party, uris)
        ],
    }
    return render(request, "portal/shipments.html", context)


def stock_rows(found: Iterable[ItemState], sites: Mapping[str, Site], member: Member) -> list[StockRow]:
    """Rows to show; names, lot status and contents are asked for here, so give a page and not everything.

    Of a container they are those of the packs in it: what forbids the use of one of them stands on the container.
    """
    rows, zone = list(found), names.zone_of(member)
    inside = shipments_read.packs_in([item.epc for item in rows if not item.gtin])
    lots_of = [sorted(inside.get(item.epc) or [(item.gtin, item.lot)]) for item in rows]
    pairs = {pair for found in lots_of for pair in found}
    lots, expiries = stops.lot_statuses(pairs), products.expiries(pairs)
    titles = products.titles_of({gtin for gtin, _lot in pairs})
    frozen = stops.frozen_places({item.place for item in rows})
    shown = []
    for item, own in zip(rows, lots_of, strict=True):
        stopped = [lots[pair] for pair in own if pair in lots]
        days = [expiries[pair].isoformat() for pair in own if pair in expiries]
        shown.append(
            StockRow(
                epc=item.epc,
                product=_few(titles.get(gtin, "") for gtin, _lot in own),
                lot=_few(lot for _gtin, lot in own),
                expiry=item.expiry[:10] or min(days, default=""),
                status=item.status,
                held=item.held_index is not None or any(lot.held_index is not None for lot in stopped),
                recalled=any(lot.recalled_index is not None for lot in stopped),
                frozen=item.place in frozen or any(lot.frozen_index is not None for lot in stopped),
                site=sites[item.place].name,
                since=names.moment(item.last_time_ms, zone),
                contains=sum(inside.get(item.epc, {}).values()),
            )
        )
    return shown


def _few(texts: Iterable[str]) -> str:
    """The first of some names, each once."""
    found = [text for text in dict.fromkeys(texts) if text]
    return ", ".join(found[:FEW]) + (" …" if len(found) > FEW else "")


def shipment_rows(rows: Iterable[Shipment], member: Member) -> Iterator[ShipmentRow]:
    """Rows to show, with names instead of URIs; receipts that belong to one by content count as its own.

    State and figures are those of the shipment's own page, so what is asked for here is a page and not everything.
    """
    own, naming, zone, rows = set(parties.uris_of(member.party)), names.Names(), names.zone_of(member), list(rows)
    naming.learn(parties_of=[uri for row in rows for uri in (row.sender, row.receiver or row.receiver_party)])
    matches = shipments_read.by_content(rows)
    seen = _arrivals({one.index for found in matches.values() for one in found}, member.party)
    told = expected.known_by_lists(member.party, [row.despatch for row in rows if row.shipped_index is None])
    matched = [[one for one in matches.get(row.despatch, ()) if one.index in seen] for row in rows]
    goods = [set[str]().union(*(one.things for one in found)) for found in matched]
    for row, found, lines in zip(
        rows, matched, shipments_read.lines_of(list(zip(rows, goods, strict=True))), strict=True
    ):
        times = [seen[one.index] for one in found] + ([row.received_ms] if row.received_ms is not None else [])
        standing = shipment_views.standing_of(row, lines, arrived_ms=max(times, default=None))
        state, tone = shipment_views.STANDINGS[standing]
        if row.despatch in told:  # its own page measures it by the list
            state, tone = names.SHIPMENT_STATUSES[row.status], names.SHIPMENT_TONES[row.status]
        received = sum(sum(line.received.values()) for line in lines)
        yield ShipmentRow(
            uri=row.despatch,
            despatch=names.document(row.despatch),
            incoming=row.sender not in own,
            sender=naming.party(row.sender),
            receiver=naming.party(row.receiver or row.receiver_party),
            status=_STATUSES.get(standing, row.status),
            state=str(state),
            tone=tone,
            sent=names.moment(row.shipped_ms, zone),
            arrived=names.moment(max(times, default=None), zone),
            despatched=sum(sum(line.expected.values()) for line in lines),
            received=received,
            missing=sum(line.missing for line in lines) if received else 0,
            by_content=bool(found),
        )


def _arrivals(indexes: Collection[int], party: Party) -> dict[int, int]:
    """When those of these receipts happened that the party may see."""
    rows = PublishedEvent.objects.filter(index__in=visible_indexes(indexes, party))
    return dict(rows.values_list("index", "event_time_ms"))
