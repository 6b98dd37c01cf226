"""Runs beyond a limit: both bounds, gaps, strict and inclusive limits, cumulative time."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from traceability.coldchain.excursions import (
    Gap,
    cumulative_s,
    find_excursions,
    gaps,
    held_intervals,
    reached_ms,
    sampling_interval_s,
)

MINUTE = 60_000


def every_ten_minutes(*values: int) -> list[tuple[int, int]]:
    return [(10 * i * MINUTE, value) for i, value in enumerate(values)]


WARM = every_ten_minutes(5000, 9000, 11000, 9000, 7000)  # bad at 10, 20, 30 min


def test_both_bounds_of_a_run() -> None:
    (run,) = find_excursions(WARM, limit_mc=8000, side="above", limit_s=1200, max_gap_s=1800)
    assert (run.start_ms, run.end_ms, run.extreme_mc) == (10 * MINUTE, 30 * MINUTE, 11000)
    assert (run.certain_s, run.held_s, run.possible_s) == (20 * 60, 30 * 60, 40 * 60)
    assert run.linear_s == (35 * 60 - int(7.5 * 60))  # crosses 8.0 at 7.5 and at 35 minutes
    assert run.certainty(20 * 60) == "certain"
    assert run.certainty(20 * 60 + 1) == "possible"
    assert run.certainty(40 * 60) == "possible"
    assert run.certainty(40 * 60 + 1) is None


def test_shorter_than_possible_is_no_excursion() -> None:
    assert find_excursions(WARM, limit_mc=8000, side="above", limit_s=40 * 60, max_gap_s=1800)
    assert not find_excursions(WARM, limit_mc=8000, side="above", limit_s=40 * 60 + 1, max_gap_s=1800)


def test_a_single_bad_reading_is_possible_only() -> None:
    (run,) = find_excursions(every_ten_minutes(5000, 1900, 5000), limit_mc=2000, side="below", limit_s=60)
    assert (run.certain_s, run.possible_s, run.certainty(60), run.extreme_mc) == (0, 1200, "possible", 1900)


@pytest.mark.parametrize(("strict", "found"), [(True, 0), (False, 1)])
@pytest.mark.parametrize(("side", "limit"), [("above", 8000), ("below", 2000)])
def test_the_limit_itself(side: str, limit: int, strict: bool, found: int) -> None:
    readings = every_ten_minutes(5000, limit, limit, 5000)
    runs = find_excursions(readings, limit_mc=limit, side=side, limit_s=0, strict=strict, max_gap_s=1800)
    assert len(runs) == found


def test_a_gap_ends_the_run_and_is_named() -> None:
    readings = [(0, 9000), (10 * MINUTE, 9000), (100 * MINUTE, 9000), (110 * MINUTE, 9000)]
    before, after = find_excursions(readings, limit_mc=8000, side="above", limit_s=0, max_gap_s=1800)
    assert (before.certain_s, before.possible_s, before.unknown_after) == (600, 600, True)
    assert (after.certain_s, after.possible_s, after.unknown_before) == (600, 600, True)
    assert gaps(readings, max_gap_s=1800) == [Gap(10 * MINUTE, 100 * MINUTE)]
    (across,) = find_excursions(readings, limit_mc=8000, side="above", limit_s=0, max_gap_s=90 * 60)
    assert across.certain_s == 110 * 60
    assert gaps(readings, max_gap_s=90 * 60) == []


def test_silence_at_the_ends_of_a_window() -> None:
    found = gaps(WARM, max_gap_s=1800, start_ms=-60 * MINUTE, end_ms=90 * MINUTE)
    assert found == [Gap(-60 * MINUTE, 0), Gap(40 * MINUTE, 90 * MINUTE)]
    assert [gap.seconds for gap in found] == [3600, 3000]
    assert gaps([], max_gap_s=60, start_ms=0, end_ms=3_600_000) == [Gap(0, 3_600_000)]


def test_the_default_gap_is_three_intervals() -> None:
    readings = [*every_ten_minutes(5000, 5000, 5000, 5000), (60 * MINUTE, 5000), (91 * MINUTE, 5000)]
    assert sampling_interval_s(readings) == 600
    assert gaps(readings) == [Gap(60 * MINUTE, 91 * MINUTE)]


def test_order_and_repetition_do_not_matter() -> None:
    expected = find_excursions(WARM, limit_mc=8000, side="above", limit_s=0)
    assert find_excursions([*reversed(WARM), *WARM], limit_mc=8000, side="above", limit_s=0) == expected


def test_of_two_values_at_one_time_the_worst_counts() -> None:
    (run,) = find_excursions([*WARM, (20 * MINUTE, 5000)], limit_mc=8000, side="above", limit_s=0)
    assert run.extreme_mc == 11000


def test_cumulative_time_holds_each_reading_until_the_next() -> None:
    readings = every_ten_minutes(9000, 5000, 9000, 9000, 5000)
    held = held_intervals(readings, limit_mc=8000, side="above")
    assert held == [(0, 10 * MINUTE), (20 * MINUTE, 40 * MINUTE)]
    assert cumulative_s(held, start_ms=0, end_ms=40 * MINUTE) == 1800
    assert cumulative_s(held, start_ms=5 * MINUTE, end_ms=25 * MINUTE) == 600
    assert reached_ms(held, limit_s=900, start_ms=0, end_ms=40 * MINUTE) == 25 * MINUTE
    assert reached_ms(held, limit_s=1801, start_ms=0, end_ms=40 * MINUTE) is None


def test_nothing_to_look_at() -> None:
    assert find_excursions([], limit_mc=8000, side="above", limit_s=0) == []
    assert gaps([]) == []
    (lone,) = find_excursions([(5, 9000)], limit_mc=8000, side="above", limit_s=0)
    assert (lone.certain_s, lone.possible_s, lone.unknown_before, lone.unknown_after) == (0, 0, True, True)


SERIES = st.lists(st.tuples(st.integers(0, 10_000_000), st.integers(0, 16_000)), max_size=40)


@given(SERIES, st.integers(60, 5000))
def test_the_bounds_are_ordered(readings: list[tuple[int, int]], max_gap_s: int) -> None:
    for run in find_excursions(readings, limit_mc=8000, side="above", limit_s=0, max_gap_s=max_gap_s):
        assert 0 <= run.certain_s <= run.held_s <= run.possible_s
        assert run.certain_s - 1 <= run.linear_s <= run.possible_s
        assert run.possible_start_ms <= run.start_ms <= run.end_ms <= run.possible_end_ms
        assert run.extreme_mc > 8000


def test_neighbours_just_near_enough_bound_the_run() -> None:
    """A distance of exactly the longest gap still tells when the limit was crossed; a millisecond more does not."""
    readings = [(0, 5000), (30 * MINUTE, 9000), (40 * MINUTE, 9000), (70 * MINUTE, 5000)]
    (run,) = find_excursions(readings, limit_mc=8000, side="above", limit_s=0, max_gap_s=1800)
    assert (run.possible_s, run.unknown_before, run.unknown_after) == (70 * 60, False, False)
    further = [(-1, 5000), *readings[1:3], (70 * MINUTE + 1, 5000)]
    (run,) = find_excursions(further, limit_mc=8000, side="above", limit_s=0, max_gap_s=1800)
    assert (run.possible_s, run.unknown_before, run.unknown_after) == (10 * 60, True, True)


def test_a_run_at_the_end_is_held_to_its_last_reading() -> None:
    readings = every_ten_minutes(5000, 9000, 9000)
    assert held_intervals(readings, limit_mc=8000, side="above", max_gap_s=1800) == [(10 * MINUTE, 20 * MINUTE)]
