"""The small house for tests whose threads have connections and transactions of their own."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection

from tests.integration.conftest import House
from tests.integration.conftest import house as _house
from tests.integration.conftest import writer as _writer

writer = _writer


@pytest.fixture
def house(transactional_db: None) -> House:
    """As for the integration tests, and really committed."""
    return _house.__wrapped__(None)  # type: ignore[attr-defined, no-any-return]


def at_once(*calls: Callable[[], Any]) -> list[Any]:
    """The answers of calls that start at the same moment, each in a thread with a connection of its own."""
    barrier = threading.Barrier(len(calls))
    answers: list[Any] = [None] * len(calls)

    def run(place: int, call: Callable[[], Any]) -> None:
        try:
            barrier.wait(timeout=10)
            answers[place] = call()
        except Exception as error:  # noqa: BLE001  # the test looks at it
            answers[place] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=item) for item in enumerate(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
        assert not thread.is_alive()
    return answers
