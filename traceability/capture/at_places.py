"""The events at places, in the order of time, read in portions out of the indexes by place."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from django.db.models import Q, QuerySet

from .models import EventPartner, EventTransaction, PublishedEvent

_BY_PLACE = ("biz_location", "read_point")
Place = tuple[int, int]  # event time in ms, log index


def events_at(
    events: QuerySet[PublishedEvent], places: Collection[str], *, until_ms: int, after: Place, limit: int
) -> list[PublishedEvent]:
    """Those of `events` that were at one of these places before `until_ms`, oldest first, behind `after`.

    An event is at its business location and at its read point. Error declarations are left out; what they void is not.
    Two queries for each place, each in order out of one index.
    """
    time_ms, index = after
    behind = Q(event_time_ms=time_ms, index__gt=index) | Q(event_time_ms__gt=time_ms)
    rows = events.filter(behind, declaration_ms=None, event_time_ms__gte=time_ms, event_time_ms__lt=until_ms)
    found = {
        row.index: row
        for place in sorted(places)
        for column in _BY_PLACE
        for row in rows.filter(**{column: place}).order_by("event_time_ms", "index")[:limit]
    }
    return sorted(found.values(), key=lambda row: (row.event_time_ms, row.index))[:limit]


@dataclass(frozen=True)
class Papers:
    """The other side and the documents of an event; URIs, '' = none named."""

    source: str = ""
    destination: str = ""
    documents: tuple[str, ...] = ()


def papers_of(indexes: Collection[int]) -> dict[int, Papers]:
    """Sources, destinations (owners before other kinds) and business transactions of events; two queries."""
    sides: dict[tuple[int, str], list[tuple[bool, str]]] = defaultdict(list)
    for row in EventPartner.objects.filter(event_index__among=frozenset(indexes)).order_by("position"):
        sides[row.event_index, row.direction].append((row.type != "owning_party", row.value))
    documents: dict[int, list[str]] = defaultdict(list)
    for one in EventTransaction.objects.filter(event_index__among=frozenset(indexes)).order_by("position"):
        documents[one.event_index].append(one.value)
    return {
        index: Papers(_first(sides[index, "source"]), _first(sides[index, "destination"]), tuple(documents[index]))
        for index in indexes
    }


def _first(named: Sequence[tuple[bool, str]]) -> str:
    return min(named, key=lambda one: one[0])[1] if named else ""
