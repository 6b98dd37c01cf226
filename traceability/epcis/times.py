"""Times as EPCIS writes them, as integers."""

from datetime import UTC, datetime

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


def offset_minutes(text: str) -> int:
    """Minutes east of UTC of `±hh:mm`."""
    minutes = int(text[1:3]) * 60 + int(text[4:6])
    return -minutes if text[0] == "-" else minutes
