"""Times as EPCIS writes them, as integers."""

import re
from datetime import UTC, date, datetime

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def time_ms(text: str) -> int:
    """Milliseconds since 1970 of an RFC 3339 date-time; digits beyond the millisecond are cut off."""
    seconds, fraction = text, ""
    if "." in text:
        head, _, tail = text.partition(".")
        digits = len(tail) - len(tail.lstrip("0123456789"))
        fraction, seconds = tail[:digits], head + tail[digits:]
    delta = datetime.fromisoformat(seconds.replace("Z", "+00:00")) - _EPOCH
    return (delta.days * 86_400 + delta.seconds) * 1000 + int(fraction[:3].ljust(3, "0") or 0)


def day(text: str) -> date:
    """The date that YYYY-MM-DD stands for; ValueError for any other spelling, or if there is no such day."""
    if _DAY.fullmatch(text) is None:
        raise ValueError(f"{text[:20]!r} is not a date such as 2026-12-31")
    return date.fromisoformat(text)


def offset_minutes(text: str) -> int:
    """Minutes east of UTC of `±hh:mm`."""
    minutes = int(text[1:3]) * 60 + int(text[4:6])
    return -minutes if text[0] == "-" else minutes
