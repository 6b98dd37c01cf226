"""Which subjects a batch of entries touches, and at which entry each of them has to be looked at again."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence

from django.db.models import Count

from traceability.capture import standing
from traceability.capture.models import EventEpc, EventTransaction
from traceability.coldchain.models import ReadingChunk
from traceability.common import bulk
from traceability.common.projection import LogEntry
from traceability.custody import histories

from .facts import Recalled
from .gather import recalls
from .gather.event_rows import GROUPINGS, EventRow, EventRows
from .gather.packings import on_rings
from .models import Finding

Moments = dict[str, set[int]]  # subject -> log indexes
_MAX_DEPTH = 8


class Touched:
    """The moments of the three kinds of subjects in a batch.

    `asking`: each event to be looked at, and the entries that ask for it. `named`: by event what it names, as (role,
    EPC). `things`: what is looked at for another reason. `marks`: the recalls and freezes so far. `released`: those
    that an entry made void, by its index.
    """

    def __init__(self, entries: Sequence[LogEntry], rows: EventRows) -> None:
        self.first, self.end = entries[0].index, entries[-1].index
        self.turns = False  # whether an entry makes an event void, or lets it count again
        self.things: Moments = defaultdict(set)
        self.holders: Moments = defaultdict(set)
        self.despatches: Moments = defaultdict(set)
        self.released: dict[int, set[int]] = defaultdict(set)
        self.marks: tuple[Recalled, ...] = ()
        self.named: dict[int, list[tuple[str, str]]] = defaultdict(list)
        self.asking = self._asking(entries)
        if not self.asking:
            return
        self.marks = recalls.known(self.end)
        events = rows.all(self.asking)
        named = EventEpc.objects.values_list("event_index", "role", "epc")
        for index, role, epc in bulk.among(named, "event_index", self.asking):
            self.named[index].append((role, epc))
        shipped = {index for index, row in events.items() if row.biz_step == "shipping"}
        regrouped = self._regrouped(events)
        self._despatched(regrouped)
        self._measured(self._in_role("epc", shipped), regrouped)
        self._released_from_recall()

    def _asking(self, entries: Sequence[LogEntry]) -> dict[int, set[int]]:
        """Each event to be looked at (new, or void or restored by a new entry), and the entries that ask for it."""
        asking = {entry.index: {entry.index} for entry in entries if entry.kind == "event"}
        for index, by in standing.turned([entry.index for entry in entries]):
            self.turns = True
            if by <= self.end:  # the event index may have read further
                asking.setdefault(index, set()).add(by)
        return asking

    def _despatched(self, regrouped: Moments) -> None:
        """Despatches that these events are about, and those of the containers whose contents they change."""
        carrying: dict[int, set[int]] = defaultdict(set)
        shipped = EventEpc.objects.filter(role="epc").values_list("epc", "event_index")
        for epc, index in bulk.among(shipped, "epc", regrouped):
            carrying[index] |= regrouped[epc]
        despatches = EventTransaction.objects.filter(type="desadv").values_list("event_index", "value")
        for index, value in bulk.among(despatches, "event_index", self.asking.keys() | carrying.keys()):
            self.despatches[value] |= self.asking.get(index, set()) | carrying.get(index, set())

    def _measured(self, shipped: Moments, regrouped: Moments) -> None:
        """Holders with new readings, and those with any that were despatched or whose contents changed.

        Who sent a holder and who awaits it is concerned by what its loggers say.
        """
        readings = ReadingChunk.objects.values_list("event_index", "holder")
        for index, holder in bulk.among(readings, "event_index", self.asking):
            self.holders[holder] |= self.asking[index]
        rows = ReadingChunk.objects.values_list("holder", flat=True).distinct()
        for holder in set(bulk.among(rows, "holder", shipped.keys() | regrouped.keys())):
            self.holders[holder] |= shipped.get(holder, set()) | regrouped.get(holder, set())

    def _regrouped(self, events: Mapping[int, EventRow]) -> Moments:
        """Containers (and those around them) whose contents changed: their shipments, readings and lots look new."""
        grouping = {index for index, row in events.items() if row.event_type in GROUPINGS}
        changed = self._in_role("parent", grouping)
        if not changed:
            return changed
        self._emptied([index for index in grouping if events[index].action == "DELETE"])
        for epc in on_rings(_add_ancestors(changed)):
            self.things[epc] |= changed[epc]
        if self.marks:
            for epc, asking in changed.items():
                self.things[epc] |= asking
        return changed

    def _emptied(self, taking_out: Collection[int]) -> None:
        """What lay in a container that an event empties without naming it, and was put somewhere else as well."""
        emptying = [one for one in taking_out if not any(role == "child" for role, _ in self.named[one])]
        containers = self._in_role("parent", emptying)
        put = histories.ever_put_into(containers)
        packed = EventEpc.objects.filter(role="child").order_by().values("epc").annotate(times=Count("event_index"))
        more_than_once = packed.filter(times__gt=1).values_list("epc", flat=True)
        again = set(bulk.among(more_than_once, "epc", set[str]().union(*put.values())))
        for container, children in put.items():
            for child in children & again:
                self.things[child] |= containers[container]

    def _released_from_recall(self) -> None:
        """Things with a finding on a recall that an entry made void are judged anew."""
        voided = {index: asking - {index} for index, asking in self.asking.items() if asking != {index}}
        for mark in self.marks:
            for declaration in voided.get(mark.index, ()):
                self.released[declaration].add(mark.index)
        if not self.released:
            return
        marks = set[int]().union(*self.released.values())
        rules = ["movement-after-recall", "movement-after-freeze"]
        open_ones = Finding.objects.filter(rule__in=rules, retracted_index=None)
        for subject, evidence in open_ones.values_list("subject", "evidence"):
            if not marks.isdisjoint(evidence):
                self.things.setdefault(subject, set())

    def _in_role(self, role: str, indexes: Collection[int]) -> Moments:
        """What these events name in a role, and the entries that ask for them."""
        found: Moments = defaultdict(set)
        for index in indexes:
            for its_role, epc in self.named.get(index, ()):
                if its_role == role:
                    found[epc] |= self.asking[index]
        return found


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
