"""The event index: published events as rows that queries and later folds read."""

from collections.abc import Iterator, Sequence

from traceability.common import bulk
from traceability.common.projection import LogEntry, Projection
from traceability.epcis import event as epcis_event
from traceability.epcis import facets
from traceability.epcis.event import EventView

from . import standing
from .models import EventClass, EventEpc, EventFacet, EventPartner, EventTransaction, PublishedEvent, VoidSpan

KIND = standing.EVENT


def _apply(entries: Sequence[LogEntry]) -> None:
    seen = [(entry, entry.read(epcis_event.read)) for entry in standing.events(entries)]
    bulk.insert(PublishedEvent, _EVENT, (_event(entry, view) for entry, view in seen))
    for model, columns, rows in (
        (EventEpc, ("event_index", "role", "epc", "event_time_ms"), _epcs),
        (EventClass, ("event_index", "position", "role", "epc_class", "quantity", "uom"), _classes),
        (EventTransaction, ("event_index", "position", "type", "value"), _transactions),
        (EventPartner, ("event_index", "position", "direction", "type", "value"), _partners),
    ):
        bulk.insert(model, columns, [row for entry, view in seen for row in rows(entry.index, view)])
    bulk.insert(EventFacet, _FACET, [row for entry, _ in seen for row in _facets(entry)])
    standing.update(entries, [entry for entry, _ in seen], {view.event_id for _, view in seen})


_EVENT = (
    "index", "statement_hash", "reporter", "event_id", "event_type", "event_time_ms", "offset_minutes",
    "record_time_ms", "action", "biz_step", "disposition", "read_point", "biz_location", "lot", "expiry",
    "persistent_set", "persistent_unset", "declaration_ms", "declaration_reason", "kid", "iat",
)  # fmt: skip


def _event(entry: LogEntry, view: EventView) -> bulk.Row:
    declaration = view.error_declaration
    return (
        entry.index,
        entry.statement_hash,
        entry.iss,
        view.event_id,
        view.type,
        view.event_time_ms,
        view.offset_minutes,
        entry.record_time_ms,
        view.action,
        view.biz_step,
        view.disposition,
        view.read_point,
        view.biz_location,
        view.lot,
        view.expiry,
        " ".join(view.persistent_set),
        " ".join(view.persistent_unset),
        declaration.time_ms if declaration else None,
        declaration.reason if declaration else "",
        entry.kid.hex(),
        entry.iat,
    )


def _epcs(index: int, view: EventView) -> Iterator[bulk.Row]:
    for role, epc in dict.fromkeys(view.epcs):
        yield index, role, epc, view.event_time_ms


def _classes(index: int, view: EventView) -> Iterator[bulk.Row]:
    for position, (role, epc_class, quantity, uom) in enumerate(view.classes):
        text = "" if quantity is None else format(quantity.normalize(), "f")
        yield index, position, role, epc_class, text, uom


def _transactions(index: int, view: EventView) -> Iterator[bulk.Row]:
    for position, (kind, value) in enumerate(view.biz_transactions):
        yield index, position, kind, value


def _partners(index: int, view: EventView) -> Iterator[bulk.Row]:
    both = [("source", *item) for item in view.sources] + [("destination", *item) for item in view.destinations]
    for position, (direction, kind, value) in enumerate(both):
        yield index, position, direction, kind, value


_FACET = ("event_index", "position", "name", "text", "number", "time")


def _facets(entry: LogEntry) -> Iterator[bulk.Row]:
    for position, facet in enumerate(facets.facets(entry.body or {})):
        yield entry.index, position, facet.name, facet.text, facet.number, facet.time


EVENT_INDEX = Projection(
    name="event-index",
    models=(PublishedEvent, VoidSpan, EventEpc, EventClass, EventTransaction, EventPartner, EventFacet),
    apply=_apply,
)
