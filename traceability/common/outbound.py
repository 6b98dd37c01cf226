"""Calls to addresses that others chose (webhooks): only a public HTTPS server can be reached, and none can hold us.

The name is resolved once, every address it has is judged, and the connection goes to the address that was judged: a
name that resolves to something else a moment later (DNS rebinding) changes nothing. TLS still checks the certificate
against the name. No redirect, proxy, cookie or credential; time and size of the whole answer are limited.
Source: OWASP Server-Side Request Forgery Prevention, case 2; IANA special-purpose address registries.
"""

import io
import re
import socket
import ssl
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings

TOTAL_SECONDS = 5.0
MAX_ANSWER = 64 * 1024
MAX_URL = 1024
_MAX_HEADERS = 32 * 1024

_NAME = re.compile(r"[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*", re.IGNORECASE)
# What the registries call global and is not a server of somebody: relays that lead to an IPv4 address written inside
# (NAT64, 6to4, Teredo), and addresses under which clouds keep metadata (Oracle 192.0.0.192, Azure 168.63.129.16).
# Python 3.11 counts 192.0.0.0/24 and 3fff::/20 as global.
_NOT_THESE = [
    ip_network(text)
    for text in (
        "64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32", "3fff::/20", "192.88.99.0/24", "192.0.0.0/24",
        "168.63.129.16/32",
    )
]  # fmt: skip
_UNICAST_6 = ip_network("2000::/3")

Resolver = Callable[[str, int], Sequence[str]]


class OutboundError(Exception):
    """No answer came. `code` is stable; with `is_refused` it was we who would not call."""

    def __init__(self, code: str, detail: str, *, is_refused: bool = False) -> None:
        super().__init__(detail)
        self.code, self.detail, self.is_refused = code, detail, is_refused


@dataclass(frozen=True)
class Answer:
    """What the other side said; at most MAX_ANSWER bytes of it."""

    status: int
    body: bytes


@dataclass(frozen=True)
class Policy:
    """What may be called. `loopback` lets in http and any port, on this machine only: for the demo and tests."""

    ports: frozenset[int] = frozenset({443})
    loopback: bool = False


@dataclass(frozen=True)
class _Target:
    is_tls: bool
    host: str
    port: int
    path: str


def policy() -> Policy:
    """The house's settings."""
    return Policy(frozenset(settings.OUTBOUND_PORTS), settings.OUTBOUND_LOOPBACK)


def resolve(host: str, port: int) -> list[str]:
    """The addresses of a name, as the system finds them; OSError."""
    return [str(row[4][0]) for row in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


def require_callable(url: str, resolver: Resolver = resolve) -> None:
    """OutboundError (`is_refused`) for an address that will never be called; one that is not known now may come up."""
    try:
        _judged(_target(url, policy()), policy(), resolver, time.monotonic() + TOTAL_SECONDS)
    except OutboundError as error:
        if error.is_refused:
            raise


def post(
    url: str,
    body: bytes,
    headers: Mapping[str, str],
    *,
    resolver: Resolver = resolve,
    tls: ssl.SSLContext | None = None,
) -> Answer:
    """The answer to a POST, whatever its status; OutboundError when none came whole in time, or none was asked for."""
    deadline = time.monotonic() + TOTAL_SECONDS
    rules = policy()
    target = _target(url, rules)
    addresses = _judged(target, rules, resolver, deadline)
    try:
        return _exchange(_connect(target, addresses, deadline, tls), target, body, headers)
    except TimeoutError as error:
        raise OutboundError("timeout", f"{target.host} did not answer within {TOTAL_SECONDS:g} s") from error
    except ssl.SSLCertVerificationError as error:
        raise OutboundError("certificate", f"{target.host}: {error.verify_message}") from error
    except (OSError, HTTPException, ValueError) as error:
        words = str(error) or type(error).__name__
        raise OutboundError("unreachable", f"{target.host} does not answer: {words}") from error


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Whether an address is a server on the public internet, by the IANA registries."""
    if any(address.version == network.version and address in network for network in _NOT_THESE):
        return False
    if isinstance(address, IPv6Address) and address not in _UNICAST_6:
        return False  # link-local, ULA, IPv4-mapped (::ffff:0:0/96), loopback
    return address.is_global and not address.is_multicast and not address.is_reserved


def _target(url: str, rules: Policy) -> _Target:
    if len(url) > MAX_URL or not url.isascii() or re.search(r"[\x00-\x20\x7f\\]", url):
        raise _refused(
            "address", f"an address has at most {MAX_URL} printable ASCII characters, no space, no backslash"
        )
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise _refused("address", f"the address cannot be read: {error}") from error
    if parts.scheme not in ({"https", "http"} if rules.loopback else {"https"}):
        raise _refused("scheme", "the address must begin with https://")
    if parts.username is not None or parts.password is not None or parts.fragment:
        raise _refused("address", "an address carries no user, password or fragment")
    host = parts.hostname or ""
    if "%" in host or not (_is_address(host) or _NAME.fullmatch(host)):
        raise _refused("address", "the address names no server")
    is_tls = parts.scheme == "https"
    port = port if port is not None else (443 if is_tls else 80)
    if port not in rules.ports and not rules.loopback:
        raise _refused("port", f"port {port} is not called; allowed: {', '.join(map(str, sorted(rules.ports)))}")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return _Target(is_tls, host, port, path)


def _judged(target: _Target, rules: Policy, resolver: Resolver, deadline: float) -> list[str]:
    """The addresses of the target, all of them allowed: one bad among them refuses the name."""
    found = list(dict.fromkeys(_in_time(lambda: resolver(target.host, target.port), deadline, target.host)))
    for text in found:
        address = ip_address(text.partition("%")[0])
        if rules.loopback and address.is_loopback:
            continue
        if not is_public(address):
            raise _refused("not-public", f"{target.host} is {address}, which is no public address")
        if not target.is_tls or target.port not in rules.ports:
            raise _refused("port", f"{target.host}: only https on port {', '.join(map(str, sorted(rules.ports)))}")
    if not found:
        raise OutboundError("unknown-host", f"{target.host} has no address")
    return found


def _in_time(call: Callable[[], Sequence[str]], deadline: float, host: str) -> Sequence[str]:
    """The system's resolver knows no time limit: ask it from a thread that may be left behind."""
    answers: list[Sequence[str]] = []
    errors: list[Exception] = []

    def ask() -> None:
        try:
            answers.append(call())
        except (OSError, UnicodeError) as error:
            errors.append(error)

    thread = threading.Thread(target=ask, daemon=True, name="resolve")
    thread.start()
    thread.join(_left(deadline))
    if answers:
        return answers[0]
    raise OutboundError("unknown-host", f"{host} cannot be resolved") from (errors[0] if errors else None)


def _connect(target: _Target, addresses: Sequence[str], deadline: float, tls: ssl.SSLContext | None) -> "_Timed":
    """A connection to one of these addresses and to no other; TLS names and checks the host."""
    failure: OSError = OSError("no address")
    for address in addresses:
        try:
            plain = socket.create_connection((address, target.port), timeout=_left(deadline))
        except TimeoutError:
            raise
        except OSError as error:
            failure = error
            continue
        if not target.is_tls:
            return _Timed(plain, deadline)
        try:
            plain.settimeout(_left(deadline))  # of the whole handshake, however its bytes drip in (Modules/_ssl.c)
            context = tls or ssl.create_default_context()
            return _Timed(context.wrap_socket(plain, server_hostname=target.host), deadline)
        except BaseException:
            plain.close()
            raise
    raise failure


@dataclass
class _Timed:
    """A socket as http.client wants it, whose every wait ends at one deadline and whose answer is limited in bytes."""

    socket: Any
    deadline: float

    def sendall(self, data: Any) -> None:
        view = memoryview(data)
        while view:
            self.socket.settimeout(_left(self.deadline))
            view = view[self.socket.send(view) :]

    def makefile(self, *_args: Any, **_more: Any) -> io.BufferedReader:
        return io.BufferedReader(_Limited(self.socket, self.deadline))

    def close(self) -> None:
        self.socket.close()


class _Limited(io.RawIOBase):
    def __init__(self, source: Any, deadline: float) -> None:
        self._source, self._deadline, self._left = source, deadline, MAX_ANSWER + _MAX_HEADERS

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if self._left <= 0:
            raise OSError(f"the answer has more than {MAX_ANSWER} bytes")
        self._source.settimeout(_left(self._deadline))
        size = int(self._source.recv_into(memoryview(buffer)[: self._left]))
        self._left -= size
        return size


def _exchange(connected: _Timed, target: _Target, body: bytes, headers: Mapping[str, str]) -> Answer:
    connection = HTTPConnection(target.host, target.port)
    connection.sock = connected  # what http.client needs of a socket
    try:
        # HTTPConnection writes Host from its own port's default; ours says it where it is not the scheme's.
        default = 443 if target.is_tls else 80
        name = f"[{target.host}]" if ":" in target.host else target.host
        host = name if target.port == default else f"{name}:{target.port}"
        sent = {"Host": host, "User-Agent": "dosetrail", "Accept-Encoding": "identity", "Connection": "close"}
        # A server that has seen enough (413) answers and closes while we still send: its answer counts.
        with suppress(BrokenPipeError, ConnectionResetError):
            connection.request("POST", target.path, body, {**sent, **headers})
        answer = connection.getresponse()
        data = answer.read(MAX_ANSWER + 1)
        if len(data) > MAX_ANSWER:
            raise OSError(f"the answer has more than {MAX_ANSWER} bytes")
        return Answer(answer.status, data)
    finally:
        connection.close()
        connected.close()


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _refused(code: str, detail: str) -> OutboundError:
    return OutboundError(code, detail, is_refused=True)
