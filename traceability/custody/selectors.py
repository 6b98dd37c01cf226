"""Reading custody: where a thing is, what happened to it and its containers, what a lot's packs are at."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from django.db.models import Q

from traceability.capture.models import EventEpc, PublishedEvent
from traceability.gs1 import digital_link

from .models import Containment, ItemState, LotStatus, Shipment

MAX_DEPTH = 8
CHUNK = 900


@dataclass(frozen=True)
class Located:
    """A thing's state with its containers taken into account: `holder` is the outermost thing that carries it."""

    item: ItemState
    holder: ItemState
    path: tuple[str, ...]  # containers from the innermost to the outermost

    @property
    def status(self) -> str:
        """The thing's own end if it has one, else what its holder is at."""
        if self.item.status in {"active", "shipped"}:
            return self.holder.status if self.holder.status in {"active", "shipped"} else self.item.status
        return self.item.status

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


def state(epc: str) -> Located | None:
    """The state of one thing, or None when no event names it."""
    return states([epc]).get(epc)


def states(epcs: Collection[str]) -> dict[str, Located]:
    """The states of many things; two queries per container level."""
    paths: dict[str, list[str]] = {epc: [] for epc in epcs}
    frontier = {epc: epc for epc in epcs}
    for _ in range(MAX_DEPTH):
        parents = dict(
            row for chunk in _chunks(set(frontier.values()))
            for row in Containment.objects.filter(child__in=chunk, to_ms=None).values_list("child", "parent")
        )  # fmt: skip
        frontier = {
            epc: parents[top] for epc, top in frontier.items() if top in parents and parents[top] not in paths[epc]
        }
        if not frontier:
            break
        for epc, parent in frontier.items():
            paths[epc].append(parent)
    wanted = set(epcs) | {parent for path in paths.values() for parent in path}
    items = {row.epc: row for chunk in _chunks(wanted) for row in ItemState.objects.filter(epc__in=chunk)}
    found = {}
    for epc in epcs:
        if epc in items:
            known = [parent for parent in paths[epc] if parent in items]
            holder = items[known[-1]] if known else items[epc]
            found[epc] = Located(items[epc], holder, tuple(paths[epc]))
    return found


def containers(epc: str, at_ms: int) -> list[str]:
    """The containers around a thing at a moment, innermost first."""
    found: list[str] = []
    inside = epc
    while len(found) < MAX_DEPTH:
        row = (
            Containment.objects.filter(Q(to_ms=None) | Q(to_ms__gt=at_ms), child=inside, from_ms__lte=at_ms)
            .values_list("parent", flat=True)
            .first()
        )
        if row is None or row in found:
            break
        found.append(row)
        inside = row
    return found


def path(epc: str) -> list[PathStay]:
    """Every stay of a thing in a container, at any depth, each clipped to the time it was really inside."""
    found: list[PathStay] = []
    level = [PathStay(epc, 0, None)]
    for _ in range(MAX_DEPTH):
        rows = list(Containment.objects.filter(child__in={stay.container for stay in level}))
        level = [
            clipped
            for stay in level
            for row in rows
            if row.child == stay.container and (clipped := _clip(row, stay)) is not None
        ]
        if not level:
            break
        found += level
    return sorted(found, key=lambda stay: (stay.from_ms, stay.container))


def history(epc: str) -> list[HistoryStep]:
    """All effective events of a thing and of its containers while it was inside, in time order; few queries."""
    steps = {
        index: HistoryStep(index, time_ms, "own")
        for index, time_ms in EventEpc.objects.filter(epc=epc).values_list("event_index", "event_time_ms")
    }
    for stay in path(epc):
        during = EventEpc.objects.filter(epc=stay.container, role__in=["epc", "child"], event_time_ms__gte=stay.from_ms)
        if stay.to_ms is not None:
            during = during.filter(event_time_ms__lt=stay.to_ms)
        for index, time_ms in during.values_list("event_index", "event_time_ms"):
            steps.setdefault(index, HistoryStep(index, time_ms, "container", stay.container))
    effective = set(
        PublishedEvent.objects.filter(
            index__in=list(steps), declaration_ms__isnull=True, voided_by__isnull=True
        ).values_list("index", flat=True)
    )
    return sorted(
        (step for index, step in steps.items() if index in effective), key=lambda step: (step.event_time_ms, step.index)
    )


def contents(epc: str, *, at_ms: int | None = None) -> list[str]:
    """What lies directly in a container, now or at a moment."""
    inside = Containment.objects.filter(parent=epc)
    if at_ms is None:
        inside = inside.filter(to_ms=None)
    else:
        inside = inside.filter(Q(to_ms=None) | Q(to_ms__gt=at_ms), from_ms__lte=at_ms)
    return sorted(inside.values_list("child", flat=True))


def all_contents(epcs: Collection[str], *, at_ms: int | None = None) -> set[str]:
    """Everything inside these containers, at any depth; one query per level."""
    found: set[str] = set()
    level = set(epcs)
    for _ in range(MAX_DEPTH):
        inside: set[str] = set()
        for chunk in _chunks(level):
            rows = Containment.objects.filter(parent__in=chunk)
            if at_ms is None:
                rows = rows.filter(to_ms=None)
            else:
                rows = rows.filter(Q(to_ms=None) | Q(to_ms__gt=at_ms), from_ms__lte=at_ms)
            inside |= set(rows.values_list("child", flat=True))
        level = inside - found
        if not level:
            break
        found |= level
    return found


def lot_status(gtin: str, lot: str) -> LotStatus | None:
    """What class-level events say of a lot, or None."""
    return LotStatus.objects.filter(lot_class=digital_link.build(gtin=gtin, lot=lot)).first()


def lot_statuses(lots: Collection[tuple[str, str]]) -> dict[tuple[str, str], LotStatus]:
    """`lot_status` for many (gtin, lot) pairs in one query."""
    names = {digital_link.build(gtin=gtin, lot=lot): (gtin, lot) for gtin, lot in lots if gtin and lot}
    return {names[row.lot_class]: row for row in LotStatus.objects.filter(lot_class__in=list(names))}


def stock(place: str) -> list[Located]:
    """What stands at a place by itself (loose packs and outermost containers), newest first."""
    rows = ItemState.objects.filter(place=place, status__in=["active", "partially_dispensed"]).order_by(
        "-last_time_ms", "epc"
    )
    found = states([row.epc for row in rows])
    return [found[row.epc] for row in rows if not found[row.epc].path]


@dataclass(frozen=True)
class LotHolder:
    """How many packs of a lot a party has in which status."""

    party: str
    place: str
    status: str
    packs: int


def trace_down(gtin: str, lot: str) -> list[LotHolder]:
    """Where all packs of a lot are now, containers' moves included."""
    epcs = list(ItemState.objects.filter(gtin=gtin, lot=lot).values_list("epc", flat=True))
    counts = Counter((one.party, one.place, one.status) for one in states(epcs).values())
    return [LotHolder(*key, packs) for key, packs in sorted(counts.items())]


def trace_up(epc: str) -> list[tuple[str, str, int]]:
    """The chain of hands back to the maker: (party, place, from when), oldest first."""
    steps = history(epc)
    rows = {row.index: row for row in PublishedEvent.objects.filter(index__in=[step.index for step in steps])}
    chain: list[tuple[str, str, int]] = []
    for step in steps:
        row = rows[step.index]
        place = row.biz_location or row.read_point
        if place and row.biz_step != "sensor_reporting" and (not chain or chain[-1][:2] != (row.reporter, place)):
            chain.append((row.reporter, place, row.event_time_ms))
    return chain


def shipments_of(uris: Collection[str]) -> list[Shipment]:
    """Shipments sent by or to a party (all its URIs), open ones first, newest first."""
    rows = Shipment.objects.filter(Q(sender__in=uris) | Q(receiver__in=uris)).order_by("-shipped_ms", "despatch")
    order = {"open": 0, "partial": 1}
    return sorted(rows, key=lambda row: order.get(row.status, 2))


def _clip(row: Containment, stay: PathStay) -> PathStay | None:
    start = max(row.from_ms, stay.from_ms)
    ends = [end for end in (row.to_ms, stay.to_ms) if end is not None]
    end = min(ends) if ends else None
    return PathStay(row.parent, start, end) if end is None or start < end else None


def _chunks(values: Collection[str]) -> list[Sequence[str]]:
    ordered = sorted(values)
    return [ordered[start : start + CHUNK] for start in range(0, len(ordered), CHUNK)]
