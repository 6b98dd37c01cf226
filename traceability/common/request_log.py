"""One id and one access line for each request.

The line says the route, never the path: a patient's look-up names a pack. It says the party, never the person, and the
network, never the address (docs/operations.md, Logs).
"""

import ipaddress
import logging
import time
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from . import log_context, log_lines, metrics

log = logging.getLogger(__name__)

_KEPT_BITS = {4: 24, 6: 48}


class RequestLogMiddleware:
    """The outermost middleware: takes or makes the request's id, gives it back as X-Request-Id, logs and counts."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        begun = time.perf_counter()
        name = log_context.chosen_id(request.headers.get("X-Request-Id", ""))
        with log_context.scope(request_id=name):
            response = self.get_response(request)
            seconds = time.perf_counter() - begun
            route = log_lines.route_of(request)
            facts = {
                "method": request.method,
                "route": route,
                "status": response.status_code,
                "duration_ms": round(seconds * 1000, 1),
                "client": _network(request),
            }
            log.info("request", extra=facts)
        metrics.count_request(request.method or "", route, response.status_code, seconds)
        response["X-Request-Id"] = name
        return response


def _network(request: HttpRequest) -> str:
    """The caller's network, as the nearest proxy names it where the settings trust one."""
    header = getattr(settings, "CLIENT_ADDRESS_HEADER", "REMOTE_ADDR")
    return network(request.META.get(header, ""))


def network(addresses: str) -> str:
    """The network (IPv4 /24, IPv6 /48) of the last of some addresses, '' when it is none."""
    said = addresses.rpartition(",")[2].strip()
    try:
        address = ipaddress.ip_address(said)
    except ValueError:
        return ""
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    return str(ipaddress.ip_network((address, _KEPT_BITS[address.version]), strict=False))
