"""IFA codes of the German market: data identifiers in an ISO 15434 format 06 envelope, with the PPN as product number
(IFA Coding System; securPharm coding rules)."""

import re
from collections.abc import Mapping

from . import check_digit, keys
from .errors import Gs1Error

ENVELOPE = "[)>\x1e06\x1d"
# Data identifier -> form: PPN, GTIN, lot, serial, expiry.
_FIELDS = {
    "9N": re.compile(r"[0-9A-Z]{4,22}"),
    "8P": re.compile(r"[0-9]{8}|[0-9]{12,14}"),
    "1T": re.compile(r"[A-Za-z0-9._\-]{1,20}"),
    "S": re.compile(r"[A-Za-z0-9._\-]{1,20}"),
    "D": re.compile(r"[0-9]{6}"),
}
_GERMAN_PPN = re.compile(r"11([0-9]{8})([0-9]{2})")


def parse(text: str) -> dict[str, str]:
    """The fields by data identifier; Gs1Error where one that we use is malformed, others are passed over."""
    found: dict[str, str] = {}
    for part in text.removeprefix(ENVELOPE).rstrip("\x04").rstrip("\x1e").split("\x1d"):
        name = next((name for name in _FIELDS if part.startswith(name)), None)
        if name is None:
            continue
        value = part[len(name) :]
        if _FIELDS[name].fullmatch(value) is None:
            raise Gs1Error("format", f"{value!r} is not a field {name} of an IFA code")
        if name in found:
            raise Gs1Error("repeated-ai", f"the field {name} stands twice")
        found[name] = value
    return found


def gtin(fields: Mapping[str, str]) -> str | None:
    """The GTIN-14 that the code names: its 8P, or the NTIN of its German PPN; None for a PPN of another agency."""
    if item := fields.get("8P"):
        keys.require("01", item.zfill(14))
        return item.zfill(14)
    ppn = fields.get("9N", "")
    if ppn and ppn_check(ppn[:-2]) != ppn[-2:]:
        raise Gs1Error("check-digit", f"PPN {ppn} ends in {ppn[-2:]}, {ppn_check(ppn[:-2])} expected")
    match = _GERMAN_PPN.fullmatch(ppn)
    return ntin(match[1]) if match else None


def ppn_check(body: str) -> str:
    """The two check digits of a PPN: the ASCII codes times 2, 3, 4 …, summed, modulo 97."""
    return f"{sum(ord(char) * weight for weight, char in enumerate(body, 2)) % 97:02d}"


def ntin(pzn: str) -> str:
    """The NTIN (a GTIN-14) of a PZN8; Gs1Error when the PZN's own check digit (modulo 11) is wrong."""
    remainder = sum(int(digit) * weight for weight, digit in enumerate(pzn[:-1], 1)) % 11
    if str(remainder) != pzn[-1]:
        raise Gs1Error("check-digit", f"PZN {pzn} has a wrong check digit")
    body = "04150" + pzn
    return body + check_digit.of(body)
