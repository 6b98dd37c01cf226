"""Berlinger Fridge-tag 2, 2 L, Ultra Low and Q-tag CLm files, `.txt` as the logger writes them. PURE.

Form and meaning from real files (rules-and-coldchain.md, D1.5): Fridge-tags keep a history of days with alarms on
single events; Q-tags keep one trip with consecutive and cumulative alarms. Signature: signature.py.
"""

import re
from collections.abc import Callable
from contextlib import suppress
from datetime import date, datetime, tzinfo

from . import signature
from .berlinger_text import Section, read
from .localtime import LocalClock, resolve
from .model import Day, DeviceAlarm, Limit, LoggerError, Recording, _, is_computable
from .plain_csv import milli

_HEAD = b"Device: Q-tag "
_FRIDGE_TAGS = ("Q-tag Fridge-tag 2", "Q-tag Fridge-tag 2 L", "Q-tag Fridge-tag Ultra Low")
_Q_TAG = "Q-tag CLm"

_NUMBER = re.compile(r"[+-]?\d{1,3}(\.\d{1,3})?", re.ASCII)
_MISSING = "--.-"
_DATA_HEADER = ["yyyy-MM-dd hh:mm", "T"]
# Q-tag alarm types (berlinger.rs of msupply-foundation/temperature-sensor): side and mode; 0 = not set.
_Q_TAG_TYPES = {
    "1": ("below", "consecutive"),
    "2": ("above", "consecutive"),
    "3": ("below", "cumulative"),
    "4": ("above", "cumulative"),
}


def recognises(content: bytes) -> bool:
    """Whether the file begins as Berlinger files do."""
    return content.startswith(_HEAD)


def parse(content: bytes, *, zone: tzinfo) -> Recording:
    """Readings, device limits and alarms, daily summaries and signature verdict; `zone` = the device's local time.

    Raises LoggerError for a model we have not seen, a broken form or times that go back.
    """
    root = read(content)
    model = root.value("Device")
    is_fridge_tag = model in _FRIDGE_TAGS
    if not is_fridge_tag and not model.startswith(_Q_TAG):
        raise LoggerError("logger.unknown-model", _("“{model}” is a model that we do not read yet."), model=model[:60])
    conf, cert = root.section("Conf"), root.section("Cert")
    to_milli = _unit(conf.get("Temp unit") or "C")
    rows = _rows(root.section("Data"), to_milli)
    clock, times = resolve([moment for moment, _ in rows], zone)
    readings = tuple((ms, value) for ms, (_, value) in zip(times, rows, strict=True) if value is not None)
    limits = _fridge_limits(conf, to_milli) if is_fridge_tag else _q_tag_limits(conf, to_milli)
    interval = conf.get("Logging Interval")
    energy = conf.get("MKT Energy")
    if is_fridge_tag:
        days, alarms = _history(root.section("Hist"), limits, clock, to_milli)
    else:
        days, alarms = (), _q_tag_alarms(root.section("Res", "Alarm"), limits, clock, to_milli)
    return Recording(
        format="berlinger",
        model=model,
        serial=conf.value("Serial"),
        readings=readings,
        clock=clock.mode,
        signature=signature.check(
            content, public_key_hex=cert.value("Public Key"), issuer=cert.value("Issuer"), lot=cert.value("Lot")
        ),
        created_ms=_moment(root.section("Hist").get("TS Report Creation"), clock)
        or _moment(root.section("Res").get("TS Stop"), clock),
        limits=limits,
        alarms=alarms,
        days=days,
        interval_s=_count(interval) * 60 if interval else None,
        missing=len(rows) - len(readings),
        mkt_energy_j=milli(energy) if energy else None,
        printed=_printed(root.section("Res"), to_milli),
    )


def _unit(unit: str) -> Callable[[str], int]:
    """A reader of temperatures in the device's unit, to milli-°C (°F rounded to the nearest, halves up)."""
    if unit not in {"C", "F"}:
        raise LoggerError("logger.unit", _("“{unit}” is not a temperature unit that we read (C or F)."), unit=unit[:20])

    def read_milli(text: str) -> int:
        if not _NUMBER.fullmatch(text):
            raise LoggerError("logger.number", _("“{text}” is not a temperature."), text=text[:20])
        value = milli(text)
        return value if unit == "C" else ((value - 32_000) * 10 + 9) // 18

    return read_milli


def _rows(data: Section, to_milli: Callable[[str], int]) -> list[tuple[datetime, int | None]]:
    """The data rows: local time and temperature; None where the probe gave nothing."""
    if not data.rows:
        return []  # a Fridge-tag 2 keeps days only
    header_line, header = data.rows[0]
    if header[:2] != _DATA_HEADER:
        raise LoggerError("logger.form", _("The data columns are not time and temperature."), line=header_line)
    rows = []
    for number, cells in data.rows[1:]:
        moment = _local(cells[0])
        if moment is None or len(cells) < 2:
            raise LoggerError("logger.form", _("Expected a time and a temperature."), line=number)
        rows.append((moment, None if cells[1] == _MISSING else _cell(cells[1], number, to_milli)))
    return rows


def _cell(text: str, number: int, to_milli: Callable[[str], int]) -> int:
    try:
        return to_milli(text)
    except LoggerError as error:
        raise LoggerError(error.code, error.template, line=number, **error.params) from error


def _fridge_limits(conf: Section, to_milli: Callable[[str], int]) -> tuple[Limit, ...]:
    """Alarm 0 is the lower limit, 1 the upper; both count one unbroken event."""
    alarms = conf.section("Alarm").sections
    return tuple(
        Limit(
            number,
            "below" if number == 0 else "above",
            to_milli(alarms[str(number)].value("T AL")),
            _count(alarms[str(number)].value("t AL")) * 60,
            "consecutive",
        )
        for number in (0, 1)
        if str(number) in alarms
    )


def _q_tag_limits(conf: Section, to_milli: Callable[[str], int]) -> tuple[Limit, ...]:
    limits = []
    for number, section in conf.section("Alarm").sections.items():
        kind = section.value("Type")
        if kind == "0":
            continue
        if kind not in _Q_TAG_TYPES:
            raise LoggerError(
                "logger.alarm-type", _("Alarm type {kind} is not one that we know (0 to 4)."), kind=kind[:8]
            )
        side, mode = _Q_TAG_TYPES[kind]
        limit_mc, limit_s = to_milli(section.value("T AL")), _count(section.value("t AL")) * 60
        limits.append(Limit(_count(number), side, limit_mc, limit_s, mode))  # type: ignore[arg-type]
    return tuple(limits)


def _q_tag_alarms(
    section: Section, limits: tuple[Limit, ...], clock: LocalClock, to_milli: Callable[[str], int]
) -> tuple[DeviceAlarm, ...]:
    by_number = {str(limit.number): limit for limit in limits}
    alarms = []
    for number, raised in section.sections.items():
        for line in raised.lines:
            alarm_ms = _moment(line.get("TS A"), clock)
            if alarm_ms is None or number not in by_number:
                continue
            alarms.append(
                DeviceAlarm(
                    limit=by_number[number],
                    alarm_ms=alarm_ms,
                    seconds=_count(line.get("t A", "")) * 60,
                    start_ms=_moment(line.get("TS S"), clock),
                    end_ms=_moment(line.get("TS E"), clock),
                    extreme_mc=to_milli(line["T M"]) if line.get("T M") else None,
                )
            )
    return tuple(alarms)


def _history(
    section: Section, limits: tuple[Limit, ...], clock: LocalClock, to_milli: Callable[[str], int]
) -> tuple[tuple[Day, ...], tuple[DeviceAlarm, ...]]:
    """The days kept by a Fridge-tag, oldest first, and the alarms raised on them (at most one a day and limit)."""
    days, alarms = [], []
    for name in sorted((name for name in section.sections if name.isdecimal()), key=int, reverse=True):
        day = section.sections[name]
        if day.get("Min T") in {None, "", _MISSING}:
            continue  # a day without any sample
        calendar = _date(day.value("Date"))
        beyond = []
        for limit in limits:
            line = day.section("Alarm", str(limit.number))
            seconds = _count(line.value("t Acc")) * 60
            beyond.append((limit.number, seconds))
            alarm_ms = _moment(f"{calendar} {line.get('TS A')}", clock)
            if alarm_ms is not None:
                extreme = day.value("Min T" if limit.side == "below" else "Max T")
                alarms.append(DeviceAlarm(limit, alarm_ms, seconds, extreme_mc=to_milli(extreme)))
        low, high, mean = (to_milli(day.value(key)) for key in ("Min T", "Max T", "Avrg T"))
        days.append(Day(calendar, low, high, mean, tuple(beyond)))
    return tuple(days), tuple(alarms)


def _printed(res: Section, to_milli: Callable[[str], int]) -> dict[str, int]:
    figures = {"mkt": res.get("MKT"), "mean": res.get("Avrg T"), "min": res.get("Min T"), "max": res.get("Max T")}
    return {name: to_milli(text) for name, text in figures.items() if text}


def _moment(text: str | None, clock: LocalClock) -> int | None:
    local = _local(text or "")
    return None if local is None else clock.ms(local)


def _local(text: str) -> datetime | None:
    """`2022-11-08 04:49`, the only spelling; None for anything else."""
    if len(text) != 16 or text[10] != " ":
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if is_computable(moment) else None


def _date(text: str) -> date:
    with suppress(ValueError):
        day = date.fromisoformat(text)
        if is_computable(day):
            return day
    raise LoggerError("logger.form", _("“{text}” is not a date."), text=text[:20])


def _count(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= 9):
        raise LoggerError("logger.number", _("“{text}” is not a whole number."), text=text[:20])
    return int(text)
