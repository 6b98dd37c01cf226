"""The browser verifier's modules on a bare page, in a secure context and over plain http."""

import gzip
import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.unit.web.world import World

# Playwright's own event loop runs in this thread; Django would take every query for one made in async code.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"

STATIC = Path(__file__).resolve().parents[3] / "static"
# A name that is not localhost: over plain http the browser then offers no crypto.subtle, as in a local network.
PLAIN_HOST = "trace.test"


class _Handler(SimpleHTTPRequestHandler):
    def log_message(self, *arguments: Any) -> None:
        """Quiet."""

    def do_GET(self) -> None:
        if self.path != "/":
            return super().do_GET()
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.end_headers()
        self.wfile.write(b"<!doctype html><title>verifier</title>")
        return None


@pytest.fixture(scope="session")
def static_port() -> Iterator[int]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Handler, directory=str(STATIC)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_address[1]
    server.shutdown()
    server.server_close()


@pytest.fixture
def secure_page(chromium: Any, static_port: int) -> Iterator[Any]:
    page = chromium.new_page()
    page.goto(f"http://127.0.0.1:{static_port}/")
    assert page.evaluate("isSecureContext && !!crypto.subtle")
    yield page
    page.close()


@pytest.fixture
def plain_page(chromium: Any, static_port: int) -> Iterator[Any]:
    """A page over plain http; its own browser process, because the host name is mapped at start."""
    browser = chromium.browser_type.launch(
        executable_path=os.environ.get("DOSETRAIL_TEST_CHROMIUM") or "/usr/bin/chromium",
        args=[
            f"--host-resolver-rules=MAP {PLAIN_HOST} 127.0.0.1",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--no-first-run",
        ],
    )
    page = browser.new_page()
    page.goto(f"http://{PLAIN_HOST}:{static_port}/")
    assert page.evaluate("!isSecureContext && !crypto.subtle")
    yield page
    browser.close()


@pytest.fixture
def world(transactional_db: None) -> World:
    """The page tests' world; the live server's threads must see it, so it is committed."""
    return World()


_SIZES: dict[str, int] = {}  # of each static file, compressed: they are the same for every page


class Visitor:
    """A browser context that fails on what no page may do: call elsewhere, break its own policy, log an error."""

    def __init__(self, browser: Any, base_url: str, **options: Any) -> None:
        self.base_url = base_url
        self.context = browser.new_context(base_url=base_url, **options)
        self.page = self.context.new_page()
        self.wrongs: list[str] = []
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.wrongs.append(f"script: {error}"))
        self.page.on("request", self._request)

    def open(self, path: str, state: str | None = None) -> Any:
        """The page at `path`; with `state`, after the check on the device has come to it."""
        self.page.goto(path)
        if state:
            self.page.wait_for_selector(f'#device-check[data-state="{state}"]')
        return self.page

    def weight(self) -> int:
        """Bytes of the open page and of all that it loaded; files as production sends them, compressed."""
        loaded = self.page.evaluate("performance.getEntriesByType('resource').map((one) => one.name)")
        document = self.context.request.get(self.page.url).body()
        return len(document) + sum(map(self._compressed, {*loaded}))

    def _compressed(self, url: str) -> int:
        if url not in _SIZES:
            _SIZES[url] = len(gzip.compress(self.context.request.get(url).body()))
        return _SIZES[url]

    def close(self) -> None:
        self.context.close()

    def _console(self, message: Any) -> None:
        if message.type in ("error", "warning") and "favicon" not in message.text:
            self.wrongs.append(f"console: {message.text}")

    def _request(self, request: Any) -> None:
        if not request.url.startswith((self.base_url, "data:", "blob:")):
            self.wrongs.append(f"request to {request.url}")


@pytest.fixture
def visitor(chromium: Any, live_server: Any) -> Iterator[Callable[..., Visitor]]:
    visitors: list[Visitor] = []

    def visit(*, base_url: str = live_server.url, **options: Any) -> Visitor:
        visitors.append(Visitor(chromium, base_url, **options))
        return visitors[-1]

    yield visit
    for one in visitors:
        one.close()


class Gate:
    """A forwarder in front of a server that can be shut: then there is no network, for a service worker neither."""

    def __init__(self, host: str, port: int) -> None:
        self._target = (host, port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = []
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def shut(self) -> None:
        """Refuse new connections and end those that are open."""
        for one in [self._listener, *self._open]:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def _accept(self) -> None:
        with suppress(OSError):  # the listener was closed
            while True:
                near, _ = self._listener.accept()
                far = socket.create_connection(self._target)
                self._open += [near, far]
                for source, sink in ((near, far), (far, near)):
                    threading.Thread(target=self._pump, args=(source, sink), daemon=True).start()

    @staticmethod
    def _pump(source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):  # either end was closed
            while data := source.recv(65536):
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)


@pytest.fixture
def gate(live_server: Any) -> Iterator[Gate]:
    address = urlsplit(live_server.url)
    gate = Gate(str(address.hostname), int(address.port or 80))
    yield gate
    gate.shut()
