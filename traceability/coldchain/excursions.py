"""Excursions in sampled temperatures, with the two bounds that samples can support (rules-and-coldchain.md, D1.4).

A logger that looks every ten minutes cannot say whether the box was warm for 25 or for 35 minutes. A run of readings
beyond the limit therefore carries three durations: `certain` (first to last bad reading), `held` (each reading holds
until the next one, LOCF) and `possible` (good neighbour to good neighbour). Where the neighbours are further apart
than `max_gap_s` nothing is known in between: the run ends there, nothing is held across, and `gaps` names the hole.

PURE. Times are milliseconds since 1970 UTC, temperatures milli-°C, durations whole seconds.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median_low
from typing import Literal

Reading = tuple[int, int]  # (ms, milli-°C)
Interval = tuple[int, int]  # (start_ms, end_ms), half open
Side = Literal["above", "below"]

# A hole is a silence of more than so many sampling intervals, unless the contract says otherwise.
GAP_FACTOR = 3


@dataclass(frozen=True)
class Excursion:
    """One run of consecutive readings beyond a limit.

    `start_ms`..`end_ms` = first and last bad reading (the certain part); `possible_start_ms`..`possible_end_ms` = their
    good neighbours. `extreme_mc` is the worst reading. `unknown_before` / `unknown_after`: no neighbour within the
    maximum gap, so the true run may be longer than `possible_s` says.
    """

    start_ms: int
    end_ms: int
    certain_s: int
    possible_s: int
    extreme_mc: int
    held_s: int = 0
    linear_s: int = 0
    possible_start_ms: int = 0
    possible_end_ms: int = 0
    unknown_before: bool = False
    unknown_after: bool = False

    def certainty(self, limit_s: int) -> Literal["certain", "possible"] | None:
        """Whether the run lasted `limit_s` for certain, possibly, or not (None)."""
        if self.certain_s >= limit_s:
            return "certain"
        return "possible" if self.possible_s >= limit_s else None


@dataclass(frozen=True)
class Gap:
    """A silence longer than allowed between two readings: the temperature in between is unknown, which is not fine."""

    start_ms: int
    end_ms: int

    @property
    def seconds(self) -> int:
        return (self.end_ms - self.start_ms) // 1000


def find_excursions(
    readings: Sequence[Reading],
    *,
    limit_mc: int,
    side: Side,
    limit_s: int,
    strict: bool = True,
    max_gap_s: int | None = None,
) -> list[Excursion]:
    """The runs beyond `limit_mc` that lasted at least `limit_s` seconds, possibly; in time order.

    Ask each for `certainty(limit_s)`. `strict`: a reading exactly at the limit is still good (Fridge-tag 2 L; WHO PQS
    TR07 is inclusive: strict=False). `max_gap_s` None = three sampling intervals. Readings may come in any order; of
    several at one time the worst counts. Give each logger's series by itself: two interleaved probes break runs.
    """
    series = worst_series(readings, side)
    gap_ms = _gap_ms(series, max_gap_s)
    found = (
        _measure(series, first, last, limit_mc, gap_ms, side)
        for first, last in _runs(series, limit_mc, side, strict, gap_ms)
    )
    return [excursion for excursion in found if excursion.possible_s >= limit_s]


def gaps(
    readings: Sequence[Reading],
    *,
    max_gap_s: int | None = None,
    start_ms: int | None = None,
    end_ms: int | None = None,
) -> list[Gap]:
    """The silences longer than `max_gap_s`; with `start_ms` / `end_ms` also those at the ends of that window."""
    times = sorted({ms for ms, _ in readings})
    gap_ms = _gap_ms([(ms, 0) for ms in times], max_gap_s)
    marks = [*([] if start_ms is None else [start_ms]), *times, *([] if end_ms is None else [end_ms])]
    return [Gap(before, after) for before, after in pairwise(marks) if after - before > gap_ms]


def held_intervals(
    readings: Sequence[Reading],
    *,
    limit_mc: int,
    side: Side,
    strict: bool = True,
    max_gap_s: int | None = None,
) -> list[Interval]:
    """When the limit was exceeded by LOCF: each run from its first bad reading to the good one after its last."""
    series = worst_series(readings, side)
    gap_ms = _gap_ms(series, max_gap_s)
    return [
        (series[first][0], _held_end(series, last, gap_ms))
        for first, last in _runs(series, limit_mc, side, strict, gap_ms)
    ]


def cumulative_s(intervals: Sequence[Interval], *, start_ms: int, end_ms: int) -> int:
    """Seconds of `intervals` inside the window; the window is the reset policy (a local day, a shipment, a life)."""
    return sum(max(0, min(end, end_ms) - max(start, start_ms)) for start, end in intervals) // 1000


def reached_ms(intervals: Sequence[Interval], *, limit_s: int, start_ms: int, end_ms: int) -> int | None:
    """The moment at which the cumulative time inside the window came to `limit_s`, or None if it never did."""
    left = limit_s * 1000
    for start, end in sorted(intervals):
        begin, stop = max(start, start_ms), min(end, end_ms)
        if stop - begin >= left:
            return begin + left
        left -= max(0, stop - begin)
    return None


def sampling_interval_s(readings: Sequence[Reading]) -> int:
    """The usual distance of two readings: the lower median, which a few holes do not move; 0 for fewer than two."""
    times = sorted({ms for ms, _ in readings})
    steps = [after - before for before, after in pairwise(times)]
    return median_low(steps) // 1000 if steps else 0


def worst_series(readings: Sequence[Reading], side: Side) -> list[Reading]:
    """The readings in time order, one per moment: the one furthest out on `side`."""
    worst = max if side == "above" else min
    series: dict[int, int] = {}
    for ms, value in readings:
        series[ms] = worst(value, series[ms]) if ms in series else value
    return sorted(series.items())


def is_beyond(value_mc: int, *, limit_mc: int, side: Side, strict: bool) -> bool:
    """Whether one reading breaks the limit."""
    if value_mc == limit_mc:
        return not strict
    return value_mc > limit_mc if side == "above" else value_mc < limit_mc


def _gap_ms(series: Sequence[Reading], max_gap_s: int | None) -> int:
    return (GAP_FACTOR * sampling_interval_s(series) if max_gap_s is None else max_gap_s) * 1000


def _runs(series: Sequence[Reading], limit_mc: int, side: Side, strict: bool, gap_ms: int) -> Iterator[tuple[int, int]]:
    """First and last position of each run of bad readings that no gap interrupts."""
    first: int | None = None
    for i, (ms, value) in enumerate(series):
        if first is not None and ms - series[i - 1][0] > gap_ms:
            yield first, i - 1
            first = None
        bad = is_beyond(value, limit_mc=limit_mc, side=side, strict=strict)
        if bad and first is None:
            first = i
        elif not bad and first is not None:
            yield first, i - 1
            first = None
    if first is not None:
        yield first, len(series) - 1


def _measure(series: Sequence[Reading], first: int, last: int, limit_mc: int, gap_ms: int, side: Side) -> Excursion:
    start, end = series[first][0], series[last][0]
    known_before = first > 0 and start - series[first - 1][0] <= gap_ms
    known_after = last + 1 < len(series) and series[last + 1][0] - end <= gap_ms
    earliest = series[first - 1][0] if known_before else start
    latest = series[last + 1][0] if known_after else end
    crossed_in = _crossing(series[first - 1], series[first], limit_mc) if known_before else start
    crossed_out = _crossing(series[last], series[last + 1], limit_mc) if known_after else end
    values = [value for _, value in series[first : last + 1]]
    return Excursion(
        start_ms=start,
        end_ms=end,
        certain_s=(end - start) // 1000,
        possible_s=-((earliest - latest) // 1000),  # rounded up: it is an upper bound
        extreme_mc=max(values) if side == "above" else min(values),
        held_s=(latest - start) // 1000,
        linear_s=(crossed_out - crossed_in) // 1000,
        possible_start_ms=earliest,
        possible_end_ms=latest,
        unknown_before=not known_before,
        unknown_after=not known_after,
    )


def _held_end(series: Sequence[Reading], last: int, gap_ms: int) -> int:
    """The reading after `last` ends the hold, if it is near enough to speak for the time before it."""
    if last + 1 < len(series) and series[last + 1][0] - series[last][0] <= gap_ms:
        return series[last + 1][0]
    return series[last][0]


def _crossing(before: Reading, after: Reading, limit_mc: int) -> int:
    """When a straight line between two readings meets the limit (ms, rounded down)."""
    if after[1] == before[1]:
        return after[0]
    return before[0] + (after[0] - before[0]) * (limit_mc - before[1]) // (after[1] - before[1])
