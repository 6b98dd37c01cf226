"""Named queries: kept, found, and read as what the engine takes (EPCIS 2.0, sections 8.2.5 and 12.7)."""

import re
from collections.abc import Mapping
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from traceability.capture.models import PublishedEvent
from traceability.common.clock import now_ms
from traceability.common.problems import ProblemError
from traceability.epcis import context
from traceability.parties.models import Party

from . import engine, json_types
from .event_query import CONTROLS, EventQuery, bad_parameter, parse
from .models import NamedQuery
from .values import QueryFault

MAX_NAMES = 1000  # of one party
_NAME = re.compile(r"[^/\x00-\x1f\x7f]{1,128}")


def create(party: Party, name: Any, query: Any, namespaces: Mapping[str, str] | None = None) -> NamedQuery:
    """A new named query; ProblemError: 400 names the parameter at fault, 409 when the party has the name already.

    `namespaces` are prefixes of the header GS1-Extensions, which the kept query declares itself from then on.
    """
    if not isinstance(name, str) or _NAME.fullmatch(name) is None or name in {".", ".."}:
        raise _bad("/name", "query-name", "a name has 1 to 128 characters, no slash and no control character")
    if namespaces and isinstance(query, Mapping):
        query = {**query, "@context": [*context.parts(query.get("@context")), dict(namespaces)]}
    read(query)
    _require_types(query)
    if party.named_queries.count() >= MAX_NAMES:
        raise ProblemError(409, "too-many-queries", f"a party has at most {MAX_NAMES} named queries: delete one")
    try:
        with transaction.atomic():
            return NamedQuery.objects.create(party=party, name=name, query=query, created_ms=now_ms())
    except IntegrityError as error:
        raise ProblemError(
            409, "query-exists", f"there is a query named {name!r} already", "ResourceAlreadyExistsException"
        ) from error


def find(party: Party, name: str) -> NamedQuery | None:
    """The party's query of that name, or None, whatever other parties have."""
    return NamedQuery.objects.select_related("party").filter(party=party, name=name).first()


def read(query: Any) -> EventQuery:
    """The query in a JSON object of parameters; ProblemError 400 where the engine does not take it."""
    if not isinstance(query, Mapping):
        raise _bad("/query", "query-object", "a query is a JSON object of parameters")
    return parse(query)


def matching(query: Mapping[str, Any], events: QuerySet[PublishedEvent]) -> QuerySet[PublishedEvent]:
    """`events` narrowed to those that a kept query asks for; what it says of order and paging is left aside."""
    return engine.matching(EventQuery.from_json(query), events)


def controls(query: Mapping[str, Any]) -> dict[str, list[str]]:
    """What a kept query says of order, limits and paging, as it would stand in an address."""
    return {name: values for name, values in EventQuery.from_json(query).as_json().items() if name in CONTROLS}


def listed(party: Party, after: str | None, limit: int) -> list[NamedQuery]:
    """The party's queries by name, behind `after`."""
    return list(NamedQuery.objects.filter(party=party, name__gt=after or "").order_by("name")[:limit])


def _require_types(query: Mapping[str, Any]) -> None:
    try:
        for name, value in query.items():
            json_types.require(name, value)
    except QueryFault as fault:
        raise bad_parameter(fault.parameter, fault.detail) from fault


def _bad(pointer: str, code: str, detail: str) -> ProblemError:
    return ProblemError(400, code, detail, "QueryValidationException", pointer=pointer)
