"""Temperatures in EPCIS sensor elements, and the event that we build for a logger file."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from traceability.coldchain import loggers, sensor_event, sensors
from traceability.coldchain.sensor_event import Binding, Source
from traceability.epcis.validation import validate_document

from . import berlinger_files as made

SHANGHAI = ZoneInfo("Asia/Shanghai")
SSCC = "https://id.gs1.org/00/095211012345678905"


@pytest.mark.parametrize(
    ("value", "uom", "expected"),
    [
        (5.1, "CEL", 5100),
        (-0.5, "CEL", -500),
        (26, "CEL", 26000),
        (0.0005, "CEL", 0),  # halves to even
        (0.0015, "CEL", 2),
        (46.4, "FAH", 8000),
        (35.6, "FAH", 2000),
        (33, "FAH", 556),
        (278.15, "KEL", 5000),
        (0, "KEL", -273150),
        (Decimal("8.001"), "CEL", 8001),
        ("8.001", "CEL", 8001),
        (5.1, "C", None),
        (5.1, None, None),
        ("warm", "CEL", None),
        (True, "CEL", None),
        (float("inf"), "CEL", None),
        (1e12, "CEL", None),
        (None, "CEL", None),
    ],
)
def test_units_become_milli_celsius(value: object, uom: object, expected: int | None) -> None:
    assert sensors.milli_celsius(value, uom) == expected


def test_times_come_from_the_report_the_metadata_or_the_event() -> None:
    report = {"type": "Temperature", "value": 5.1, "uom": "CEL"}
    elements = [
        {"sensorReport": [report]},
        {"sensorMetadata": {"time": "2026-11-01T08:00:00Z", "deviceID": "urn:x:1"}, "sensorReport": [report]},
        {"sensorReport": [{**report, "time": "2026-11-01T17:00:00+08:00", "type": "gs1:Temperature"}]},
    ]
    data = sensors.read(elements, event_time_ms=7)
    eight = int(datetime(2026, 11, 1, 8, tzinfo=UTC).timestamp() * 1000)
    assert data.readings == {"": [(7, 5100), (eight + 3_600_000, 5100)], "urn:x:1": [(eight, 5100)]}
    assert data.summaries == []


def test_other_quantities_are_passed_over() -> None:
    report = {"type": "RelativeHumidity", "value": 55, "uom": "A93"}
    assert sensors.read([{"sensorReport": [report]}, {}], event_time_ms=7) == sensors.SensorData()


def test_a_foreign_summary_is_kept_without_readings() -> None:
    element = {
        "sensorMetadata": {"startTime": "1970-01-01T00:00:01Z", "endTime": "1970-01-01T00:00:03Z"},
        "sensorReport": [{"type": "Temperature", "minValue": 2.1, "maxValue": 9, "uom": "CEL"}],
    }
    (summary,) = sensors.read([element], event_time_ms=9000).summaries
    assert (summary.start_ms, summary.end_ms, summary.min_mc, summary.max_mc) == (1000, 3000, 2100, 9000)


def event_of(content: bytes, **window: int) -> dict:
    recording = loggers.parse(content, zone=SHANGHAI)
    counted = sensor_event.window(recording, SHANGHAI, start_ms=window.get("start_ms"), end_ms=window.get("end_ms"))
    assert counted is not None
    source = Source(
        "urn:dosetrail:party:x", "ab" * 32, "https://x.example/f", "urn:dosetrail:device:d", "Asia/Shanghai"
    )
    return sensor_event.build(recording, source, Binding(SSCC, ""), counted, SHANGHAI)


def test_the_event_of_a_file() -> None:
    event = event_of(made.q_tag())
    assert event["eventTime"] == "2026-03-01T09:30:00.000+08:00"
    assert (event["eventTimeZoneOffset"], event["bizStep"]) == ("+08:00", "sensor_reporting")
    assert event["epcList"] == [SSCC]
    (element,) = event["sensorElementList"]
    assert element["sensorMetadata"]["dosetrail:rawDataHash"] == "ab" * 32
    assert element["sensorMetadata"]["startTime"] == "2026-03-01T01:00:00.000Z"
    (report,) = element["sensorReport"]
    assert (report["minValue"], report["maxValue"], report["meanValue"]) == (5.0, 9.4, 7.433)
    assert "exception" not in report  # the device's alarm came after the last reading of this window


def test_the_event_reads_back_as_its_own_summary() -> None:
    data = sensors.read(event_of(made.q_tag())["sensorElementList"], event_time_ms=0)
    assert data.readings == {}
    (summary,) = data.summaries
    assert (summary.sha256, summary.time_zone, summary.min_mc, summary.max_mc) == (
        "ab" * 32,
        "Asia/Shanghai",
        5000,
        9400,
    )


def test_a_file_of_days_covers_them_and_repeats_the_alarm() -> None:
    (element,) = event_of(made.fridge_tag())["sensorElementList"]
    assert element["sensorMetadata"]["startTime"] == "2026-02-28T16:00:00.000Z"  # midnight in Shanghai
    assert element["sensorMetadata"]["endTime"] == "2026-03-02T02:00:00.000Z"
    (report,) = element["sensorReport"]
    assert (report["minValue"], report["maxValue"], report["exception"]) == (-1.5, 6.2, "ALARM_CONDITION")


def test_the_window_narrows_what_counts() -> None:
    start = int(datetime(2026, 3, 1, 1, 5, tzinfo=UTC).timestamp() * 1000)
    (element,) = event_of(made.q_tag(), start_ms=start)["sensorElementList"]
    assert element["sensorMetadata"]["startTime"] == "2026-03-01T01:20:00.000Z"
    assert element["sensorReport"][0]["minValue"] == 7.9
    recording = loggers.parse(made.q_tag(), zone=SHANGHAI)
    assert sensor_event.window(recording, SHANGHAI, start_ms=start + 10**9, end_ms=None) is None


def test_the_same_upload_has_the_same_event_id() -> None:
    assert event_of(made.q_tag())["eventID"] == event_of(made.q_tag())["eventID"]
    start = int(datetime(2026, 3, 1, 1, 5, tzinfo=UTC).timestamp() * 1000)
    assert event_of(made.q_tag())["eventID"] != event_of(made.q_tag(), start_ms=start)["eventID"]


def test_a_csv_without_a_name_goes_by_its_file() -> None:
    recording = loggers.parse(b"timestamp,temperature_c\n2026-11-01T08:00:00Z,5.1\n", zone=UTC)
    assert sensor_event.device_uri(recording, "SIM-000123.csv") == "urn:dosetrail:device:csv:SIM-000123"
    assert sensor_event.device_uri(recording, "冷 1") == "urn:dosetrail:device:csv:%E5%86%B7%201"


@pytest.mark.parametrize(("epc", "place"), [(SSCC, ""), (SSCC, "urn:dosetrail:site:x"), ("", "urn:dosetrail:site:x")])
@pytest.mark.parametrize("content", [made.q_tag(), made.fridge_tag()], ids=["readings", "days"])
def test_the_event_is_valid_epcis(content: bytes, epc: str, place: str) -> None:
    recording = loggers.parse(content, zone=SHANGHAI)
    counted = sensor_event.window(recording, SHANGHAI, start_ms=None, end_ms=None)
    assert counted is not None
    source = Source("urn:dosetrail:party:x", "ab" * 32, "https://x.example/f", "urn:dosetrail:device:d", "UTC")
    event = sensor_event.build(recording, source, Binding(epc, place), counted, SHANGHAI)
    document = {
        "@context": event["@context"],
        "type": "EPCISDocument",
        "schemaVersion": "2.0",
        "creationDate": "2026-03-03T00:00:00Z",
        "epcisBody": {"eventList": [event]},
    }
    assert validate_document(json.loads(json.dumps(document)), cbv_compliant=True) == []
