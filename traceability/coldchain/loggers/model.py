"""What a logger file says, whatever its maker: readings in UTC, the device's limits, alarms and signature. PURE."""

from dataclasses import dataclass, field
from datetime import date
from typing import Literal

from traceability.coldchain.excursions import Reading, Side

Clock = Literal["utc", "wall", "fixed"]
Mode = Literal["consecutive", "cumulative"]
Verdict = Literal["matches-known-key", "matches", "does-not-match", "absent"]


def _(text: str) -> str:
    """Mark a sentence for the catalogue; `coldchain.wording` puts it in the reader's language."""
    return text


class LoggerError(Exception):
    """The bytes are not a logger file that we read.

    `code` is stable; `template` with `params` filled in (= `detail`) says what to do, for people; `line` counts from 1.
    """

    def __init__(self, code: str, template: str, *, line: int | None = None, **params: object) -> None:
        self.code = code
        self.template = template
        self.params = params
        self.detail = template.format(**params)
        self.line = line
        super().__init__(self.detail if line is None else f"line {line}: {self.detail}")


@dataclass(frozen=True)
class Limit:
    """An alarm limit set in the device. `number` is the device's own; temperature milli-°C, duration seconds."""

    number: int
    side: Side
    limit_mc: int
    limit_s: int
    mode: Mode


@dataclass(frozen=True)
class DeviceAlarm:
    """An alarm that the device itself raised, as it reported it; we repeat it and never correct it.

    `seconds` is the device's count of the time beyond the limit: of this alarm or, for a day's cumulative count, of
    the day. Times are milliseconds UTC; None where the device says nothing.
    """

    limit: Limit
    alarm_ms: int
    seconds: int
    start_ms: int | None = None
    end_ms: int | None = None
    extreme_mc: int | None = None


@dataclass(frozen=True)
class Day:
    """A day's summary in the device's own calendar. `beyond_s`: (limit number, seconds beyond it), alarm or not."""

    date: date
    min_mc: int
    max_mc: int
    mean_mc: int
    beyond_s: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Signature:
    """What the file's signature says. A match proves "signed by this lot's key"; the key names a lot, not a device.

    `key_id` = first 16 hex digits of SHA-256 of the public key's bytes as printed in the file. The certificate's own
    signer is unknown to us: a known key is one pinned by (issuer, lot); any other match only says that file and key
    in it belong together.
    """

    verdict: Verdict
    key_id: str = ""
    issuer: str = ""
    lot: str = ""


@dataclass(frozen=True)
class Recording:
    """A parsed logger file. `readings` are in time order; `missing` counts samples that the device could not take.

    `clock`: how local times became UTC: "utc" (the file says offsets), "wall" (the zone's wall clock) or "fixed" (the
    device's clock kept the offset of its first reading); see loggers/localtime.py. `printed` = figures the device
    printed (MKT, mean), milli-°C: loggers truncate them and use their own activation energy, so compare, never copy.
    """

    format: Literal["berlinger", "plain-csv"]
    model: str
    serial: str
    readings: tuple[Reading, ...]
    clock: Clock
    signature: Signature
    created_ms: int | None = None
    limits: tuple[Limit, ...] = ()
    alarms: tuple[DeviceAlarm, ...] = ()
    days: tuple[Day, ...] = ()
    interval_s: int | None = None
    missing: int = 0
    mkt_energy_j: int | None = None
    printed: dict[str, int] = field(default_factory=dict)


def is_computable(moment: date) -> bool:
    """Whether a time lies in years that every zone and calendar can compute with; no logger is older."""
    return 1900 <= moment.year <= 9998
