"""Criteria as conditions on the event index: each leans on an index of a table, none reads JSON."""

from collections.abc import Collection, Iterable
from functools import reduce, singledispatch
from operator import or_
from typing import Any

from django.db.models import Exists, Model, OuterRef, Q, QuerySet

from traceability.capture import event_hashes
from traceability.capture.models import (
    EventClass,
    EventEpc,
    EventFacet,
    EventPartner,
    EventTransaction,
)
from traceability.capture.vocabulary import descendants, having_attribute, with_attribute
from traceability.common.problems import ProblemError
from traceability.epcis import vocabulary

from . import text_order as text_order  # its lookups
from .criteria import (
    Attribute,
    Criterion,
    FacetAmong,
    FacetCompares,
    FacetExists,
    FacetIn,
    Span,
    Things,
    Typed,
    Within,
    Words,
)

_FEW = 5_000
_LISTED = "index__in"
_MOST_URIS = 400
_PLACE, _ITEM = "https://id.gs1.org/414/", "https://id.gs1.org/01/"


@singledispatch
def condition(criterion: Criterion) -> Q:
    """The condition on published events that a criterion is."""
    raise TypeError(f"no condition for {criterion!r}")


def finds_few(found: Q) -> bool:
    """Whether a condition has the events that meet it listed, so that they lead."""
    return not found.negated and any(isinstance(child, tuple) and child[0] == _LISTED for child in found.children)


@condition.register
def _words(criterion: Words) -> Q:
    if criterion.column == "event_id":  # given, or computed (event hash)
        return Q(**{_LISTED: event_hashes.indexes(criterion.values)})
    return Q(**{f"{criterion.column}__in": criterion.values})


@condition.register
def _span(criterion: Span) -> Q:
    return Q(**{f"{criterion.column}__{criterion.compare}": criterion.value})


@condition.register
def _things(criterion: Things) -> Q:
    model, column = (EventEpc, "epc") if criterion.kind == "epc" else (EventClass, "epc_class")
    return _within(model, _keys(column, criterion.exact, criterion.prefixes), role__in=criterion.roles)


@condition.register
def _typed(criterion: Typed) -> Q:
    model: type[Model] = EventTransaction if criterion.member == "transaction" else EventPartner
    also: dict[str, Any] = {} if criterion.member == "transaction" else {"direction": criterion.member}
    if criterion.type is not None:
        also["type"] = criterion.type
    return _within(model, Q(value__in=criterion.values), **also)


@condition.register
def _facet_in(criterion: FacetIn) -> Q:
    return _within(EventFacet, Q(text__in=criterion.texts), name__in=criterion.names)


@condition.register
def _facet_among(criterion: FacetAmong) -> Q:
    return _within(EventFacet, Q(number__in=criterion.numbers), name__in=criterion.names)


@condition.register
def _facet_exists(criterion: FacetExists) -> Q:
    found = _within(EventFacet, Q(name__in=criterion.names))
    return found if criterion.exists else ~found


@condition.register
def _facet_compares(criterion: FacetCompares) -> Q:
    return _within(
        EventFacet, Q(**{f"{criterion.field}__{criterion.compare}": criterion.value}), name__in=criterion.names
    )


@condition.register
def _inside(criterion: Within) -> Q:
    places = _bounded(descendants(criterion.places))
    whole = [f"{place}/254/" for place in places if place.startswith(_PLACE) and "/254/" not in place]
    return _keys(criterion.column, places, whole)


@condition.register
def _attribute(criterion: Attribute) -> Q:
    found: set[str] = set()
    for name in criterion.names:
        found |= with_attribute(name, criterion.values) if criterion.values else having_attribute(name)
    uris = _bounded(found)
    if criterion.field in ("source", "destination"):
        return _within(EventPartner, Q(value__in=uris), direction=criterion.field)
    if criterion.field == "epcClass":
        items = [f"{uri}/" for uri in uris if uri.startswith(_ITEM) and uri.count("/") == _ITEM.count("/")]
        return _within(EventClass, _keys("epc_class", uris, items))
    column = {"readPoint": "read_point", "bizLocation": "biz_location", "bizStep": "biz_step"}.get(criterion.field)
    return Q(**{f"{column or 'disposition'}__in": [vocabulary.bare(uri) for uri in uris]})


def _bounded(uris: Collection[str]) -> list[str]:
    """The identifiers that master data gave; ProblemError 413 for more than one statement compares."""
    if len(uris) > _MOST_URIS:
        detail = f"master data names more than {_MOST_URIS} identifiers for it: ask for fewer"
        raise ProblemError(413, "query-too-complex", detail, "QueryTooComplexException")
    return sorted(uris)


def _keys(column: str, exact: Iterable[str], prefixes: Iterable[str]) -> Q:
    return reduce(
        or_, [Q(**{f"{column}__in": list(exact)}), *(Q(**{f"{column}__beginswith": prefix}) for prefix in prefixes)]
    )


def _within(model: type[Model], which: Q, **also: Any) -> Q:
    """That the event has such a row: looked up from the rows if they are few, asked event by event if they are many.

    Many rows in a list would all be fetched and sorted for one page; asked one by one, a page is soon full.
    """
    rows: QuerySet[Any] = model._default_manager.filter(which, **also)
    if rows.order_by().values("event_index")[_FEW : _FEW + 1].exists():
        return Q(Exists(rows.filter(event_index=OuterRef("index"))))
    return Q(**{_LISTED: rows.values("event_index")})
