"""The curve's geometry: within its frame, gaps left open, limits always in sight."""

from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from traceability.web.shared import chart

UTC = ZoneInfo("UTC")
POINTS = st.tuples(st.integers(0, 4_000_000_000_000), st.integers(-80_000, 60_000))
READINGS = st.lists(POINTS, min_size=1, max_size=60, unique_by=lambda reading: reading[0]).map(sorted)


@given(READINGS, st.sampled_from([[], [2000, 8000]]))
def test_every_reading_and_limit_is_inside_the_frame(readings: list[tuple[int, int]], limits: list[int]) -> None:
    drawn = chart.draw(readings, limits=limits, zone=UTC)
    assert drawn is not None
    points = [point.split(",") for line in drawn.lines for point in line.split()]
    assert len(points) == len(readings)
    for x, y in points:
        assert chart.LEFT <= float(x) <= chart.RIGHT
        assert chart.TOP < float(y) < chart.BOTTOM
    assert all(chart.TOP < y < chart.BOTTOM for y, _label in drawn.limits)


def test_warmer_is_higher_and_nothing_is_drawn_without_readings() -> None:
    drawn = chart.draw([(0, 2000), (60_000, 9000)], limits=[], zone=UTC)
    assert drawn is not None
    (first, second) = (float(point.split(",")[1]) for point in drawn.lines[0].split())
    assert second < first
    assert chart.draw([], limits=[2000], zone=UTC) is None


def series(*values: int) -> list[tuple[int, int]]:
    return [(place * 60_000, value) for place, value in enumerate(values)]


def test_what_lies_beyond_the_limits_is_marked_from_first_to_last_reading() -> None:
    drawn = chart.draw(series(5000, 5000, 9000, 9000, 9000, 5000), limits=[2000, 8000], zone=UTC)
    assert drawn is not None
    ((left, width),) = drawn.breaches
    span = chart.RIGHT - chart.LEFT
    assert (left, round(left + width)) == (round(chart.LEFT + span * 2 / 5, 1), round(chart.LEFT + span * 4 / 5))


def test_one_bad_reading_is_visible_and_a_good_series_has_none() -> None:
    drawn = [
        chart.draw(series(*values), limits=limits, zone=UTC)
        for values, limits in (
            ((5000, 12000, 5000), [2000, 8000]),
            ((5000, 5000, 5000), [2000, 8000]),
            ((5000, -2000, 5000), [-500, 8000]),
            ((5000, -2000, 5000), [8000]),
            ((5000, 9000, 5000), []),
        )
    ]
    assert [len(one.breaches) if one else None for one in drawn] == [1, 0, 1, 0, 0]
    assert drawn[0] is not None
    assert drawn[0].breaches[0][1] >= 1


def test_a_silence_breaks_the_line() -> None:
    drawn = chart.draw([*series(5000, 5000, 5000), (30 * 60_000, 5000), (31 * 60_000, 5000)], limits=[], zone=UTC)
    assert drawn is not None
    assert len(drawn.lines) == 2
