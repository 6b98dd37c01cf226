"""Thinning a series for a chart without losing what matters: the lowest and highest reading of each stretch. PURE."""

from collections.abc import Sequence

from .excursions import Reading


def thin(readings: Sequence[Reading], max_points: int) -> list[Reading]:
    """At most `max_points` (>= 2) of the readings, in time order: per time bucket its lowest and its highest.

    Nothing is averaged, so no peak disappears. Fewer readings than that come back unchanged.
    """
    if max_points < 2:
        raise ValueError("a chart needs at least two points")
    if len(readings) <= max_points:
        return list(readings)
    start, span = readings[0][0], readings[-1][0] - readings[0][0] + 1
    buckets: dict[int, list[Reading]] = {}
    for reading in readings:
        buckets.setdefault((reading[0] - start) * (max_points // 2) // span, []).append(reading)
    points = []
    for bucket in buckets.values():
        points += sorted({min(bucket, key=_value), max(bucket, key=_value)})
    return points


def _value(reading: Reading) -> int:
    return reading[1]
