"""Recalls and freezes as the log's events tell them: kept as marks, read with what has become of them."""

from collections.abc import Iterator, Sequence

from traceability.capture import standing
from traceability.capture.models import EventClass, EventEpc
from traceability.common import bulk
from traceability.common.projection import LogEntry
from traceability.contracts.facts import Recalled
from traceability.contracts.models import RecallMark
from traceability.custody.drill import is_drill
from traceability.gs1.epc import is_place

from .event_rows import EventRow, EventRows
from .reference import Reference, item_lookup


def keep_marks(entries: Sequence[LogEntry], rows: EventRows) -> None:
    """Remember the recalls and freezes among the entries that come from who may; drills are none."""
    marks = {mark.key: mark for mark in (*_recalls(entries, rows), *_freezes(entries, rows))}
    RecallMark.objects.bulk_create(marks.values())


def _recalls(entries: Sequence[LogEntry], events: EventRows) -> Iterator[RecallMark]:
    """By the item's maker or a regulator."""
    bodies = {entry.index: entry.body for entry in entries if entry.kind == "event" and entry.body is not None}
    naming = {
        index: event for index, event in bodies.items() if "recalled" in str(event.get("persistentDisposition", ""))
    }
    rows = {index: row for index, row in events.told(naming).items() if not is_drill(naming[index])}
    classes = list(EventClass.objects.filter(event_index__in=list(rows)).order_by("event_index", "position"))
    lookups = {f"party:{row.reporter}" for row in rows.values()} | {item_lookup(one.epc_class) for one in classes}
    reference = Reference(lookups)
    for one in classes:
        row = rows[one.event_index]
        if _may_recall(reference, row, one.epc_class):
            yield _mark(row, one.epc_class, "recall", sets="recalled" in row.persistent_set.split())


def _freezes(entries: Sequence[LogEntry], events: EventRows) -> Iterator[RecallMark]:
    """By a regulator only: of lots and products (classes), and of places (things that an event is about)."""
    told = events.told([entry.index for entry in entries if entry.kind == "event"])
    rows = {index: row for index, row in told.items() if _may_freeze(row)}
    if not rows:
        return
    reference = Reference({f"party:{row.reporter}" for row in rows.values()})
    mine = {i: row for i, row in rows.items() if "regulator" in reference.roles(row.reporter, i)}
    classes = EventClass.objects.values_list("event_index", "epc_class")
    things = EventEpc.objects.filter(role="epc").values_list("event_index", "epc")
    places = [(index, name) for index, name in bulk.among(things, "event_index", mine) if is_place(name)]
    for index, name in sorted({*bulk.among(classes, "event_index", mine), *places}):
        yield _mark(mine[index], name, "freeze", sets=mine[index].biz_step == "holding")


def _may_freeze(row: EventRow) -> bool:
    if "recalled" in row.persistent_set or "recalled" in row.persistent_unset:
        return False
    return row.biz_step == "holding" or (row.biz_step == "inspecting" and row.disposition == "conformant")


def _mark(row: EventRow, name: str, what: str, *, sets: bool) -> RecallMark:
    return RecallMark(
        key=f"{row.index}:{name}",
        index=row.index,
        what=what,
        lot_class=name,
        effective_ms=row.event_time_ms,
        reporter=row.reporter,
        sets=sets,
    )


def known(end: int) -> tuple[Recalled, ...]:
    """Every recall, freeze and end of one up to log index `end`, and while each was void."""
    marks = list(RecallMark.objects.filter(index__lte=end).order_by("index", "lot_class"))
    void = standing.spans({mark.index for mark in marks})
    return tuple(
        Recalled(
            mark.index,
            mark.lot_class,
            mark.effective_ms,
            mark.reporter,
            mark.sets,
            void.get(mark.index, ()),
            mark.what,
        )
        for mark in marks
    )


def _may_recall(reference: Reference, row: EventRow, lot_class: str) -> bool:
    if "regulator" in reference.roles(row.reporter, row.index):
        return True
    item = reference.body(reference.subject(item_lookup(lot_class), row.index), row.index)
    return item is not None and f"urn:dosetrail:party:{item['manufacturer']}" == row.reporter
