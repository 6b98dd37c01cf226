"""Running a query over the event index: the events that match, and one page of them (EPCIS 2.0, section 8.2.7)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models import BigIntegerField, CharField, Max, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce, Collate

from traceability.capture.models import EventFacet, PublishedEvent
from traceability.common.problems import ProblemError

from . import tokens
from .conditions import condition
from .criteria import Words
from .event_query import EventQuery, Order, bad_parameter

_EVENTS = "events"
_LEAST = -(2**63)
_MOST_PARTS = 8


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
    for criterion in query.criteria:
        events = events.filter(condition(criterion))
    return events


def first_page(query: EventQuery, events: QuerySet[PublishedEvent], *, holder: str) -> Page:
    """The first page, and a token that only `holder` (a party URI) can use; ProblemError 413 beyond maxEventCount.

    The pages that follow show the answer of this moment: what is published later is in none of them.
    """
    last = PublishedEvent.objects.aggregate(last=Max("index"))["last"]
    found = matching(query, events)
    if query.most is not None and len(found.order_by().values("index")[: query.most + 1]) > query.most:
        detail = f"more than {query.most} events match"
        raise ProblemError(413, "query-too-large", detail, "QueryTooLargeException")
    return _page(query, found, _Position(0 if last is None else last + 1, left=query.limit), holder)


def next_page(
    token: str, events: QuerySet[PublishedEvent], *, holder: str, beside: Mapping[str, tuple[str, ...]] | None = None
) -> Page:
    """The page that a token leads to; ProblemError 400 for a token that is not this holder's or has run out.

    `beside` are parameters that stand next to it in the URL, as `EventQuery` keeps them: they may only repeat its own.
    """
    parameters, before, after, left = tokens.read(_EVENTS, holder, token)
    query = EventQuery.from_json(parameters)
    for name, values in (beside or {}).items():
        if query.parameters.get(name) != values:
            raise bad_parameter(name, "differs from the query that this nextPageToken goes on with")
    return _page(query, matching(query, events), _Position(before, after, left), holder)


def _page(query: EventQuery, found: QuerySet[PublishedEvent], position: _Position, holder: str) -> Page:
    size = query.per_page if position.left is None else min(query.per_page, position.left)
    keys, found = _keys(query.order, found)
    if position.after is None:
        found = found.filter(index__lt=position.before)
    else:
        found = found.filter(_beyond(keys, position.after, query.order), index__lt=position.before)
    ordered = found.order_by(*(f"-{key}" if query.order.descending else key for key in keys))
    rows = _merged([part[: size + 1] for part in _parts(query, ordered)], keys, query.order)[: size + 1]
    left = None if position.left is None else position.left - size
    if len(rows) <= size or left == 0:
        return Page(rows[:size], None)
    after = [getattr(rows[size - 1], key) for key in keys]
    return Page(rows[:size], tokens.issue(_EVENTS, holder, [query.as_json(), position.before, after, left]))


def _parts(query: EventQuery, ordered: QuerySet[PublishedEvent]) -> list[QuerySet[PublishedEvent]]:
    """The answer in parts of one value each, where a parameter lists a few: each part comes in order out of an index.

    A list of values would have all of its events sorted for one page.
    """
    listed = [one for one in query.criteria if isinstance(one, Words) and 1 < len(one.values) <= _MOST_PARTS]
    if query.order.facet or not listed:
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
