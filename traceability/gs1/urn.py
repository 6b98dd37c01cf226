"""EPC URNs of GS1 keys to Digital Links and back (EPC Tag Data Standard; CBV 2.0, section 8)."""

from collections.abc import Callable, Collection, Mapping
from typing import Any
from urllib.parse import quote, unquote

from . import check_digit, digital_link
from .errors import Gs1Error

_PREFIXES = ("urn:epc:id:", "urn:epc:class:", "urn:epc:idpat:")
# EPC schemes of other issuers than GS1: such an identifier is its own key.
_OTHER_ISSUERS = frozenset({"gid", "usdod", "adi", "bic", "imovn"})
# How many digits a GS1 company prefix has in an EPC URN.
PREFIX_LENGTHS = range(6, 13)
# What stands as it is in a part of an EPC URN (Tag Data Standard, table A-1); all else is escaped.
_IN_URN = "!'()*+,-.:;=_"


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


def to_urn(link: str, gcp_length: int) -> str:
    """The EPC URN of a Digital Link whose company prefix has `gcp_length` digits; inverse of `to_digital_link`.

    A lot becomes a class, a key without serial where it could have one a pattern with `*`. Gs1Error where EPC has no
    such URN (a unit within a place, a lot of an ITIP), or it would not lead back to the same link.
    """
    if gcp_length not in PREFIX_LENGTHS:
        raise Gs1Error("gcp-length", f"a company prefix has 6 to 12 digits, not {gcp_length}")
    parsed = digital_link.parse(digital_link.parse(link, check_assets=False).canonical, check_assets=False)
    write = _WRITERS.get((parsed.key, *(ai for ai, _ in parsed.qualifiers)))
    if write is None:
        raise Gs1Error("no-urn", f"there is no EPC URN for {link!r}")
    urn = write(gcp_length, parsed.value, *(value for _, value in parsed.qualifiers))
    try:
        leads_back = to_digital_link(urn) == parsed.canonical
    except Gs1Error as error:
        raise Gs1Error("no-urn", f"there is no EPC URN for {link!r}: {error.detail}") from error
    if not leads_back:
        raise Gs1Error("no-urn", f"{urn!r} does not lead back to {link!r}")
    return urn


def company_prefix(urn: str) -> str:
    """The company prefix that stands in an EPC URN of a GS1 key, or ''."""
    scheme, _, body = next((urn.removeprefix(one) for one in _PREFIXES if urn.startswith(one)), "").partition(":")
    prefix = body.partition(".")[0] if scheme in _SCHEMES else ""
    return prefix if prefix.isascii() and prefix.isdigit() and len(prefix) in PREFIX_LENGTHS else ""


def prefixes_in(value: Any) -> frozenset[str]:
    """The company prefixes of all EPC URNs within a JSON value."""
    found: set[str] = set()
    todo = [value]
    while todo:
        one = todo.pop()
        if isinstance(one, Mapping):
            todo.extend(one.values())
        elif isinstance(one, list):
            todo.extend(one)
        elif isinstance(one, str) and one.startswith(_PREFIXES):
            found.add(company_prefix(one))
    return frozenset(found - {""})


def with_prefixes(uri: str, prefixes: Collection[str]) -> str:
    """`uri` as EPC URN if it is a Digital Link under one of these company prefixes (the longest); else as it is."""
    if not uri[:8].lower().startswith(("https://", "http://")):
        return uri
    try:
        parsed = digital_link.parse(uri, check_assets=False)
    except Gs1Error:
        return uri  # a web address of someone's own
    start = 1 if parsed.key in _PREFIX_AT_1 else 0
    for length in reversed(PREFIX_LENGTHS):
        if parsed.value[start : start + length] in prefixes:
            try:
                return to_urn(uri, length)
            except Gs1Error:
                return uri  # EPC has no URN for it: the link is its only name
    return uri


def parts(scheme: str) -> int:
    """How many parts a full identifier of an EPC scheme has; Gs1Error for a scheme without a GS1 key."""
    if scheme not in _SCHEMES:
        raise Gs1Error("urn-scheme", f"EPC scheme {scheme!r} has no GS1 key")
    return _SCHEMES[scheme][1]


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


# Keys whose first digit (indicator, extension, filler) stands before the company prefix.
_PREFIX_AT_1 = frozenset({"00", "01", "8003", "8006"})
Write = Callable[..., str]


def _escaped(text: str) -> str:
    return quote(text, safe=_IN_URN)


def _writer(scheme: str, *, kind: str = "id", digits: int = 0, then: str = "") -> Write:
    """Writes a key whose check digit is the last of `digits` (0 = it has none); `then` follows when nothing else does.

    The digit before the company prefix, where there is one, begins the reference; what stands behind the check digit
    is the serial.
    """

    def write(length: int, value: str, *more: str) -> str:
        key, rest = (value[: digits - 1], value[digits:]) if digits else (value, "")
        head = key[:1] if scheme in {"sgtin", "lgtin", "itip", "upui", "sscc"} else ""
        key = key[1:] if head or scheme == "grai" else key
        parts = [key[:length], head + _escaped(key[length:])]
        if scheme == "itip":
            parts += [rest[:2], rest[2:]]
        elif rest:
            more = (rest, *more)
        ends = [_escaped(one) for one in more] or ([then] if then else [])
        return f"urn:epc:{'idpat' if then == '*' and not more else kind}:{scheme}:{'.'.join([*parts, *ends])}"

    return write


# Key AI and the AIs of its qualifiers -> how its URN is written.
_WRITERS: dict[tuple[str, ...], Write] = {
    ("01",): _writer("sgtin", digits=14, then="*"),
    ("01", "21"): _writer("sgtin", digits=14),
    ("01", "10"): _writer("lgtin", kind="class", digits=14),
    ("01", "235"): _writer("upui", digits=14),
    ("8006",): _writer("itip", digits=14, then="*"),
    ("8006", "21"): _writer("itip", digits=14),
    ("00",): _writer("sscc", digits=18),
    ("414",): _writer("sgln", digits=13, then="0"),
    ("414", "254"): _writer("sgln", digits=13),
    ("417",): _writer("pgln", digits=13),
    ("8003",): _writer("grai", digits=14, then="*"),
    ("8004",): _writer("giai"),
    ("253",): _writer("gdti", digits=13, then="*"),
    ("255",): _writer("sgcn", digits=13, then="*"),
    ("8018",): _writer("gsrn", digits=18),
    ("8017",): _writer("gsrnp", digits=18),
    ("8010",): _writer("cpi", then="*"),
    ("8010", "8011"): _writer("cpi"),
    ("401",): _writer("ginc"),
    ("402",): _writer("gsin", digits=17),
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
