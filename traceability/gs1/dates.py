"""Six-digit dates of GS1 barcodes (AI 11, 13, 15, 17)."""

from calendar import monthrange
from datetime import date

from .errors import Gs1Error


def parse(digits: str, *, today: date) -> date:
    """YYMMDD as a date: day 00 is the last day of the month, the century lies within −49 … +50 years of `today`."""
    if len(digits) != 6 or not (digits.isascii() and digits.isdigit()):
        raise Gs1Error("date", f"{digits!r} is not a date of six digits, YYMMDD")
    year, month, day = int(digits[:2]), int(digits[2:4]), int(digits[4:])
    century = today.year // 100 * 100
    year += century
    if year - today.year > 50:
        year -= 100
    elif year - today.year < -49:
        year += 100
    if not 1 <= month <= 12:
        raise Gs1Error("date", f"{digits}: there is no month {digits[2:4]}")
    last = monthrange(year, month)[1]
    if day > last:
        raise Gs1Error("date", f"{digits}: that month has no day {day}")
    return date(year, month, day or last)
