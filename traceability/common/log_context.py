"""What every log line of one request or task carries: its id, and what is learnt on the way (who calls, which code).

A context variable, so that threads and asyncio tasks do not see each other's.
"""

import re
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

_SANE_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")
_facts: ContextVar[dict[str, Any] | None] = ContextVar("dosetrail_log_facts", default=None)


@contextmanager
def scope(**facts: Any) -> Iterator[dict[str, Any]]:
    """Give every line that is logged inside these facts; yields the dict that `bind` adds to."""
    inside = dict(facts)
    token = _facts.set(inside)
    try:
        yield inside
    finally:
        _facts.reset(token)


def bind(**facts: Any) -> None:
    """Add facts to the lines of the request or task that runs here; without one they are dropped."""
    current = _facts.get()
    if current is not None:
        current.update(facts)


def current() -> Mapping[str, Any]:
    """The facts that hold here."""
    return _facts.get() or {}


def request_id() -> str:
    """The id of the request that is answered here, '' outside of one."""
    return str(current().get("request_id", ""))


def chosen_id(offered: str) -> str:
    """The caller's request id if it is a plain word of 8 to 64 characters, a new one otherwise."""
    return offered if _SANE_ID.fullmatch(offered) else secrets.token_hex(8)
