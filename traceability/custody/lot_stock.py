"""What stands at places, counted by lot: out of the counts of lots, never pack by pack."""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from functools import reduce
from operator import or_
from typing import Any

from django.db.models import OuterRef, Q, QuerySet, Subquery

from traceability.products import selectors as products

from . import lot_packs
from .models import ItemState, LotCount

IN_STOCK = frozenset({"active", "partially_dispensed"})
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
    counts = LotCount.objects.all()
    rows = {row.key: row for row in counts.filter(status__in=_MAY_STAND, place__among=here)}
    rows |= {row.key: row for row in carried_at(counts, here)}
    packs: Counter[tuple[str, str, str]] = Counter()
    for one, row in lot_packs.placed(list(rows.values())):
        if one.place in here and one.status in IN_STOCK:
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


def carried_at(counts: QuerySet[LotCount], here: frozenset[str], depth: int = _LOOKED_AT) -> QuerySet[LotCount]:
    """Those of these counts whose packs a container may have brought into stock at one of these places.

    Around them one was seen there by an event of its own, or they lie deeper than is looked at.
    """
    # A partial index finds what lies in something; each such count costs a look at the containers around it.
    counts = counts.filter(status__in=_MAY_STAND).exclude(container="")
    places = {f"place_{level}": _around(level, "place") for level in range(1, depth + 1)}
    seen = reduce(or_, (Q(**{f"{name}__among": here}) for name in places))
    return counts.alias(**places, next=_around(depth, "container")).filter(seen | Q(next__gt=""))


def lots_numbered(number: str) -> set[tuple[str, str]]:
    """The (GTIN, lot number) of which packs are on record under this number, in any case of letters."""
    return set(LotCount.objects.filter(lot__iexact=number).values_list("gtin", "lot")) if number else set()


def products_on_record() -> set[str]:
    """The GTINs of which packs with a lot are on record, wherever."""
    return set(LotCount.objects.values_list("gtin", flat=True).distinct())


def last_days(lots: Collection[tuple[str, str]]) -> dict[tuple[str, str], date]:
    """The last valid day of each (gtin, lot), as its maker says it now, else as a pack is recorded."""
    known, recorded = products.expiries(lots), recorded_expiries(lots)
    days = {lot: known.get(lot) or day(recorded.get(lot, "")) for lot in lots}
    return {lot: found for lot, found in days.items() if found is not None}


def day(recorded: str) -> date | None:
    """The day of an expiry as an event writes it; None where it is no date, as some partners write it."""
    try:
        return date.fromisoformat(recorded[:10])
    except ValueError:
        return None


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
