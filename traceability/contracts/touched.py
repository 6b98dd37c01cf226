"""Which subjects a batch of entries touches, and at which entry each of them has to be looked at again."""

from collections import defaultdict
from collections.abc import Collection, Sequence

from django.db.models import QuerySet

from traceability.capture.models import EventEpc, EventTransaction, PublishedEvent
from traceability.coldchain.models import ReadingChunk
from traceability.common.projection import LogEntry
from traceability.custody.models import Containment

from .gather.reference import in_chunks
from .models import Finding, RecallMark

Moments = dict[str, set[int]]  # subject -> log indexes
_MAX_DEPTH = 8


class Touched:
    """The moments of the three kinds of subjects in a batch."""

    def __init__(self, entries: Sequence[LogEntry]) -> None:
        self.things: Moments = defaultdict(set)
        self.holders: Moments = defaultdict(set)
        self.despatches: Moments = defaultdict(set)
        moments = self._moments({entry.index for entry in entries if entry.kind == "event"})
        if not moments:
            return
        self._named(moments)
        self._regrouped(moments)
        self._released_from_recall(moments)

    def _moments(self, indexes: Collection[int]) -> dict[int, set[int]]:
        """Each event to be looked at (new, or voided by a new declaration) -> the entries that ask for it."""
        moments: dict[int, set[int]] = defaultdict(set)
        for index in indexes:
            moments[index].add(index)
        voided = PublishedEvent.objects.values_list("index", "voided_by")
        for index, declaration in in_chunks(voided, "voided_by", indexes):
            moments[index].add(max(index, declaration))
        return moments

    def _named(self, moments: dict[int, set[int]]) -> None:
        for index, epc in in_chunks(EventEpc.objects.values_list("event_index", "epc"), "event_index", list(moments)):
            self.things[epc] |= moments[index]
        despatches = EventTransaction.objects.filter(type="desadv").values_list("event_index", "value")
        for index, value in in_chunks(despatches, "event_index", list(moments)):
            self.despatches[value] |= moments[index]
        readings = ReadingChunk.objects.values_list("event_index", "holder")
        for index, holder in in_chunks(readings, "event_index", list(moments)):
            self.holders[holder] |= moments[index]
        self._voided_readings(moments)
        self._carried(moments)

    def _carried(self, moments: dict[int, set[int]]) -> None:
        """Holders that were despatched: who sent and who awaits them is concerned by what their loggers say."""
        shipped = PublishedEvent.objects.filter(biz_step="shipping").values_list("index", flat=True)
        indexes = set(in_chunks(shipped, "index", list(moments)))
        carried: Moments = defaultdict(set)
        named = EventEpc.objects.filter(role="epc").values_list("event_index", "epc")
        for index, epc in in_chunks(named, "event_index", indexes):
            carried[epc] |= moments[index]
        _copy(carried, self.holders, ReadingChunk.objects.values_list("holder", "holder"), "holder")

    def _voided_readings(self, moments: dict[int, set[int]]) -> None:
        """Holders whose readings a declaration took away: their findings name the voided event."""
        voided = {index for index, asking in moments.items() if asking != {index}}
        if not voided:
            return
        for subject, evidence in Finding.objects.filter(kind="holder", retracted_index=None).values_list(
            "subject", "evidence"
        ):
            for index in voided & set(evidence):
                self.holders[subject] |= moments[index]

    def _regrouped(self, moments: dict[int, set[int]]) -> None:
        """Containers (and those around them) whose contents changed: their shipments, readings and lots look new."""
        changed: Moments = defaultdict(set)
        grouping = PublishedEvent.objects.filter(event_type="AggregationEvent").values_list("index", flat=True)
        indexes = set(in_chunks(grouping, "index", list(moments)))
        for index, epc in in_chunks(
            EventEpc.objects.filter(role="parent").values_list("event_index", "epc"), "event_index", indexes
        ):
            changed[epc] |= moments[index]
        _add_ancestors(changed)
        _copy(changed, self.holders, ReadingChunk.objects.values_list("holder", "holder"), "holder")
        shipped = EventEpc.objects.filter(role="epc").values_list("epc", "event_index")
        by_event: Moments = defaultdict(set)
        for epc, index in in_chunks(shipped, "epc", list(changed)):
            by_event[index] |= changed[epc]
        despatches = EventTransaction.objects.filter(type="desadv").values_list("event_index", "value")
        for index, value in in_chunks(despatches, "event_index", list(by_event)):
            self.despatches[value] |= by_event[index]
        if RecallMark.objects.exists():
            for epc, asking in changed.items():
                self.things[epc] |= asking

    def _released_from_recall(self, moments: dict[int, set[int]]) -> None:
        """Things with a finding on a recall that a declaration made void."""
        voided = {index for index, asking in moments.items() if asking != {index}}
        marks = {mark.index: mark.lot_class for mark in RecallMark.objects.filter(index__in=list(voided))}
        if not marks:
            return
        open_ones = Finding.objects.filter(rule="movement-after-recall", retracted_index=None)
        for subject, evidence in open_ones.values_list("subject", "evidence"):
            for index in marks.keys() & set(evidence):
                self.things[subject] |= moments[index]


def _add_ancestors(changed: Moments) -> None:
    level = dict(changed)
    for _ in range(_MAX_DEPTH):
        above: Moments = defaultdict(set)
        for child, parent in in_chunks(Containment.objects.values_list("child", "parent"), "child", list(level)):
            if not level[child] <= changed.get(parent, set()):
                above[parent] |= level[child]
        if not above:
            return
        for parent, asking in above.items():
            changed[parent] |= asking
        level = above


def _copy(changed: Moments, to: Moments, rows: QuerySet, column: str) -> None:  # type: ignore[type-arg]
    for subject, _ in set(in_chunks(rows.distinct(), column, list(changed))):
        to[subject] |= changed[subject]
