"""Reading custody: where a thing is, what happened to it and its containers, what lies inside it.

The number of queries does not grow with the number of things asked for: one or two per level of containers, of which
there are at most MAX_DEPTH (and one more per bulk.CHUNK things, which a statement's limit demands).
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from django.db.models import Q, QuerySet

from traceability.capture.models import EventEpc, PublishedEvent, VoidSpan
from traceability.common import bulk

from . import around, lot_count
from .models import Containment, ItemState, Shipment

MAX_DEPTH = 8


@dataclass(frozen=True)
class Located:
    """A thing's state with its containers taken into account.

    `holder` tells where it is: the outermost container that carries it, unless something nearer to it was recorded by
    itself later, such as a pack that was received alone out of a case that nobody opened on record. What has ended
    (was sold, destroyed …) is where that happened, wherever its container goes.
    """

    item: ItemState
    holder: ItemState
    path: tuple[str, ...]  # containers from the innermost to the outermost

    @property
    def status(self) -> str:
        """The thing's own end if it has one, else what its holder is at: what is in a stolen case is stolen."""
        return self.holder.status if self.item.status in {"active", "shipped"} else self.item.status

    @property
    def place(self) -> str:
        return self.holder.place

    @property
    def party(self) -> str:
        return self.holder.party


@dataclass(frozen=True)
class HistoryStep:
    """An event in a thing's life: its own, or one of a container while the thing was inside."""

    index: int
    event_time_ms: int
    relation: str  # own | container
    container: str = ""


@dataclass(frozen=True)
class PathStay:
    """A stay in a container, at any depth; `to_ms` None = still."""

    container: str
    from_ms: int
    to_ms: int | None

    def covers(self, at_ms: int) -> bool:
        return self.from_ms <= at_ms and (self.to_ms is None or at_ms < self.to_ms)


def state(epc: str) -> Located | None:
    """The state of one thing, or None when no event names it."""
    return states([epc]).get(epc)


def states(epcs: Collection[str]) -> dict[str, Located]:
    """The states of many things that events name."""
    ways = paths(epcs)
    rows = _items(set(epcs) | {parent for way in ways.values() for parent in way})
    return {epc: located(rows[epc], ways[epc], rows) for epc in epcs if epc in rows}


def paths(epcs: Collection[str]) -> dict[str, list[str]]:
    """The containers around each thing now, innermost first."""
    paths: dict[str, list[str]] = {epc: [] for epc in epcs}
    frontier = {epc: epc for epc in epcs}
    for _ in range(MAX_DEPTH):
        parents = _parents(set(frontier.values()))
        above = {epc: parents[top] for epc, top in frontier.items() if top in parents}
        # Events may say that a thing lies in itself: nothing is its own container.
        frontier = {epc: parent for epc, parent in above.items() if parent != epc and parent not in paths[epc]}
        if not frontier:
            break
        for epc, parent in frontier.items():
            paths[epc].append(parent)
    return paths


def located(item: ItemState, path: Sequence[str], rows: Mapping[str, ItemState]) -> Located:
    chain = [item, *(rows[parent] for parent in path if parent in rows and item.status not in lot_count.ENDED)]
    newest = max(row.last_time_ms for row in chain)
    return Located(item, [row for row in chain if row.last_time_ms == newest][-1], tuple(path))


def path(epc: str) -> list[PathStay]:
    """Every stay of a thing in a container, at any depth, each clipped to the time it was really inside; one query."""
    return _path(epc, around.stays(epc))


def _path(epc: str, rows: Sequence[around.Stay]) -> list[PathStay]:
    found: list[PathStay] = []
    level = [(PathStay(epc, 0, None), frozenset([epc]))]  # with what the way up to it came through
    by_child: dict[tuple[int, str], list[around.Stay]] = defaultdict(list)
    for row in rows:
        by_child[row.depth, row.child].append(row)
    for depth in range(1, MAX_DEPTH + 1):
        level = [
            (clipped, passed | {row.parent})
            for stay, passed in level
            for row in by_child[depth, stay.container]
            if row.parent not in passed and (clipped := _clip(row, stay)) is not None
        ]
        if not level:
            break
        found += [stay for stay, _ in level]
    return sorted(found, key=lambda stay: (stay.from_ms, stay.container))


@dataclass(frozen=True)
class Past:
    """A thing's history and the containers that it was in."""

    steps: Sequence[HistoryStep]
    stays: Sequence[PathStay]
    disowned: Sequence[int] = ()  # events of this history that do not count because of their key


def history(epc: str) -> Sequence[HistoryStep]:
    """All effective events of a thing and of its containers while it was inside, in (event_time, event_id) order."""
    return past(epc).steps


def past(epc: str) -> Past:
    """The history with the way through containers that it follows; read together, since it costs the same.

    Five queries, whatever the depth: the containers, the thing's events, theirs, which of those count, and, where some
    do not, for which it is because of their key.
    """
    rows = around.stays(epc)
    stays = _path(epc, rows)
    steps: dict[int, HistoryStep] = {}
    for row in rows:  # a container emptied without naming what was inside
        if row.child == epc and row.to_index is not None and row.to_ms is not None:
            steps[row.to_index] = HistoryStep(row.to_index, row.to_ms, "own")
    for step in sorted(_steps(epc, stays), key=lambda one: one.relation, reverse=True):
        steps.setdefault(step.index, step)
    effective = PublishedEvent.objects.filter(declaration_ms__isnull=True, voided_by__isnull=True)
    ids = dict(bulk.among(effective.values_list("index", "event_id"), "index", set(steps)))
    ordered = sorted(
        (step for index, step in steps.items() if index in ids),
        key=lambda step: (step.event_time_ms, ids[step.index], step.index),
    )
    spans = VoidSpan.objects.filter(reason=VoidSpan.Reason.KEY).values_list("event_index", flat=True)
    return Past(ordered, stays, sorted(bulk.among(spans, "event_index", set(steps) - ids.keys())))


def _steps(epc: str, stays: Sequence[PathStay]) -> Iterator[HistoryStep]:
    """The events that name the thing, and those that name a container while it was inside."""
    by_container: dict[str, list[PathStay]] = defaultdict(list)
    for stay in stays:
        by_container[stay.container].append(stay)
    since = min((stay.from_ms for stay in stays), default=0)
    events = EventEpc.objects.values_list("epc", "event_index", "event_time_ms")
    for _, index, time_ms in events.filter(epc=epc):
        yield HistoryStep(index, time_ms, "own")
    moves = events.filter(role__in=["epc", "child"], event_time_ms__gte=since)
    for name, index, time_ms in bulk.among(moves, "epc", set(by_container)):
        if any(stay.covers(time_ms) for stay in by_container[name]):
            yield HistoryStep(index, time_ms, "container", name)


def contents(epc: str, *, at_ms: int | None = None) -> list[str]:
    """What lies directly in a container, now or at a moment."""
    return sorted(_open(at_ms).filter(parent=epc).values_list("child", flat=True))


def contents_by_container(epcs: Collection[str], *, at_ms: int | None = None) -> dict[str, list[str]]:
    """`contents` of many containers in one query; those that are empty are left out."""
    found: dict[str, list[str]] = defaultdict(list)
    for parent, child in bulk.among(_open(at_ms).values_list("parent", "child"), "parent", set(epcs)):
        found[parent].append(child)
    return {parent: sorted(children) for parent, children in found.items()}


def all_contents(epcs: Collection[str], *, at_ms: int | None = None) -> set[str]:
    """Everything inside these containers, at any depth; one query per level."""
    return set().union(*inside(epcs, at_ms=at_ms).values())


def inside(epcs: Collection[str], *, at_ms: int | None = None) -> dict[str, set[str]]:
    """Everything inside each of these things, at any depth; one query per level."""
    found: dict[str, set[str]] = {epc: set() for epc in epcs}
    level: dict[str, set[str]] = {epc: {epc} for epc in epcs}  # thing -> roots that it lies in
    for _ in range(MAX_DEPTH):
        below: dict[str, set[str]] = defaultdict(set)
        for parent, child in bulk.among(_open(at_ms).values_list("parent", "child"), "parent", set(level)):
            new = {root for root in level[parent] if child != root and child not in found[root]}
            for root in new:
                found[root].add(child)
            if new:
                below[child] |= new
        if not below:
            break
        level = below
    return found


def leaves(epcs: Collection[str], *, at_ms: int | None = None) -> dict[str, frozenset[str]]:
    """What lies in each of these things, and in each container in them, and holds nothing itself.

    The thing itself where nothing is known inside; one query per level.
    """
    children: dict[str, set[str]] = defaultdict(set)
    level = set(epcs)
    for _ in range(MAX_DEPTH):
        rows = list(bulk.among(_open(at_ms).values_list("parent", "child"), "parent", level))
        for parent, child in rows:
            children[parent].add(child)
        level = {child for _parent, child in rows} - children.keys()
        if not level:
            break
    found: dict[str, frozenset[str]] = {}

    def within(thing: str, around: frozenset[str]) -> frozenset[str]:
        if thing not in found:
            inside = [within(child, around | {thing}) for child in children.get(thing, set()) - around - {thing}]
            found[thing] = frozenset[str]().union(*inside) or frozenset([thing])
        return found[thing]

    for epc in (*epcs, *children):
        within(epc, frozenset())
    wanted = {*epcs, *children}
    return {epc: packs for epc, packs in found.items() if epc in wanted}


def items(epcs: Collection[str]) -> dict[str, ItemState]:
    """What their own events say of many things; one query."""
    return _items(epcs)


def open_packs(place: str) -> list[ItemState]:
    """The packs at a place that were dispensed from in part, those open for longest first; one query."""
    rows = ItemState.objects.filter(place=place, status=ItemState.Status.PARTIALLY_DISPENSED)
    return list(rows.order_by("opened_ms", "epc"))


def trace_up(epc: str) -> list[tuple[str, str, int]]:
    """The chain of hands back to the maker: (party that recorded it, place, from when), oldest first."""
    steps = history(epc)
    events = PublishedEvent.objects.exclude(biz_step="sensor_reporting")
    rows = {row.index: row for row in bulk.among(events, "index", {step.index for step in steps})}
    chain: list[tuple[str, str, int]] = []
    for row in (rows[step.index] for step in steps if step.index in rows):
        place = row.biz_location or row.read_point
        if place and (not chain or chain[-1][:2] != (row.reporter, place)):
            chain.append((row.reporter, place, row.event_time_ms))
    return chain


def shipment(despatch: str) -> Shipment | None:
    """What travels under a despatch advice (or an order, where no advice was sent), or None."""
    return Shipment.objects.filter(despatch=despatch).first()


def shipments_of(uris: Collection[str]) -> QuerySet[Shipment]:
    """Shipments sent by or to a party (all its URIs), the newest first.

    With what it received under a number that no despatch names.
    """
    unsent = Q(receiver_party__in=uris, shipped_index=None)
    rows = Shipment.objects.filter(Q(sender__in=uris) | Q(receiver__in=uris) | unsent)
    return rows.order_by("-shipped_ms", "despatch")


def _clip(row: around.Stay, stay: PathStay) -> PathStay | None:
    start = max(row.from_ms, stay.from_ms)
    ends = [end for end in (row.to_ms, stay.to_ms) if end is not None]
    end = min(ends) if ends else None
    return PathStay(row.parent, start, end) if end is None or start < end else None


def _open_at(at_ms: int) -> Q:
    return Q(to_ms=None, from_ms__lte=at_ms) | Q(to_ms__gt=at_ms, from_ms__lte=at_ms)


def _open(at_ms: int | None) -> QuerySet[Containment]:
    return Containment.objects.filter(Q(to_ms=None) if at_ms is None else _open_at(at_ms))


def _items(epcs: Iterable[str]) -> dict[str, ItemState]:
    return {row.epc: row for row in bulk.among(ItemState.objects.all(), "epc", set(epcs))}


def _parents(epcs: Collection[str]) -> dict[str, str]:
    return dict(bulk.among(Containment.objects.filter(to_ms=None).values_list("child", "parent"), "child", epcs))
