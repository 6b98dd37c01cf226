"""/livez, /healthz and /metrics: for load balancers, for who is on call, for Prometheus (docs/operations.md)."""

from django.conf import settings
from django.db import Error as DatabaseError
from django.db import connection
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4

from ledger import api as ledger

from . import access, facts, health, metrics


@never_cache
@require_safe
def livez(request: HttpRequest) -> JsonResponse:
    """Whether this process can answer requests: what a load balancer should ask. One query."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return JsonResponse({"status": ledger.health.FAILING}, status=503)
    return JsonResponse({"status": ledger.health.OK})


@never_cache
@require_safe
def healthz(request: HttpRequest) -> JsonResponse:
    """Whether the house keeps its promises: 200, or 503 with the names of the checks that fail."""
    checks = health.judge(facts.gather())
    body = ledger.health.report(checks, detailed=access.is_operator(request))
    return JsonResponse(body, status=200 if ledger.health.is_fine(checks) else 503)


@never_cache
@require_safe
def scrape(request: HttpRequest) -> HttpResponse:
    """All metrics, for operators only."""
    if access.is_operator(request):
        return HttpResponse(metrics.text(), content_type=CONTENT_TYPE_PLAIN_0_0_4)
    if settings.METRICS_TOKEN_FILE is None:
        raise Http404
    return HttpResponse(status=401, headers={"WWW-Authenticate": 'Bearer realm="metrics"'})
