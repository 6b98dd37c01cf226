"""A despatch list or purchase order as people have it: a code per line, or columns; every fault by its line. Pure."""

import csv
import io
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from typing import Any

from traceability.gs1 import check_digit, dates, digital_link, keys, scan
from traceability.gs1.errors import Gs1Error

MAX_BYTES = 10 * 1024 * 1024
MAX_LINES = 100_000
MAX_FAULTS = 200
MAX_QUANTITY = 10_000_000
MAX_LINE = 500  # characters
_THINGS = {"pack", "sscc", "nmpa"}
_COLUMNS = {"gtin", "lot", "expiry", "serial", "quantity", "sscc"}
_GTIN_DIGITS = (8, 12, 13, 14)

Amount = tuple[str, str, str]  # GTIN, lot and ISO date of expiry, '' where the list does not say


@dataclass(frozen=True)
class Fault:
    """What is wrong with a line (1 = the first of the file): a stable code, and words in English."""

    line: int
    code: str
    detail: str


@dataclass
class Listed:
    """What a list names: things with a serial number and what it says of each, and amounts without one.

    With a fault none of it is to be used; `more_faults` were not written down.
    """

    things: dict[str, tuple[str, str]] = field(default_factory=dict)  # EPC -> lot, ISO date of expiry
    amounts: Counter[Amount] = field(default_factory=Counter)
    lines: int = 0
    faults: list[Fault] = field(default_factory=list)
    more_faults: int = 0
    _seen: dict[str, int] = field(default_factory=dict)

    def fault(self, line: int, code: str, detail: str) -> None:
        if len(self.faults) < MAX_FAULTS:
            self.faults.append(Fault(line, code, detail))
        else:
            self.more_faults += 1

    def thing(self, line: int, epc: str, lot: str, expiry: str) -> None:
        first = self._seen.setdefault(epc, line)
        if first != line:
            self.fault(line, "twice", f"stands in line {first} already")
        self.things[epc] = (lot, expiry)


def read(content: bytes, *, today: date, is_order: bool = False) -> Listed:
    """The list in `content` (UTF-8). An order has amounts only. `today` fixes the century of two-digit years."""
    found = Listed()
    if len(content) > MAX_BYTES:
        found.fault(0, "too-large", f"a list has at most {MAX_BYTES} bytes")
        return found
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        found.fault(0, "encoding", "the file is not UTF-8; save it as “CSV UTF-8”")
        return found
    first = next((line for line in text.split("\n") if line.strip()), "")
    delimiter = max(",;\t", key=first.count)
    header = [name.strip().lower() for name in first.split(delimiter)]
    if "gtin" in header or "sscc" in header:
        _table(found, text, delimiter, today)
    else:
        _codes(found, text, today)
    return _whole(found, is_order=is_order)


def read_rows(rows: Sequence[Any], *, today: date, is_order: bool = False) -> Listed:
    """The same of objects: `{"code": …}`, or the columns of the table as members; line 1 is the first."""
    found = Listed()
    for line, row in enumerate(rows, 1):
        if not isinstance(row, Mapping) or not row.keys() <= _COLUMNS | {"code"}:
            found.lines += 1
            found.fault(line, "columns", f"a line is an object with code, or of {', '.join(sorted(_COLUMNS))}")
        elif not all(isinstance(value, str) or _is_amount(name, value) for name, value in row.items()):
            found.lines += 1
            found.fault(line, "columns", "members are texts, quantity a text or a whole number")
        else:
            said = {name: str(value).strip() for name, value in row.items()}
            if not _take(found, line, "".join(said.values()), partial(_member, found, line, said, today)):
                break
    return _whole(found, is_order=is_order)


def _whole(found: Listed, *, is_order: bool) -> Listed:
    """The list with the faults that no single line has."""
    if not (found.lines or found.faults):
        found.fault(0, "empty", "the list has no line")
    if is_order and found.things and not found.faults:
        found.fault(0, "order-serial", "an order says products and quantities, not codes with a serial number")
    return found


def _is_amount(name: str, value: Any) -> bool:
    return name == "quantity" and isinstance(value, int) and not isinstance(value, bool)


def _member(found: Listed, line: int, row: Mapping[str, str], today: date) -> None:
    if "code" not in row:
        _row(found, line, row, today)
    elif len(row) > 1:
        raise Gs1Error("columns", "a line with a code has nothing beside it")
    else:
        _code(found, line, row["code"], today)


def _codes(found: Listed, text: str, today: date) -> None:
    """A code per line."""
    for line, code in enumerate(text.split("\n"), 1):
        stripped = code.strip(" \r\n\t")
        if stripped and not _take(found, line, stripped, partial(_code, found, line, stripped, today)):
            return


def _take(found: Listed, line: int, text: str, one: Callable[[], None]) -> bool:
    """Count the line and read it; False when there are too many."""
    found.lines += 1
    if found.lines > MAX_LINES:
        found.fault(line, "too-many", f"a list has at most {MAX_LINES} lines")
        return False
    if len(text) > MAX_LINE or "\x00" in text:
        found.fault(line, "line", f"a line has at most {MAX_LINE} characters and no NUL")
        return True
    try:
        one()
    except Gs1Error as error:
        found.fault(line, error.code, error.detail)
    return True


def _code(found: Listed, line: int, text: str, today: date) -> None:
    """A line that is a code in any form of which scanners know."""
    code = scan.parse(text, today=today)
    if code.kind in _THINGS:
        found.thing(line, code.epc, code.lot or "", code.expiry.isoformat() if code.expiry else "")
    elif code.kind in {"lot", "gtin"}:
        found.fault(line, "no-serial", "a product or lot needs a quantity: columns gtin, lot, quantity")
    else:
        found.fault(line, "unknown", "this is no code of a pack, case or pallet")


def _table(found: Listed, text: str, delimiter: str, today: date) -> None:
    """Rows under a header: gtin with serial, gtin with quantity, or sscc."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    header: list[str] = []
    try:
        for cells in reader:
            line, cells = reader.line_num, [cell.strip() for cell in cells]
            if not any(cells):
                continue
            if not header:
                header = [name.lower() for name in cells]
                unknown = [name for name in header if name not in _COLUMNS]
                if unknown or len(set(header)) < len(header):
                    found.fault(line, "columns", "the columns are gtin, lot, expiry, serial, quantity and sscc")
                    return
            elif not _take(found, line, "".join(cells), partial(_cells, found, line, header, cells, today)):
                return
    except csv.Error as error:
        found.fault(reader.line_num, "csv", f"the file cannot be read on: {error}")


def _cells(found: Listed, line: int, header: Sequence[str], cells: Sequence[str], today: date) -> None:
    if len(cells) != len(header):
        raise Gs1Error("cells", "the row has another number of cells than the header")
    _row(found, line, dict(zip(header, cells, strict=True)), today)


def _row(found: Listed, line: int, row: Mapping[str, str], today: date) -> None:
    sscc = row.get("sscc", "")
    if sscc and row.get("serial", ""):
        raise Gs1Error("columns", "a row names a pack or a case, not both")
    if sscc:
        keys.require("00", sscc)
        found.thing(line, f"{digital_link.CANONICAL_DOMAIN}/00/{sscc}", "", "")
        return
    gtin, lot, expiry = _gtin(row.get("gtin", "")), row.get("lot", ""), _expiry(row.get("expiry", ""), today)
    if lot:
        keys.require("10", lot)
    serial, quantity = row.get("serial", ""), row.get("quantity", "")
    if serial and quantity not in {"", "1"}:
        raise Gs1Error("quantity", "a serial number is one pack")
    if serial:
        found.thing(line, digital_link.build(gtin=gtin, serial=serial), lot, expiry)
    else:
        found.amounts[gtin, lot, expiry] += _quantity(quantity)


def _gtin(given: str) -> str:
    if len(given) not in _GTIN_DIGITS or not (given.isascii() and given.isdigit()):
        raise Gs1Error("gtin", f"{given[:40]!r} is no GTIN of 8, 12, 13 or 14 digits")
    check_digit.require(given, name="GTIN")
    return given.zfill(14)


def _expiry(given: str, today: date) -> str:
    if not given:
        return ""
    if "-" not in given:
        return dates.parse(given, today=today).isoformat()
    try:
        return date.fromisoformat(given).isoformat()
    except ValueError as error:
        raise Gs1Error("date", f"{given[:40]!r} is no date as YYYY-MM-DD or YYMMDD") from error


def _quantity(given: str) -> int:
    if not (given.isascii() and given.isdigit() and len(given) < 9 and 1 <= int(given) <= MAX_QUANTITY):
        raise Gs1Error("quantity", f"{given[:40]!r} is no whole number from 1 to {MAX_QUANTITY}")
    return int(given)
