"""The list of a party's capture jobs, in pages (EPCIS 2.0, section 12.6.1)."""

from collections.abc import Mapping, Sequence

from django.db.models import Q, QuerySet

from traceability.capture.models import CaptureJob

from . import tokens, values
from .event_query import MAX_PER_PAGE, PER_PAGE, bad_parameter
from .values import QueryFault

_JOBS = "jobs"


def page(
    jobs: QuerySet[CaptureJob], parameters: Mapping[str, Sequence[str]], *, holder: str
) -> tuple[list[CaptureJob], str | None]:
    """The page of capture jobs, newest first, and the token of the next one; ProblemError names a bad parameter."""
    given = {name: tuple(texts) for name, texts in parameters.items()}
    token, per_page = given.pop(tokens.PARAMETER, None), given.pop("perPage", (str(PER_PAGE),))
    for name in given:
        raise bad_parameter(name, "is not a query parameter of the list of jobs")
    try:
        size = values.positive("perPage", per_page, most=MAX_PER_PAGE)
        if token is not None:
            size, created_ms, last = tokens.read(_JOBS, holder, values.single(tokens.PARAMETER, token))
            jobs = jobs.filter(Q(created_ms__lt=created_ms) | Q(created_ms=created_ms, id__lt=last))
    except QueryFault as fault:
        raise bad_parameter(fault.parameter, fault.detail) from fault
    rows = list(jobs.order_by("-created_ms", "-id")[: size + 1])
    if len(rows) <= size:
        return rows, None
    last_row = rows[size - 1]
    return rows[:size], tokens.issue(_JOBS, holder, [size, last_row.created_ms, last_row.id])
