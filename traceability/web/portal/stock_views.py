"""What stands at the party's own places, and what travels to and from it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from traceability.custody import selectors as custody
from traceability.custody import shipments as shipments_read
from traceability.custody import stops
from traceability.custody.models import Shipment
from traceability.custody.selectors import Located
from traceability.exceptions import expected
from traceability.parties import selectors as parties
from traceability.parties.models import Member, Party, Site
from traceability.products import selectors as products
from traceability.visibility.rules import visible_indexes
from traceability.web.shared import names

from .access import member_view

PAGE_SIZE = 100


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
    contains: int

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
    status: str
    sent: str
    arrived: str
    despatched: int
    received: int
    missing: int
    by_content: bool

    @property
    def number(self) -> str:
        return names.short_document(self.uri)

    @property
    def status_text(self) -> str:
        return str(names.SHIPMENT_STATUSES.get(self.status, self.status))

    @property
    def tone(self) -> str:
        return names.SHIPMENT_TONES.get(self.status, "is-unknown")


@member_view
def stock(request: HttpRequest, member: Member) -> HttpResponse:
    """The stock of the party's places, a hundred rows a page."""
    found = list(located(member.party))
    page = Paginator(found, PAGE_SIZE).get_page(request.GET.get("page"))
    context = {
        "member": member,
        "section": "stock",
        "rows": stock_rows(page.object_list, member),
        "page": page,
        "total": len(found),
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


def located(party: Party) -> Iterator[tuple[Site, Located]]:
    """Everything that stands by itself at the party's places."""
    for site in party.sites.order_by("name"):
        for one in custody.stock(site.uri):
            yield site, one


def stock_rows(found: Iterable[tuple[Site, Located]], member: Member) -> list[StockRow]:
    """Rows to show; product names, lot status and contents are asked for here, so give a page and not everything."""
    rows, zone = list(found), names.zone_of(member)
    lots = stops.lot_statuses({(one.item.gtin, one.item.lot) for _, one in rows})
    titles = {gtin: _title(gtin) for gtin in {one.item.gtin for _, one in rows}}
    inside = custody.contents_by_container([one.item.epc for _, one in rows])
    frozen = stops.frozen_places({site.uri for site, _ in rows})
    shown = []
    for site, one in rows:
        lot = lots.get((one.item.gtin, one.item.lot))
        shown.append(
            StockRow(
                epc=one.item.epc,
                product=titles[one.item.gtin],
                lot=one.item.lot,
                expiry=one.item.expiry[:10],
                status=one.status,
                held=one.item.held_index is not None or (lot is not None and lot.held_index is not None),
                recalled=lot is not None and lot.recalled_index is not None,
                frozen=site.uri in frozen or (lot is not None and lot.frozen_index is not None),
                site=site.name,
                since=names.moment(one.item.last_time_ms, zone),
                contains=len(inside.get(one.item.epc, ())),
            )
        )
    return shown


def shipment_rows(rows: Iterable[Shipment], member: Member) -> Iterator[ShipmentRow]:
    """Rows to show, with names instead of URIs; receipts that belong to one by content count as its own."""
    own, naming, zone, rows = set(parties.uris_of(member.party)), names.Names(), names.zone_of(member), list(rows)
    naming.learn(parties_of=[uri for row in rows for uri in (row.sender, row.receiver or row.receiver_party)])
    matches = shipments_read.by_content(rows)
    seen = visible_indexes({one.index for found in matches.values() for one in found}, member.party)
    for row in rows:
        matched = set[str]().union(*(one.things for one in matches.get(row.despatch, ()) if one.index in seen))
        received, status = set(row.received) | matched, row.status
        if matched:
            status = "received" if set(row.despatched) <= received else "partial"
        yield ShipmentRow(
            uri=row.despatch,
            despatch=names.document(row.despatch),
            incoming=row.sender not in own,
            sender=naming.party(row.sender),
            receiver=naming.party(row.receiver or row.receiver_party),
            status=status,
            sent=names.moment(row.shipped_ms, zone),
            arrived=names.moment(row.received_ms, zone),
            despatched=len(row.despatched),
            received=len(received),
            missing=len(set(row.despatched) - received) if received else 0,
            by_content=bool(matched),
        )


def _title(gtin: str) -> str:
    item = products.item_by_gtin(gtin) if gtin else None
    return f"{item.name} {item.strength}" if item else ""
