"""The exposure monoid: the vector, associativity, and agreement with counting second by second."""

from hypothesis import given
from hypothesis import strategies as st

from traceability.coldchain import mkt
from traceability.coldchain.exposure import Exposure, hold, merge, merge_all, of_readings, unknown

LIMIT = 8000
PARTS = st.lists(
    st.tuples(st.one_of(st.none(), st.sampled_from([-1000, 5000, 8000, 8001, 14000])), st.integers(0, 50)), max_size=12
)


def exposure_of(part: tuple[int | None, int]) -> Exposure:
    value, seconds = part
    return unknown(seconds) if value is None else hold(value, seconds, limit_mc=LIMIT)


def by_counting(parts: list[tuple[int | None, int]]) -> tuple[int, int, int, int, int]:
    """(known, over, run at the start, run at the end, best run), second by second."""
    seconds = [value for value, duration in parts for _ in range(duration)]
    over = ["x" if value is not None and value > LIMIT else "." for value in seconds]
    line = "".join(over)
    runs = [len(run) for run in line.split(".")]
    return len(seconds) - seconds.count(None), line.count("x"), runs[0], runs[-1], max(runs)


def test_the_vector_of_a_warm_day() -> None:
    day = merge(hold(5000, 18 * 3600, limit_mc=LIMIT), hold(14000, 6 * 3600, limit_mc=LIMIT))
    assert day == Exposure(86400, 21600, 0, 21600, 21600, 5000, 14000, 11786985390441600)
    assert mkt.mkt_mc(day.rate_seconds, day.seconds) == 8280


@given(PARTS, st.integers(0, 12), st.integers(0, 12))
def test_any_grouping_gives_the_same(parts: list[tuple[int | None, int]], i: int, j: int) -> None:
    exposures = [exposure_of(part) for part in parts]
    first, second = sorted((i, j))
    left, middle, right = exposures[:first], exposures[first:second], exposures[second:]
    a, b, c = merge_all(left), merge_all(middle), merge_all(right)
    assert merge(merge(a, b), c) == merge(a, merge(b, c)) == merge_all(exposures)


@given(PARTS)
def test_merging_agrees_with_counting(parts: list[tuple[int | None, int]]) -> None:
    found = merge_all(exposure_of(part) for part in parts)
    assert (found.seconds, found.over, found.prefix_run, found.suffix_run, found.best_run) == by_counting(parts)


@given(PARTS)
def test_nothing_added_changes_nothing(parts: list[tuple[int | None, int]]) -> None:
    found = merge_all(exposure_of(part) for part in parts)
    assert merge(found, Exposure()) == found == merge(Exposure(), found)


def test_a_gap_is_unknown_time_and_breaks_the_run() -> None:
    minutes = [(0, 9000), (10, 9000), (20, 9000), (80, 9000), (90, 9000)]
    found = of_readings([(at * 60_000, value) for at, value in minutes], limit_mc=LIMIT)
    assert (found.seconds, found.unknown_s, found.best_run) == (30 * 60, 60 * 60, 20 * 60)
    held_across = of_readings([(at * 60_000, value) for at, value in minutes], limit_mc=LIMIT, max_gap_s=3600)
    assert (held_across.seconds, held_across.unknown_s, held_across.best_run) == (90 * 60, 0, 90 * 60)
