"""What a scanner read, understood (identifiers-and-workflows: the parsing order)."""

import re
from dataclasses import dataclass
from datetime import date

from . import check_digit, dates, digital_link, element_string, ifa, nmpa
from .epc import canonical
from .errors import Gs1Error

_SYMBOLOGY_LENGTH = 3
# Without a symbology prefix only these beginnings are taken for an element string; other text is left alone.
_ELEMENT_START = re.compile(r"\x1d|\([0-9]{2,4}\)|00[0-9]{18}(?![0-9])|01[0-9]{14}(?:\x1d|[0-9]|$)")


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
    if bare.startswith(ifa.ENVELOPE):
        return _ifa(raw, bare, today)
    if bare.lower().startswith(("http://", "https://")):
        return _link(raw, bare, today)
    if bare.startswith("urn:"):
        return _uri(raw, bare)
    if nmpa.is_code(bare) and not text.startswith(element_string.SYMBOLOGIES):
        return ScannedCode("nmpa", raw, epc=nmpa.epc(bare), serial=bare)
    if text.startswith(element_string.SYMBOLOGIES) or _ELEMENT_START.match(bare):
        return _elements(raw, text, today)
    return _number(raw, bare)


def _number(raw: str, bare: str) -> ScannedCode:
    """A key typed or scanned without its AI; anything else is free text."""
    if not (bare.isascii() and bare.isdigit()):
        return ScannedCode("unknown", raw)
    if len(bare) in {12, 13, 14} or (len(bare) == 8 and check_digit.of(bare[:-1]) == bare[-1]):
        check_digit.require(bare, name="GTIN")
        return ScannedCode("gtin", raw, epc=digital_link.build(gtin=bare.zfill(14)), gtin=bare.zfill(14))
    if len(bare) == 18 and check_digit.of(bare[:-1]) == bare[-1]:
        return ScannedCode("sscc", raw, epc=f"{digital_link.CANONICAL_DOMAIN}/00/{bare}", sscc=bare, flags=("bare",))
    return ScannedCode("unknown", raw)


def _elements(raw: str, text: str, today: date) -> ScannedCode:
    read = element_string.parse(text)
    flags = tuple(name for name, set_ in (("missing-gs", read.missing_gs), ("unsure-gs", read.unsure_gs)) if set_)
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
    if link.key != "01":
        return ScannedCode("unknown", raw, epc=link.canonical)
    expiry = link.attributes.get("17")
    return _item(
        raw,
        gtin=link.value,
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
        if link.key == "01":
            lot, serial = link.qualifier("10"), link.qualifier("21")
            return _item(raw, gtin=link.value, serial=serial, lot=lot, expiry=None, flags=())
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


def _ifa(raw: str, text: str, today: date) -> ScannedCode:
    """An IFA code: the PPN of a German pack is its NTIN, a GTIN, written another way."""
    fields = ifa.parse(text)
    expiry = fields.get("D")
    return _item(
        raw,
        gtin=ifa.gtin(fields),
        serial=fields.get("S"),
        lot=fields.get("1T"),
        expiry=dates.parse(expiry, today=today) if expiry else None,
        flags=("ifa",),
    )
