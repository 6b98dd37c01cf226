"""Temperatures in the sensorElementList of an EPCIS 2.0 event: single values and summaries of a logger file. PURE.

EPCIS 2.0, section 7.3.7; CBV measurement type Temperature; units CEL, FAH, KEL (UN/ECE Recommendation 20).
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation
from typing import Any

from .excursions import Reading
from .loggers.localtime import to_ms

# Our extension of sensorMetadata: SHA-256 (lower-case hex) of the file that rawData names, and the zone of its clock.
RAW_DATA_HASH = "dosetrail:rawDataHash"
TIME_ZONE = "dosetrail:timeZone"
NAMESPACE = "https://ns.dosetrail.org/epcis/"

_TEMPERATURE = {
    "Temperature",
    "gs1:Temperature",
    "https://gs1.org/voc/Temperature",
    "https://www.gs1.org/voc/Temperature",
}
_SHA256 = re.compile(r"[0-9a-f]{64}")
_FREEZING_K = Decimal("273.15")


@dataclass(frozen=True)
class FileSummary:
    """A sensor element that stands for a logger file: which file, read with which zone, which part of it counts."""

    sha256: str
    time_zone: str
    device: str
    start_ms: int
    end_ms: int
    min_mc: int | None
    max_mc: int | None


@dataclass(frozen=True)
class SensorData:
    """What one event's sensor elements say about temperature: readings per device, and file summaries."""

    readings: dict[str, list[Reading]] = field(default_factory=dict)
    summaries: list[FileSummary] = field(default_factory=list)


def read(elements: Sequence[Mapping[str, Any]], *, event_time_ms: int) -> SensorData:
    """The temperatures of an event's `sensorElementList`; reports of other quantities and units are passed over.

    A report without a time of its own or in the metadata was taken at `event_time_ms`. A summary (min, max) is kept
    even without a file hash: it proves how cold and how warm it got, though not when.
    """
    data = SensorData()
    for element in elements:
        metadata = element.get("sensorMetadata") or {}
        low: list[int] = []
        high: list[int] = []
        for report in element.get("sensorReport") or []:
            if report.get("type") not in _TEMPERATURE:
                continue
            _keep_value(data, report, metadata, event_time_ms)
            low += _optional(report, "minValue")
            high += _optional(report, "maxValue")
        if low or high or RAW_DATA_HASH in metadata:
            data.summaries.append(_summary(metadata, low, high, event_time_ms))
    return data


def milli_celsius(value: object, uom: object) -> int | None:
    """A measured value in milli-°C, or None if value or unit cannot be read.

    Exact in decimal arithmetic; what is finer than a thousandth is rounded to the nearest, half even.
    """
    if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
        return None
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return None
    if not number.is_finite() or abs(number) > 100_000:
        return None
    if uom == "FAH":
        number = (number - 32) * 5 / 9
    elif uom == "KEL":
        number -= _FREEZING_K
    elif uom != "CEL":
        return None
    return int((number * 1000).quantize(Decimal(1), rounding=ROUND_HALF_EVEN))


def iso_ms(text: object) -> int | None:
    """Milliseconds since 1970 of an ISO 8601 time with offset, or None."""
    if not isinstance(text, str):
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return None if moment.tzinfo is None else to_ms(moment)


def _keep_value(data: SensorData, report: Mapping[str, Any], metadata: Mapping[str, Any], event_time_ms: int) -> None:
    value = milli_celsius(report.get("value"), report.get("uom"))
    if value is None:
        return
    own, shared = iso_ms(report.get("time")), iso_ms(metadata.get("time"))
    at_ms = own if own is not None else shared if shared is not None else event_time_ms
    device = _device(report) or _device(metadata)
    data.readings.setdefault(device, []).append((at_ms, value))


def _summary(metadata: Mapping[str, Any], low: list[int], high: list[int], event_time_ms: int) -> FileSummary:
    sha256 = str(metadata.get(RAW_DATA_HASH, ""))
    start, end = iso_ms(metadata.get("startTime")), iso_ms(metadata.get("endTime"))
    return FileSummary(
        sha256=sha256 if _SHA256.fullmatch(sha256) else "",
        time_zone=str(metadata.get(TIME_ZONE, "UTC")),
        device=_device(metadata),
        start_ms=event_time_ms if start is None else start,
        end_ms=event_time_ms if end is None else end,
        min_mc=min(low, default=None),
        max_mc=max(high, default=None),
    )


def _device(source: Mapping[str, Any]) -> str:
    """The device's URI; without NUL, which no text column of PostgreSQL takes."""
    return str(source.get("deviceID") or "").replace("\0", "")


def _optional(report: Mapping[str, Any], name: str) -> list[int]:
    value = milli_celsius(report.get(name), report.get("uom"))
    return [] if value is None else [value]
