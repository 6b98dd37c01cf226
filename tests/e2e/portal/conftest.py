"""A founded house for the browser: committed, so that the live server's threads see it."""

import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest

# Playwright's own event loop runs in this thread; Django would take every query for one made in async code.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"

from tests.e2e.consumer.conftest import Visitor
from tests.integration.conftest import house, writer
from tests.integration.portal.conftest import person, stocked

__all__ = ["house", "person", "stocked", "writer"]


class Worker(Visitor):
    """A visitor who posts forms: a page that was left for another has no body to weigh any more."""

    def _response(self, response: Any) -> None:
        """Nothing is weighed here."""


@pytest.fixture
def visitor(chromium: Any, live_server: Any) -> Iterator[Callable[..., Worker]]:
    workers: list[Worker] = []

    def visit(**options: Any) -> Worker:
        workers.append(Worker(chromium, live_server.url, **options))
        return workers[-1]

    yield visit
    for one in workers:
        one.close()
