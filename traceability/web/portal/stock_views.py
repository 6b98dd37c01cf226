"""What stands at the party's own places, and what travels to and from it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from traceability.custody import shipments as shipments_read
from traceability.custody import stops
from traceability.custody.models import ItemState, Shipment
from traceability.custody.sides import Standing
from traceability.exceptions import expected, standings
from traceability.exceptions.models import KeptStanding
from traceability.gs1.errors import Gs1Error
from traceability.parties import selectors as parties
from traceability.parties.models import Member, Site
from traceability.products import selectors as products
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
    despatched: int | None  # packs, as they lay in their containers when these left; so are the two below
    received: int | None  # None while nobody has counted them
    missing: int | None
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
    """Shipments from and to the party: what needs somebody first, then what is under way, then the rest."""
    standings.look(member.party)
    page = Paginator(standings.listed(member.party), PAGE_SIZE).get_page(request.GET.get("page"))
    rows = list(page.object_list)
    counted = standings.of(member.party, rows)
    context = {
        "member": member,
        "section": "shipments",
        "rows": shipment_rows([(row, counted.get(row.despatch)) for row in rows], member),
        "page": page,
        "total": page.paginator.count,
        "counting": len(counted) < len(rows),
        "waiting": [
            (one.document, names.document(one.document), one.kind, one.partner.name if one.partner else "", one.lines)
            for one in expected.waiting(member.party, parties.uris_of(member.party))
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


def shipment_rows(found: Sequence[tuple[Shipment, KeptStanding | None]], member: Member) -> list[ShipmentRow]:
    """Rows to show, with names instead of URIs; state and figures are those of the shipment's own page."""
    own, naming, zone = set(parties.uris_of(member.party)), names.Names(), names.zone_of(member)
    naming.learn(parties_of=[uri for row, _ in found for uri in (row.sender, row.receiver or row.receiver_party)])
    rows = []
    for row, counted in found:
        standing = standings.now(counted) if counted else None
        state, tone = shipment_views.STANDINGS[standing] if standing else (_("Being counted"), "is-unknown")
        rows.append(
            ShipmentRow(
                uri=row.despatch,
                despatch=names.document(row.despatch),
                incoming=row.sender not in own,
                sender=naming.party(row.sender),
                receiver=naming.party(row.receiver or row.receiver_party),
                status=_STATUSES.get(standing, row.status) if standing else row.status,
                state=str(state),
                tone=tone,
                sent=names.moment(row.shipped_ms, zone),
                arrived=names.moment(counted.arrived_ms if counted else row.received_ms, zone),
                despatched=counted.sent if counted else None,
                received=counted.got if counted else None,
                missing=counted.missing if counted else None,
                by_content=counted is not None and counted.by_content,
            )
        )
    return rows
