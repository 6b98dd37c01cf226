"""The event index: published events as rows that queries and later folds read."""

from collections.abc import Iterable, Sequence
from itertools import chain

from traceability.common import bulk, masterdata
from traceability.common.projection import LogEntry, Projection
from traceability.epcis import event as epcis_event
from traceability.epcis.event import EventView

from .models import EventClass, EventEpc, EventPartner, EventTransaction, PublishedEvent

KIND = "event"
BATCH = 1000


def _apply(entries: Sequence[LogEntry]) -> None:
    seen = [(entry, epcis_event.read(entry.body)) for entry in entries if entry.kind == KIND and entry.body is not None]
    if not seen:
        return
    events = [_event(entry, view) for entry, view in seen]
    PublishedEvent.objects.bulk_create(events, batch_size=BATCH)
    bulk.insert(
        EventEpc,
        ("event_index", "role", "epc", "event_time_ms"),
        chain.from_iterable(_epcs(e.index, v) for e, v in seen),
    )
    EventClass.objects.bulk_create(chain.from_iterable(_classes(e.index, v) for e, v in seen), batch_size=BATCH)
    EventTransaction.objects.bulk_create(
        chain.from_iterable(_transactions(e.index, v) for e, v in seen), batch_size=BATCH
    )
    EventPartner.objects.bulk_create(chain.from_iterable(_partners(e.index, v) for e, v in seen), batch_size=BATCH)
    _void({event.event_id for event in events})


def _void(event_ids: set[str]) -> None:
    """Mark originals that an effective declaration names, whichever of the two came first.

    A declaration takes effect when its reporter is the original's or, as the log knew at its index, a regulator.
    """
    declared = set(
        PublishedEvent.objects.filter(event_id__in=event_ids, declaration_ms__isnull=False)
        .values_list("event_id", flat=True)
        .distinct()
    )
    if not declared:
        return
    by_id: dict[str, list[PublishedEvent]] = {}
    for row in PublishedEvent.objects.filter(event_id__in=declared).order_by("index"):
        by_id.setdefault(row.event_id, []).append(row)
    changed = []
    for rows in by_id.values():
        declarations = [row for row in rows if row.declaration_ms is not None]
        for original in rows:
            if original.declaration_ms is None:
                effective = next((row.index for row in declarations if _may_declare(row, original)), None)
                if original.voided_by != effective:
                    original.voided_by = effective
                    changed.append(original)
    PublishedEvent.objects.bulk_update(changed, ["voided_by"], batch_size=BATCH)


def _may_declare(declaration: PublishedEvent, original: PublishedEvent) -> bool:
    if declaration.reporter == original.reporter:
        return True
    party = declaration.reporter.rpartition(":")[2]
    version = masterdata.at(f"party:{party}", declaration.index)
    return version is not None and "regulator" in version["roles"]


def _event(entry: LogEntry, view: EventView) -> PublishedEvent:
    declaration = view.error_declaration
    return PublishedEvent(
        index=entry.index,
        statement_hash=entry.statement_hash,
        reporter=entry.iss,
        event_id=view.event_id,
        event_type=view.type,
        event_time_ms=view.event_time_ms,
        offset_minutes=view.offset_minutes,
        record_time_ms=entry.record_time_ms,
        action=view.action,
        biz_step=view.biz_step,
        disposition=view.disposition,
        read_point=view.read_point,
        biz_location=view.biz_location,
        lot=view.lot,
        expiry=view.expiry,
        persistent_set=" ".join(view.persistent_set),
        persistent_unset=" ".join(view.persistent_unset),
        declaration_ms=declaration.time_ms if declaration else None,
        declaration_reason=declaration.reason if declaration else "",
    )


def _epcs(index: int, view: EventView) -> Iterable[bulk.Row]:
    for role, epc in dict.fromkeys(view.epcs):
        yield index, role, epc, view.event_time_ms


def _classes(index: int, view: EventView) -> Iterable[EventClass]:
    for position, (role, epc_class, quantity, uom) in enumerate(view.classes):
        text = "" if quantity is None else format(quantity.normalize(), "f")
        yield EventClass(event_index=index, position=position, role=role, epc_class=epc_class, quantity=text, uom=uom)


def _transactions(index: int, view: EventView) -> Iterable[EventTransaction]:
    for position, (kind, value) in enumerate(view.biz_transactions):
        yield EventTransaction(event_index=index, position=position, type=kind, value=value)


def _partners(index: int, view: EventView) -> Iterable[EventPartner]:
    both = [("source", *item) for item in view.sources] + [("destination", *item) for item in view.destinations]
    for position, (direction, kind, value) in enumerate(both):
        yield EventPartner(event_index=index, position=position, direction=direction, type=kind, value=value)


EVENT_INDEX = Projection(
    name="event-index",
    models=(PublishedEvent, EventEpc, EventClass, EventTransaction, EventPartner),
    apply=_apply,
)
