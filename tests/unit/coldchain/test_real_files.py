"""Four real Berlinger exports (not in the repository), with the figures measured on them: D1.4, D1.5, D2."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from traceability.coldchain import loggers, mkt
from traceability.coldchain.excursions import cumulative_s, find_excursions, held_intervals, reached_ms

Q_TAG = "RCPJ00010_02_202211090128.txt"
FRIDGE_TAG_2 = "130400191542_202302140605.txt"
FRIDGE_TAG_2L = "130500109088_202206081014.txt"
ULTRA_LOW = "100800001215_202304201410.txt"
ALWAYS = {"start_ms": 0, "end_ms": 2**62}


@pytest.fixture(scope="module")
def folder(shared_data: Path) -> Path:
    return shared_data / "loggers"


def parse(path: Path) -> loggers.Recording:
    return loggers.parse(path.read_bytes(), zone=UTC)


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


def clock(ms: int | None) -> str:
    return "" if ms is None else datetime.fromtimestamp(ms / 1000, UTC).strftime("%H:%M")


@pytest.mark.parametrize(
    ("name", "model", "readings", "missing", "key_id"),
    [
        (FRIDGE_TAG_2, "Q-tag Fridge-tag 2", 0, 0, "45829af132d9cc97"),
        (FRIDGE_TAG_2L, "Q-tag Fridge-tag 2 L", 10_653, 0, "e5098613ccd2944a"),
        (ULTRA_LOW, "Q-tag Fridge-tag Ultra Low", 835, 6, "b4ed8791ae15df1a"),
        (Q_TAG, "Q-tag CLm doc LR", 124, 0, "707cc641a5183771"),
    ],
)
def test_all_four_read_with_a_matching_signature(
    folder: Path, name: str, model: str, readings: int, missing: int, key_id: str
) -> None:
    file = parse(folder / name)
    assert (file.model, len(file.readings), file.missing) == (model, readings, missing)
    assert (file.signature.verdict, file.signature.key_id) == ("matches-known-key", key_id)


@pytest.mark.parametrize("name", [FRIDGE_TAG_2, FRIDGE_TAG_2L, ULTRA_LOW, Q_TAG])
def test_one_digit_or_the_line_ends_break_it(folder: Path, name: str) -> None:
    """B-1."""
    content = (folder / name).read_bytes()
    place = content.index(b"T AL: ") + len(b"T AL: +")
    digit = b"7" if content[place : place + 1] != b"7" else b"6"
    for changed in (content[:place] + digit + content[place + 1 :], content.replace(b"\r\n", b"\n")):
        assert changed != content
        assert loggers.parse(changed, zone=UTC).signature.verdict == "does-not-match"


def test_mkt_of_a_trip(folder: Path) -> None:
    """D1: 10.584135 °C with the device's 83.0 kJ/mol, 10.594767 with 83.144; the device prints 10.5, truncated."""
    trip = parse(folder / Q_TAG)
    assert trip.mkt_energy_j == 83_000
    parts = [(value, 1) for _, value in trip.readings]
    assert mkt.mkt_mc(*mkt.total(parts, energy_j=83_000), energy_j=83_000) == 10_580
    assert mkt.mkt_mc(*mkt.total(parts)) == 10_590
    assert sum(value for value, _ in parts) == round(5.461290 * 124, 1) * 1000
    assert (trip.printed["mkt"], trip.printed["mean"]) == (10_500, 5_400)


def test_the_alarms_that_the_trips_device_raised(folder: Path) -> None:
    """A-1."""
    trip = parse(folder / Q_TAG)
    found = [
        (alarm.limit.side, alarm.limit.mode, clock(alarm.start_ms), clock(alarm.alarm_ms), alarm.seconds // 60)
        for alarm in trip.alarms
    ]
    assert found == [
        ("above", "consecutive", "21:50", "22:20", 219),
        ("above", "cumulative", "21:50", "22:50", 219),
        ("below", "cumulative", "05:51", "07:34", 598),
        ("below", "consecutive", "12:16", "12:46", 145),
        ("below", "consecutive", "14:52", "15:22", 32),
        ("below", "consecutive", "15:39", "16:09", 31),
    ]


def test_our_figures_for_the_same_trip(folder: Path) -> None:
    """A-1, from the ten-minute samples by LOCF."""
    readings = parse(folder / Q_TAG).readings
    (warm,) = find_excursions(readings, limit_mc=8000, side="above", limit_s=1800)
    assert (clock(warm.start_ms), clock(warm.start_ms + 1800_000)) == ("21:59", "22:29")
    hot = held_intervals(readings, limit_mc=8000, side="above")
    assert clock(reached_ms(hot, limit_s=3600, **ALWAYS)) == "22:59"
    cold = held_intervals(readings, limit_mc=2000, side="below")
    assert clock(cold[0][0]) == "05:59"
    assert clock(reached_ms(cold, limit_s=3600, **ALWAYS)) == "07:39"
    assert cumulative_s(cold, **ALWAYS) == 580 * 60


def test_what_thirty_consecutive_minutes_means(folder: Path) -> None:
    """D1.4: 17 runs; 3 certain, 7 by straight lines, 10 held, 17 possible; the device itself counted 3."""
    trip = parse(folder / Q_TAG)
    runs = find_excursions(trip.readings, limit_mc=2000, side="below", limit_s=0)
    assert len(runs) == 17
    durations = {
        name: [getattr(run, name) for run in runs] for name in ("certain_s", "linear_s", "held_s", "possible_s")
    }
    assert {name: sum(value >= 1800 for value in values) for name, values in durations.items()} == {
        "certain_s": 3,
        "linear_s": 7,
        "held_s": 10,
        "possible_s": 17,
    }
    assert {name: sum(values) // 60 for name, values in durations.items()} == {
        "certain_s": 410,
        "linear_s": 634,
        "held_s": 580,
        "possible_s": 750,
    }
    assert sum(run.certainty(1800) == "certain" for run in runs) == 3
    assert sum(run.certainty(1800) == "possible" for run in runs) == 14


def test_daily_totals_agree_with_the_fridge_tags_own(folder: Path) -> None:
    """D1.4: 38 days of five-minute samples; LOCF differs from the device by 7 minutes at most, -0.2 on average."""
    file = parse(folder / FRIDGE_TAG_2L)
    errors = []
    for limit in file.limits:
        held = held_intervals(file.readings, limit_mc=limit.limit_mc, side=limit.side)
        for day in file.days:
            start = at(day.date.isoformat())
            ours = cumulative_s(held, start_ms=start, end_ms=start + 86_400_000)
            errors.append((ours - dict(day.beyond_s)[limit.number]) / 60)
    assert len(file.days) == 38
    assert max(map(abs, errors)) == 7
    assert round(sum(errors) / len(errors), 1) == -0.2


def test_a_day_beyond_the_limit_without_an_alarm(folder: Path) -> None:
    """A-2: the device alarms on one unbroken event of 60 minutes, not on the day's sum."""
    file = parse(folder / FRIDGE_TAG_2L)
    days = {day.date.isoformat(): tuple(seconds // 60 for _, seconds in day.beyond_s) for day in file.days}
    assert days["2022-05-10"] == (0, 147)
    assert days["2022-05-05"] == (0, 385)
    assert days["2022-06-06"] == (753, 408)
    raised = {datetime.fromtimestamp(alarm.alarm_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M") for alarm in file.alarms}
    assert not any(moment.startswith("2022-05-10") for moment in raised)
    assert {"2022-05-05 11:00", "2022-06-06 00:00", "2022-06-06 13:35"} <= raised
    # From the samples: 756 and 410 minutes (755 if the night before is not held across midnight).
    start = at("2022-06-06")
    ours = [
        cumulative_s(
            held_intervals(file.readings, limit_mc=limit.limit_mc, side=limit.side),
            start_ms=start,
            end_ms=start + 86_400_000,
        )
        // 60
        for limit in file.limits
    ]
    assert ours == [756, 410]
