"""Who is told details: the holder of the metrics token, and in the embedded size whoever calls from this machine."""

import hmac
from pathlib import Path

from django.conf import settings
from django.http import HttpRequest

from ledger import api as ledger


def is_operator(request: HttpRequest) -> bool:
    """Whether the caller may see numbers and words."""
    return _has_token(request) or (settings.METRICS_LOOPBACK and _is_from_here(request))


def _is_from_here(request: HttpRequest) -> bool:
    return ledger.health.is_from_here(request.META.get("REMOTE_ADDR", ""), request.headers)


def _has_token(request: HttpRequest) -> bool:
    if settings.METRICS_TOKEN_FILE is None:
        return False
    scheme, _, offered = request.headers.get("Authorization", "").partition(" ")
    wanted = Path(settings.METRICS_TOKEN_FILE).read_bytes().strip()
    return scheme.lower() == "bearer" and bool(wanted) and hmac.compare_digest(offered.strip().encode(), wanted)
