"""Who is told details: the holder of the metrics token, and in the embedded size whoever calls from this machine."""

import hmac
import ipaddress
from pathlib import Path

from django.conf import settings
from django.http import HttpRequest

# What a proxy adds. Behind one, every caller has the proxy's address.
_PROXIED = ("Forwarded", "X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "X-Real-IP", "Via")


def is_operator(request: HttpRequest) -> bool:
    """Whether the caller may see numbers and words."""
    return _has_token(request) or (settings.METRICS_LOOPBACK and is_from_here(request))


def is_from_here(request: HttpRequest) -> bool:
    """Whether a process of this machine called, and not a proxy on somebody's behalf."""
    if any(name in request.headers for name in _PROXIED):
        return False
    try:
        return ipaddress.ip_address(request.META.get("REMOTE_ADDR", "")).is_loopback
    except ValueError:
        return False


def _has_token(request: HttpRequest) -> bool:
    if settings.METRICS_TOKEN_FILE is None:
        return False
    scheme, _, offered = request.headers.get("Authorization", "").partition(" ")
    wanted = Path(settings.METRICS_TOKEN_FILE).read_bytes().strip()
    return scheme.lower() == "bearer" and bool(wanted) and hmac.compare_digest(offered.strip().encode(), wanted)
