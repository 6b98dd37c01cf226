"""The goods that events name, counted by lot in the database."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass

from django.db.models import Count, OuterRef, Subquery, Value
from django.db.models.functions import Coalesce

from traceability.capture.models import EventEpc

from .models import ItemState


@dataclass(frozen=True)
class Named:
    """How many things of a lot an event names; GTIN and lot '' = containers, and what nobody recorded the lot of."""

    gtin: str
    lot: str
    count: int


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
        found[row["event_index"]].append(Named(row["gtin"], row["lot"], row["number"]))
    return found
