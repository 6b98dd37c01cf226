"""The time zones that this machine knows."""

from functools import cache
from zoneinfo import available_timezones


def is_known(name: str) -> bool:
    """Whether this is the name of an IANA time zone."""
    return name in _names()


@cache
def _names() -> frozenset[str]:
    """Read once per process: it opens some six hundred files."""
    return frozenset(available_timezones())
