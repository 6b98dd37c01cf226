"""What is printed on a pack or logistic unit: the elements of its barcode and the link of its QR code."""

from datetime import date

from . import digital_link, keys
from .errors import Gs1Error
from .scan import ScannedCode

Elements = tuple[tuple[str, str], ...]


def pack_elements(code: ScannedCode, *, today: date) -> Elements:
    """GTIN, serial, expiry and lot of a pack; Gs1Error names what is missing, malformed or not printable.

    `today` places the century window: an expiry date beyond it would be read back a hundred years off.
    """
    if code.kind != "pack" or not (code.gtin and code.serial):
        raise Gs1Error("no-serial", "a pack label needs a GTIN and a serial number")
    if not code.lot or code.expiry is None:
        raise Gs1Error("label-incomplete", "a pack label needs the lot number and the expiry date")
    if not -49 <= code.expiry.year - today.year <= 50:
        raise Gs1Error("date", f"the expiry date {code.expiry} cannot be printed in six digits")
    elements = (("01", code.gtin), ("21", code.serial), ("17", f"{code.expiry:%y%m%d}"), ("10", code.lot))
    for ai, value in elements:
        keys.require(ai, value)
    return elements


def pack_link(code: ScannedCode, *, base_url: str) -> str:
    """The address in the QR code: GTIN, lot and serial in the path, the expiry date in the query."""
    return digital_link.build(
        gtin=code.gtin or "", lot=code.lot, serial=code.serial, expiry=code.expiry, domain=base_url
    )


def sscc_elements(sscc: str) -> Elements:
    """The one element of a logistic unit; Gs1Error when its check digit is wrong."""
    keys.require("00", sscc)
    return (("00", sscc),)
