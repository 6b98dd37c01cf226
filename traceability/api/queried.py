"""A query in a URL, answered: the parameters, or the token of a next page (EPCIS 2.0, section 12.7)."""

from collections.abc import Mapping, Sequence

from django.http import HttpResponse
from rest_framework.request import Request

from traceability.common.problems import ProblemError
from traceability.epcis import context
from traceability.parties.models import Party
from traceability.queries import engine, event_query, tokens
from traceability.queries.criteria import Criterion

from . import answers, rendering

MAX_URL = 65_536  # bytes of path and query


def queried(
    request: Request,
    party: Party,
    *,
    also: Mapping[str, Sequence[str]] | None = None,
    within: Sequence[Criterion] = (),
    defaults: Mapping[str, Sequence[str]] | None = None,
    query_name: str = "SimpleEventQuery",
) -> HttpResponse:
    """The page that the request asks for of what `party` may see; `also` are parameters that the path stands for.

    `within` is what a named query asks, `defaults` are its controls (order, limits, page size) where the address says
    nothing.
    """
    require_short(request)
    given = {**answers.parameters(request)}
    for name, values in (also or {}).items():
        if name in given:
            raise event_query.bad_parameter(name, "stands in the path of this address already")
        given[name] = list(values)
    if tokens.PARAMETER not in given:
        given = {**{name: list(values) for name, values in (defaults or {}).items()}, **given}
    page = _page(given, party, within, namespaces(request))
    response = rendering.query_document(request, answers.query_document(page.rows, query_name=query_name))
    return answers.with_next(response, request, page.next_token)


def _page(
    given: dict[str, list[str]], party: Party, within: Sequence[Criterion], declared: Mapping[str, str]
) -> engine.Page:
    token = given.pop(tokens.PARAMETER, None)
    if token is None:
        return engine.first_page(event_query.from_url(given, declared), party, within=within)
    if len(token) != 1:
        raise event_query.bad_parameter(tokens.PARAMETER, "stands once, with one value")
    beside = event_query.from_url(given, declared).parameters
    return engine.next_page(token[0], party, within=within, beside=beside)


def namespaces(request: Request) -> dict[str, str]:
    """The prefixes that the header GS1-Extensions declares; ProblemError 400 where it is malformed."""
    header = request.headers.get("GS1-Extensions", "")
    found: dict[str, str] = {}
    for part in filter(None, (part.strip() for part in header.split(","))):
        prefix, equals, uri = part.partition("=")
        if not (equals and context.is_prefix(prefix.strip()) and ":" in uri):
            detail = "GS1-Extensions is a list of prefix=URI, separated by commas"
            raise ProblemError(400, "gs1-extensions", detail, "ValidationException")
        found[prefix.strip()] = uri.strip()
    return found


def require_short(request: Request) -> None:
    """414 for an address that no list of identifiers needs to be so long for."""
    if len(request.get_full_path()) > MAX_URL:
        raise ProblemError(414, "uri-too-long", f"an address has at most {MAX_URL} bytes", "URITooLongException")
