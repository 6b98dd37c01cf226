"""What is answered when a request failed by a fault that is not the caller's."""

import sys

from django.http import HttpRequest, HttpResponse, HttpResponseServerError, JsonResponse
from django.template import loader

from ledger import api as ledger
from traceability.common import storage_full

_MACHINES = ("/epcis/", "/api/", "/log/")


def server_error(request: HttpRequest) -> HttpResponse:
    """507 when there was no room left, else 500; in both languages, and without a look at database or session."""
    error = sys.exc_info()[1]
    if error is None or not ledger.is_full(error):
        return HttpResponseServerError(loader.get_template("500.html").render())
    problem = storage_full.problem()
    if request.path.startswith(_MACHINES):
        return JsonResponse(
            problem.body, status=problem.status, content_type="application/problem+json", headers=dict(problem.headers)
        )
    page = loader.get_template("507.html").render()
    return HttpResponse(page, status=problem.status, headers=dict(problem.headers))
