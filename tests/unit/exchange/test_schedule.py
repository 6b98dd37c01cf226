"""Schedules: the grammar of the standard, its examples, and next times against a walk over every second."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from traceability.exchange import schedule
from traceability.exchange.schedule import ScheduleError


def ms(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


@pytest.mark.parametrize(
    ("given", "after", "then"),
    [
        ({"second": "0", "minute": "0"}, "2026-01-01T10:00:00", "2026-01-01T11:00:00"),
        ({"second": "0", "minute": "30", "hour": "2"}, "2026-01-01T02:30:00", "2026-01-02T02:30:00"),
        ({"second": "0", "minute": "0", "dayOfWeek": "[1-5]"}, "2026-01-02T23:10:00", "2026-01-05T00:00:00"),
        ({"hour": "2"}, "2026-01-01T02:00:00", "2026-01-01T02:00:01"),
        ({"second": "0,30"}, "2026-01-01T00:00:00.999", "2026-01-01T00:00:30"),
        ({"second": "0/30"}, "2026-01-01T00:00:00.999", "2026-01-01T00:00:30"),
        ({"second": "5/20,1"}, "2026-01-01T00:00:25", "2026-01-01T00:00:45"),
        ({"second": "5,[10-12],59"}, "2026-01-01T00:00:12", "2026-01-01T00:00:59"),
        ({"dayOfMonth": "29", "month": "2", "hour": "0", "minute": "0", "second": "0"}, "2026-01-01T00:00:00",
         "2028-02-29T00:00:00"),
        ({"dayOfMonth": "29", "month": "2", "dayOfWeek": "1", "hour": "0", "minute": "0", "second": "0"},
         "2044-03-01T00:00:00", "2072-02-29T00:00:00"),
        ({"dayOfMonth": "31", "hour": "23", "minute": "59", "second": "59"}, "2026-01-31T23:59:59",
         "2026-03-31T23:59:59"),
    ],
)  # fmt: skip
def test_the_next_time(given: dict[str, str], after: str, then: str) -> None:
    assert schedule.next_ms(schedule.parse(given), ms(after)) == ms(then)


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({}, ""), (None, ""), ("0", ""), ([], ""), ({"seconds": "0"}, "seconds"), ({"second": 0}, "second"),
        ({"second": ""}, "second"), ({"second": "*"}, "second"), ({"second": "*/5"}, "second"),
        ({"second": "0/0"}, "second"), ({"second": "[1-5]/2"}, "second"),
        ({"second": "60"}, "second"), ({"second": "-1"}, "second"), ({"second": "1-5"}, "second"),
        ({"second": "[5-1]"}, "second"), ({"second": "[1-60]"}, "second"), ({"second": "1,,2"}, "second"),
        ({"second": " 1"}, "second"), ({"second": "1 "}, "second"), ({"second": "１"}, "second"),
        ({"minute": "[1-5"}, "minute"), ({"hour": "24"}, "hour"), ({"dayOfMonth": "0"}, "dayOfMonth"),
        ({"dayOfMonth": "32"}, "dayOfMonth"), ({"month": "13"}, "month"), ({"dayOfWeek": "0"}, "dayOfWeek"),
        ({"dayOfWeek": "8"}, "dayOfWeek"), ({"second": "1," * 400 + "1"}, "second"), ({"second": "1\n"}, "second"),
    ],
)  # fmt: skip
def test_what_is_no_schedule(given: Any, field: str) -> None:
    with pytest.raises(ScheduleError) as caught:
        schedule.parse(given)
    assert caught.value.field == field


def test_a_moment_that_never_comes_is_refused() -> None:
    with pytest.raises(ScheduleError):
        schedule.next_ms(schedule.parse({"dayOfMonth": "30", "month": "2"}), ms("2026-01-01T00:00:00"))


FIELDS = st.fixed_dictionaries(
    {"second": st.sets(st.integers(0, 59), min_size=1, max_size=3)},
    optional={
        "minute": st.sets(st.integers(0, 59), min_size=1, max_size=20),
        "hour": st.sets(st.integers(0, 23), min_size=12),
    },
)


@given(FIELDS, st.integers(0, 86_400))
@settings(max_examples=60, deadline=None)
def test_no_matching_second_is_passed_over(fields: dict[str, set[int]], start: int) -> None:
    plan = schedule.parse({name: ",".join(map(str, values)) for name, values in fields.items()})
    moment = datetime(2026, 3, 1, tzinfo=UTC) + timedelta(seconds=start)
    found = schedule.next_ms(plan, int(moment.timestamp() * 1000))
    walk = moment + timedelta(seconds=1)
    while any(getattr(walk, name) not in values for name, values in fields.items()):
        walk += timedelta(seconds=1)
    assert found == int(walk.timestamp() * 1000)
