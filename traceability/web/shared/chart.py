"""A temperature curve as SVG geometry. Pure: readings and limits in, coordinates and labels out."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import median
from zoneinfo import ZoneInfo

from traceability.contracts.wording import celsius

Reading = tuple[int, int]  # (ms, milli-°C)
WIDTH, HEIGHT = 640, 240
LEFT, RIGHT, TOP, BOTTOM = 8, 632, 12, 208
GAP_FACTOR = 5  # a pause longer than this many usual pauses is drawn as a gap
LIMIT_MARGIN_MC = 1000


@dataclass(frozen=True)
class Chart:
    """What the template draws; all coordinates in the view box."""

    lines: Sequence[str]  # points of a polyline each; a gap lies between two
    limits: Sequence[tuple[float, str]]  # y and label
    breaches: Sequence[tuple[float, float]]  # x and width of the stretches beyond the limits
    ticks: Sequence[tuple[float, str]]  # x and label
    scale: Sequence[tuple[float, str]]  # y and label of the lowest and highest reading
    lowest: str
    highest: str


def draw(readings: Sequence[Reading], *, limits: Sequence[int], zone: ZoneInfo) -> Chart | None:
    """The curve of readings in time order; None without readings.

    `limits` (milli-°C) are drawn as lines. Two of them are a range, and one alone is the highest allowed; what lies
    beyond is marked.
    """
    if not readings:
        return None
    values = [value for _, value in readings]
    low, high = min(*values, *limits, values[0]) - LIMIT_MARGIN_MC, max(*values, *limits, values[0]) + LIMIT_MARGIN_MC
    start, end = readings[0][0], max(readings[-1][0], readings[0][0] + 1)

    def x(ms: int) -> float:
        return round(LEFT + (ms - start) * (RIGHT - LEFT) / (end - start), 1)

    def y(value: int) -> float:
        return round(BOTTOM - (value - low) * (BOTTOM - TOP) / (high - low), 1)

    parts = _parts(readings)
    lines = [" ".join(f"{x(ms)},{y(value)}" for ms, value in part) for part in parts]
    moments = [start, (start + end) // 2, readings[-1][0]] if len(readings) > 1 else [start]
    return Chart(
        lines=lines,
        limits=[(y(value), celsius(value)) for value in limits],
        breaches=[
            (x(first), round(max(1.0, x(last) - x(first)), 1))
            for part in parts
            for first, last in _breaches(part, limits)
        ],
        ticks=[(x(ms), datetime.fromtimestamp(ms / 1000, zone).strftime("%m-%d %H:%M")) for ms in moments],
        scale=[(y(value), celsius(value)) for value in sorted({min(values), max(values)} - set(limits))],
        lowest=celsius(min(values)),
        highest=celsius(max(values)),
    )


def _breaches(part: Sequence[Reading], limits: Sequence[int]) -> list[tuple[int, int]]:
    """First and last moment of each run of readings beyond the limits."""
    if not limits:
        return []
    low, high = (min(limits), max(limits)) if len(limits) > 1 else (None, limits[0])
    runs = itertools.groupby(part, key=lambda reading: reading[1] > high or (low is not None and reading[1] < low))
    found = [[ms for ms, _ in run] for beyond, run in runs if beyond]
    return [(run[0], run[-1]) for run in found]


def _parts(readings: Sequence[Reading]) -> list[list[Reading]]:
    pauses = [later[0] - earlier[0] for earlier, later in itertools.pairwise(readings)]
    longest = GAP_FACTOR * median(pauses) if pauses else 0
    parts = [[readings[0]]]
    for pause, reading in zip(pauses, readings[1:], strict=True):
        if pause > longest:
            parts.append([])
        parts[-1].append(reading)
    return parts
