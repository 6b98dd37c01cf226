"""The log's publishing does not wait for the broker that tells the workers what to fold."""

import logging
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import pytest
from celery import Celery
from kombu.exceptions import OperationalError

from ledger import api as ledger
from tests.durability.harness import until
from traceability import waking

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def hanging() -> Iterator[socket.socket]:
    """A broker that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server


@contextmanager
def waker_of(broker: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], None]]:
    """What `wake` does, with that broker."""
    app = Celery("test", broker=broker, set_as_current=False)
    app.conf.task_routes = waking.app.conf.task_routes
    monkeypatch.setattr(waking, "app", app)
    monkeypatch.setattr(waking, "_PATIENCE", {"socket_timeout": 0.1, "socket_connect_timeout": 0.1})
    news, stop = threading.Event(), threading.Event()
    thread = threading.Thread(target=waking._run, args=(news, stop))
    thread.start()
    try:
        yield news.set
    finally:
        stop.set()
        news.set()
        thread.join(30)
        assert not thread.is_alive()
        app.close()


def statement(number: int) -> bytes:
    """A statement of somebody's."""
    key = ledger.key_from_seed(b"\4" * 32)
    party = "urn:dosetrail:party:acme"
    return ledger.sign_statement(key=key, iss=party, kind="event", payload=number.to_bytes(32, "big"), iat=0)


def goes_on(tell: Callable[[], None], let_go: Callable[[], None], seconds: float) -> bool:
    """Whether the log, that calls `tell` after each batch, publishes one statement after the other."""
    ledger.initialise(operator_name="test")
    told, stop = threading.Event(), threading.Event()

    def publishing() -> None:
        told.set()
        tell()

    thread = threading.Thread(target=ledger.run_sequencer, args=(stop, publishing))
    thread.start()
    try:
        assert ledger.wait_published(ledger.submit([statement(1)]), 20)
        assert told.wait(20)
        return ledger.wait_published(ledger.submit([statement(2)]), seconds)
    finally:
        stop.set()
        let_go()
        thread.join(30)
        assert not thread.is_alive()


def test_a_broker_that_hangs_keeps_nothing_from_being_published(
    hanging: socket.socket, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    host, port = hanging.getsockname()
    with (
        caplog.at_level(logging.WARNING, logger="traceability.waking"),
        waker_of(f"redis://{host}:{port}/0", monkeypatch) as wake,
    ):
        assert goes_on(wake, lambda: None, 20)
        until(lambda: "the broker does not answer" in caplog.text)  # it was asked, and somebody is told


def test_a_log_that_waited_for_its_broker_would_stand_still(hanging: socket.socket) -> None:
    """The negative control: the same broker, called by the log itself."""

    def ask() -> None:
        with socket.create_connection(hanging.getsockname()) as client, suppress(ConnectionResetError):
            client.sendall(b"PING\r\n")
            client.recv(1)

    assert not goes_on(ask, hanging.close, 0.5)


def test_a_call_that_breaks_off_is_made_again(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[object] = []

    def breaks_off_once(producer: object) -> None:
        calls.append(producer)
        if len(calls) == 1:
            raise OperationalError("Connection reset by peer")

    monkeypatch.setattr(waking, "_ask", breaks_off_once)
    monkeypatch.setattr(waking, "_PAUSE_SECONDS", 0.0)
    with waker_of("memory://", monkeypatch) as wake:
        wake()
        until(lambda: len(calls) == 2)
