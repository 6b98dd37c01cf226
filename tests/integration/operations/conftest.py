"""What is logged, as the production size writes it."""

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest

from traceability.common import log_lines


class Lines:
    """The JSON lines of a test."""

    def __init__(self) -> None:
        self.stream = io.StringIO()

    @property
    def text(self) -> str:
        return self.stream.getvalue()

    def said(self, message: str) -> list[dict[str, Any]]:
        """The lines with this message."""
        return [line for line in map(json.loads, self.text.splitlines()) if line["message"] == message]


@pytest.fixture
def lines() -> Iterator[Lines]:
    """All that is logged from level INFO, through the formatter and filter of the production size."""
    found = Lines()
    handler = logging.StreamHandler(found.stream)
    handler.setFormatter(log_lines.JsonFormatter())
    handler.addFilter(log_lines.RoutesNotPaths())
    root = logging.getLogger()
    before = root.level
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    yield found
    root.removeHandler(handler)
    root.setLevel(before)
