"""Exposure as a mergeable value: what a stretch of readings adds up to, without keeping the readings (D2). PURE.

Exposures form a monoid: `merge` is associative and `Exposure()` its identity, so a day is the merge of its hours and a
pack's life the merge of its holders' stretches, in time order, however they are grouped.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import reduce

from . import mkt
from .excursions import GAP_FACTOR, Reading, Side, is_beyond, sampling_interval_s, worst_series


@dataclass(frozen=True)
class Exposure:
    """Seconds known, seconds beyond the limit, and the unbroken runs beyond it at the start, at the end and at best.

    `unknown_s` is time without readings; it breaks every run and is never fine. `rate_seconds` = Σ rate·s of mkt.py.
    `min_mc` / `max_mc` are None where nothing is known.
    """

    seconds: int = 0
    over: int = 0
    prefix_run: int = 0
    suffix_run: int = 0
    best_run: int = 0
    min_mc: int | None = None
    max_mc: int | None = None
    rate_seconds: int = 0
    unknown_s: int = 0

    @property
    def length(self) -> int:
        """Known and unknown seconds together."""
        return self.seconds + self.unknown_s


def merge(a: Exposure, b: Exposure) -> Exposure:
    """The exposure of `a` followed by `b`."""
    return Exposure(
        seconds=a.seconds + b.seconds,
        over=a.over + b.over,
        prefix_run=a.prefix_run + (b.prefix_run if a.prefix_run == a.length else 0),
        suffix_run=b.suffix_run + (a.suffix_run if b.suffix_run == b.length else 0),
        best_run=max(a.best_run, b.best_run, a.suffix_run + b.prefix_run),
        min_mc=min((value for value in (a.min_mc, b.min_mc) if value is not None), default=None),
        max_mc=max((value for value in (a.max_mc, b.max_mc) if value is not None), default=None),
        rate_seconds=a.rate_seconds + b.rate_seconds,
        unknown_s=a.unknown_s + b.unknown_s,
    )


def merge_all(parts: Iterable[Exposure]) -> Exposure:
    """The exposure of all parts, in their order."""
    return reduce(merge, parts, Exposure())


def hold(value_mc: int, seconds: int, *, limit_mc: int, side: Side = "above", strict: bool = True) -> Exposure:
    """One temperature held for `seconds`."""
    over = seconds if is_beyond(value_mc, limit_mc=limit_mc, side=side, strict=strict) else 0
    return Exposure(seconds, over, over, over, over, value_mc, value_mc, mkt.rate(value_mc) * seconds)


def unknown(seconds: int) -> Exposure:
    """Time about which nothing is known."""
    return Exposure(unknown_s=seconds)


def of_readings(
    readings: Sequence[Reading],
    *,
    limit_mc: int,
    side: Side = "above",
    strict: bool = True,
    max_gap_s: int | None = None,
) -> Exposure:
    """The exposure of one logger's series, each reading held until the next (LOCF); a longer gap is unknown time."""
    series = worst_series(readings, side)
    gap_s = GAP_FACTOR * sampling_interval_s(series) if max_gap_s is None else max_gap_s
    parts = []
    for position, (ms, value) in enumerate(series):
        following = series[position + 1][0] if position + 1 < len(series) else ms
        seconds = following // 1000 - ms // 1000  # whole seconds that add up to the whole
        if following - ms <= gap_s * 1000:
            parts.append(hold(value, seconds, limit_mc=limit_mc, side=side, strict=strict))
        else:
            parts += [hold(value, 0, limit_mc=limit_mc, side=side, strict=strict), unknown(seconds)]
    return merge_all(parts)
