"""SimpleEventQuery: parameters of GET /epcis/events to a query over the event index (EPCIS 2.0, section 8.2.7)."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.core import signing
from django.db.models import Q, QuerySet

from traceability.capture.models import CaptureJob, EventClass, EventEpc, EventTransaction, PublishedEvent
from traceability.common.problems import ProblemError
from traceability.epcis import event as epcis_event
from traceability.epcis.vocabulary import bare
from traceability.gs1 import epc
from traceability.gs1.errors import Gs1Error

PER_PAGE, MAX_PER_PAGE = 30, 1000
_EVENTS, _JOBS = "dosetrail.events-page", "dosetrail.jobs-page"  # salts: a token of one list is none of the other
TOKEN_SECONDS = 3600
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
_CONTROLS: tuple[str, ...] = ("orderBy", "orderDirection", "perPage")
_ANY = ("epc", "child", "parent", "input", "output")


@dataclass(frozen=True)
class Page:
    """One page of a query: the rows, and the token of the next page or None."""

    rows: list[PublishedEvent]
    next_token: str | None


def bad_parameter(name: str, detail: str) -> ProblemError:
    """400 that names the parameter."""
    errors = [{"parameter": name, "code": "query-parameter", "message": detail}]
    return ProblemError(400, "query-parameter", f"{name}: {detail}", "QueryParameterException", errors)


def page(events: QuerySet[PublishedEvent], parameters: Mapping[str, Sequence[str]]) -> Page:
    """The page of `events` that `parameters` ask for; ProblemError names a parameter that is unknown or malformed.

    Pages are cut by key (order column, log index), so that events published meanwhile move nothing.
    """
    given = {name: [part for value in values for part in value.split("|")] for name, values in parameters.items()}
    after: list[int] | None = None
    if token := _once(given, "nextPageToken"):
        asked = given
        given, after = _load(_EVENTS, token)
        _require_same(asked, given)
    controls = {name: value for name in _CONTROLS if (value := _once(given, name)) is not None}
    for name, values in given.items():
        events = events.filter(_condition(name, values))
    column, descending, size = _controls(controls)
    sign = "-" if descending else ""
    if after is not None:
        events = events.filter(_beyond(column, after, descending=descending))
    rows = list(events.order_by(f"{sign}{column}", f"{sign}index")[: size + 1])
    if len(rows) <= size:
        return Page(rows, None)
    last = rows[size - 1]
    query = {**given, **{name: [value] for name, value in controls.items()}}
    return Page(rows[:size], _dump(_EVENTS, query, [getattr(last, column), last.index]))


def jobs_page(
    jobs: QuerySet[CaptureJob], parameters: Mapping[str, Sequence[str]]
) -> tuple[list[CaptureJob], str | None]:
    """The page of capture jobs, newest first, and the token of the next one; ProblemError as in `page`."""
    given = {name: list(values) for name, values in parameters.items()}
    token, size = _once(given, "nextPageToken"), _size(_once(given, "perPage"))
    for name in given:
        raise bad_parameter(name, "is not a query parameter of the list of jobs")
    if token:
        size, (created_ms, last) = _load(_JOBS, token)
        jobs = jobs.filter(Q(created_ms__lt=created_ms) | Q(created_ms=created_ms, id__lt=last))
    rows = list(jobs.order_by("-created_ms", "-id")[: size + 1])
    if len(rows) <= size:
        return rows, None
    last_row = rows[size - 1]
    return rows[:size], _dump(_JOBS, size, [last_row.created_ms, last_row.id])


def _once(given: dict[str, list[str]], name: str) -> str | None:
    """Take a parameter that stands at most once out of those given."""
    values = given.pop(name, None)
    if values is not None and len(values) != 1:
        raise bad_parameter(name, "stands once, with one value")
    return values[0] if values else None


def _require_same(asked: Mapping[str, Sequence[str]], of_token: Mapping[str, Sequence[str]]) -> None:
    """A token carries its whole query: beside it only the same parameters may stand."""
    for name, values in asked.items():
        if of_token.get(name) != values:
            raise bad_parameter(name, "differs from the query that this nextPageToken goes on with")


def _controls(controls: Mapping[str, str]) -> tuple[str, bool, int]:
    columns = {"eventTime": "event_time_ms", "recordTime": "record_time_ms"}
    column = columns.get(controls.get("orderBy", "eventTime"))
    if column is None:
        raise bad_parameter("orderBy", "must be eventTime or recordTime")
    direction = controls.get("orderDirection", "DESC")
    if direction not in {"ASC", "DESC"}:
        raise bad_parameter("orderDirection", "must be ASC or DESC")
    return column, direction == "DESC", _size(controls.get("perPage"))


def _size(given: str | None) -> int:
    size = str(PER_PAGE) if given is None else given
    if re.fullmatch(r"[0-9]{1,4}", size) is None or not 1 <= int(size) <= MAX_PER_PAGE:
        raise bad_parameter("perPage", f"must be a number from 1 to {MAX_PER_PAGE}")
    return int(size)


def _beyond(column: str, after: Sequence[int], *, descending: bool) -> Q:
    value, index = after
    step = "lt" if descending else "gt"
    return Q(**{f"{column}__{step}": value}) | Q(**{column: value, f"index__{step}": index})


def _dump(salt: str, query: Any, after: Sequence[Any]) -> str:
    return signing.dumps([query, after], salt=salt, compress=True)


def _load(salt: str, token: str) -> tuple[Any, list[Any]]:
    try:
        query, after = signing.loads(token, salt=salt, max_age=TOKEN_SECONDS)
    except signing.BadSignature as error:
        raise bad_parameter("nextPageToken", "is not a token of ours, or has run out: ask the query again") from error
    return query, after


def _condition(name: str, values: Sequence[str]) -> Q:
    if name in _SIMPLE:
        return _SIMPLE[name](values)
    if name.startswith("EQ_bizTransaction_"):
        kind = bare(name.removeprefix("EQ_bizTransaction_"))
        rows = EventTransaction.objects.filter(type=kind, value__in=values)
        return Q(index__in=rows.values("event_index"))
    raise bad_parameter(name, "is not a query parameter that this server knows")


def _time(column: str, step: str, name: str) -> Callable[[Sequence[str]], Q]:
    def condition(values: Sequence[str]) -> Q:
        # A plus sign arrives as a space where the client forgot to escape it.
        text = values[0].replace(" ", "+")
        if len(values) != 1 or _TIME.fullmatch(text) is None:
            raise bad_parameter(name, "must be one date-time with zone, such as 2026-03-01T12:00:00Z")
        try:
            return Q(**{f"{column}__{step}": epcis_event.time_ms(text)})
        except ValueError as error:
            raise bad_parameter(name, "is not a date-time that exists") from error

    return condition


def _words(column: str) -> Callable[[Sequence[str]], Q]:
    return lambda values: Q(**{f"{column}__in": [bare(value) for value in values]})


def _actions(values: Sequence[str]) -> Q:
    if wrong := [value for value in values if value not in {"ADD", "OBSERVE", "DELETE"}]:
        raise bad_parameter("EQ_action", f"{wrong[0]!r} is not ADD, OBSERVE or DELETE")
    return Q(action__in=values)


def _places(column: str, name: str) -> Callable[[Sequence[str]], Q]:
    return lambda values: Q(**{f"{column}__in": [_canonical(name, value) for value in values]})


def _epcs(name: str, roles: Sequence[str]) -> Callable[[Sequence[str]], Q]:
    def condition(values: Sequence[str]) -> Q:
        exact: list[str] = []
        prefixes: list[str] = []
        for value in values:
            key = _canonical(name, value)
            is_class = value.startswith("urn:epc:idpat:") or (
                "/01/" in key and "/21/" not in key and "/235/" not in key
            )
            (prefixes if is_class else exact).append(key)
        which = Q(epc__in=exact)
        for prefix in prefixes:
            which |= Q(epc__startswith=f"{prefix}/")
        return Q(index__in=EventEpc.objects.filter(which, role__in=roles).values("event_index"))

    return condition


def _classes(name: str, roles: Sequence[str]) -> Callable[[Sequence[str]], Q]:
    def condition(values: Sequence[str]) -> Q:
        keys = [_canonical(name, value) for value in values]
        which = Q(epc_class__in=keys)
        for key in keys:
            if "/10/" not in key:  # an item stands for all its lots
                which |= Q(epc_class__startswith=f"{key}/")
        return Q(index__in=EventClass.objects.filter(which, role__in=roles).values("event_index"))

    return condition


def _canonical(name: str, value: str) -> str:
    try:
        return epc.canonical(value)
    except Gs1Error as error:
        raise bad_parameter(name, error.detail) from error


_SIMPLE: dict[str, Callable[[Sequence[str]], Q]] = {
    "eventType": lambda values: Q(event_type__in=values),
    "GE_eventTime": _time("event_time_ms", "gte", "GE_eventTime"),
    "LT_eventTime": _time("event_time_ms", "lt", "LT_eventTime"),
    "GE_recordTime": _time("record_time_ms", "gte", "GE_recordTime"),
    "LT_recordTime": _time("record_time_ms", "lt", "LT_recordTime"),
    "EQ_action": _actions,
    "EQ_bizStep": _words("biz_step"),
    "EQ_disposition": _words("disposition"),
    "EQ_readPoint": _places("read_point", "EQ_readPoint"),
    "EQ_bizLocation": _places("biz_location", "EQ_bizLocation"),
    "EQ_eventID": lambda values: Q(event_id__in=values),
    "MATCH_epc": _epcs("MATCH_epc", ("epc", "child")),
    "MATCH_anyEPC": _epcs("MATCH_anyEPC", _ANY),
    "MATCH_parentID": _epcs("MATCH_parentID", ("parent",)),
    "MATCH_epcClass": _classes("MATCH_epcClass", ("quantity", "child_quantity")),
}
