"""What a scanner read, understood (identifiers-and-workflows: the parsing order)."""

from dataclasses import dataclass
from datetime import date

from . import dates, digital_link, element_string, nmpa
from .check_digit import require as require_check_digit
from .epc import canonical
from .errors import Gs1Error

_SYMBOLOGY_LENGTH = 3


@dataclass(frozen=True)
class ScannedCode:
    """A code as scanned: what it names (`kind`), its canonical EPC or class, and what it says of lot and expiry."""

    kind: str  # pack | sscc | lot | gtin | gln | nmpa | unknown
    raw: str
    epc: str = ""
    gtin: str | None = None
    serial: str | None = None
    lot: str | None = None
    expiry: date | None = None
    sscc: str | None = None
    flags: tuple[str, ...] = ()


def parse(raw: str, *, today: date | None = None) -> ScannedCode:
    """The code in `raw`, which keeps its bytes: symbology prefix, IFA envelope, Digital Link, URN, element string,
    NMPA code, bare key, free text, in this order. Gs1Error for a GS1 form that is malformed; free text is `unknown`.

    `today` fixes the century of two-digit years.
    """
    today = today or date(2026, 1, 1)
    text = raw.strip(" \r\n\t")
    bare = text[_SYMBOLOGY_LENGTH:] if text.startswith("]") else text
    if bare.startswith("[)>\x1e06\x1d"):
        return _ifa(raw, bare)
    if bare.lower().startswith(("http://", "https://")):
        return _link(raw, bare, today)
    if bare.startswith("urn:"):
        return _uri(raw, bare)
    if nmpa.is_code(bare) and not text.startswith(element_string.SYMBOLOGIES):
        return ScannedCode("nmpa", raw, epc=nmpa.epc(bare), serial=bare)
    if bare.isascii() and bare.isdigit() and len(bare) in {8, 12, 13, 14} and not text.startswith("]C1"):
        require_check_digit(bare, name="GTIN")
        return ScannedCode("gtin", raw, epc=digital_link.build(gtin=bare.zfill(14)), gtin=bare.zfill(14))
    if text.startswith(element_string.SYMBOLOGIES) or bare[:1] in {"(", element_string.GS} or bare[:2] in {"00", "01"}:
        return _elements(raw, text, today)
    return ScannedCode("unknown", raw)


def _elements(raw: str, text: str, today: date) -> ScannedCode:
    read = element_string.parse(text)
    flags = ("missing-gs",) if read.missing_gs else ()
    if sscc := read.get("00"):
        return ScannedCode("sscc", raw, epc=f"{digital_link.CANONICAL_DOMAIN}/00/{sscc}", sscc=sscc, flags=flags)
    if gln := read.get("414"):
        return ScannedCode("gln", raw, epc=f"{digital_link.CANONICAL_DOMAIN}/414/{gln}", flags=flags)
    expiry = read.get("17")
    return _item(
        raw,
        gtin=read.get("01"),
        serial=read.get("21"),
        lot=read.get("10"),
        expiry=dates.parse(expiry, today=today) if expiry else None,
        flags=flags,
    )


def _link(raw: str, text: str, today: date) -> ScannedCode:
    try:
        link = digital_link.parse(text)
    except Gs1Error as error:
        if error.code != "no-key":
            raise
        return _code_in_address(raw, text)
    if link.key == "00":
        return ScannedCode("sscc", raw, epc=link.canonical, sscc=link.value)
    if link.key in {"414", "417"}:
        return ScannedCode("gln", raw, epc=link.canonical)
    expiry = link.attributes.get("17")
    return _item(
        raw,
        gtin=link.value if link.key == "01" else None,
        serial=link.qualifier("21"),
        lot=link.qualifier("10") or link.attributes.get("10"),
        expiry=dates.parse(expiry, today=today) if expiry else None,
        flags=(),
    )


def _item(
    raw: str, *, gtin: str | None, serial: str | None, lot: str | None, expiry: date | None, flags: tuple[str, ...]
) -> ScannedCode:
    if gtin is None:
        return ScannedCode("unknown", raw, lot=lot, serial=serial, expiry=expiry, flags=(*flags, "no-gtin"))
    kind = "pack" if serial else "lot" if lot else "gtin"
    uri = digital_link.build(gtin=gtin, serial=serial, lot=None if serial else lot)
    return ScannedCode(kind, raw, epc=uri, gtin=gtin, serial=serial, lot=lot, expiry=expiry, flags=flags)


def _uri(raw: str, text: str) -> ScannedCode:
    uri = canonical(text)
    if uri.startswith("https://id.gs1.org/"):
        link = digital_link.parse(uri)
        kinds = {"00": "sscc", "414": "gln", "417": "gln"}
        if link.key in kinds:
            return ScannedCode(kinds[link.key], raw, epc=uri, sscc=link.value if link.key == "00" else None)
        return _item(raw, gtin=link.value, serial=link.qualifier("21"), lot=link.qualifier("10"), expiry=None, flags=())
    code = uri.removeprefix("urn:dosetrail:nmpa:")
    if nmpa.is_code(code):
        return ScannedCode("nmpa", raw, epc=uri, serial=code)
    return ScannedCode("unknown", raw, epc=uri)


def _code_in_address(raw: str, text: str) -> ScannedCode:
    """Chinese packs may carry a web address whose last part is the trace code."""
    for part in text.replace("?", "/").replace("=", "/").replace("&", "/").split("/"):
        if nmpa.is_code(part):
            return ScannedCode("nmpa", raw, epc=nmpa.epc(part), serial=part)
    return ScannedCode("unknown", raw)


def _ifa(raw: str, text: str) -> ScannedCode:
    """IFA envelope (ISO 15434 format 06): PPN, lot, expiry, serial. The PPN is no GTIN, so it names no pack of ours."""
    fields = text.removeprefix("[)>\x1e06\x1d").rstrip("\x04\x1e").split("\x1d")
    found = {
        name: part[len(name) :] for part in fields for name in ("9N", "1T", "8P", "D", "S") if part.startswith(name)
    }
    gtin = found.get("8P")
    if gtin and gtin.isdigit() and len(gtin) in {8, 12, 13, 14}:
        return _item(raw, gtin=gtin.zfill(14), serial=found.get("S"), lot=found.get("1T"), expiry=None, flags=("ifa",))
    return ScannedCode("unknown", raw, serial=found.get("S"), lot=found.get("1T"), flags=("ifa", "ppn"))
