"""Recalls as the log's class-level events tell them: kept as marks, read with what has become of them."""

from collections.abc import Sequence

from traceability.capture import standing
from traceability.capture.models import EventClass, PublishedEvent
from traceability.common.projection import LogEntry
from traceability.contracts.facts import Recalled
from traceability.contracts.models import RecallMark
from traceability.custody.drill import is_drill

from .reference import Reference, item_lookup


def keep_marks(entries: Sequence[LogEntry]) -> None:
    """Remember the recalls among the entries that come from the item's maker or a regulator; drills are none."""
    bodies = {entry.index: entry.body for entry in entries if entry.kind == "event" and entry.body is not None}
    naming = {
        index: event for index, event in bodies.items() if "recalled" in str(event.get("persistentDisposition", ""))
    }
    rows = {
        row.index: row
        for row in PublishedEvent.objects.filter(index__in=list(naming), declaration_ms__isnull=True)
        if not is_drill(naming[row.index])
    }
    classes = list(EventClass.objects.filter(event_index__in=list(rows)).order_by("event_index", "position"))
    lookups = {f"party:{row.reporter}" for row in rows.values()} | {item_lookup(one.epc_class) for one in classes}
    reference = Reference(lookups)
    marks: dict[str, RecallMark] = {}
    for one in classes:
        row = rows[one.event_index]
        if _may_recall(reference, row, one.epc_class):
            key = f"{row.index}:{one.epc_class}"
            marks[key] = RecallMark(
                key=key,
                index=row.index,
                lot_class=one.epc_class,
                effective_ms=row.event_time_ms,
                reporter=row.reporter,
                sets="recalled" in row.persistent_set.split(),
            )
    RecallMark.objects.bulk_create(marks.values())


def known(end: int) -> list[Recalled]:
    """Every recall and end of one up to log index `end`, and while each was void."""
    marks = list(RecallMark.objects.filter(index__lte=end).order_by("index", "lot_class"))
    void = standing.spans({mark.index for mark in marks})
    return [
        Recalled(mark.index, mark.lot_class, mark.effective_ms, mark.reporter, mark.sets, void.get(mark.index, ()))
        for mark in marks
    ]


def _may_recall(reference: Reference, row: PublishedEvent, lot_class: str) -> bool:
    if "regulator" in reference.roles(row.reporter, row.index):
        return True
    item = reference.body(reference.subject(item_lookup(lot_class), row.index), row.index)
    return item is not None and f"urn:dosetrail:party:{item['manufacturer']}" == row.reporter
