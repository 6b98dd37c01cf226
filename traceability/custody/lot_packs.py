"""Reading lots out of their counts: where all packs of one are, what became of them, and those that stand somewhere."""

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace

from django.db.models import QuerySet

from traceability.common import bulk

from . import lot_count, selectors
from .lot_count import Balance, Standing
from .models import Containment, ItemState, LotCount
from .selectors import Located


@dataclass(frozen=True)
class Packs:
    """How many packs there are, and those that were asked for, ordered by EPC."""

    total: int
    listed: Sequence[Located]


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


def packs_of_lot(gtin: str, lot: str, chosen: Callable[[Located], bool], *, limit: int | None = None) -> Packs:
    """The packs of a lot that are where `chosen` says yes to; no others are read, and of those at most `limit`.

    A lot without number: what nobody recorded the lot of. What has ended comes without the container that it was in.
    """
    rows = ItemState.objects.filter(gtin=gtin, lot=lot)
    if not lot:  # in no count
        known = selectors.states(list(rows.values_list("epc", flat=True)))
        there = [
            replace(one, path=()) if one.item.status in lot_count.ENDED else one
            for _, one in sorted(known.items())
            if chosen(one)
        ]
        return Packs(len(there), there[:limit])
    mine = [(one, row) for one, row in _counted(gtin, lot) if chosen(one)]
    wanted: dict[Standing, Located] = {}
    told = 0
    for one, row in sorted(mine, key=lambda pair: (not pair[0].path, pair[0].path[::-1], pair[1].key)):
        if limit is None or told < limit:
            wanted[_standing(row, row.container, row.seen_ms, made=row.is_commissioned)] = one
            told += row.packs
    found = [*_inside_of(rows, wanted), *_loose(rows, wanted, limit)]
    listed = []
    for item in sorted(found, key=lambda row: row.epc):
        made = item.commissioned_index is not None
        where = wanted.get(_standing(item, item.container, item.last_time_ms, made=made))
        if where is not None:
            listed.append(Located(item, where.holder if where.path else item, where.path))
    return Packs(sum(row.packs for _, row in mine), listed[:limit])


def _inside_of(rows: QuerySet[ItemState], wanted: Collection[Standing]) -> Iterator[ItemState]:
    """Those of these packs that lie in a container which a standing names."""
    inside = Containment.objects.filter(to_ms=None).values_list("child", flat=True)
    children = set(bulk.among(inside, "parent", {standing.container for standing in wanted} - {""}))
    return bulk.among(rows, "epc", children)


def _loose(rows: QuerySet[ItemState], wanted: Collection[Standing], limit: int | None) -> Iterator[ItemState]:
    """Those of these packs that stand so by themselves, at most `limit` of each standing; a query for each."""
    for one in wanted:
        if not one.container:
            same = rows.filter(party=one.party, status=one.status, place=one.place, destination=one.destination)
            same = same if one.status in lot_count.ENDED else same.filter(container="")
            yield from same.filter(commissioned_index__isnull=not one.is_commissioned)[:limit]


def _standing(row: ItemState | LotCount, container: str, seen_ms: int, *, made: bool) -> Standing:
    where = (row.place, row.party, row.destination)
    return lot_count.standing(row.gtin, row.lot, container, row.status, *where, seen_ms, made)


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
