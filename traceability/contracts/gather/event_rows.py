"""The event index as this room reads it: each row once in a batch, without a model instance."""

from collections.abc import Collection, Mapping
from typing import NamedTuple

from traceability.capture import standing
from traceability.capture.models import PublishedEvent
from traceability.capture.spans import Spans
from traceability.common import bulk

GROUPINGS = frozenset({"AggregationEvent", "AssociationEvent"})


class EventRow(NamedTuple):
    """An event: the columns of `PublishedEvent` that somebody looks at here."""

    index: int  # type: ignore[assignment]  # of the log, not the tuple's method
    event_id: str
    event_type: str
    event_time_ms: int
    offset_minutes: int
    reporter: str
    action: str
    biz_step: str
    disposition: str
    read_point: str
    biz_location: str
    lot: str
    expiry: str
    persistent_set: str
    persistent_unset: str
    declaration_ms: int | None


class EventRows:
    """What has been read of the event index."""

    def __init__(self) -> None:
        self._known: dict[int, EventRow | None] = {}
        self._void: dict[int, Spans] = {}

    def all(self, indexes: Collection[int]) -> dict[int, EventRow]:
        """By log index the events that stand there, error declarations among them."""
        new = [index for index in indexes if index not in self._known]
        self._known |= dict.fromkeys(new)
        rows = PublishedEvent.objects.values_list(*EventRow._fields)
        self._known |= {row[0]: EventRow._make(row) for row in bulk.among(rows, "index", new)}
        return {index: row for index in indexes if (row := self._known[index]) is not None}

    def told(self, indexes: Collection[int]) -> dict[int, EventRow]:
        """The same without error declarations, which say nothing of the goods themselves."""
        return {index: row for index, row in self.all(indexes).items() if row.declaration_ms is None}

    def void(self, indexes: Collection[int]) -> Mapping[int, Spans]:
        """While each of these events did not count; () for those that always did."""
        new = [index for index in indexes if index not in self._void]
        self._void |= dict.fromkeys(new, ()) | standing.spans(new)
        return self._void
