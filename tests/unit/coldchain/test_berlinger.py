"""Berlinger files: our own signed ones, with each way of spoiling them."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from traceability.coldchain import loggers
from traceability.coldchain.loggers.model import Day, Limit, LoggerError

from . import berlinger_files as made


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


def parse(content: bytes) -> loggers.Recording:
    return loggers.parse(content, zone=UTC)


def test_a_q_tag_trip() -> None:
    trip = parse(made.q_tag())
    assert (trip.format, trip.model, trip.serial) == ("berlinger", "Q-tag CLm doc LR", "TEST00001")
    assert trip.readings == (
        (at("2026-03-01 09:00"), 5000),
        (at("2026-03-01 09:20"), 7900),
        (at("2026-03-01 09:30"), 9400),
    )
    assert (trip.missing, trip.interval_s, trip.mkt_energy_j) == (1, 600, 83_000)
    assert trip.printed == {"mkt": 6100, "mean": 5400}
    assert trip.limits == (
        Limit(1, "above", 8000, 1800, "consecutive"),
        Limit(3, "below", 2000, 3600, "cumulative"),
    )
    (alarm,) = trip.alarms
    assert (alarm.start_ms, alarm.alarm_ms, alarm.end_ms) == (
        at("2026-03-01 09:30"),
        at("2026-03-01 10:00"),
        at("2026-03-01 10:01"),
    )
    assert (alarm.seconds, alarm.extreme_mc) == (31 * 60, 9400)


def test_a_fridge_tags_days() -> None:
    file = parse(made.fridge_tag())
    assert file.readings == ()
    assert file.created_ms == at("2026-03-02 10:00")
    assert file.days == (
        Day(date(2026, 3, 1), -1500, 6200, 3500, ((0, 4500), (1, 720))),
        Day(date(2026, 3, 2), 4000, 6200, 4500, ((0, 0), (1, 0))),
    )
    (alarm,) = file.alarms
    assert (alarm.limit.side, alarm.alarm_ms, alarm.seconds) == ("below", at("2026-03-01 08:42"), 4500)


def test_local_times_become_utc_in_the_given_zone() -> None:
    trip = loggers.parse(made.q_tag(), zone=ZoneInfo("Asia/Shanghai"))
    assert trip.readings[0][0] == at("2026-03-01 01:00")
    assert trip.alarms[0].alarm_ms == at("2026-03-01 02:00")


def test_degrees_fahrenheit() -> None:
    text = (
        made.FRIDGE_TAG_HEAD.replace("Temp unit: C", "Temp unit: F").replace("+8.0", "+46.4").replace("-0.5", "+31.1")
    )
    assert [limit.limit_mc for limit in parse(made.sign(text)).limits] == [-500, 8000]


def test_the_signature_belongs_to_the_file() -> None:
    signature = parse(made.q_tag()).signature
    assert (signature.verdict, signature.issuer, signature.lot) == ("matches", made.ISSUER, made.LOT)
    assert len(signature.key_id) == 16


@pytest.mark.parametrize(
    ("old", "new"),
    [(b"T AL: 8.0", b"T AL: 9.0"), (b"\t7.9\t", b"\t7.8\t"), (b"TEST00001", b"TEST00009"), (b"\r\n", b"\n")],
    ids=["limit", "reading", "serial", "line ends"],
)
def test_any_change_breaks_it(old: bytes, new: bytes) -> None:
    assert old in made.q_tag()
    assert parse(made.q_tag().replace(old, new)).signature.verdict == "does-not-match"


def test_a_key_of_somebody_elses_in_the_name_of_a_known_lot() -> None:
    own = made.sign(made.FRIDGE_TAG_HEAD, key=made.OTHER_KEY)
    assert parse(own).signature.verdict == "matches"  # nobody has claimed that lot
    forged = made.sign(made.FRIDGE_TAG_HEAD, key=made.OTHER_KEY, issuer="Berlinger & Co. AG", lot="1792_20_08")
    assert parse(forged).signature.verdict == "does-not-match"


def without(content: bytes, start: bytes) -> bytes:
    return b"".join(line for line in content.splitlines(keepends=True) if not line.lstrip().startswith(start))


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (made.q_tag().replace(b"Q-tag CLm doc LR", b"Q-tag Future 9"), "logger.unknown-model"),
        (without(made.q_tag(), b"Serial"), "logger.field-missing"),
        (without(made.q_tag(), b"Sig: "), "logger.signature-form"),
        (made.q_tag() + b"more\r\n", "logger.form"),
        (made.q_tag() + b"Sig2: 00\r\n", "logger.signature-form"),
        (made.q_tag().replace(b"\t7.9\t", b"\t7,9\t"), "logger.number"),
        (made.q_tag().replace(b"\t2026-03-01 09:20", b"\t2026-02-30 09:20"), "logger.form"),
        (made.q_tag().replace(b"Type: 3,", b"Type: 9,"), "logger.alarm-type"),
        (made.fridge_tag().replace(b"Temp unit: C", b"Temp unit: K"), "logger.unit"),
        (made.q_tag().replace(b" Serial: ", b"      Serial: "), "logger.form"),
        (made.q_tag().replace(b"Vers: 1.9", b"Vers\xff 1.9"), "logger.encoding"),
        (made.q_tag().replace(b"hh:mm\tT\tOut", b"hh:mm\tRH\tOut"), "logger.form"),
        (made.q_tag([("2026-03-01 09:10", "5.0"), ("2026-03-01 09:00", "5.0")]), "logger.time-order"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_not_as_the_logger_wrote_it_is_refused(content: bytes, code: str) -> None:
    with pytest.raises(LoggerError) as error:
        parse(content)
    assert error.value.code == code


def test_the_broken_line_is_named() -> None:
    content = made.q_tag().replace(b"\t7.9\t", b"\twarm\t")
    line = content[: content.index(b"warm")].count(b"\n") + 1
    with pytest.raises(LoggerError, match="“warm” is not a temperature") as error:
        parse(content)
    assert error.value.line == line


@pytest.mark.parametrize(
    ("content", "code", "words"),
    [
        (b"", "logger.empty", "empty"),
        (b"  \r\n", "logger.empty", "empty"),
        (b"%PDF-1.4 ...", "logger.unknown-format", "PDF"),
        (b"PK\x03\x04...", "logger.unknown-format", "spreadsheet"),
        (made.q_tag().replace(b"TEST00001", b"TEST\0"), "logger.unknown-format", "no logger file"),
        (b"Date;Temp\n1.1.2026;5,1\n", "logger.unknown-format", "timestamp,temperature_c"),
        (b"x" * (loggers.MAX_BYTES + 1), "logger.too-large", "4 MiB"),
    ],
)
def test_other_formats_are_refused_with_advice(content: bytes, code: str, words: str) -> None:
    with pytest.raises(LoggerError, match=words) as error:
        parse(content)
    assert error.value.code == code
