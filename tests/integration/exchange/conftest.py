"""Receivers on this machine, and a party that has subscribed."""

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from tests.integration.api.test_query import chain
from tests.integration.conftest import House

__all__ = ["chain"]


class Receiver:
    """A subscriber's server: answers with the statuses given, then 200; keeps what it got."""

    def __init__(self) -> None:
        self.statuses: list[int] = []
        self.got: list[tuple[dict[str, str], bytes]] = []
        self.before: Callable[[], None] = lambda: None  # runs before each answer
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                outer.got.append((dict(self.headers), body))
                outer.before()
                self.send_response(outer.statuses.pop(0) if outer.statuses else 200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_words: Any) -> None:
                """Silent."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/hook"

    @property
    def documents(self) -> list[dict[str, Any]]:
        return [json.loads(body) for _, body in self.got]

    @property
    def reports(self) -> list[list[str]]:
        """The event IDs of each report."""
        lists = [one["epcisBody"]["queryResults"]["resultsBody"]["eventList"] for one in self.documents]
        return [[event["eventID"] for event in events] for events in lists]

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def receiver(settings: Any) -> Iterator[Receiver]:
    settings.OUTBOUND_LOOPBACK = True
    found = Receiver()
    yield found
    found.close()


@pytest.fixture
def subscribe(receiver: Receiver) -> Callable[..., Any]:
    """Subscribe a party to a query of its own; the answer."""

    def made(house: House, party: str, query: dict[str, Any] | None = None, **controls: Any) -> Any:
        name = f"q{len(house.client(party).get('/epcis/queries').json())}"
        assert house.post(party, "/epcis/queries", {"name": name, "query": query or {}}).status_code == 201
        body = {"dest": receiver.url, "stream": True, **controls}
        return house.post(party, f"/epcis/queries/{name}/subscriptions", body)

    return made
