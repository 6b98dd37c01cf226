"""Criteria as conditions on the event index: each leans on an index of a table, none reads JSON."""

from collections.abc import Iterable
from functools import reduce, singledispatch
from operator import or_
from typing import Any

from django.db.models import Exists, Model, OuterRef, Q, QuerySet

from traceability.capture import event_hashes, vocabulary
from traceability.capture.models import (
    EventClass,
    EventEpc,
    EventFacet,
    EventPartner,
    EventTransaction,
)
from traceability.epcis import vocabulary as cbv

from . import text_order as text_order  # its lookups
from .criteria import Attribute, Criterion, FacetCompares, FacetExists, FacetIn, Span, Things, Typed, Within, Words

# Fields whose master data attributes can be asked for, by the column that holds what stands in them.
_PLACES = {"readPoint": "read_point", "bizLocation": "biz_location"}
_TERMS = {"bizStep": ("biz_step", cbv.BIZ_STEP), "disposition": ("disposition", cbv.DISPOSITION)}
_FEW = 5_000


@singledispatch
def condition(criterion: Criterion) -> Q:
    """The condition on published events that a criterion is."""
    raise TypeError(f"no condition for {criterion!r}")


@condition.register
def _words(criterion: Words) -> Q:
    if criterion.column == "event_id":  # given, or computed (event hash)
        return Q(index__in=event_hashes.indexes(criterion.values))
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
    return Q(**{f"{criterion.column}__in": vocabulary.descendants(criterion.places)})


@condition.register
def _attribute(criterion: Attribute) -> Q:
    found: set[str] = set()
    for name in criterion.names:
        if criterion.values:
            found |= vocabulary.with_attribute(name, criterion.values)
        else:
            found |= vocabulary.having_attribute(name)
    if column := _PLACES.get(criterion.field):
        return Q(**{f"{column}__in": found})
    if terms := _TERMS.get(criterion.field):
        column, words = terms
        return Q(**{f"{column}__in": {words.bare(uri) for uri in found}})
    if criterion.field == "epcClass":
        return _within(EventClass, Q(epc_class__in=found))
    return _within(EventPartner, Q(value__in=found), direction=criterion.field)


def _keys(column: str, exact: Iterable[str], prefixes: Iterable[str]) -> Q:
    either = [Q(**{f"{column}__in": list(exact)})] if exact else []
    return reduce(or_, [*either, *(Q(**{f"{column}__beginswith": prefix}) for prefix in prefixes)])


def _within(model: type[Model], which: Q, **also: Any) -> Q:
    """That the event has such a row: looked up from the rows if they are few, asked event by event if they are many.

    Many rows in a list would all be fetched and sorted for one page; asked one by one, a page is soon full.
    """
    rows: QuerySet[Any] = model._default_manager.filter(which, **also)
    if rows.order_by().values("event_index")[_FEW : _FEW + 1].exists():
        return Q(Exists(rows.filter(event_index=OuterRef("index"))))
    return Q(index__in=rows.values("event_index"))
