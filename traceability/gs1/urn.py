"""EPC URNs of GS1 keys to Digital Links (EPC Tag Data Standard; CBV 2.0, section 8)."""

from collections.abc import Callable
from urllib.parse import quote, unquote

from . import check_digit, digital_link
from .errors import Gs1Error

_PREFIXES = ("urn:epc:id:", "urn:epc:class:", "urn:epc:idpat:")
# EPC schemes of other issuers than GS1: such an identifier is its own key.
_OTHER_ISSUERS = frozenset({"gid", "usdod", "adi", "bic", "imovn"})


def to_digital_link(urn: str) -> str:
    """The canonical Digital Link of an EPC URN (pure identity, class or pattern with `*`); Gs1Error otherwise.

    A URN whose scheme has no GS1 key (gid, usdod, adi, bic, imovn) comes back as it is.
    """
    prefix = next((prefix for prefix in _PREFIXES if urn.startswith(prefix)), None)
    if prefix is None:
        raise Gs1Error("urn", f"{urn!r} is not an EPC URN")
    scheme, _, body = urn.removeprefix(prefix).partition(":")
    if scheme in _OTHER_ISSUERS and body:
        return urn
    translate, parts = _SCHEMES.get(scheme, (None, 0))
    if translate is None:
        raise Gs1Error("urn-scheme", f"EPC scheme {scheme!r} has no GS1 key")
    if prefix == "urn:epc:idpat:":
        body = body.removesuffix(".*")  # elsewhere a star is a character of a serial number
    elif body.count(".") < parts - 1:
        raise Gs1Error("urn-format", f"{urn!r} has not the {parts} parts of {scheme}")
    try:
        link = digital_link.CANONICAL_DOMAIN + translate(body)
    except Gs1Error:
        raise
    except (ValueError, IndexError) as error:
        raise Gs1Error("urn-format", f"{urn!r} has not the parts of {scheme}") from error
    # Read back, so that a URN can name nothing that a Digital Link cannot (lengths, characters).
    return digital_link.parse(link).canonical


def _sgtin(body: str) -> str:
    prefix, item, *serial = body.split(".", 2)
    path = f"/01/{_gtin(prefix, item)}"
    return path if not serial else f"{path}/21/{_encoded(serial[0])}"


def _lgtin(body: str) -> str:
    prefix, item, *lot = body.split(".", 2)
    path = f"/01/{_gtin(prefix, item)}"
    return path if not lot else f"{path}/10/{_encoded(lot[0])}"


def _itip(body: str) -> str:
    prefix, item, piece, total, *serial = body.split(".", 4)
    path = f"/8006/{_gtin(prefix, item)}{_digits(piece, 2)}{_digits(total, 2)}"
    return path if not serial else f"{path}/21/{_encoded(serial[0])}"


def _upui(body: str) -> str:
    prefix, item, *serial = body.split(".", 2)
    path = f"/01/{_gtin(prefix, item)}"
    return path if not serial else f"{path}/235/{_encoded(serial[0])}"


def _sscc(body: str) -> str:
    prefix, reference = body.split(".")
    return f"/00/{_with_check(reference[0] + prefix + reference[1:], 18)}"


def _sgln(body: str) -> str:
    prefix, reference, *extension = body.split(".", 2)
    path = f"/414/{_with_check(prefix + reference, 13)}"
    return path if not extension or extension[0] == "0" else f"{path}/254/{_encoded(extension[0])}"


def _pgln(body: str) -> str:
    prefix, reference = body.split(".")
    return f"/417/{_with_check(prefix + reference, 13)}"


def _grai(body: str) -> str:
    prefix, asset, *serial = body.split(".", 2)
    path = f"/8003/0{_with_check(prefix + asset, 13)}"
    return path if not serial else path + _encoded(serial[0])


def _giai(body: str) -> str:
    prefix, reference = body.split(".", 1)
    return f"/8004/{_digits(prefix)}{_encoded(reference)}"


def _gdti(body: str) -> str:
    prefix, kind, *serial = body.split(".", 2)
    path = f"/253/{_with_check(prefix + kind, 13)}"
    return path if not serial else path + _encoded(serial[0])


def _sgcn(body: str) -> str:
    prefix, coupon, *serial = body.split(".", 2)
    path = f"/255/{_with_check(prefix + coupon, 13)}"
    return path if not serial else path + _digits(serial[0])


def _gsrn(ai: str) -> Callable[[str], str]:
    def translate(body: str) -> str:
        prefix, reference = body.split(".")
        return f"/{ai}/{_with_check(prefix + reference, 18)}"

    return translate


def _cpi(body: str) -> str:
    prefix, part, *serial = body.split(".", 2)
    path = f"/8010/{_digits(prefix)}{_encoded(part)}"
    return path if not serial else f"{path}/8011/{_digits(serial[0])}"


def _ginc(body: str) -> str:
    prefix, reference = body.split(".", 1)
    return f"/401/{_digits(prefix)}{_encoded(reference)}"


def _gsin(body: str) -> str:
    prefix, reference = body.split(".")
    return f"/402/{_with_check(prefix + reference, 17)}"


# Scheme -> its translation and how many parts a full identifier has.
_SCHEMES: dict[str, tuple[Callable[[str], str], int]] = {
    "sgtin": (_sgtin, 3),
    "lgtin": (_lgtin, 3),
    "itip": (_itip, 5),
    "upui": (_upui, 3),
    "sscc": (_sscc, 2),
    "sgln": (_sgln, 3),
    "pgln": (_pgln, 2),
    "grai": (_grai, 3),
    "giai": (_giai, 2),
    "gdti": (_gdti, 3),
    "sgcn": (_sgcn, 3),
    "gsrn": (_gsrn("8018"), 2),
    "gsrnp": (_gsrn("8017"), 2),
    "cpi": (_cpi, 3),
    "ginc": (_ginc, 2),
    "gsin": (_gsin, 2),
}


def _gtin(prefix: str, item: str) -> str:
    _digits(item)
    return _with_check(item[0] + prefix + item[1:], 14)


def _with_check(body: str, length: int) -> str:
    _digits(body, length - 1)
    return body + check_digit.of(body)


def _digits(text: str, length: int | None = None) -> str:
    if not (text.isascii() and text.isdigit()) or (length is not None and len(text) != length):
        raise Gs1Error("urn-format", f"{text!r} should be {length or 'some'} digits")
    return text


def _encoded(text: str) -> str:
    """URNs escape a few characters their own way; a Digital Link path escapes by RFC 3986."""
    if not text:
        raise Gs1Error("urn-format", "a part of the URN is empty")
    return quote(unquote(text), safe="")
