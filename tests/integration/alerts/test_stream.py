"""The event stream as a browser meets it: sign-in, own alerts only, replay, pings, another port of the same host."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from django.conf import settings
from django.db import connections
from django.test import Client

from traceability.alerts import stream
from traceability.alerts.models import Alert, AlertChange, AlertParty

from .conftest import PASSWORD, Desk

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def rooms(transactional_db: None, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Desk:
    monkeypatch.setattr(stream, "POLL_SECONDS", 0.02)
    desk.sell("other", 6)
    return desk


def cookie(name: str) -> str:
    client = Client()
    assert client.login(username=name, password=PASSWORD)
    return f"{settings.SESSION_COOKIE_NAME}={client.cookies[settings.SESSION_COOKIE_NAME].value}"


class Browser:
    """One connection to the application."""

    def __init__(self) -> None:
        self.status = 0
        self.headers: dict[str, str] = {}
        self.text = ""
        self.closed = asyncio.Event()
        self.ended = False

    async def receive(self) -> dict[str, Any]:
        await self.closed.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Any) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = {name.decode(): value.decode() for name, value in message["headers"]}
        else:
            self.text += message["body"].decode()
            self.ended = not message.get("more_body", False)

    async def until(self, done: Callable[[str], bool]) -> None:
        async with asyncio.timeout(5):
            while not done(self.text):
                await asyncio.sleep(0.01)

    @property
    def ids(self) -> list[int]:
        frames = [frame for frame in self.text.split("\n\n") if "event: alert" in frame]
        return [int(frame.split("\n")[0].removeprefix("id: ")) for frame in frames]


@asynccontextmanager
async def connected(path: str = stream.PATH, method: str = "GET", **headers: str) -> AsyncIterator[Browser]:
    browser = Browser()
    sent = {"host": "trace.example:8001", **{name.replace("_", "-"): value for name, value in headers.items()}}
    scope = {
        "type": "http",
        "path": path,
        "method": method,
        "headers": [(name.encode(), value.encode()) for name, value in sent.items()],
    }
    task = asyncio.create_task(stream.application(scope, browser.receive, browser.send))  # type: ignore[arg-type]
    try:
        await browser_ready(browser)
        yield browser
    finally:
        browser.closed.set()
        await asyncio.wait_for(task, 5)


async def browser_ready(browser: Browser) -> None:
    async with asyncio.timeout(5):
        while not browser.text:
            await asyncio.sleep(0.01)


def run(body: Callable[[], Awaitable[None]]) -> None:
    async def whole() -> None:
        try:
            await body()
        finally:
            await sync_to_async(connections.close_all)()

    async_to_sync(whole)()


@sync_to_async
def news(*parties: str) -> int:
    """A change about the parties' alert, as the fold would put it into the outbox."""
    number = AlertChange.objects.count()
    alert = Alert.objects.get()
    if parties:
        name = f"{number:024d}"
        AlertParty.objects.bulk_create(AlertParty(alert_id=name, party=party) for party in parties)
    return AlertChange.objects.create(position=0, alert_id=name if parties else alert.id, fingerprint=str(number)).pk


def test_nobody_hears_without_signing_in(rooms: Desk) -> None:
    good = cookie("regulator")

    async def body() -> None:
        for value in ("", "garbage", f"{settings.SESSION_COOKIE_NAME}=x:y:z", good[:-2]):
            async with connected(cookie=value) as browser:
                assert browser.status == 401
        async with connected(cookie=good) as browser:  # negative control
            assert (browser.status, browser.headers["content-type"]) == (200, "text/event-stream; charset=utf-8")
            assert browser.headers["cache-control"] == "no-store"

    run(body)


def test_a_changed_password_or_a_closed_party_ends_the_session(rooms: Desk) -> None:
    cookies = {name: cookie(name) for name in ("pharmacy", "other")}
    user = rooms.people["pharmacy"].user
    user.set_password("another-long-pass-9")
    user.save()
    party = rooms.house.parties["other"]
    party.active = False
    party.save()

    async def body() -> None:
        for value in cookies.values():
            async with connected(cookie=value) as browser:
                assert browser.status == 401

    run(body)


def test_other_paths_and_methods(rooms: Desk) -> None:
    async def body() -> None:
        async with connected(path="/stream/other") as browser:
            assert browser.status == 404
        async with connected(method="POST", cookie="") as browser:
            assert browser.status == 405

    run(body)


def test_each_hears_its_own(rooms: Desk) -> None:
    cookies = {name: cookie(name) for name in ("regulator", "pharmacy", "maker")}
    uri = rooms.house.parties["maker"].uri

    async def body() -> None:
        async with (
            connected(cookie=cookies["regulator"]) as regulator,
            connected(cookie=cookies["pharmacy"]) as pharmacy,
            connected(cookie=cookies["maker"]) as maker,
        ):
            shared, for_maker = await news(), await news(uri)
            await regulator.until(lambda _: regulator.ids == [shared, for_maker])
            await maker.until(lambda _: maker.ids == [for_maker])
            assert pharmacy.ids == [shared]
            assert '"rule":"double-dispense"' in pharmacy.text
            assert "09521000001008" not in pharmacy.text  # no serial on the wire

    run(body)


def test_what_was_missed_comes_again_and_in_order(rooms: Desk) -> None:
    value = cookie("regulator")

    async def body() -> None:
        async with connected(cookie=value) as first:
            start = await news()
            await first.until(lambda _: first.ids == [start])
        missed = [await news() for _ in range(3)]
        async with connected(cookie=value, last_event_id=str(start)) as again:
            later = await news()
            await again.until(lambda _: len(again.ids) >= 4)
            assert again.ids == [*missed, later]
        async with connected(cookie=value) as fresh:  # a new page has just read the list: it starts at the newest
            assert f"id: {later}\n\n" in fresh.text
            assert fresh.ids == []
        async with connected(cookie=value, last_event_id="12; DROP") as odd:
            assert odd.ids == []

    run(body)


def test_pings_keep_an_idle_line_open(rooms: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "PING_SECONDS", 0.05)
    value = cookie("regulator")

    async def body() -> None:
        async with connected(cookie=value) as browser:
            await browser.until(lambda text: text.count(": ping") >= 2)
            assert browser.text.startswith("retry: 2000\n\n")
        assert browser.ended

    run(body)


def test_the_same_host_on_another_port_may_read(rooms: Desk) -> None:
    value = cookie("regulator")

    async def body() -> None:
        async with connected(cookie=value, origin="http://trace.example:8000") as browser:
            assert browser.headers["access-control-allow-origin"] == "http://trace.example:8000"
            assert browser.headers["access-control-allow-credentials"] == "true"
        for origin in ("http://evil.example", "null", "http://trace.example.evil.example:8000"):
            async with connected(cookie=value, origin=origin) as browser:
                assert browser.status == 403
                assert "access-control-allow-origin" not in browser.headers

    run(body)


def test_three_hundred_idle_clients_share_one_reader(rooms: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    value = cookie("regulator")
    threads: set[int] = set()
    after = stream.source.after

    def counted(change_id: int) -> Any:
        import threading

        threads.add(threading.get_ident())
        return after(change_id)

    monkeypatch.setattr(stream.source, "after", counted)

    async def body() -> None:
        from contextlib import AsyncExitStack

        async with AsyncExitStack() as stack:
            browsers = [await stack.enter_async_context(connected(cookie=value)) for _ in range(300)]
            number = await news()
            for browser in browsers:
                await browser.until(lambda _, one=browser: one.ids == [number])  # type: ignore[misc]
            hub = stream._hubs[asyncio.get_running_loop()]
            assert len(hub.clients) == 300
        assert not hub.clients
        assert hub._task is None
        assert len(threads) == 1  # one thread, so one connection

    run(body)


def test_a_client_that_does_not_read_is_cut_off_and_loses_nothing(rooms: Desk) -> None:
    from traceability.alerts.stream_source import Change, Reader

    async def body() -> None:
        hub = stream.Hub()
        client = stream._Client(Reader(None))
        hub.clients.add(client)
        for number in range(stream.QUEUE_SIZE + 1):
            hub._hand_out(Change(number, {}, frozenset()))
        assert client.lost

    run(body)
