"""GET /stream/alerts: changes of alerts as server-sent events (WHATWG HTML, 9.2), a plain ASGI application.

One task per process reads the outbox and hands news to all clients, so that an idle client costs no database
connection. The event id is the outbox id: a client that reconnects with Last-Event-ID is told what it missed. An event
carries ids and states only; the page fetches what it wants to show through its own door. A party hears of its own
alerts only.
"""

import asyncio
import json
import logging
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import urlsplit

from asgiref.sync import sync_to_async
from django.conf import settings
from django.db import close_old_connections

from traceability.common import log_context, request_log

from . import stream_source as source
from .stream_source import Change, Reader

PATH = "/stream/alerts"
RETRY_MS = 2_000
PING_SECONDS = 15.0
POLL_SECONDS = 0.25
# A client that does not read for so many events is cut off: it comes back with Last-Event-ID and misses nothing.
QUEUE_SIZE = 1_000

Send = Callable[[Mapping[str, Any]], Awaitable[None]]
Receive = Callable[[], Awaitable[Mapping[str, Any]]]
log = logging.getLogger(__name__)


@dataclass(eq=False)
class _Client:
    reader: Reader
    queue: asyncio.Queue[Change] = field(default_factory=lambda: asyncio.Queue(QUEUE_SIZE))
    lost: bool = False


class Hub:
    """The clients of one process and the one task that reads the outbox for them."""

    def __init__(self) -> None:
        self.clients: set[_Client] = set()
        self.position = 0
        self._task: asyncio.Task[None] | None = None

    async def join(self, client: _Client) -> int:
        """Add a client; the outbox id up to which it must catch up by itself."""
        if self._task is None or self._task.done():
            self.position = await _in_database(source.newest)
            self._task = asyncio.create_task(self._poll())
        self.clients.add(client)
        return self.position

    def leave(self, client: _Client) -> None:
        self.clients.discard(client)
        if not self.clients and self._task is not None:
            self._task.cancel()
            self._task = None

    async def _poll(self) -> None:
        while True:
            try:
                changes = await _in_database(source.after, self.position)
            except Exception:  # a database that is away for a moment must not end the stream
                log.exception("the outbox could not be read")
                await asyncio.sleep(RETRY_MS / 1000)
                continue
            for change in changes:
                self.position = change.id
                self._hand_out(change)
            await asyncio.sleep(POLL_SECONDS)

    def _hand_out(self, change: Change) -> None:
        for client in self.clients:
            if source.concerns(change, client.reader):
                try:
                    client.queue.put_nowait(change)
                except asyncio.QueueFull:
                    client.lost = True


_hubs: dict[asyncio.AbstractEventLoop, Hub] = {}


async def application(scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
    """The ASGI entry point: one path, GET only, for signed-in members."""
    if scope["type"] == "lifespan":
        await _lifespan(receive, send)
        return
    if scope["type"] != "http":
        return
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
    with log_context.scope(request_id=log_context.chosen_id(headers.get("x-request-id", ""))):
        await _logged(scope, headers, receive, send)


async def _logged(scope: Mapping[str, Any], headers: Mapping[str, str], receive: Receive, send: Send) -> None:
    """Answer, give the request's id back, and log one line when the stream has ended."""
    begun, status = time.perf_counter(), 0

    async def noted(message: Mapping[str, Any]) -> None:
        nonlocal status
        if message["type"] == "http.response.start":
            status = message["status"]
            name = (b"x-request-id", log_context.request_id().encode())
            message = {**message, "headers": [*message["headers"], name]}
        await send(message)

    try:
        await _answer(scope, headers, receive, noted)
    finally:
        route = PATH.lstrip("/") if scope["path"] == PATH else ""
        took = round((time.perf_counter() - begun) * 1000, 1)
        facts = {"method": scope["method"], "route": route, "status": status, "duration_ms": took}
        log.info("request", extra={**facts, "client": request_log.network(_client(scope, headers))})


def _client(scope: Mapping[str, Any], headers: Mapping[str, str]) -> str:
    """The caller's address, from the header that the settings trust, if they trust one."""
    header = settings.CLIENT_ADDRESS_HEADER
    if header != "REMOTE_ADDR":
        return headers.get(header.removeprefix("HTTP_").replace("_", "-").lower(), "")
    return str((scope.get("client") or ("",))[0])


async def _answer(scope: Mapping[str, Any], headers: Mapping[str, str], receive: Receive, send: Send) -> None:
    cors = _cors(headers)
    if scope["path"] != PATH:
        await _plain(send, 404, "not found", cors)
    elif scope["method"] != "GET":
        await _plain(send, 405, "GET only", [*cors, (b"allow", b"GET")])
    elif headers.get("origin") and not cors and not _is_same_origin(headers):
        await _plain(send, 403, "this origin may not read the stream", [])
    else:
        reader = await _in_database(source.reader_for, _session_cookie(headers))
        if reader is None:
            await _plain(send, 401, "sign in first", cors)
        else:
            await _stream(reader, _last_id(headers), receive, send, cors=cors)


async def _stream(
    reader: Reader, last_id: int | None, receive: Receive, send: Send, *, cors: list[tuple[bytes, bytes]]
) -> None:
    headers = [
        (b"content-type", b"text/event-stream; charset=utf-8"),
        (b"cache-control", b"no-store"),
        (b"x-accel-buffering", b"no"),
        *cors,
    ]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    hub = _hubs.setdefault(asyncio.get_running_loop(), Hub())
    client = _Client(reader)
    joined = await hub.join(client)
    gone = asyncio.create_task(_gone(receive))
    try:
        await _write(send, f"retry: {RETRY_MS}\n\n" + (f"id: {joined}\n\n" if last_id is None else ""))
        if last_id is not None:
            await _catch_up(reader, last_id, joined, send)
        await _forward(client, gone, send)
    finally:
        gone.cancel()
        hub.leave(client)


async def _catch_up(reader: Reader, last_id: int, joined: int, send: Send) -> None:
    """What the outbox holds after `last_id` up to where the hub took over."""
    while last_id < joined:
        changes = await _in_database(source.after, last_id)
        if not changes:
            return
        for change in changes:
            last_id = change.id
            if change.id <= joined and source.concerns(change, reader):
                await _write(send, _frame(change))


async def _forward(client: _Client, gone: asyncio.Task[None], send: Send) -> None:
    """News as it comes, a comment when there is none, until the client leaves."""
    waiting: asyncio.Task[Change] | None = None
    while not gone.done() and not client.lost:
        waiting = waiting or asyncio.create_task(client.queue.get())
        await asyncio.wait({waiting, gone}, timeout=PING_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        if waiting.done():
            await _write(send, _frame(waiting.result()))
            waiting = None
        elif not gone.done():
            await _write(send, ": ping\n\n")
    if waiting is not None:
        waiting.cancel()
    await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _gone(receive: Receive) -> None:
    """Done when the client has closed the connection or the server shuts down."""
    while (await receive())["type"] != "http.disconnect":
        pass


def _frame(change: Change) -> str:
    return f"id: {change.id}\nevent: alert\ndata: {json.dumps(change.data, separators=(',', ':'))}\n\n"


async def _write(send: Send, text: str) -> None:
    await send({"type": "http.response.body", "body": text.encode(), "more_body": True})


async def _plain(send: Send, status: int, text: str, headers: Iterable[tuple[bytes, bytes]]) -> None:
    start = [(b"content-type", b"text/plain; charset=utf-8"), *headers]
    await send({"type": "http.response.start", "status": status, "headers": start})
    await send({"type": "http.response.body", "body": text.encode(), "more_body": False})


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        kind = (await receive())["type"]
        await send({"type": f"{kind}.complete"})
        if kind == "lifespan.shutdown":
            return


def _session_cookie(headers: Mapping[str, str]) -> str:
    cookies: SimpleCookie = SimpleCookie()
    try:
        cookies.load(headers.get("cookie", ""))
    except CookieError:
        return ""
    morsel = cookies.get(settings.SESSION_COOKIE_NAME)
    return morsel.value if morsel else ""


def _last_id(headers: Mapping[str, str]) -> int | None:
    text = headers.get("last-event-id", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None


def _cors(headers: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    """Let pages of the same host on another port read with their cookie (the embedded size has two ports)."""
    origin = headers.get("origin", "")
    if not origin or urlsplit(origin).hostname != urlsplit(f"//{headers.get('host', '')}").hostname:
        return []
    return [
        (b"access-control-allow-origin", origin.encode("latin-1")),
        (b"access-control-allow-credentials", b"true"),
        (b"vary", b"Origin"),
    ]


def _is_same_origin(headers: Mapping[str, str]) -> bool:
    return urlsplit(headers["origin"]).netloc == headers.get("host")


@sync_to_async  # thread-sensitive: one thread, so one database connection per process, however many clients
def _in_database(work: Callable[..., Any], *arguments: Any) -> Any:
    close_old_connections()
    return work(*arguments)
