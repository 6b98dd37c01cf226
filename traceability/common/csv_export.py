"""CSV for people: RFC 4180 with a byte-order mark, so that spreadsheets read UTF-8, and inert for formulas."""

import csv
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

BOM = "\ufeff"
_LINES = 100
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


class _Line:
    """A file-like object that gives back what is written to it."""

    def write(self, text: str) -> str:
        return text


def inert(value: Any) -> str:
    """The text of a cell, with an apostrophe before what a spreadsheet would take for a formula (OWASP ASVS 1.2.10)."""
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text


def csv_lines(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> Iterator[str]:
    """The lines of a CSV file, some at a time, so that a long export streams."""
    writer = csv.writer(_Line())
    yield BOM + writer.writerow(header)
    lines = (writer.writerow([inert(cell) for cell in row]) for row in rows)
    while part := "".join(islice(lines, _LINES)):
        yield part
