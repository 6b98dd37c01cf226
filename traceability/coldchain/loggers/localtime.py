"""From a logger's naive local times to UTC, across changes to and from summer time. PURE.

A logger's clock has no zone. We know the site's zone, but not whether somebody (or the read-out software) moved the
device's clock when summer time began or ended. Two readings of one file are possible:

- `wall`: the device showed the site's wall clock. In the hour that comes twice, times that go back mark its second
  pass. A time inside the hour that never was rules this reading out.
- `fixed`: the device's clock ran on with the offset that the zone had at the first reading.

Where the file crosses no change both are the same (`wall`). Where it does, the regular sampling tells: the reading
with fewer irregular steps wins, `wall` on a tie. Where neither gives strictly increasing times the file is refused:
a clock that was turned back makes every duration a guess.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from itertools import pairwise
from statistics import median_low
from typing import Literal

from .model import LoggerError, _

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


@dataclass(frozen=True)
class LocalClock:
    """How one file's local times are read; `offset` is set for a fixed clock."""

    mode: Literal["wall", "fixed"]
    zone: tzinfo
    offset: timedelta | None = None

    def ms(self, local: datetime) -> int:
        """Milliseconds UTC of a naive local time (for one in a doubled hour: its first pass)."""
        if self.offset is not None:
            return _fixed_ms(local, self.offset)
        return to_ms(local.replace(tzinfo=self.zone))


def to_ms(moment: datetime) -> int:
    """Milliseconds since 1970 of an aware time."""
    return (moment - _EPOCH) // _MILLISECOND


def resolve(locals_: Sequence[datetime], zone: tzinfo) -> tuple[LocalClock, list[int]]:
    """The clock that fits the naive times of a file, and their milliseconds UTC.

    Raises LoggerError("logger.time-order") if no reading of the clock gives strictly increasing times.
    """
    if not locals_:
        return LocalClock("wall", zone), []
    offset = locals_[0].replace(tzinfo=zone).utcoffset() or timedelta(0)
    fixed = [_fixed_ms(local, offset) for local in locals_]
    wall = _wall_series(locals_, zone)
    candidates = [
        (_irregular(series), order, clock, series)
        for order, (clock, series) in enumerate(
            [(LocalClock("wall", zone), wall), (LocalClock("fixed", zone, offset), fixed)]
        )
        if series is not None and all(before < after for before, after in pairwise(series))
    ]
    if not candidates:
        raise LoggerError(
            "logger.time-order",
            _(
                "The times in this file go back or repeat: the logger's clock was changed during the recording. "
                "Split the recording at the change and upload the parts."
            ),
        )
    *_rank, clock, series = min(candidates, key=lambda candidate: candidate[:2])
    return clock, series


def _wall_series(locals_: Sequence[datetime], zone: tzinfo) -> list[int] | None:
    """Milliseconds by the zone's wall clock, or None if one of the times never was."""
    series: list[int] = []
    for local in locals_:
        moment = local.replace(tzinfo=zone)
        ms = to_ms(moment)
        if series and ms <= series[-1]:
            ms = to_ms(moment.replace(fold=1))  # the second pass through the doubled hour
        if moment.astimezone(UTC).astimezone(zone).replace(tzinfo=None, fold=0) != local:
            return None
        series.append(ms)
    return series


def _fixed_ms(local: datetime, offset: timedelta) -> int:
    return to_ms(local.replace(tzinfo=UTC)) - offset // _MILLISECOND


def _irregular(series: Sequence[int]) -> int:
    steps = [after - before for before, after in pairwise(series)]
    usual = median_low(steps) if steps else 0
    return sum(step != usual for step in steps)
