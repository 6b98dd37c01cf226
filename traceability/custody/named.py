"""The goods that events name, counted by lot in the database."""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from django.db.models import Count, Exists, OuterRef, Q, Subquery, Value
from django.db.models.functions import Coalesce

from traceability.capture.models import EventEpc

from . import shipments
from .models import ItemState
from .sides import Lot


@dataclass(frozen=True)
class Named:
    """How many things of a lot an event names; GTIN and lot '' = containers, and what nobody recorded the lot of.

    `inside`: of containers the (GTIN, lot) of all packs that lay in them, the same in each, sorted; `packs`: how many
    these are, None where that is not known.
    """

    gtin: str
    lot: str
    count: int
    packs: int | None = None
    inside: tuple[Lot, ...] = ()


def goods_named(indexes: Collection[int]) -> dict[int, list[Named]]:
    """What each event names, parents of aggregations too, and not what lies inside a container. One query."""
    item = ItemState.objects.filter(epc=OuterRef("epc"))
    rows = EventEpc.objects.filter(event_index__among=frozenset(indexes)).annotate(
        gtin=Coalesce(Subquery(item.values("gtin")[:1]), Value("")),
        lot=Coalesce(Subquery(item.values("lot")[:1]), Value("")),
    )
    found: dict[int, list[Named]] = defaultdict(list)
    counted = rows.values("event_index", "gtin", "lot").annotate(number=Count("epc")).order_by("gtin", "lot")
    for row in counted:
        packs = row["number"] if row["gtin"] else None
        found[row["event_index"]].append(Named(row["gtin"], row["lot"], row["number"], packs))
    return found


def with_contents(found: dict[int, list[Named]], times_ms: Mapping[int, int], told: Q) -> dict[int, list[Named]]:
    """The same with what lay in the containers at the time of each event, as far as stays of which `told` is true say.

    Not of what an event fills or empties: that names what. Two queries, and two per level of containers.
    """
    indexes = [index for index, rows in found.items() if any(not one.gtin for one in rows)]
    item = ItemState.objects.filter(epc=OuterRef("epc")).exclude(gtin="")
    rows = EventEpc.objects.filter(~Exists(item), event_index__among=frozenset(indexes)).exclude(role="parent")
    places = {index: place for place, index in enumerate(indexes)}
    roots = [(places[index], epc) for index, epc in rows.values_list("event_index", "epc")]
    inside = shipments.lay_in(roots, [times_ms[index] for index in indexes], told) if roots else {}
    by_contents: dict[int, dict[tuple[Lot, ...], Counter[str]]] = {index: {} for index in indexes}
    for (place, _epc), packs in inside.items():
        if packs:
            same = by_contents[indexes[place]].setdefault(tuple(sorted(packs)), Counter())
            same.update(count=1, packs=packs.total())
    return found | {index: _told_apart(found[index], by_contents[index]) for index in indexes}


def _told_apart(rows: list[Named], by_contents: Mapping[tuple[Lot, ...], Counter[str]]) -> list[Named]:
    known = [Named("", "", same["count"], same["packs"], inside) for inside, same in sorted(by_contents.items())]
    named = sum(one.count for one in known)
    rest = [replace(one, count=one.count - named) if (one.gtin, one.lot) == ("", "") else one for one in rows]
    return known + [one for one in rest if one.count]
