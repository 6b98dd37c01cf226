"""Distances in integers, against the same formula in floating point."""

from math import asin, cos, radians, sin, sqrt

from hypothesis import given
from hypothesis import strategies as st

from traceability.contracts.geo import EARTH_RADIUS_M, distance_m

points = st.tuples(st.integers(-90_000_000, 90_000_000), st.integers(-180_000_000, 180_000_000))


def haversine(one: tuple[int, int], other: tuple[int, int]) -> float:
    lat1, lon1, lat2, lon2 = (radians(value / 1e6) for value in (*one, *other))
    half = sin((lat2 - lat1) / 2) ** 2 + cos(lat1) * cos(lat2) * sin((lon2 - lon1) / 2) ** 2
    return 2 * EARTH_RADIUS_M * asin(sqrt(min(1.0, half)))


@given(points, points)
def test_agrees_with_floating_point(one: tuple[int, int], other: tuple[int, int]) -> None:
    assert abs(distance_m(one, other) - haversine(one, other)) <= 2


@given(points, points)
def test_is_symmetric(one: tuple[int, int], other: tuple[int, int]) -> None:
    assert abs(distance_m(one, other) - distance_m(other, one)) <= 1


def test_known_distances() -> None:
    """Pole to pole is half the sphere's girth; a degree on the equator is a 360th of it."""
    assert distance_m((90_000_000, 0), (-90_000_000, 0)) == 20_015_111
    assert distance_m((0, 0), (0, 1_000_000)) == 111_195
    assert distance_m((31_230_400, 121_473_700), (31_230_400, 121_473_700)) == 0
    assert distance_m((0, -179_999_999), (0, 179_999_999)) == 0
