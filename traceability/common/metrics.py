"""What only the process that does it can count: requests, and what capture and scanning answered.

Everything else is read from the database when it is asked for (operations/metrics.py). With PROMETHEUS_MULTIPROC_DIR
set, the counts of all processes of one machine lie in files there and are added up (docs/operations.md, Metrics).
"""

from prometheus_client import CollectorRegistry, Counter, Histogram

REGISTRY = CollectorRegistry()

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
# 0.3 s is what the law asks of a look-up in the EU for 95 of 100 (EMVS); the steps lie around it.
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 1, 2.5, 10)

_REQUESTS = Counter(
    "dosetrail_http_requests_total", "Requests answered.", ["method", "route", "status"], registry=REGISTRY
)
_DURATION = Histogram(
    "dosetrail_http_request_seconds", "Time to answer a request.", ["route"], buckets=_SECONDS, registry=REGISTRY
)
_CAPTURED = Counter(
    "dosetrail_capture_events_total", "Events taken in: new, or recorded already.", ["outcome"], registry=REGISTRY
)
_REFUSED = Counter(
    "dosetrail_refusals_total", "Calls refused with a problem document, by its code.", ["code"], registry=REGISTRY
)
_SCANS = Counter(
    "dosetrail_scans_total", "Scans answered, by step and preflight's verdict.", ["step", "verdict"], registry=REGISTRY
)
_WEBHOOKS = Counter(
    "dosetrail_webhook_calls_total", "Calls of webhooks: sent, halved (413) or failed.", ["outcome"], registry=REGISTRY
)


def count_request(method: str, route: str, status: int, seconds: float) -> None:
    _REQUESTS.labels(method if method in _METHODS else "other", route, str(status)).inc()
    _DURATION.labels(route).observe(seconds)


def count_captured(*, new: int, known: int) -> None:
    _CAPTURED.labels("new").inc(new)
    _CAPTURED.labels("already_recorded").inc(known)


def count_refusal(code: str) -> None:
    _REFUSED.labels(code).inc()


def count_scan(step: str, verdict: str) -> None:
    _SCANS.labels(step, verdict).inc()


def count_webhook(outcome: str) -> None:
    _WEBHOOKS.labels(outcome).inc()
