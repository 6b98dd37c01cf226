"""The EPCIS event that puts a logger file on the log: one summary, the file's address and its hash. PURE."""

import hashlib
import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any
from urllib.parse import quote

from .excursions import Reading
from .loggers.localtime import to_ms
from .loggers.model import Recording
from .sensors import NAMESPACE, RAW_DATA_HASH, TIME_ZONE

CONTEXT = "https://ref.gs1.org/standards/epcis/epcis-context.jsonld"
DEVICE_NAMESPACE = "urn:dosetrail:device:"


@dataclass(frozen=True)
class Binding:
    """What a recording is about: the item or container `epc` it rode with (or ""), and the `place` (site URI or "")."""

    epc: str
    place: str

    @property
    def holder(self) -> str:
        """Whose temperature it is: the item's if there is one, else the place's."""
        return self.epc or self.place


@dataclass(frozen=True)
class Window:
    """The part of a recording that counts for the holder, milliseconds UTC, both ends included."""

    start_ms: int
    end_ms: int

    def clip(self, readings: tuple[Reading, ...]) -> tuple[Reading, ...]:
        """The readings inside the window."""
        return tuple(reading for reading in readings if self.start_ms <= reading[0] <= self.end_ms)


@dataclass(frozen=True)
class Source:
    """The file itself: who uploaded it (party URI), its SHA-256, its public address, its device, its zone's name."""

    party: str
    sha256: str
    url: str
    device: str
    time_zone: str


def window(recording: Recording, zone: tzinfo, *, start_ms: int | None, end_ms: int | None) -> Window | None:
    """The window asked for within what the recording covers; None if nothing of it is inside.

    A Fridge-tag 2 keeps days only: its recording runs from the first day's midnight to the read-out.
    """
    if recording.readings:
        first, last = recording.readings[0][0], recording.readings[-1][0]
    elif recording.days and recording.created_ms is not None:
        day = recording.days[0].date
        first, last = to_ms(datetime(day.year, day.month, day.day, tzinfo=zone)), recording.created_ms
    else:
        return None
    found = Window(max(first, first if start_ms is None else start_ms), min(last, last if end_ms is None else end_ms))
    if recording.readings:
        inside = found.clip(recording.readings)
        return Window(inside[0][0], inside[-1][0]) if inside else None
    return found if found.start_ms <= found.end_ms else None


def device_uri(recording: Recording, filename: str) -> str:
    """The logger's URI: maker or format and serial; a CSV without one goes by its file name."""
    maker = "berlinger" if recording.format == "berlinger" else "csv"
    serial = recording.serial or filename.rpartition("/")[2].rpartition(".")[0] or filename
    return f"{DEVICE_NAMESPACE}{maker}:{quote(serial[:64], safe='')}"


def event_id(event: Mapping[str, Any], party: str) -> str:
    """The eventID (UUID version 8) of an event without one: the same upload gets the same, so a retry is recognised."""
    content = json.dumps(event, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    digest = bytearray(hashlib.sha256(f"dosetrail/logger-file/1\n{party}\n{content}".encode()).digest()[:16])
    digest[6] = digest[6] & 0x0F | 0x80
    digest[8] = digest[8] & 0x3F | 0x80
    return f"urn:uuid:{uuid.UUID(bytes=bytes(digest))}"


def build(recording: Recording, source: Source, binding: Binding, counted: Window, zone: tzinfo) -> dict[str, Any]:
    """An ObjectEvent `sensor_reporting` whose one sensor element sums up the recording.

    eventTime = end of the window. rawData names the file; its hash stands beside it and so inside the commitment.
    """
    end = datetime.fromtimestamp(counted.end_ms / 1000, zone)
    event: dict[str, Any] = {
        "@context": [CONTEXT, {"dosetrail": NAMESPACE}],
        "type": "ObjectEvent",
        "eventTime": end.isoformat(timespec="milliseconds"),
        "eventTimeZoneOffset": _offset(end),
        "action": "OBSERVE",
        "bizStep": "sensor_reporting",
        "epcList": [binding.epc] if binding.epc else [],
        "sensorElementList": [_element(recording, source, counted)],
    }
    if binding.place:
        event["readPoint"] = {"id": binding.place}
    if binding.place and not binding.epc:
        event["bizLocation"] = {"id": binding.place}
    return {**event, "eventID": event_id(event, source.party)}


def _element(recording: Recording, source: Source, counted: Window) -> dict[str, Any]:
    values = [value for _, value in counted.clip(recording.readings)]
    report: dict[str, Any] = {"type": "Temperature", "uom": "CEL"}
    if values:
        report |= {"minValue": _celsius(min(values)), "maxValue": _celsius(max(values))}
        report["meanValue"] = _celsius(round(sum(values) / len(values)))
    else:
        report["minValue"] = _celsius(min(day.min_mc for day in recording.days))
        report["maxValue"] = _celsius(max(day.max_mc for day in recording.days))
    if any(counted.start_ms <= alarm.alarm_ms <= counted.end_ms for alarm in recording.alarms):
        report["exception"] = "ALARM_CONDITION"
    metadata = {
        "startTime": _iso(counted.start_ms),
        "endTime": _iso(counted.end_ms),
        "deviceID": source.device,
        "rawData": source.url,
        RAW_DATA_HASH: source.sha256,
        TIME_ZONE: source.time_zone,
        "dosetrail:signature": recording.signature.verdict,
    }
    return {"sensorMetadata": metadata, "sensorReport": [report]}


def _celsius(value_mc: int) -> float:
    return value_mc / 1000


def _iso(ms: int) -> str:
    moment = datetime.fromtimestamp(ms / 1000, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _offset(moment: datetime) -> str:
    minutes = (moment.utcoffset() or timedelta(0)) // timedelta(minutes=1)
    return f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02d}:{abs(minutes) % 60:02d}"
