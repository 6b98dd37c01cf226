"""A NUL in an address names nothing: PostgreSQL keeps none, so that asking it would be a fault of ours."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from traceability.common.problems import ProblemError

from . import problems


class NoNulMiddleware:
    """400 for an address or a query with a NUL in it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if "\0" in request.path or "%00" in request.META.get("QUERY_STRING", ""):
            return problems.response(ProblemError(400, "nul", "an address has no NUL character in it"))
        return self.get_response(request)
