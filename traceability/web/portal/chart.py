"""A temperature curve as SVG geometry. Pure: readings and limits in, coordinates and labels out."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import median
from zoneinfo import ZoneInfo

Reading = tuple[int, int]  # (ms, milli-°C)
WIDTH, HEIGHT = 640, 240
LEFT, RIGHT, TOP, BOTTOM = 48, 632, 12, 208
GAP_FACTOR = 5  # a pause longer than this many usual pauses is drawn as a gap
LIMIT_MARGIN_MC = 1000


@dataclass(frozen=True)
class Chart:
    """What the template draws; all coordinates in the view box."""

    lines: Sequence[str]  # points of a polyline each; a gap lies between two
    limits: Sequence[tuple[float, str]]  # y and label
    ticks: Sequence[tuple[float, str]]  # x and label
    scale: Sequence[tuple[float, str]]  # y and label of the lowest and highest reading
    lowest: str
    highest: str


def draw(readings: Sequence[Reading], *, limits: Sequence[int], zone: ZoneInfo) -> Chart | None:
    """The curve of readings in time order, with horizontal limits (milli-°C); None without readings."""
    if not readings:
        return None
    values = [value for _, value in readings]
    low, high = min(*values, *limits, values[0]) - LIMIT_MARGIN_MC, max(*values, *limits, values[0]) + LIMIT_MARGIN_MC
    start, end = readings[0][0], max(readings[-1][0], readings[0][0] + 1)

    def x(ms: int) -> float:
        return round(LEFT + (ms - start) * (RIGHT - LEFT) / (end - start), 1)

    def y(value: int) -> float:
        return round(BOTTOM - (value - low) * (BOTTOM - TOP) / (high - low), 1)

    lines = [" ".join(f"{x(ms)},{y(value)}" for ms, value in part) for part in _parts(readings)]
    moments = [start, (start + end) // 2, readings[-1][0]] if len(readings) > 1 else [start]
    return Chart(
        lines=lines,
        limits=[(y(value), celsius(value)) for value in limits],
        ticks=[(x(ms), datetime.fromtimestamp(ms / 1000, zone).strftime("%m-%d %H:%M")) for ms in moments],
        scale=[(y(value), celsius(value)) for value in sorted({min(values), max(values)} - set(limits))],
        lowest=celsius(min(values)),
        highest=celsius(max(values)),
    )


def celsius(milli: int) -> str:
    """`−0.5 °C`, with as many decimals as it has, one at least."""
    sign, rest = ("−" if milli < 0 else ""), abs(milli)
    return f"{sign}{rest // 1000}.{f'{rest % 1000:03d}'.rstrip('0') or '0'} °C"


def _parts(readings: Sequence[Reading]) -> list[list[Reading]]:
    pauses = [later[0] - earlier[0] for earlier, later in itertools.pairwise(readings)]
    longest = GAP_FACTOR * median(pauses) if pauses else 0
    parts = [[readings[0]]]
    for pause, reading in zip(pauses, readings[1:], strict=True):
        if pause > longest:
            parts.append([])
        parts[-1].append(reading)
    return parts
