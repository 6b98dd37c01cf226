"""Stability budget: how much of the time allowed outside storage conditions is used up (D1.2). PURE.

The allowance per band is the marketing authorisation holder's; we only draw it down, over every leg of a pack's life.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Band:
    """Temperatures above `over_mc` up to and including `upto_mc`, allowed for `allowed_s` seconds in a pack's life."""

    over_mc: int
    upto_mc: int
    allowed_s: int


@dataclass(frozen=True)
class Drawdown:
    """Seconds used per band, and the share of each band and of all together in ppm (each rounded down)."""

    used_s: tuple[int, ...]
    used_ppm: tuple[int, ...]

    @property
    def total_ppm(self) -> int:
        """The additive share: 1,000,000 and more = the budget is used up."""
        return sum(self.used_ppm)


def draw(parts: Iterable[tuple[int, int]], bands: Sequence[Band]) -> Drawdown:
    """What (milli-°C, seconds) parts use of the bands."""
    used = [0] * len(bands)
    for value_mc, seconds in parts:
        for position, band in enumerate(bands):
            if band.over_mc < value_mc <= band.upto_mc:
                used[position] += seconds
    shares = (seconds * 1_000_000 // band.allowed_s for seconds, band in zip(used, bands, strict=True))
    return Drawdown(tuple(used), tuple(shares))
