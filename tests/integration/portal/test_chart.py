"""The curve's geometry: within its frame, gaps left open, limits always in sight."""

from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from traceability.web.portal import chart

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


def test_temperatures_read_as_people_write_them() -> None:
    assert [chart.celsius(value) for value in (0, -500, 8000, 2345)] == ["0.0 °C", "−0.5 °C", "8.0 °C", "2.345 °C"]
