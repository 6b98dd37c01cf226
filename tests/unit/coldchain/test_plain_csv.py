"""The plain CSV profile: one spelling, and every other one refused with its line."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from traceability.coldchain import loggers
from traceability.coldchain.loggers.model import LoggerError

HEADER = "timestamp,temperature_c\n"
SHANGHAI = ZoneInfo("Asia/Shanghai")


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


def parse(text: str) -> loggers.Recording:
    return loggers.parse(text.encode(), zone=SHANGHAI)


def test_times_with_offset() -> None:
    file = parse(HEADER + "2026-11-01T08:00:00Z,5.1\n2026-11-01T16:10:00+08:00,-0.125\n2026-11-01T08:20:00.500Z,\n")
    assert file.readings == ((at("2026-11-01T08:00"), 5100), (at("2026-11-01T08:10"), -125))
    assert (file.format, file.clock, file.missing, file.signature.verdict) == ("plain-csv", "utc", 1, "absent")


def test_naive_times_are_local() -> None:
    file = parse(HEADER + "2026-11-01T08:00,5\n2026-11-01T08:10:00,5.10\n")
    assert (file.readings[0], file.clock) == ((at("2026-11-01T00:00"), 5000), "wall")


def test_what_the_file_says_about_itself() -> None:
    file = parse("# device: TT-4711\n# model: ThermoTrack 2\n" + HEADER + "2026-11-01T08:00:00Z,5.1\n")
    assert (file.serial, file.model) == ("TT-4711", "ThermoTrack 2")


def test_windows_line_ends_and_byte_order_mark() -> None:
    text = (HEADER + "2026-11-01T08:00:00Z,5.1\n").replace("\n", "\r\n")
    assert loggers.parse(b"\xef\xbb\xbf" + text.encode(), zone=UTC).readings == ((at("2026-11-01T08:00"), 5100),)


@pytest.mark.parametrize(
    ("body", "code", "line"),
    [
        ("", "logger.no-readings", None),
        ("2026-11-01T08:00:00Z,\n", "logger.no-readings", None),
        ("2026-11-01T08:00:00Z,5.1\n\n", "logger.csv-columns", 3),
        ("2026-11-01T08:00:00Z,5.1,x\n", "logger.csv-columns", 2),
        ("2026-11-01T08:00:00Z;5.1\n", "logger.csv-columns", 2),
        ("2026-11-01 08:00:00,5.1\n", "logger.csv-time", 2),
        ("01.11.2026 08:00,5.1\n", "logger.csv-time", 2),
        ("2026-11-31T08:00:00Z,5.1\n", "logger.csv-time", 2),
        ("2026-11-01T08:00:00Z,warm\n", "logger.csv-temperature", 2),
        ("2026-11-01T08:00:00Z,5.1°C\n", "logger.csv-temperature", 2),
        ("2026-11-01T08:00:00Z,+5.1\n", "logger.csv-temperature", 2),
        ("2026-11-01T08:00:00Z,5.1234\n", "logger.csv-temperature", 2),
        ("2026-11-01T08:00:00Z,1e1\n", "logger.csv-temperature", 2),
        ("2026-11-01T08:00:00Z,٥.١\n", "logger.csv-temperature", 2),
        ("2026-11-01T08:00:00Z,NaN\n", "logger.csv-temperature", 2),
        ("2026-11-01T08:00:00Z,-300\n", "logger.csv-temperature", 2),
        ("2026-11-01T08:00:00Z,5.1\n2026-11-01T08:10:00,5.1\n", "logger.csv-zone", 3),
        ("2026-11-01T08:00:00Z,5.1\n2026-11-01T08:00:00Z,5.2\n", "logger.time-order", 3),
        ("2026-11-01T08:10:00Z,5.1\n2026-11-01T08:00:00Z,5.2\n", "logger.time-order", 3),
        ("2026-11-01T08:10:00,5.1\n2026-11-01T08:00:00,5.2\n", "logger.time-order", None),
    ],
)
def test_every_other_spelling_is_refused(body: str, code: str, line: int | None) -> None:
    with pytest.raises(LoggerError) as error:
        parse(HEADER + body)
    assert (error.value.code, error.value.line) == (code, line)


def test_an_unknown_comment_is_refused() -> None:
    with pytest.raises(LoggerError) as error:
        parse("# unit: F\n" + HEADER + "2026-11-01T08:00:00Z,5.1\n")
    assert (error.value.code, error.value.line) == ("logger.csv-comment", 1)


@pytest.mark.parametrize("header", ["time,temperature_c\n", "timestamp,temperature_f\n", "Timestamp,Temperature_C\n"])
def test_another_header_is_another_format(header: str) -> None:
    with pytest.raises(LoggerError) as error:
        parse(header + "2026-11-01T08:00:00Z,5.1\n")
    assert error.value.code == "logger.unknown-format"
