"""Running a query over the event index: the events that match, and one page of them (EPCIS 2.0, section 8.2.7).

A page is found in one of two ways: read off the party's audience, in its order, unless something narrower leads; or
searched among the events, of which `visible_events` leaves those that the party may see.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import and_
from typing import Any

from django.db import connection
from django.db.models import BigIntegerField, CharField, Exists, Max, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce, Collate

from traceability.capture.models import EventFacet, PublishedEvent
from traceability.common.problems import ProblemError
from traceability.parties.models import Party
from traceability.visibility.rules import sees_all, visible_events, visible_in_order

from . import tokens
from .conditions import condition, finds_few
from .criteria import Attribute, Criterion, Span, Within, Words
from .event_query import EventQuery, Order, bad_parameter

_EVENTS = "events"
_LEAST = -(2**63)
_MOST_PARTS = 8
_IN_AUDIENCES = {"event_time_ms", "biz_step"}
_LEADING = (Words, Span, Within, Attribute)  # may lead by an index of events


@dataclass(frozen=True)
class Page:
    """One page of a query: the rows, and the token of the next page or None."""

    rows: list[PublishedEvent]
    next_token: str | None


@dataclass(frozen=True)
class _Position:
    """Where an answer goes on: behind the keys `after`, among the events before log index `before`, `left` at most."""

    before: int
    after: Sequence[Any] | None = None
    left: int | None = None


def matching(query: EventQuery, events: QuerySet[PublishedEvent]) -> QuerySet[PublishedEvent]:
    """Those of `events` that the query finds, unordered; its order, its limits and its pages are `first_page`'s."""
    return events.filter(*map(condition, query.criteria))


def first_page(query: EventQuery, party: Party, *, within: Sequence[Criterion] = ()) -> Page:
    """The first page of what `party` may see, and a token that only it can use; ProblemError 413 beyond maxEventCount.

    `within` are further criteria, of a named query. The pages that follow show the answer of this moment: what is
    published later is in none of them.
    """
    last = PublishedEvent.objects.aggregate(last=Max("index"))["last"]
    asked = _asked(query, party, within)
    if query.most is not None and asked.exceeds(query.most):
        detail = f"more than {query.most} events match"
        raise ProblemError(413, "query-too-large", detail, "QueryTooLargeException")
    return _page(asked, _Position(0 if last is None else last + 1, left=query.limit))


def next_page(
    token: str, party: Party, *, within: Sequence[Criterion] = (), beside: Mapping[str, tuple[str, ...]] | None = None
) -> Page:
    """The page that a token leads to; ProblemError 400 for a token that is not this party's or has run out.

    `beside` are parameters that stand next to it in the URL, as `EventQuery` keeps them: they may only repeat its own,
    but for `perPage`, since how much a page holds is not what is asked.
    """
    parameters, before, after, left = tokens.read(_EVENTS, party.uri, token)
    again = dict(beside or {})
    if size := again.pop("perPage", None):
        parameters = {**parameters, "perPage": list(size)}
    query = EventQuery.from_json(parameters)
    for name, values in again.items():
        if query.parameters.get(name) != values:
            raise bad_parameter(name, "differs from the query that this nextPageToken goes on with")
    return _page(_asked(query, party, within), _Position(before, after, left))


@dataclass(frozen=True)
class _Asked:
    """A query and who asks it: all `criteria` that hold, with the condition that each is."""

    query: EventQuery
    party: Party
    criteria: tuple[Criterion, ...]
    conditions: tuple[Q, ...]

    def is_read_off(self) -> bool:
        """Whether the party's audience leads: by event time, unless a criterion has a shorter list of its own."""
        beyond = [(criterion, found) for criterion, found in self._pairs() if not _is_told(criterion)]
        led = any(isinstance(criterion, _LEADING) or finds_few(found) for criterion, found in beyond)
        return not led and self.query.order.column == "event_time_ms" and not sees_all(self.party)

    def read_off(self, also: Q, limit: int) -> list[int]:
        """The indexes of the first events, out of the audience."""
        told = [found for criterion, found in self._pairs() if _is_told(criterion)]
        beyond = [found for criterion, found in self._pairs() if not _is_told(criterion)]
        if beyond:
            told.append(Q(Exists(PublishedEvent.objects.filter(*beyond, index=OuterRef("event_index")))))
        which = reduce(and_, told, also)
        keys = visible_in_order(self.party, which, descending=self.query.order.descending, limit=limit)
        return [index for _, index in keys]

    def events(self) -> QuerySet[PublishedEvent]:
        """All that it finds, unordered."""
        found = PublishedEvent.objects.filter(*self.conditions)
        return visible_events(found, self.party, are_few=any(map(finds_few, self.conditions)))

    def exceeds(self, most: int) -> bool:
        """Whether it finds more events than that."""
        if self.is_read_off():
            return len(self.read_off(Q(), most + 1)) > most
        return len(self.events().order_by().values("index")[: most + 1]) > most

    def _pairs(self) -> Iterator[tuple[Criterion, Q]]:
        return zip(self.criteria, self.conditions, strict=True)


def _asked(query: EventQuery, party: Party, within: Sequence[Criterion]) -> _Asked:
    criteria = (*within, *query.criteria)
    return _Asked(query, party, criteria, tuple(map(condition, criteria)))


def _is_told(criterion: Criterion) -> bool:
    """Whether it compares what an audience holds of an event."""
    return isinstance(criterion, Words | Span) and criterion.column in _IN_AUDIENCES


def _page(asked: _Asked, position: _Position) -> Page:
    query = asked.query
    size = query.per_page if position.left is None else min(query.per_page, position.left)
    rows, keys = (_read_off if asked.is_read_off() else _searched)(asked, position, size + 1)
    left = None if position.left is None else position.left - size
    if len(rows) <= size or left == 0:
        return Page(rows[:size], None)
    after = [getattr(rows[size - 1], key) for key in keys]
    return Page(rows[:size], tokens.issue(_EVENTS, asked.party.uri, [query.as_json(), position.before, after, left]))


def _read_off(asked: _Asked, position: _Position, limit: int) -> tuple[list[PublishedEvent], Sequence[str]]:
    """The next events out of the party's audience, and the columns of their order."""
    which = Q(event_index__lt=position.before)
    if position.after is not None:
        which &= _beyond(("event_time_ms", "event_index"), position.after, asked.query.order)
    indexes = asked.read_off(which, limit)
    rows = PublishedEvent.objects.in_bulk(indexes)
    return [rows[index] for index in indexes], (asked.query.order.column, "index")


def _searched(asked: _Asked, position: _Position, limit: int) -> tuple[list[PublishedEvent], Sequence[str]]:
    """The next events out of all that match, and the columns of their order."""
    order = asked.query.order
    keys, found = _keys(order, asked.events())
    if position.after is None:
        found = found.filter(index__lt=position.before)
    else:
        found = found.filter(_beyond(keys, position.after, order), index__lt=position.before)
    ordered = found.order_by(*(f"-{key}" if order.descending else key for key in keys))
    parts = [part[:limit] for part in _parts(asked, ordered)]
    return _merged(parts, keys, order)[:limit], keys


def _parts(asked: _Asked, ordered: QuerySet[PublishedEvent]) -> list[QuerySet[PublishedEvent]]:
    """The answer in parts of one value each, where a parameter lists a few: each part comes in order out of an index.

    A list of values would have all of its events sorted for one page.
    """
    listed = [one for one in asked.criteria if isinstance(one, Words) and 1 < len(one.values) <= _MOST_PARTS]
    if asked.query.order.facet or not listed:
        return [ordered]
    return [ordered.filter(**{listed[0].column: value}) for value in listed[0].values]


def _merged(parts: Sequence[QuerySet[PublishedEvent]], keys: Sequence[str], order: Order) -> list[PublishedEvent]:
    if len(parts) == 1:
        return list(parts[0])
    rows = [row for part in parts for row in part]
    return sorted(rows, key=lambda row: [getattr(row, key) for key in keys], reverse=order.descending)


def _keys(order: Order, found: QuerySet[PublishedEvent]) -> tuple[Sequence[str], QuerySet[PublishedEvent]]:
    """The columns that order the answer, the last of them unique."""
    if not order.facet:
        return (order.column, "index"), found
    facet = EventFacet.objects.filter(event_index=OuterRef("index"), name=order.facet).order_by("position")
    amount = Coalesce(
        Subquery(facet.values("number")[:1]),
        Subquery(facet.values("time")[:1]),
        Value(_LEAST),
        output_field=BigIntegerField(),
    )
    text = Coalesce(Subquery(facet.values("text")[:1]), Value(""), output_field=CharField())
    collation = "C" if connection.vendor == "postgresql" else "BINARY"
    return ("sort_amount", "sort_text", "index"), found.annotate(sort_amount=amount, sort_text=Collate(text, collation))


def _beyond(keys: Sequence[str], after: Sequence[Any], order: Order) -> Q:
    """What comes behind the row with these keys, as a range of the first key so that an index can begin there."""
    step = "lt" if order.descending else "gt"
    *leading, last = zip(keys, after, strict=True)
    beyond = Q(**{f"{last[0]}__{step}": last[1]})
    for key, value in reversed(leading):
        beyond = Q(**{f"{key}__{step}e": value}) & (Q(**{f"{key}__{step}": value}) | beyond)
    return beyond
