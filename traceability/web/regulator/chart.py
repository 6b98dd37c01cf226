"""A temperature chart as SVG coordinates: line, limit, the stretches beyond it. Pure.

Gaps stay gaps: the line ends where the logger was silent for more than three of its intervals.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median_low

Reading = tuple[int, int]  # (ms, milli-°C)
WIDTH, HEIGHT, LEFT, BOTTOM, TOP = 640, 240, 46, 24, 10


@dataclass(frozen=True)
class Chart:
    """What the template draws; coordinates in the view box."""

    width: int
    height: int
    lines: list[str]  # points of polylines
    limit_y: float
    limit_text: str
    breaches: list[tuple[float, float]]  # x and width
    ticks: list[tuple[float, str]]  # y and temperature
    start_ms: int
    end_ms: int


def draw(readings: Sequence[Reading], *, limit_mc: int, above: bool) -> Chart | None:
    """The chart of a series around its limit, or None without readings."""
    if len(readings) < 2:
        return None
    start, end = readings[0][0], readings[-1][0]
    low = min(limit_mc, *(value for _, value in readings)) - 1_000
    high = max(limit_mc, *(value for _, value in readings)) + 1_000

    def x(ms: int) -> float:
        return round(LEFT + (WIDTH - LEFT) * (ms - start) / (end - start or 1), 1)

    def y(milli: int) -> float:
        return round(TOP + (HEIGHT - TOP - BOTTOM) * (high - milli) / (high - low), 1)

    parts = _parts(readings)
    return Chart(
        width=WIDTH,
        height=HEIGHT,
        lines=[" ".join(f"{x(ms)},{y(value)}" for ms, value in part) for part in parts],
        limit_y=y(limit_mc),
        limit_text=f"{limit_mc / 1000:.1f} °C",
        breaches=[(x(first), max(1.0, x(last) - x(first))) for first, last in _breaches(parts, limit_mc, above)],
        ticks=[(y(step), f"{step // 1000}") for step in _ticks(low, high)],
        start_ms=start,
        end_ms=end,
    )


def _parts(readings: Sequence[Reading]) -> list[list[Reading]]:
    interval = median_low([later[0] - earlier[0] for earlier, later in itertools.pairwise(readings)])
    parts = [[readings[0]]]
    for earlier, later in itertools.pairwise(readings):
        if later[0] - earlier[0] > 3 * max(interval, 1):
            parts.append([])
        parts[-1].append(later)
    return parts


def _breaches(parts: Sequence[Sequence[Reading]], limit_mc: int, above: bool) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    for part in parts:
        run: list[int] = []
        for ms, value in [*part, (part[-1][0], limit_mc)]:
            if (value > limit_mc) if above else (value < limit_mc):
                run.append(ms)
            elif run:
                found.append((run[0], run[-1]))
                run = []
    return found


def _ticks(low: int, high: int) -> list[int]:
    step = next(step for step in (1_000, 2_000, 5_000, 10_000, 20_000, 50_000) if (high - low) / step <= 7)
    return [value for value in range(low // step * step, high, step) if value > low]
