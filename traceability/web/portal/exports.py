"""The party's own data as CSV, streamed."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from django.db.models import QuerySet
from django.http import Http404, HttpRequest, StreamingHttpResponse

from traceability.capture.models import EventEpc, PublishedEvent
from traceability.common.csv_export import csv_lines
from traceability.custody import selectors as custody
from traceability.custody.models import ItemState
from traceability.exceptions import standings
from traceability.gs1.errors import Gs1Error
from traceability.parties.models import Member, Site

from . import stock_search, stock_views
from .access import member_view

BATCH = 500
# Column names are for programs as well as for people: they stay the same in every language.
STOCK = ("epc", "product", "lot", "expiry", "status", "on_hold", "recalled", "frozen", "site", "since", "contains")
SHIPMENTS = (
    "despatch", "direction", "sender", "receiver", "status", "sent", "arrived", "despatched", "received", "missing",
)  # fmt: skip
EVENTS = (
    "log_index", "event_id", "event_time", "record_time", "type", "action", "biz_step", "disposition", "read_point",
    "biz_location", "epcs", "declared_void", "statement_hash",
)  # fmt: skip


@member_view
def stock_csv(request: HttpRequest, member: Member) -> StreamingHttpResponse:
    """What stands at the party's places, narrowed as the page is."""
    search, sites = stock_search.Search.read(request.GET.dict()), stock_search.sites_of(member.party)
    try:
        found = stock_search.found(search, sites)
    except Gs1Error as error:
        raise Http404 from error
    return _csv("stock.csv", STOCK, _stock(found, sites, member))


@member_view
def shipments_csv(request: HttpRequest, member: Member) -> StreamingHttpResponse:
    """Shipments from and to the party."""
    standings.look(member.party)
    rows = (
        row
        for batch in _batches(standings.everything(member.party))
        for row in stock_views.shipment_rows(batch, member)
    )
    shown = (
        (
            row.despatch, "in" if row.incoming else "out", row.sender, row.receiver, row.status, row.sent, row.arrived,
            row.despatched, row.received, row.missing,
        )
        for row in rows
    )  # fmt: skip
    return _csv("shipments.csv", SHIPMENTS, shown)


@member_view
def events_csv(request: HttpRequest, member: Member) -> StreamingHttpResponse:
    """The published events that the party itself reported, in the order of the log."""
    return _csv("events.csv", EVENTS, _events(member.party.uri))


def _batches(found: Iterator[Any]) -> Iterator[list[Any]]:
    return iter(lambda: list(islice(found, BATCH)), [])


def _csv(filename: str, header: Sequence[str], rows: Iterable[Sequence[Any]]) -> StreamingHttpResponse:
    response = StreamingHttpResponse(csv_lines(header, rows), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{filename}"'
    return response


def _stock(found: QuerySet[ItemState], sites: Mapping[str, Site], member: Member) -> Iterator[Sequence[Any]]:
    """In the order of the page; only the names of all are held, so that no cursor stays open while others write."""
    order = iter(list(found.values_list("epc", flat=True)))
    while batch := list(islice(order, BATCH)):
        items = custody.items(batch)
        # What has left meanwhile has no row.
        standing = [items[epc] for epc in batch if epc in items and items[epc].place in sites]
        for row in stock_views.stock_rows(standing, sites, member):
            yield (
                row.epc, row.product, row.lot, row.expiry, row.status, _yes(row.held), _yes(row.recalled),
                _yes(row.frozen), row.site, row.since, row.contains,
            )  # fmt: skip


def _events(reporter: str) -> Iterator[Sequence[Any]]:
    """By keyset, so that a long export holds no cursor open while others write."""
    last = -1
    while batch := list(PublishedEvent.objects.filter(reporter=reporter, index__gt=last).order_by("index")[:BATCH]):
        last = batch[-1].index
        epcs: defaultdict[int, list[str]] = defaultdict(list)
        for row in EventEpc.objects.filter(event_index__in=[event.index for event in batch]).order_by("epc"):
            epcs[row.event_index].append(row.epc)
        for event in batch:
            yield (
                event.index, event.event_id, _iso(event.event_time_ms), _iso(event.record_time_ms), event.event_type,
                event.action, event.biz_step, event.disposition, event.read_point, event.biz_location,
                " ".join(epcs[event.index]), _yes(event.declaration_ms is not None or event.voided_by is not None),
                event.statement_hash,
            )  # fmt: skip


def _yes(value: bool) -> str:
    return "yes" if value else "no"


def _iso(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
