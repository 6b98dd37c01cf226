"""A query for events as a value: parsed once, kept as JSON, run by whoever holds events (EPCIS 2.0, 8.2.7). PURE.

Named queries, subscriptions and deliveries keep `as_json()`; `engine.py` runs it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from traceability.common.problems import ProblemError
from traceability.epcis import context, facets
from traceability.epcis.context import PREFIXES

from . import parameters as table
from . import values
from .criteria import Criterion
from .values import QueryFault

PER_PAGE, MAX_PER_PAGE = 30, 1000  # more may be asked for, and so many are given (EPCIS 2.0, perPage)
LARGEST_PAGE = 2**31 - 1
MAX_EVENTS = 1_000_000_000  # of eventCountLimit and maxEventCount
MAX_PARAMETERS, MAX_VALUES = 100, 1000
_TIMES = {"eventTime": "event_time_ms", "recordTime": "record_time_ms"}
CONTROLS = ("orderBy", "orderDirection", "eventCountLimit", "maxEventCount", "perPage")


@dataclass(frozen=True)
class Order:
    """By a time of the event (`column`), or by an extension field (the name of its facet)."""

    column: str = "event_time_ms"
    facet: str = ""
    descending: bool = True


@dataclass(frozen=True)
class EventQuery:
    """What is asked: `criteria` all hold. `limit` cuts the answer, `most` refuses a longer one (None = neither)."""

    parameters: Mapping[str, tuple[str, ...]]
    criteria: tuple[Criterion, ...] = field(compare=False)
    order: Order = Order()
    per_page: int = PER_PAGE
    limit: int | None = None
    most: int | None = None

    def as_json(self) -> dict[str, list[str]]:
        """The query as JSON that `from_json` reads: its parameters, names of extension fields as full URIs."""
        return {name: list(given) for name, given in self.parameters.items()}

    @staticmethod
    def from_json(value: Mapping[str, Any]) -> "EventQuery":
        """The query that `as_json` wrote."""
        return parse(value)


def parse(parameters: Mapping[str, Any], namespaces: Mapping[str, str] | None = None) -> EventQuery:
    """The query in a JSON object of parameters (the `query` of a named query); ProblemError 400 names a bad one.

    Values are texts, numbers, booleans or lists of them. `namespaces` are prefixes of the header GS1-Extensions; its
    own `@context` declares more.
    """
    given = {name: value for name, value in parameters.items() if name != "@context"}
    try:
        declared = {**(namespaces or {}), **_declared(parameters.get("@context"))}
        return _query({name: _texts(name, value) for name, value in given.items()}, declared)
    except QueryFault as fault:
        raise bad_parameter(fault.parameter, fault.detail) from fault


def from_url(parameters: Mapping[str, Sequence[str]], namespaces: Mapping[str, str] | None = None) -> EventQuery:
    """The query in a URL's parameters, whose lists are separated by `|` or repeated; ProblemError as in `parse`."""
    if "@context" in parameters:
        raise bad_parameter("@context", "stands in a query in JSON; beside an address it is the header GS1-Extensions")
    given = {name: [part for text in texts for part in text.split("|")] for name, texts in parameters.items()}
    return parse(given, namespaces)


def page_size(given: Sequence[str]) -> int:
    """How many a page holds that is asked for with this `perPage`; QueryFault for what is no such number."""
    return min(values.positive("perPage", given, most=LARGEST_PAGE), MAX_PER_PAGE)


def bad_parameter(name: str, detail: str) -> ProblemError:
    """400 that names the parameter."""
    errors = [{"parameter": name, "code": "query-parameter", "message": detail}]
    return ProblemError(400, "query-parameter", f"{name}: {detail}", "QueryParameterException", errors)


def _declared(value: Any) -> dict[str, str]:
    """The prefixes of a query's `@context`; addresses in it are not fetched."""
    for part in context.parts(value):
        pairs = part.items() if isinstance(part, dict) else ()
        if not isinstance(part, str | dict) or not all(
            context.is_prefix(name) and isinstance(uri, str) for name, uri in pairs
        ):
            raise QueryFault("@context", "holds context addresses, and objects of prefix to URI")
    return context.declared(value)


def _texts(name: str, value: Any) -> tuple[str, ...]:
    items = value if isinstance(value, list | tuple) else [value]
    texts = []
    for item in items:
        if isinstance(item, bool):
            texts.append("true" if item else "false")
        elif name.startswith("EXISTS_") and item in (None, 1):
            texts.append("")  # the value says nothing: query-schema.json has an integer or null for it
        elif isinstance(item, int | float):
            texts.append(repr(int(item) if isinstance(item, float) and item.is_integer() else item))  # 30.0 is 30
        elif isinstance(item, str):
            texts.append(item)
        else:
            raise QueryFault(name, "must be a text, a number, true, false, or a list of these")
    if len(texts) > MAX_VALUES:
        raise QueryFault(name, f"has at most {MAX_VALUES} values")
    return tuple(texts)


def _query(given: Mapping[str, tuple[str, ...]], outer: Mapping[str, str]) -> EventQuery:
    if len(given) > MAX_PARAMETERS:
        raise QueryFault(
            list(given)[MAX_PARAMETERS], f"is one too many: a query has at most {MAX_PARAMETERS} parameters"
        )
    namespaces = {**outer, **PREFIXES}
    given = {name: table.terms_expanded(name, texts, namespaces) for name, texts in given.items()}
    asked = {name: texts for name, texts in given.items() if name not in CONTROLS}
    criteria = tuple(table.criterion(name, texts, namespaces) for name, texts in asked.items())
    kept: dict[str, tuple[str, ...]] = {}
    for name, texts in given.items():
        if (full := table.spelled_out(name, namespaces)) in kept:
            raise QueryFault(name, f"asks once more what {full} asks")
        kept[full] = texts
    limit, most = (_count(name, given) for name in ("eventCountLimit", "maxEventCount"))
    if limit is not None and most is not None:
        raise QueryFault("maxEventCount", "cannot stand beside eventCountLimit: ask for one of the two")
    order, full = _order(given, namespaces)
    if full:
        kept["orderBy"] = (full,)
    per_page = page_size(given["perPage"]) if "perPage" in given else PER_PAGE
    return EventQuery(kept, criteria, order, per_page, limit, most)


def _count(name: str, given: Mapping[str, tuple[str, ...]]) -> int | None:
    return values.positive(name, given[name], most=MAX_EVENTS) if name in given else None


def _order(given: Mapping[str, tuple[str, ...]], namespaces: Mapping[str, str]) -> tuple[Order, str]:
    """The order, and the full URI of the extension field that it is by, or ''."""
    direction = values.single("orderDirection", given.get("orderDirection", ("DESC",)))
    if direction not in {"ASC", "DESC"}:
        raise QueryFault("orderDirection", "must be ASC or DESC")
    descending = direction == "DESC"
    by = values.single("orderBy", given.get("orderBy", ("eventTime",)))
    if column := _TIMES.get(by):
        return Order(column, descending=descending), ""
    if ":" not in by:
        raise QueryFault("orderBy", "must be eventTime, recordTime or an extension field")
    full = table.field("orderBy", by, namespaces)
    return Order("", facets.name_of(facets.EVENT, full), descending), full
