"""What a reader scanned or typed: which pack it names, and the lot and expiry given with it. Pure."""

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import date
from urllib.parse import quote

from traceability.gs1 import dates, digital_link, ifa, scan
from traceability.gs1 import nmpa as trace_codes
from traceability.gs1.errors import Gs1Error

_PPN = re.compile(r"11[0-9]{10}", re.ASCII)
_ISO_DAY = re.compile(r"(\d{4})-(\d\d)(?:-(\d\d))?", re.ASCII)


class CodeError(ValueError):
    """The text names no pack; `code` is one of malformed, not_a_pack, bad_expiry."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True)
class PackCode:
    """A pack by its canonical EPC: GTIN and serial, or a 20-digit NMPA trace code."""

    epc: str
    gtin: str = ""
    serial: str = ""
    nmpa: str = ""


@dataclass(frozen=True)
class OnPack:
    """Lot and last valid day as the reader reads them from the pack; empty where only the code is given."""

    lot: str = ""
    expiry: date | None = None


def pack(gtin: str, serial: str) -> PackCode:
    """The pack of a GTIN (8 to 14 digits) and serial; CodeError when either is malformed."""
    try:
        gtin = gtin.zfill(14) if len(gtin) in {8, 12, 13} else gtin
        return PackCode(epc=digital_link.build(gtin=gtin, serial=serial), gtin=gtin, serial=serial)
    except Gs1Error as error:
        raise CodeError("malformed") from error


def nmpa(code: str) -> PackCode:
    """The pack of a 20-digit drug trace code; CodeError for other text."""
    if not trace_codes.is_code(code):
        raise CodeError("malformed")
    return PackCode(epc=trace_codes.epc(code), nmpa=code)


def read(raw: str, *, today: date) -> tuple[PackCode, OnPack]:
    """The pack that scanned or typed text names, with the lot and expiry it carries; CodeError otherwise."""
    try:
        found = scan.parse(raw, today=today)
    except Gs1Error as error:
        raise CodeError("malformed") from error
    if found.kind == "nmpa":
        return nmpa(found.serial or ""), OnPack()
    if found.kind != "pack":
        raise CodeError("malformed" if found.kind == "unknown" else "not_a_pack")
    return pack(found.gtin or "", found.serial or ""), OnPack(found.lot or "", found.expiry)


def expiry(text: str, *, today: date) -> date:
    """A last valid day written as YYMMDD (day 00 = the month's last), YYYY-MM-DD or YYYY-MM; CodeError otherwise."""
    match = _ISO_DAY.fullmatch(text)
    try:
        if match is None:
            return dates.parse(text, today=today)
        year, month, day = int(match[1]), int(match[2]), int(match[3] or 0)
        return date(year, month, day or monthrange(year, month)[1])
    except ValueError as error:  # Gs1Error and calendar.IllegalMonthError are ones
        raise CodeError("bad_expiry") from error


def path(code: PackCode, given: OnPack) -> str:
    """Where this site answers for a pack: the Digital Link's path, or /c/ for a code that is not GS1's."""
    if not code.nmpa:
        return digital_link.build(
            gtin=code.gtin, serial=code.serial, lot=given.lot or None, expiry=given.expiry, domain=""
        )
    day = f"{given.expiry:%y%m%d}" if given.expiry else ""
    query = "&".join(f"{ai}={quote(value, safe='')}" for ai, value in (("10", given.lot), ("17", day)) if value)
    return f"/c/{code.nmpa}?{query}" if query else f"/c/{code.nmpa}"


def elsewhere(code: str) -> str:
    """Where a code at /c/ leads: the path of its Digital Link, or our URI of a thing that has none.

    An IFA product number (PPN) is its NTIN; CodeError for text that names nothing.
    """
    try:
        if _PPN.fullmatch(code) and ifa.ppn_check(code[:-2]) == code[-2:]:
            return digital_link.build(gtin=ifa.gtin({"9N": code}) or "", domain="")
        found = scan.parse(code)
        if found.kind == "pack":
            return digital_link.build(gtin=found.gtin or "", serial=found.serial, lot=found.lot, domain="")
    except Gs1Error as error:
        raise CodeError("malformed") from error
    if not found.epc.startswith((digital_link.CANONICAL_DOMAIN, "urn:dosetrail:")):
        raise CodeError("malformed")
    return found.epc.removeprefix(digital_link.CANONICAL_DOMAIN)
