"""Calls to addresses that others chose: what is refused, what is pinned, and that no server can hold us."""

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from traceability.common import outbound
from traceability.common.outbound import OutboundError

PUBLIC = "203.0.113.7"  # made public below: no test calls anybody


def answering(*addresses: str) -> outbound.Resolver:
    return lambda _host, _port: list(addresses)


# What a subscriber could write to reach what is ours. The system's resolver reads the spellings of IPv4.
LITERALS = [
    "127.0.0.1", "127.1", "127.0.1", "0.0.0.0", "0", "2130706433", "0x7f000001", "0x7f.1", "017700000001",
    "0177.0.0.1", "127.0.0.1.", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "2852039166",
    "0xa9fea9fe", "0251.0376.0251.0376", "100.64.0.1", "100.100.100.200", "192.0.0.192", "168.63.129.16",
    "198.18.0.1", "192.0.2.1", "224.0.0.1", "240.0.0.1", "255.255.255.255", "192.88.99.1", "[::1]", "[::]",
    "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::ffff:169.254.169.254]", "[::127.0.0.1]", "[fe80::1]", "[fc00::1]",
    "[fd00:ec2::254]", "[64:ff9b::7f00:1]", "[64:ff9b::a9fe:a9fe]", "[64:ff9b:1::1]", "[2002:7f00:1::]",
    "[2001:0:7f00:1::]", "[ff02::1]", "[2001:db8::1]", "[3fff::1]", "[fec0::1]", "localhost", "LOCALHOST",
]  # fmt: skip
SPELLINGS = [
    "http://example.com/", "ftp://example.com/", "file:///etc/passwd", "gopher://example.com/", "//example.com/",
    "https://", "https:///x", "https://user@example.com/", "https://user:word@example.com/", "https://example.com#x",
    "https://example.com:22/", "https://example.com:8443/", "https://example.com:99999/", "https://example.com:x/",
    "https://exa mple.com/", "https://example.com\\@127.0.0.1/", "https://example.com\n/",
    "https://example.com/\r\nX: y",
    "https://[fe80::1%25eth0]/", "https://①②⑦.⓪.⓪.①/", "https://例え.jp/", "https://[::1/", "https://exa%6dple.com/",
    "https://-/", "https://./", "https://example.com/" + "x" * 1100, "", "x",
]  # fmt: skip


@pytest.mark.parametrize("literal", LITERALS)
def test_no_spelling_of_an_address_of_ours_is_called(literal: str) -> None:
    with pytest.raises(OutboundError) as caught:
        outbound.post(f"https://{literal}/hook", b"", {})
    # A spelling that no resolver reads reaches nothing either.
    assert caught.value.code in {"not-public", "address", "unknown-host"}


@pytest.mark.parametrize("literal", [one for one in LITERALS if one not in {"127.0.0.1.", "[::127.0.0.1]"}])
def test_such_an_address_is_refused_when_it_is_given(literal: str) -> None:
    with pytest.raises(OutboundError) as caught:
        outbound.require_callable(f"https://{literal}/hook")
    assert caught.value.is_refused


@pytest.mark.parametrize("url", SPELLINGS)
def test_no_other_kind_of_address_is_called(url: str) -> None:
    with pytest.raises(OutboundError) as caught:
        outbound.require_callable(url, answering("93.184.215.14"))
    assert caught.value.is_refused


@pytest.mark.parametrize("url", ["https://example.com", "https://example.com:443/a?b=c", "https://[2606:2800::1]/x"])
def test_a_public_server_may_be_called(url: str) -> None:
    """The negative control of the refusals above."""
    outbound.require_callable(url, answering("93.184.215.14", "2606:2800:21f::1"))


def test_one_bad_address_among_good_ones_refuses_the_name() -> None:
    with pytest.raises(OutboundError, match="no public address"):
        outbound.require_callable("https://example.com/", answering("93.184.215.14", "10.0.0.1"))


def test_a_name_that_is_not_known_yet_is_no_refusal() -> None:
    def fails(_host: str, _port: int) -> list[str]:
        raise OSError("unknown")

    outbound.require_callable("https://example.com/", fails)
    with pytest.raises(OutboundError) as caught:
        outbound.post("https://example.com/", b"", {}, resolver=fails)
    assert (caught.value.code, caught.value.is_refused) == ("unknown-host", False)


Handler = Callable[[Any], None]


class Server:
    """A server that does with each connection what the test says, and remembers the requests."""

    def __init__(self, handle: Handler, tls: ssl.SSLContext | None = None) -> None:
        self.requests: list[bytes] = []
        self._handle, self._tls = handle, tls
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def url(self, scheme: str = "http", host: str = "127.0.0.1") -> str:
        return f"{scheme}://{host}:{self.port}/hook"

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            try:
                if self._tls:
                    connection = self._tls.wrap_socket(connection, server_side=True)
                self.requests.append(connection.recv(65536))
                self._handle(connection)
            except OSError:
                self.requests.append(b"broken")
            finally:
                connection.close()

    def close(self) -> None:
        self._listener.close()


@pytest.fixture
def serve() -> Iterator[Callable[..., Server]]:
    servers: list[Server] = []

    def start(handle: Handler, tls: ssl.SSLContext | None = None) -> Server:
        servers.append(Server(handle, tls))
        return servers[-1]

    yield start
    for one in servers:
        one.close()


@pytest.fixture
def loopback(settings: Any) -> None:
    settings.OUTBOUND_LOOPBACK = True


def says(text: bytes) -> Handler:
    return lambda connection: connection.sendall(text)


OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def test_an_answer_comes_back(serve: Any, loopback: None) -> None:
    server = serve(says(OK))
    answer = outbound.post(server.url(), b"{}", {"Content-Type": "application/json"})
    assert (answer.status, answer.body) == (200, b"ok")
    head = server.requests[0].decode()
    assert head.startswith("POST /hook HTTP/1.1\r\n")
    assert f"Host: 127.0.0.1:{server.port}\r\n" in head


def test_loopback_is_not_called_without_the_setting(serve: Any) -> None:
    server = serve(says(OK))
    for scheme in ("http", "https"):
        with pytest.raises(OutboundError) as caught:
            outbound.post(server.url(scheme), b"", {})
        assert caught.value.is_refused
    assert server.requests == []


def test_with_loopback_allowed_nothing_else_opens(loopback: None) -> None:
    for url, address in (
        ("http://example.com/", "93.184.215.14"),
        ("https://example.com:8443/", "93.184.215.14"),
        ("https://example.com/", "10.0.0.1"),
    ):
        with pytest.raises(OutboundError) as caught:
            outbound.require_callable(url, answering(address))
        assert caught.value.is_refused


def test_a_name_that_changes_its_address_is_pinned(serve: Any, monkeypatch: Any) -> None:
    """A rebinding resolver: public when it is judged, ours when it is asked again. It is not asked again."""
    inside, asked = serve(says(OK)), []

    def rebinding(_host: str, _port: int) -> list[str]:
        asked.append(1)
        return [PUBLIC] if len(asked) == 1 else ["127.0.0.1"]

    connected: list[Any] = []

    def connect(address: Any, timeout: float) -> socket.socket:
        connected.append(address)
        raise OSError("nobody there")

    monkeypatch.setattr(outbound, "is_public", lambda address: not address.is_loopback)
    monkeypatch.setattr(socket, "create_connection", connect)
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_args, **_more: pytest.fail("the name was resolved again"))
    with pytest.raises(OutboundError) as caught:
        outbound.post("https://rebind.example/", b"", {}, resolver=rebinding)
    assert (caught.value.code, len(asked), connected) == ("unreachable", 1, [(PUBLIC, 443)])
    assert inside.requests == []


def test_a_client_that_resolves_twice_is_rebound(serve: Any) -> None:
    """The negative control: judged by the first answer, connected by the second."""
    inside, answers = serve(says(OK)), iter([[PUBLIC], ["127.0.0.1"]])
    judged = next(answers)
    assert judged == [PUBLIC]
    with socket.create_connection((next(answers)[0], inside.port)) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\n\r\n")
        assert connection.recv(100).startswith(b"HTTP/1.1 200")


def test_a_redirect_is_an_answer_and_is_not_followed(serve: Any, loopback: None) -> None:
    inside = serve(says(OK))
    text = f"HTTP/1.1 307 Moved\r\nLocation: {inside.url()}\r\nSet-Cookie: a=b\r\nContent-Length: 0\r\n\r\n"
    outside = serve(says(text.encode()))
    assert outbound.post(outside.url(), b"", {}).status == 307
    assert outbound.post(outside.url(), b"", {}).status == 307
    assert inside.requests == []
    assert b"Cookie" not in outside.requests[1]


def test_no_proxy_of_the_environment_is_used(serve: Any, loopback: None, monkeypatch: Any) -> None:
    proxy, server = serve(says(OK)), serve(says(OK))
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, proxy.url())
    outbound.post(server.url(), b"", {})
    assert (len(proxy.requests), len(server.requests)) == (0, 1)


def drips(text: bytes, pause: float = 0.05) -> Handler:
    def handle(connection: Any) -> None:
        for place in range(len(text)):
            connection.sendall(text[place : place + 1])
            time.sleep(pause)

    return handle


@pytest.mark.parametrize(
    "text",
    [b"HTTP/1.1 200 OK\r\nX: " + b"y" * 400, b"HTTP/1.1 200 OK\r\nContent-Length: 400\r\n\r\n" + b"z" * 400],
    ids=["head", "body"],
)
def test_a_server_that_drips_its_answer_is_left(serve: Any, loopback: None, monkeypatch: Any, text: bytes) -> None:
    """Each byte comes well within any limit on one read; the limit is on the whole."""
    monkeypatch.setattr(outbound, "TOTAL_SECONDS", 0.5)
    with pytest.raises(OutboundError) as caught:
        outbound.post(serve(drips(text)).url(), b"", {})
    assert caught.value.code == "timeout"


def test_a_limit_on_each_read_alone_is_dripped_through(serve: Any, loopback: None, monkeypatch: Any) -> None:
    """The negative control: with the limit renewed at each read, as sockets have it, the same server holds us."""
    monkeypatch.setattr(outbound, "TOTAL_SECONDS", 0.5)
    monkeypatch.setattr(outbound, "_left", lambda _deadline: 0.5)
    text = b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n" + b"z" * 20
    assert outbound.post(serve(drips(text)).url(), b"", {}).body == b"z" * 20


def test_a_server_that_says_nothing_is_left(serve: Any, loopback: None, monkeypatch: Any) -> None:
    monkeypatch.setattr(outbound, "TOTAL_SECONDS", 0.3)
    hold = threading.Event()
    with pytest.raises(OutboundError) as caught:
        outbound.post(serve(lambda _connection: hold.wait(5)).url(), b"", {})
    hold.set()
    assert caught.value.code == "timeout"


def test_a_resolver_that_says_nothing_is_left(monkeypatch: Any) -> None:
    monkeypatch.setattr(outbound, "TOTAL_SECONDS", 0.2)
    hold = threading.Event()
    with pytest.raises(OutboundError) as caught:
        outbound.post("https://example.com/", b"", {}, resolver=lambda _host, _port: [str(hold.wait(5))])
    hold.set()
    assert caught.value.code == "unknown-host"


@pytest.mark.parametrize(
    "head",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nf4240\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n" * 10_000,
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 5,
    ],
)
def test_an_answer_without_end_is_left(serve: Any, loopback: None, head: bytes) -> None:
    with pytest.raises(OutboundError) as caught:
        outbound.post(serve(says(head + b"x" * 1_000_000)).url(), b"", {})
    assert caught.value.code == "unreachable"


def test_an_answer_of_the_limit_is_read(serve: Any, loopback: None) -> None:
    """The negative control: as long as allowed."""
    text = b"x" * outbound.MAX_ANSWER
    head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(text)
    assert outbound.post(serve(says(head + text)).url(), b"", {}).body == text


def test_what_is_no_answer_is_an_error(serve: Any, loopback: None) -> None:
    for text in (b"", b"SSH-2.0-x\r\n", b"HTTP/9.9\r\n\r\n", b"HTTP/1.1 abc\r\n\r\n"):
        with pytest.raises(OutboundError) as caught:
            outbound.post(serve(says(text)).url(), b"", {})
        assert caught.value.code == "unreachable"


def test_an_early_413_counts_although_the_body_was_not_read(serve: Any, loopback: None) -> None:
    server = serve(says(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n"))
    assert outbound.post(server.url(), b"x" * 40_000, {}).status == 413


def certificate(folder: Path, name: str) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Contexts of a server that holds a certificate for `name`, and of a client that trusts it."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = folder / "server.pem"
    path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + made.public_bytes(serialization.Encoding.PEM)
    )
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(path)
    return server, ssl.create_default_context(cadata=made.public_bytes(serialization.Encoding.PEM).decode())


def test_tls_checks_the_name_that_was_asked_for(serve: Any, loopback: None, tmp_path: Path) -> None:
    """The connection goes to the address; the certificate must be the name's."""
    server_side, client_side = certificate(tmp_path, "hook.example")
    server = serve(says(OK), server_side)
    at = answering("127.0.0.1")
    good = outbound.post(server.url("https", "hook.example"), b"", {}, resolver=at, tls=client_side)
    assert good.status == 200
    assert b"Host: hook.example:" in server.requests[0]
    with pytest.raises(OutboundError) as caught:
        outbound.post(server.url("https", "other.example"), b"", {}, resolver=at, tls=client_side)
    assert caught.value.code == "certificate"
    with pytest.raises(OutboundError) as caught:  # by the system's own authorities
        outbound.post(server.url("https", "hook.example"), b"", {}, resolver=at)
    assert caught.value.code == "certificate"
