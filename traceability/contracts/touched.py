"""Which subjects a batch of entries touches, and at which entry each of them has to be looked at again."""

from collections import defaultdict
from collections.abc import Sequence

from django.db.models import Count, QuerySet

from traceability.capture import standing
from traceability.capture.models import EventEpc, EventTransaction, PublishedEvent
from traceability.coldchain.models import ReadingChunk
from traceability.common import bulk
from traceability.common.projection import LogEntry
from traceability.custody import histories

from .gather.packings import on_rings
from .models import Finding, RecallMark

Moments = dict[str, set[int]]  # subject -> log indexes
_MAX_DEPTH = 8


class Touched:
    """The moments of the three kinds of subjects in a batch."""

    def __init__(self, entries: Sequence[LogEntry]) -> None:
        self.things: Moments = defaultdict(set)
        self.holders: Moments = defaultdict(set)
        self.despatches: Moments = defaultdict(set)
        self.released: dict[int, set[int]] = defaultdict(set)  # entry -> recalls that it made void
        moments = self._moments(entries)
        if not moments:
            return
        self._named(moments)
        self._regrouped(moments)
        self._emptied(moments)
        self._released_from_recall(moments)

    def _moments(self, entries: Sequence[LogEntry]) -> dict[int, set[int]]:
        """Each event to be looked at (new, or void or restored by a new entry) -> the entries that ask for it."""
        moments: dict[int, set[int]] = defaultdict(set)
        for entry in entries:
            if entry.kind == "event":
                moments[entry.index].add(entry.index)
        for index, asking in standing.turned([entry.index for entry in entries]):
            if asking <= entries[-1].index:  # the event index may have read further
                moments[index].add(asking)
        return moments

    def _named(self, moments: dict[int, set[int]]) -> None:
        for index, epc in bulk.among(EventEpc.objects.values_list("event_index", "epc"), "event_index", list(moments)):
            self.things[epc] |= moments[index]
        despatches = EventTransaction.objects.filter(type="desadv").values_list("event_index", "value")
        for index, value in bulk.among(despatches, "event_index", list(moments)):
            self.despatches[value] |= moments[index]
        readings = ReadingChunk.objects.values_list("event_index", "holder")
        for index, holder in bulk.among(readings, "event_index", list(moments)):
            self.holders[holder] |= moments[index]
        self._carried(moments)

    def _carried(self, moments: dict[int, set[int]]) -> None:
        """Holders that were despatched: who sent and who awaits them is concerned by what their loggers say."""
        shipped = PublishedEvent.objects.filter(biz_step="shipping").values_list("index", flat=True)
        indexes = set(bulk.among(shipped, "index", list(moments)))
        carried: Moments = defaultdict(set)
        named = EventEpc.objects.filter(role="epc").values_list("event_index", "epc")
        for index, epc in bulk.among(named, "event_index", indexes):
            carried[epc] |= moments[index]
        _copy(carried, self.holders, ReadingChunk.objects.values_list("holder", "holder"), "holder")

    def _regrouped(self, moments: dict[int, set[int]]) -> None:
        """Containers (and those around them) whose contents changed: their shipments, readings and lots look new."""
        changed: Moments = defaultdict(set)
        kinds = ["AggregationEvent", "AssociationEvent"]
        grouping = PublishedEvent.objects.filter(event_type__in=kinds).values_list("index", flat=True)
        indexes = set(bulk.among(grouping, "index", list(moments)))
        for index, epc in bulk.among(
            EventEpc.objects.filter(role="parent").values_list("event_index", "epc"), "event_index", indexes
        ):
            changed[epc] |= moments[index]
        for epc in on_rings(_add_ancestors(changed)):
            self.things[epc] |= changed[epc]
        _copy(changed, self.holders, ReadingChunk.objects.values_list("holder", "holder"), "holder")
        shipped = EventEpc.objects.filter(role="epc").values_list("epc", "event_index")
        by_event: Moments = defaultdict(set)
        for epc, index in bulk.among(shipped, "epc", list(changed)):
            by_event[index] |= changed[epc]
        despatches = EventTransaction.objects.filter(type="desadv").values_list("event_index", "value")
        for index, value in bulk.among(despatches, "event_index", list(by_event)):
            self.despatches[value] |= by_event[index]
        if RecallMark.objects.exists():
            for epc, asking in changed.items():
                self.things[epc] |= asking

    def _emptied(self, moments: dict[int, set[int]]) -> None:
        """What lay in a container that an event empties without naming it, and was put somewhere else as well."""
        asking: Moments = defaultdict(set)
        outer = EventEpc.objects.filter(role="parent").values_list("event_index", "epc")
        for index, container in bulk.among(outer, "event_index", histories.emptying(list(moments))):
            asking[container] |= moments[index]
        put = histories.ever_put_into(asking)
        packed = EventEpc.objects.filter(role="child").order_by().values("epc").annotate(times=Count("event_index"))
        more_than_once = packed.filter(times__gt=1).values_list("epc", flat=True)
        again = set(bulk.among(more_than_once, "epc", set[str]().union(*put.values())))
        for container, children in put.items():
            for child in children & again:
                self.things[child] |= asking[container]

    def _released_from_recall(self, moments: dict[int, set[int]]) -> None:
        """Recalls that an entry made void, by its index; things with a finding on one are judged anew."""
        voided = {index: asking - {index} for index, asking in moments.items() if asking != {index}}
        for mark in RecallMark.objects.filter(index__in=list(voided)):
            for declaration in voided[mark.index]:
                self.released[declaration].add(mark.index)
        if not self.released:
            return
        marks = set[int]().union(*self.released.values())
        rules = ["movement-after-recall", "movement-after-freeze"]
        open_ones = Finding.objects.filter(rule__in=rules, retracted_index=None)
        for subject, evidence in open_ones.values_list("subject", "evidence"):
            if not marks.isdisjoint(evidence):
                self.things.setdefault(subject, set())


def _add_ancestors(changed: Moments) -> set[tuple[str, str]]:
    """Add what each changed container was ever put into, by an entry up to the one that asks.

    What was put into what by these entries: (child, parent).
    """
    level, edges = dict(changed), set[tuple[str, str]]()
    for _ in range(_MAX_DEPTH):
        above: Moments = defaultdict(set)
        put = EventEpc.objects.filter(role="child").values_list("event_index", "epc")
        links = list(bulk.among(put, "epc", list(level)))
        outer = EventEpc.objects.filter(role="parent").values_list("event_index", "epc")
        parents = dict(bulk.among(outer, "event_index", {index for index, _ in links}))
        for index, child in links:
            parent = parents.get(index)
            asking = {moment for moment in level[child] if moment >= index}
            if parent is not None and asking:
                edges.add((child, parent))
            if parent is not None and not asking <= changed.get(parent, set()):
                above[parent] |= asking
        if not above:
            break
        for parent, asking in above.items():
            changed[parent] |= asking
        level = above
    return edges


def _copy(changed: Moments, to: Moments, rows: QuerySet, column: str) -> None:  # type: ignore[type-arg]
    for subject, _ in set(bulk.among(rows.distinct(), column, list(changed))):
        to[subject] |= changed[subject]
