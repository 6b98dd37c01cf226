"""What stands at places, counted by lot: out of the counts of lots, never pack by pack."""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import Any

from django.db.models import OuterRef, Q, QuerySet, Subquery

from . import lot_packs
from .models import ItemState, LotCount

_IN_STOCK = frozenset({"active", "partially_dispensed"})
_MAY_STAND = ("active", "partially_dispensed", "shipped")  # what a container's later event can still bring into stock
# So many containers around a pack the database looks at itself: case, pallet, truck. What lies deeper is read.
_LOOKED_AT = 3


@dataclass(frozen=True)
class LotAt:
    """How many packs of a lot stand at a place."""

    place: str
    gtin: str
    lot: str
    packs: int


def lots_at(places: Collection[str]) -> list[LotAt]:
    """The packs in stock at these places (canonical URIs, without what lies below them), containers' moves included.

    Packs of which nobody recorded product and lot are in no count of a lot, so they are not here. Ordered by place,
    GTIN and lot. The number of queries is that of the levels of containers.
    """
    here = frozenset(places)
    counts = LotCount.objects.filter(status__in=_MAY_STAND)
    rows = {row.key: row for row in counts.filter(place__among=here)}
    # A partial index finds what lies in something; each such count costs a look at the containers around it.
    carried = _carried_at(counts.exclude(container=""), here, _LOOKED_AT)
    rows |= {row.key: row for row in carried}
    packs: Counter[tuple[str, str, str]] = Counter()
    for one, row in lot_packs.placed(list(rows.values())):
        if one.place in here and one.status in _IN_STOCK:
            packs[one.place, row.gtin, row.lot] += row.packs
    return [LotAt(*key, number) for key, number in sorted(packs.items())]


def _around(level: int, column: str) -> Subquery:
    """A column of the container at a level around a count, 1 = the one that its packs lie in directly.

    A single value each and no EXISTS, for which PostgreSQL reads the whole table of items.
    """
    named: Any = "container"
    for _ in range(level):
        named = OuterRef(named)
    rows = ItemState.objects.filter(epc=named)
    for _ in range(level - 1):
        rows = ItemState.objects.filter(epc=Subquery(rows.values("container")[:1]))
    return Subquery(rows.values(column)[:1])


def _carried_at(counts: QuerySet[LotCount], here: frozenset[str], depth: int) -> QuerySet[LotCount]:
    """Counts around which a container was seen at one of these places by an event of its own, or lies deeper."""
    places = {f"place_{level}": _around(level, "place") for level in range(1, depth + 1)}
    seen = reduce(or_, (Q(**{f"{name}__among": here}) for name in places))
    return counts.alias(**places, next=_around(depth, "container")).filter(seen | Q(next__gt=""))


def recorded_expiries(lots: Collection[tuple[str, str]]) -> dict[tuple[str, str], str]:
    """What one of the packs of each (gtin, lot) is recorded to expire on, as written; lots without are left out.

    For lots that no master data knows: a product's maker says the day for all packs there.
    """
    wanted = set(lots)
    some = ItemState.objects.filter(gtin=OuterRef("gtin"), lot=OuterRef("lot")).exclude(expiry="")
    gtins, numbers = (frozenset(pair[side] for pair in wanted) for side in (0, 1))
    pairs = LotCount.objects.filter(gtin__among=gtins, lot__among=numbers).values("gtin", "lot").distinct()
    rows = pairs.annotate(expiry=some.values("expiry")[:1]).values_list("gtin", "lot", "expiry")
    return {(gtin, lot): expiry for gtin, lot, expiry in rows if expiry and (gtin, lot) in wanted}
