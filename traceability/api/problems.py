"""Every error of the API as one problem document (RFC 7807)."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import DatabaseError
from django.http import Http404, JsonResponse
from rest_framework import exceptions
from rest_framework.views import set_rollback

from ledger import api as ledger
from traceability.common import storage_full
from traceability.common.problems import ProblemError

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
    """The HTTP answer of a problem."""
    return JsonResponse(
        problem.body, status=problem.status, content_type="application/problem+json", headers=dict(problem.headers)
    )


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
