"""Naive local times across changes to and from summer time (Berlin: 29 March and 25 October 2026)."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from traceability.coldchain.loggers.localtime import resolve
from traceability.coldchain.loggers.model import LoggerError

BERLIN = ZoneInfo("Europe/Berlin")
STEP = timedelta(minutes=30)


def wall(start: str, count: int) -> list[datetime]:
    """What a wall clock in Berlin shows every half hour from `start` (UTC)."""
    first = datetime.fromisoformat(start).replace(tzinfo=UTC)
    return [(first + i * STEP).astimezone(BERLIN).replace(tzinfo=None, fold=0) for i in range(count)]


def ticking(start: str, count: int) -> list[datetime]:
    """What a clock shows that nobody touches."""
    first = datetime.fromisoformat(start)
    return [first + i * STEP for i in range(count)]


def steps(times: list[int]) -> set[int]:
    return {after - before for before, after in pairwise(times)}


def utc(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y-%m-%d %H:%M")


@pytest.mark.parametrize("start", ["2026-03-28T23:00", "2026-10-24T22:00"], ids=["spring", "autumn"])
def test_a_wall_clock_that_was_moved(start: str) -> None:
    shown = wall(start, 12)
    clock, times = resolve(shown, BERLIN)
    assert clock.mode == "wall"
    assert steps(times) == {30 * 60_000}
    assert utc(times[0]).replace(" ", "T") == start


@pytest.mark.parametrize(
    ("start", "first_utc"), [("2026-03-29T00:00", "2026-03-28 23:00"), ("2026-10-25T00:00", "2026-10-24 22:00")]
)
def test_a_clock_that_ran_on(start: str, first_utc: str) -> None:
    clock, times = resolve(ticking(start, 12), BERLIN)
    assert clock.mode == "fixed"
    assert steps(times) == {30 * 60_000}
    assert utc(times[0]) == first_utc
    # The device's later times are read with the same offset.
    assert utc(clock.ms(datetime.fromisoformat(start) + 24 * STEP)) == utc(times[0] + 24 * 30 * 60_000)


def test_reading_it_the_other_way_would_show_a_hole() -> None:
    """Negative control: with the wall clock's offsets the ticking clock of autumn seems to stand still for an hour."""
    shown = ticking("2026-10-25T00:00", 12)
    naive_wall = [int(local.replace(tzinfo=BERLIN).timestamp() * 1000) for local in shown]
    assert steps(naive_wall) == {30 * 60_000, 90 * 60_000}


def test_without_a_change_it_is_the_wall_clock() -> None:
    clock, times = resolve(ticking("2026-07-01T12:00", 3), BERLIN)
    assert (clock.mode, utc(times[0])) == ("wall", "2026-07-01 10:00")


def test_a_zone_without_summer_time() -> None:
    clock, times = resolve(ticking("2026-03-29T00:00", 12), ZoneInfo("Asia/Shanghai"))
    assert (clock.mode, utc(times[0])) == ("wall", "2026-03-28 16:00")


@pytest.mark.parametrize("minutes", [-10, 0])
def test_a_clock_that_was_turned_back_is_refused(minutes: int) -> None:
    shown = ticking("2026-07-01T12:00", 3)
    with pytest.raises(LoggerError) as error:
        resolve([*shown, shown[-1] + timedelta(minutes=minutes)], BERLIN)
    assert error.value.code == "logger.time-order"


def test_no_times_at_all() -> None:
    assert resolve([], BERLIN)[1] == []
