"""Master data from CSV: every row is read, every fault named; nothing is stored unless all rows are good."""

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction

from traceability.epcis import times
from traceability.gs1.errors import Gs1Error
from traceability.parties import services as parties
from traceability.parties.models import Party

from . import services
from .models import TradeItem

MAX_BYTES = 5 * 1024 * 1024
MAX_ROWS = 20_000
_SHORTER_GTINS = (8, 12, 13)  # digits; written with leading zeros they are GTIN-14s


@dataclass(frozen=True)
class RowError:
    """What is wrong with a row: its line in the file (1 = the header), the column, plain words."""

    line: int
    column: str
    message: str


@dataclass
class Report:
    """The outcome: how many rows were stored, and every fault; with a fault nothing was stored."""

    rows: int = 0
    errors: list[RowError] = field(default_factory=list)


class _RollBack(Exception):
    pass


def import_csv(kind: str, content: bytes, *, party: Party) -> Report:
    """Import one of KINDS for a party (parties and licences: by the regulator only)."""
    report = Report()
    if kind not in _KINDS:
        report.errors.append(RowError(0, "", f"the kind is one of {', '.join(sorted(_KINDS))}"))
        return report
    needed, store = _KINDS[kind]
    rows = _rows(content, needed, _KEYS.get(kind, ("id",)), report)
    try:
        with transaction.atomic():
            for line, row in rows:
                _store_row(store, row, party, line, report)
            if report.errors:
                raise _RollBack
    except _RollBack:
        report.rows = 0
    return report


def _rows(
    content: bytes, needed: Sequence[str], key: Sequence[str], report: Report
) -> list[tuple[int, dict[str, str]]]:
    if len(content) > MAX_BYTES:
        report.errors.append(RowError(0, "", f"the file has more than {MAX_BYTES} bytes"))
        return []
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        report.errors.append(RowError(0, "", "the file is not UTF-8; save it as “CSV UTF-8”"))
        return []
    first = text.partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter)
    missing = [name for name in needed if name not in (reader.fieldnames or [])]
    if missing:
        report.errors.append(RowError(1, missing[0], f"the header needs the columns {', '.join(needed)}"))
        return []
    rows: list[tuple[int, dict[str, str]]] = []
    try:
        for row in reader:
            if len(rows) >= MAX_ROWS:
                report.errors.append(RowError(reader.line_num, "", f"a file has at most {MAX_ROWS} rows"))
                break
            if None in row:
                report.errors.append(RowError(reader.line_num, "", "the row has more cells than the header"))
            rows.append((reader.line_num, {name: (value or "").strip() for name, value in row.items() if name}))
    except csv.Error as error:
        report.errors.append(RowError(reader.line_num, "", f"the file cannot be read on: {error}"))
    _name_doubles(rows, key, report)
    return rows


def _name_doubles(rows: Sequence[tuple[int, dict[str, str]]], key: Sequence[str], report: Report) -> None:
    """Two rows about the same thing contradict each other, or one of them is a slip."""
    first: dict[tuple[str, ...], int] = {}
    for line, row in rows:
        name = tuple(row.get(column, "") for column in key)
        if first.setdefault(name, line) != line:
            report.errors.append(RowError(line, key[-1], f"{' '.join(name)} stands in line {first[name]} already"))


def _store_row(
    store: Callable[[Mapping[str, str], Party], Any], row: Mapping[str, str], party: Party, line: int, report: Report
) -> None:
    try:
        with transaction.atomic():
            store(row, party)
        report.rows += 1
    except ValidationError as error:
        faults = error.message_dict if hasattr(error, "error_dict") else {"": error.messages}
        report.errors += [RowError(line, column, message) for column, found in faults.items() for message in found]
    except Gs1Error as error:
        report.errors.append(RowError(line, "", error.detail))
    except (KeyError, ValueError) as error:
        report.errors.append(RowError(line, "", str(error)))


def _party(row: Mapping[str, str], party: Party) -> None:
    if not party.has_role(Party.Role.REGULATOR):
        raise ValueError("parties are registered by the regulator")
    parties.create_party(
        id=row["id"],
        name=row["name"],
        roles=row["roles"].split(),
        gln=row["gln"] or None,
        company_prefixes=row.get("company_prefix", "").split(),
    )


def _site(row: Mapping[str, str], party: Party) -> None:
    parties.save_site(
        id=row["id"],
        party=party,
        name=row["name"],
        gln=row["gln"] or None,
        latitude_e6=_micro_degrees(row["latitude"], "latitude"),
        longitude_e6=_micro_degrees(row["longitude"], "longitude"),
        time_zone=row["time_zone"],
        city=row["city"],
        country=row["country"],
    )


def _item(row: Mapping[str, str], party: Party) -> None:
    services.save_item(
        id=row["id"],
        manufacturer=party,
        gtin=row["gtin"].zfill(14) if len(row["gtin"]) in _SHORTER_GTINS else row["gtin"] or None,
        nmpa_prefix=row.get("nmpa_prefix") or None,
        name=row["name"],
        generic_name=row["generic_name"],
        strength=row["strength"],
        pack_size=row["pack_size"],
        authorisation=row["authorisation"],
        profile_id=row["profile"],
    )


def _lot(row: Mapping[str, str], party: Party) -> None:
    item = TradeItem.objects.filter(id=row["item"], manufacturer=party).first()
    if item is None:
        raise ValidationError({"item": f"{row['item']!r} is not an item of this party"})
    services.save_lot(
        item=item,
        number=row["number"],
        production_date=_date(row["production_date"], "production_date"),
        expiry_date=_date(row["expiry_date"], "expiry_date"),
    )


def _licence(row: Mapping[str, str], party: Party) -> None:
    if not party.has_role(Party.Role.REGULATOR):
        raise ValueError("licences are registered by the regulator")
    holder = Party.objects.filter(id=row["party"]).first()
    if holder is None:
        raise ValidationError({"party": f"there is no party {row['party']!r}"})
    parties.save_licence(
        party=holder,
        kind=row["kind"],
        number=row["number"],
        authority=row["authority"],
        valid_from=_date(row["valid_from"], "valid_from"),
        valid_to=_date(row["valid_to"], "valid_to"),
    )


def _micro_degrees(text: str, column: str) -> int:
    try:
        return round(float(text) * 1_000_000)
    except (ValueError, OverflowError):
        raise ValidationError({column: f"{text!r} is not a number of degrees such as 31.2304"}) from None


def _date(text: str, column: str) -> date:
    try:
        return times.day(text)
    except ValueError:
        raise ValidationError({column: f"{text!r} is not a date such as 2027-01-31"}) from None


_KINDS: dict[str, tuple[tuple[str, ...], Callable[[Mapping[str, str], Party], Any]]] = {
    "parties": (("id", "name", "roles", "gln"), _party),
    "sites": (("id", "name", "gln", "latitude", "longitude", "time_zone", "city", "country"), _site),
    "items": (
        ("id", "gtin", "name", "generic_name", "strength", "pack_size", "authorisation", "profile"),
        _item,
    ),
    "licences": (("party", "kind", "number", "authority", "valid_from", "valid_to"), _licence),
    "lots": (("item", "number", "production_date", "expiry_date"), _lot),
}
_KEYS = {"lots": ("item", "number"), "licences": ("kind", "number")}  # what a row is about; elsewhere its id
KINDS = tuple(sorted(_KINDS))
