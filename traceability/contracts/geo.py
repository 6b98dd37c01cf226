"""Distance of two points on Earth in whole metres, by a fixed formula in integers. PURE.

The haversine formula on a sphere of 6,371,008 m (mean Earth radius, IUGG 1980), in fixed point with 18 decimals: no
float takes part, so that every machine and every language finds the same metre.
"""

from functools import lru_cache
from math import isqrt

EARTH_RADIUS_M = 6_371_008
_ONE = 10**18
_PI = 3_141_592_653_589_793_238
_MICRO_DEGREES_OF_PI = 180_000_000

Point = tuple[int, int]  # (latitude, longitude) in micro-degrees


@lru_cache(maxsize=65_536)
def distance_m(one: Point, other: Point) -> int:
    """The great-circle distance in metres, rounded down."""
    (lat1, lon1), (lat2, lon2) = one, other
    half_lat, half_lon = _sin(_radians(lat2 - lat1) // 2), _sin(_radians(lon2 - lon1) // 2)
    across = _cos(_radians(lat1)) * _cos(_radians(lat2)) // _ONE
    haversine = half_lat * half_lat // _ONE + across * (half_lon * half_lon // _ONE) // _ONE
    return 2 * EARTH_RADIUS_M * _arcsin(isqrt(min(haversine, _ONE) * _ONE)) // _ONE


def _radians(micro_degrees: int) -> int:
    return micro_degrees * _PI // _MICRO_DEGREES_OF_PI


def _sin(x: int) -> int:
    """Sine by its Taylor series, |x| <= pi."""
    total = term = x
    n = 1
    while term:
        term = -term * x // _ONE * x // _ONE // ((n + 1) * (n + 2))
        total += term
        n += 2
        if term == -1:  # floor division of a negative never reaches zero
            break
    return total


def _cos(x: int) -> int:
    return _sin(_PI // 2 - abs(x))


def _arcsin(y: int) -> int:
    """The angle in [0, pi/2] whose sine is `y` in [0, 1], by bisection."""
    low, high = 0, _PI // 2
    while high - low > 1:
        middle = (low + high) // 2
        if _sin(middle) <= y:
            low = middle
        else:
            high = middle
    return low
