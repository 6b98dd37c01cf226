"""Every error of the API as one problem document (RFC 7807)."""

import sys
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import DatabaseError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.template.loader import get_template
from django.views import defaults
from rest_framework import exceptions
from rest_framework.views import set_rollback

from ledger import api as ledger
from traceability.common import log_context, metrics, storage_full
from traceability.common.problems import ProblemError

_MACHINES = ("/epcis/", "/api/", "/log/")

# What REST framework raises -> our code and the EPCIS exception's name
_KNOWN: dict[type[Exception], tuple[int, str, str]] = {
    exceptions.NotAuthenticated: (401, "not-authenticated", "SecurityException"),
    exceptions.AuthenticationFailed: (401, "not-authenticated", "SecurityException"),
    exceptions.PermissionDenied: (403, "forbidden", "SecurityException"),
    PermissionDenied: (403, "forbidden", "SecurityException"),
    exceptions.NotFound: (404, "not-found", "NoSuchResourceException"),
    Http404: (404, "not-found", "NoSuchResourceException"),
    exceptions.MethodNotAllowed: (405, "method-not-allowed", ""),
    exceptions.NotAcceptable: (406, "not-acceptable", "NotAcceptableException"),
    exceptions.UnsupportedMediaType: (415, "media-type", "UnsupportedMediaTypeException"),
    exceptions.ParseError: (400, "not-json", "ValidationException"),
}


def exception_handler(error: Exception, context: dict[str, Any]) -> JsonResponse | None:
    """REST framework's hook: the problem document of what a view raised; None = a fault of ours (500)."""
    problem = _problem(error)
    if problem is None:
        return None
    set_rollback()
    return response(problem)


def response(problem: ProblemError) -> JsonResponse:
    """The HTTP answer of a problem; `requestId` is what the log lines of this request carry."""
    log_context.bind(code=problem.code)
    metrics.count_refusal(problem.code)
    body = problem.body | ({"requestId": name} if (name := log_context.request_id()) else {})
    return JsonResponse(
        body, status=problem.status, content_type="application/problem+json", headers=dict(problem.headers)
    )


def server_error(request: HttpRequest) -> HttpResponse:
    """Django's handler500: 507 when there was no room left, else 500 with the id under which the log has it.

    A problem document for machines, a page in both languages for people.
    """
    error = sys.exc_info()[1]
    full = error is not None and ledger.is_full(error)
    if request.path.startswith(_MACHINES):
        return response(storage_full.problem() if full else _internal())
    # No context processors: they ask the database, which may be what went wrong.
    page = get_template("507.html" if full else "500.html").render({"request_id": log_context.request_id()})
    return HttpResponse(page, status=507 if full else 500)


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's handler404, for an address that no pattern matches: a problem document for machines, else the page."""
    if request.path.startswith(_MACHINES):
        return response(not_found("there is nothing at this address"))
    return defaults.page_not_found(request, exception)


def _internal() -> ProblemError:
    detail = "something went wrong on our side; what was answered before this is recorded, send this again"
    return ProblemError(500, "internal", detail)


def not_found(detail: str) -> ProblemError:
    """404, for what does not exist and for what the caller may not see alike."""
    return ProblemError(404, "not-found", detail, "NoSuchResourceException")


def _problem(error: Exception) -> ProblemError | None:
    if isinstance(error, ProblemError):
        return error
    if isinstance(error, DatabaseError | OSError) and ledger.is_full(error):
        return storage_full.problem()
    for kind, (status, code, name) in _KNOWN.items():
        if isinstance(error, kind):
            headers = {}
            if wait := getattr(error, "auth_header", None):
                headers["WWW-Authenticate"] = wait
            detail = str(getattr(error, "detail", "") or error or "there is nothing here")
            return ProblemError(status, code, detail, name, headers=headers)
    return None
