"""When a scheduled query runs: the QuerySchedule of EPCIS (2.0, section 8.2.5.3), in UTC.

A field is a list of numbers and ranges, such as `0,30` or `[1-5],7`, and of steps as GS1's own examples have them
(`0/30`: from 0 on each 30th); a second matches when every field that is given does. A field left out matches always:
with `hour` alone the query runs each second of that hour.
"""

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

FIELDS = {
    "second": (0, 59), "minute": (0, 59), "hour": (0, 23), "dayOfMonth": (1, 31), "month": (1, 12), "dayOfWeek": (1, 7),
}  # fmt: skip
MAX_FIELD = 300  # characters
_ELEMENT = re.compile(r"(?P<number>[0-9]{1,2})(?:/(?P<step>[0-9]{1,2}))?|\[(?P<low>[0-9]{1,2})-(?P<high>[0-9]{1,2})\]")
_DAYS = 366 * 29  # a 29th of February that is a Monday comes within 28 years, a century's gap aside

Schedule = Mapping[str, frozenset[int]]


class ScheduleError(ValueError):
    """The schedule cannot be read, or no moment matches it; `field` is the member at fault."""

    def __init__(self, field: str, detail: str) -> None:
        super().__init__(detail)
        self.field, self.detail = field, detail


def parse(given: Any) -> Schedule:
    """The numbers of each field that is given; ScheduleError."""
    if not isinstance(given, Mapping) or not given:
        raise ScheduleError("", f"a schedule is an object with one or more of {', '.join(FIELDS)}")
    if unknown := [name for name in given if name not in FIELDS]:
        raise ScheduleError(unknown[0], f"{unknown[0]} is no field of a schedule; these are: {', '.join(FIELDS)}")
    return {name: _numbers(name, value) for name, value in given.items()}


def next_ms(schedule: Schedule, after_ms: int) -> int:
    """The first matching second later than `after_ms`, in milliseconds since 1970; ScheduleError: none ever comes."""
    start = datetime.fromtimestamp(after_ms // 1000 + 1, UTC)
    day, earliest = start.date(), (start.hour, start.minute, start.second)
    for _ in range(_DAYS):
        if _is_day(schedule, day) and (found := _time(schedule, earliest)) is not None:
            moment = datetime(day.year, day.month, day.day, *found, tzinfo=UTC)
            return int(moment.timestamp()) * 1000
        day, earliest = day + timedelta(days=1), (0, 0, 0)
    raise ScheduleError("", "no moment matches this schedule")


def _numbers(name: str, value: Any) -> frozenset[int]:
    low, high = FIELDS[name]
    if not isinstance(value, str) or len(value) > MAX_FIELD:
        raise ScheduleError(name, f"{name} is a string such as '0', '0,30' or '[1-5]'")
    numbers: set[int] = set()
    for element in value.split(","):
        found = _ELEMENT.fullmatch(element)
        if found is None:
            raise ScheduleError(name, f"{name}: {element!r} is no number, no range such as [1-5], no step such as 0/30")
        first, last = (int(found["number"] or found[end]) for end in ("low", "high"))
        if not low <= first <= last <= high:
            raise ScheduleError(
                name, f"{name}: {element!r} is not within {low} to {high}, from the lesser to the greater"
            )
        if found["step"]:
            if not int(found["step"]):
                raise ScheduleError(name, f"{name}: {element!r} steps by nothing")
            last = high
        numbers.update(range(first, last + 1, int(found["step"] or 1)))
    return frozenset(numbers)


def _is_day(schedule: Schedule, day: date) -> bool:
    asked = {"month": day.month, "dayOfMonth": day.day, "dayOfWeek": day.isoweekday()}
    return all(value in schedule.get(name, (value,)) for name, value in asked.items())


def _time(schedule: Schedule, earliest: tuple[int, int, int]) -> tuple[int, int, int] | None:
    """The first matching hour, minute and second of a day from `earliest` on."""
    hours, minutes, seconds = (
        sorted(schedule.get(name, range(FIELDS[name][1] + 1))) for name in ("hour", "minute", "second")
    )
    for hour in (one for one in hours if one >= earliest[0]):
        for minute in (one for one in minutes if (hour, one) >= earliest[:2]):
            for second in (one for one in seconds if (hour, minute, one) >= earliest):
                return hour, minute, second
    return None
