"""The browser verifier's modules on a bare page, in a secure context and over plain http."""

import os
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

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
