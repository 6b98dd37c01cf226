"""Reading lots out of their counts: where all packs of one are, what became of them, and those that stand somewhere."""

import itertools
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from django.db.models import Q, QuerySet

from traceability.common import bulk

from . import lot_count, selectors
from .lot_count import Balance, Standing
from .models import Containment, ItemState, LotCount
from .selectors import Located

PORTION = 2_000  # packs read at a time


@dataclass(frozen=True)
class Packs:
    """How many packs there are; and each EPC once, with how it stands: by container, then the loose ones."""

    total: int
    each: Iterator[tuple[str, Located]]


@dataclass(frozen=True)
class LotHolder:
    """How many packs of a lot a party has in which status."""

    party: str
    place: str
    status: str
    packs: int


def trace_down(gtin: str, lot: str) -> list[LotHolder]:
    """Where all packs of a lot are now, containers' moves included; one row per party, place and status."""
    return lot_account(gtin, lot)[1]


def lot_balance(gtin: str, lot: str) -> Balance:
    """What became of all packs of a lot; the parts add up."""
    return lot_account(gtin, lot)[0]


def lot_account(gtin: str, lot: str) -> tuple[Balance, list[LotHolder]]:
    """`lot_balance` and `trace_down` out of one reading."""
    counted = list(_counted(gtin, lot))
    counts: Counter[tuple[str, str, str]] = Counter()
    for one, row in counted:
        counts[one.party, one.place, one.status] += row.packs
    balance = lot_count.balance((one.status, row.is_commissioned, row.packs) for one, row in counted)
    return balance, [LotHolder(*key, number) for key, number in sorted(counts.items())]


def packs_of_lot(gtin: str, lot: str, chosen: Callable[[Located], bool]) -> Packs:
    """The packs of a lot that are where `chosen` says yes to; no others are read, and these only as they are asked for.

    A lot without number: what nobody recorded the lot of. What has ended comes without the container that it was in.
    """
    if not lot:  # in no count
        there = [pair for pair in _unnumbered(gtin) if chosen(pair[1])]
        return Packs(len(there), iter(there))
    counts = [(one, row) for one, row in _counted(gtin, lot) if chosen(one)]
    counts.sort(key=lambda pair: (not pair[0].path, pair[0].path[::-1], pair[1].key))
    wanted = {_stands(row): one for one, row in counts}
    inside: Counter[str] = Counter()
    for one, row in counts:
        if one.path:
            inside[row.container] += row.packs
    loose = {standing.party for standing, one in wanted.items() if not one.path}
    rows = ItemState.objects.filter(gtin=gtin, lot=lot)
    each = itertools.chain(_inside_of(inside, wanted), _loose(rows, loose, wanted))
    return Packs(sum(row.packs for _, row in counts), each)


def counted(gtin: str, lot: str, chosen: Callable[[Located], bool]) -> Iterator[tuple[str, Located, int]]:
    """`packs_of_lot` in numbers: (container around them, how they stand, packs); no pack of a lot is read."""
    if lot:
        yield from ((row.container, one, row.packs) for one, row in _counted(gtin, lot) if chosen(one))
    else:
        yield from ((one.path[0] if one.path else "", one, 1) for _, one in _unnumbered(gtin) if chosen(one))


def _unnumbered(gtin: str) -> Iterator[tuple[str, Located]]:
    names = ItemState.objects.filter(gtin=gtin, lot="").order_by("epc").values_list("epc", flat=True)
    for portion in bulk.chunks(names):
        for epc, one in sorted(selectors.states(portion).items()):
            yield epc, replace(one, path=()) if one.item.status in lot_count.ENDED else one


_COLUMNS = (
    "epc", "gtin", "lot", "container", "status", "place", "party", "destination", "last_time_ms", "commissioned_index",
)  # fmt: skip


def _inside_of(containers: Mapping[str, int], wanted: Mapping[Standing, Located]) -> Iterator[tuple[str, Located]]:
    """The packs in these containers (each with how many) that stand as wanted: by container in this order, and EPC."""
    open_stays = Containment.objects.filter(to_ms=None).values_list("child", flat=True)
    for portion in _portions(containers):
        order = {container: number for number, container in enumerate(portion)}
        children = list(bulk.among(open_stays, "parent", portion))
        rows = bulk.among(ItemState.objects.values_list(*_COLUMNS), "epc", children)
        found = sorted((row for row in rows if row[3] in order), key=lambda row: (order[row[3]], row[0]))
        # What has ended by itself while it lay there is counted as loose.
        yield from ((epc, one) for epc, one in _wanted(found, wanted) if one.path)


def _portions(containers: Mapping[str, int]) -> Iterator[list[str]]:
    """So many containers at a time as hold PORTION packs."""
    portion, packs = [], 0
    for container, held in containers.items():
        portion.append(container)
        packs += held
        if packs >= PORTION:
            yield portion
            portion, packs = [], 0
    if portion:
        yield portion


def _loose(
    rows: QuerySet[ItemState], parties: Collection[str], wanted: Mapping[Standing, Located]
) -> Iterator[tuple[str, Located]]:
    """Those of these packs that stand by themselves as wanted, with one of the parties; in the order of an index."""
    alone = rows.filter(Q(container="") | Q(status__in=lot_count.ENDED)).order_by("history", "epc")
    for party in sorted(parties):
        after = ("", "")
        while found := list(_behind(alone.filter(party=party), after).values_list(*_COLUMNS, "history")[:PORTION]):
            yield from ((epc, one) for epc, one in _wanted([row[:-1] for row in found], wanted) if not one.path)
            after = (found[-1][-1], found[-1][0])


def _behind(rows: QuerySet[ItemState], after: tuple[str, str]) -> QuerySet[ItemState]:
    history, epc = after
    return rows.filter(Q(history__gt=history) | Q(history=history, epc__gt=epc), history__gte=history)


def _wanted(rows: Iterable[tuple[Any, ...]], wanted: Mapping[Standing, Located]) -> Iterator[tuple[str, Located]]:
    for epc, gtin, lot, container, status, place, party, destination, seen_ms, commissioned_index in rows:
        made = commissioned_index is not None
        standing = lot_count.standing(gtin, lot, container, status, place, party, destination, seen_ms, made)
        if standing in wanted:
            yield epc, wanted[standing]


def _stands(row: LotCount) -> Standing:
    return Standing(*(getattr(row, name) for name in Standing._fields))


def _counted(gtin: str, lot: str) -> Iterator[tuple[Located, LotCount]]:
    return placed(list(LotCount.objects.filter(gtin=gtin, lot=lot)))


def placed(counts: Collection[LotCount]) -> Iterator[tuple[Located, LotCount]]:
    """Counts, each with where its packs are; the number of queries is that of the levels."""
    containers = {row.container for row in counts} - {""}
    above = selectors.paths(containers)
    rows = selectors.items({parent for path in above.values() for parent in path} | containers)
    for row in counts:
        item = ItemState(
            status=row.status, place=row.place, party=row.party, destination=row.destination, last_time_ms=row.seen_ms
        )
        yield selectors.located(item, [row.container, *above[row.container]] if row.container else [], rows), row
