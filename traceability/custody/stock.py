"""What stands at places by itself: loose packs and outermost containers, found by what they are and what they hold."""

from collections.abc import Collection

from django.db.models import Exists, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Concat

from . import lot_packs, lot_stock, selectors
from .models import Containment, ItemState, LotCount

_BETWEEN = "/10/"  # GTIN and lot as one text; a GTIN has no slash
_PAIR = Concat("gtin", Value(_BETWEEN), "lot")


def standing(places: Collection[str]) -> QuerySet[ItemState]:
    """Everything that stands by itself at these places (canonical URIs, without what lies below them).

    A container that was emptied is no goods any more; one of unknown content is. What was recorded there by itself
    later than the container that it is said to be in stands there (`selectors.Located`).
    """
    carrying = ItemState.objects.filter(epc=OuterRef("container"), last_time_ms__gte=OuterRef("last_time_ms"))
    held = Containment.objects.filter(parent=OuterRef("epc"))
    emptied = Q(Exists(held)) & ~Q(Exists(held.filter(to_ms=None)))
    rows = ItemState.objects.filter(place__among=frozenset(places), status__in=lot_stock.IN_STOCK).alias(pair=_PAIR)
    return rows.filter(Q(container="") | ~Q(Exists(carrying)), ~emptied)


def holding(places: Collection[str], which: Q) -> Q:
    """Of what stands there: packs of which this is true, and containers in which, at any depth, such a pack lies.

    `which` speaks of `gtin`, `lot` and `pair` (see `of_lots`). What nobody recorded the lot of is
    found loose only, since no count has it. The number of queries is that of the levels of containers.
    """
    here = frozenset(places)
    counts = LotCount.objects.alias(pair=_PAIR).filter(which)
    around = {
        one.holder.epc
        for one, _ in lot_packs.placed(list(lot_stock.carried_at(counts, here)))
        if one.place in here and one.status in lot_stock.IN_STOCK
    }
    return which | Q(epc__among=frozenset(around - {""}))


def of_lots(lots: Collection[tuple[str, str]]) -> Q:
    """Packs of these (GTIN, lot number), in the words of `holding`."""
    gtins, numbers = (frozenset(lot[side] for lot in lots) for side in (0, 1))
    pairs = frozenset(_BETWEEN.join(lot) for lot in lots)
    return Q(gtin__among=gtins, lot__among=numbers, pair__among=pairs)


def with_things(epcs: Collection[str]) -> Q:
    """Of what stands somewhere: these things, or what carries them."""
    return Q(epc__among=frozenset(one.holder.epc for one in selectors.states(epcs).values()))
