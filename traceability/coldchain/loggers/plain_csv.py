"""The plain CSV profile for any logger that can export a table (docs/logger-files.md). PURE.

    # device: TT-4711
    timestamp,temperature_c
    2026-11-01T08:00:00Z,5.1

Optional `# key: value` lines (device, model, serial), the header exactly as above, then one reading per line, in time
order. Times are ISO 8601: all with an offset (`Z`, `+08:00`) or all naive local time. Temperatures are °C with a
decimal point and at most three decimals. An empty temperature is a sample that could not be taken. One spelling only.
"""

import re
from contextlib import suppress
from datetime import datetime, tzinfo
from itertools import pairwise

from traceability.coldchain.excursions import sampling_interval_s

from .localtime import resolve, to_ms
from .model import Clock, LoggerError, Recording, Signature, _, is_computable

HEADER = "timestamp,temperature_c"

_META = re.compile(r"# (device|model|serial): (\S(?:.{0,62}\S)?)")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{3})?)?(?P<zone>Z|[+-]\d\d:\d\d)?", re.ASCII)
_VALUE = re.compile(r"-?\d{1,3}(\.\d{1,3})?", re.ASCII)
_LOWEST_MC = -273_150


def recognises(content: bytes) -> bool:
    """Whether the first line that is no comment is the profile's header."""
    for line in content.removeprefix(b"\xef\xbb\xbf").splitlines():
        if not line.startswith(b"#"):
            return line == HEADER.encode()
    return False


def parse(content: bytes, *, zone: tzinfo) -> Recording:
    """The readings of a plain CSV file. Raises LoggerError naming the line."""
    lines = _lines(content)
    start = lines.index(HEADER)
    meta = dict(_meta(line, number) for number, line in enumerate(lines[:start], start=1))
    rows = [_row(line, number) for number, line in enumerate(lines[start + 1 :], start=start + 2)]
    if not any(value is not None for _, value in rows):
        raise LoggerError("logger.no-readings", _("There is no reading below the header."))
    clock, times = _times([moment for moment, _ in rows], zone, first_line=start + 2)
    readings = tuple((ms, value) for ms, (_, value) in zip(times, rows, strict=True) if value is not None)
    return Recording(
        format="plain-csv",
        model=meta.get("model", ""),
        serial=meta.get("serial", meta.get("device", "")),
        readings=readings,
        clock=clock,
        signature=Signature("absent"),
        interval_s=sampling_interval_s(readings) or None,
        missing=len(rows) - len(readings),
    )


def _lines(content: bytes) -> list[str]:
    try:
        text = content.removeprefix(b"\xef\xbb\xbf").decode("utf-8")
    except UnicodeDecodeError as error:
        raise LoggerError("logger.encoding", _("The file is not UTF-8 text. Save it as UTF-8.")) from error
    lines = text.replace("\r\n", "\n").split("\n")
    if lines[-1] == "":
        lines.pop()
    return lines


def _meta(line: str, number: int) -> tuple[str, str]:
    match = _META.fullmatch(line)
    if not match:
        raise LoggerError("logger.csv-comment", _("Only “# device:”, “# model:” and “# serial:” lines."), line=number)
    return match[1], match[2]


def _row(line: str, number: int) -> tuple[datetime, int | None]:
    cells = line.split(",")
    if len(cells) != 2:
        raise LoggerError("logger.csv-columns", _("Two cells expected: timestamp,temperature_c."), line=number)
    return _time(cells[0], number), _milli(cells[1], number)


def _time(cell: str, number: int) -> datetime:
    if _TIME.fullmatch(cell):
        with suppress(ValueError):
            moment = datetime.fromisoformat(cell)
            if is_computable(moment):
                return moment
    raise LoggerError("logger.csv-time", _("The time must look like 2026-11-01T08:00:00+08:00."), line=number)


def _milli(cell: str, number: int) -> int | None:
    if cell == "":
        return None
    if not _VALUE.fullmatch(cell):
        raise LoggerError(
            "logger.csv-temperature", _("The temperature must be °C like 5.1 (at most three decimals)."), line=number
        )
    value = milli(cell)
    if value < _LOWEST_MC:
        raise LoggerError("logger.csv-temperature", _("The temperature is below absolute zero."), line=number)
    return value


def milli(text: str) -> int:
    """A decimal number with at most three decimals, times a thousand."""
    whole, _, fraction = text.lstrip("+-").partition(".")
    value = int(whole) * 1000 + int(fraction.ljust(3, "0"))
    return -value if text.startswith("-") else value


def _times(moments: list[datetime], zone: tzinfo, *, first_line: int) -> tuple[Clock, list[int]]:
    aware = [moment.tzinfo is not None for moment in moments]
    if not any(aware):
        clock, times = resolve(moments, zone)
        return clock.mode, times
    if not all(aware):
        line = first_line + aware.index(not aware[0])
        raise LoggerError("logger.csv-zone", _("Either all times carry an offset or none does."), line=line)
    times = [to_ms(moment) for moment in moments]
    for position, (before, after) in enumerate(pairwise(times), start=1):
        if after <= before:
            raise LoggerError(
                "logger.time-order", _("Times must increase from line to line."), line=first_line + position
            )
    return "utc", times
