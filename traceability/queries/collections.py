"""The collections beside the events: which types, steps, places and things a party's events name (EPCIS 2.0, 12.7)."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, F, QuerySet

from traceability.capture.models import EventEpc, PublishedEvent
from traceability.epcis import vocabulary
from traceability.epcis.shapes import EVENTS

from . import tokens
from .event_query import EventQuery, parse
from .text_order import ByBytes

_COLLECTION = "collection"


@dataclass(frozen=True)
class Collection:
    """A resource collection: the query parameter that one of its members stands for, and the standard's members."""

    parameter: str
    column: str
    standard: frozenset[str] = frozenset()


COLLECTIONS: Mapping[str, Collection] = {
    "eventTypes": Collection("eventType", "event_type", frozenset(EVENTS)),
    "epcs": Collection("MATCH_anyEPC", "epc"),
    "bizSteps": Collection("EQ_bizStep", "biz_step", vocabulary.BIZ_STEPS),
    "bizLocations": Collection("EQ_bizLocation", "biz_location"),
    "readPoints": Collection("EQ_readPoint", "read_point"),
    "dispositions": Collection("EQ_disposition", "disposition", vocabulary.DISPOSITIONS),
}


def page(
    kind: str, events: QuerySet[PublishedEvent], size: int, *, holder: str, token: str | None = None
) -> tuple[list[str], str | None]:
    """A page of a collection's members in byte order, and the token of the next; ProblemError 400 for a bad token.

    The standard's own members, and what `events` (those that the party may see) name.
    """
    after = ""
    if token is not None:
        of, size, after = tokens.read(_COLLECTION, holder, token)
        if of != kind:
            raise tokens.no_token()
    collection = COLLECTIONS[kind]
    found = set(_named(collection, events, after, size + 1))
    members = sorted(found | {word for word in collection.standard if word > after})[: size + 1]
    if len(members) <= size:
        return members, None
    return members[:size], tokens.issue(_COLLECTION, holder, [kind, size, members[size - 1]])


def _named(collection: Collection, events: QuerySet[PublishedEvent], after: str, most: int) -> Iterable[str]:
    """What the events name, in the order of bytes behind `after`."""
    column = collection.column
    if column == "epc":
        things = EventEpc.objects.filter(epc__beyond=after)
        rows = things.filter(event_index__in=events.order_by().values("index")) if events.query.where else things
        return _grouped(rows, "epc", most)
    return _grouped(events.filter(**{f"{column}__beyond": after}), column, most)


def _grouped(rows: QuerySet[Any], column: str, most: int) -> list[str]:
    """Each value once. By GROUP BY, since DISTINCT would compare in the order of a language on PostgreSQL."""
    each = rows.order_by().values(column).annotate(times=Count("*")).order_by(ByBytes(F(column)))
    return [row[column] for row in each[:most]]


def member(kind: str, text: str) -> EventQuery:
    """The query for the events of a member, in whatever spelling; ProblemError 400 for what can be none."""
    return parse({COLLECTIONS[kind].parameter: [text]})


def holds(
    kind: str, text: str, events: QuerySet[PublishedEvent], find: Callable[..., QuerySet[PublishedEvent]]
) -> bool:
    """Whether the collection has this member: the standard does, or one of `events` names it."""
    query = member(kind, text)
    values: Iterable[str] = getattr(query.criteria[0], "values", ())
    return not COLLECTIONS[kind].standard.isdisjoint(values) or find(query, events).exists()
