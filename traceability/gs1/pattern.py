"""What a query may ask of identifiers: one thing, all things of a class, or an EPC pattern (EPCIS 2.0, 8.2.7.1.1)."""

from dataclasses import dataclass

from . import digital_link, epc, urn
from .errors import Gs1Error

_IDPAT = "urn:epc:idpat:"
_ROOT = digital_link.CANONICAL_DOMAIN
# EPC scheme -> where its company prefix begins: AI, and what stands before the prefix (d = any digit).
_SCHEMES = {
    "sgtin": "/01/d", "lgtin": "/01/d", "upui": "/01/d", "itip": "/8006/d", "sscc": "/00/d", "sgln": "/414/",
    "pgln": "/417/", "grai": "/8003/0", "giai": "/8004/", "gdti": "/253/", "sgcn": "/255/", "gsrn": "/8018/",
    "gsrnp": "/8017/", "cpi": "/8010/", "ginc": "/401/", "gsin": "/402/",
}  # fmt: skip
# What stands between an item and the star that names one of it, where one AI has several kinds.
_STARRED = {"sgtin": "/21/", "lgtin": "/10/", "upui": "/235/", "itip": "/21/", "sgln": "/254/", "cpi": "/8011/"}


@dataclass(frozen=True)
class Pattern:
    """The canonical keys that match: those in `exact`, and those that begin with one of `prefixes`."""

    exact: tuple[str, ...] = ()
    prefixes: tuple[str, ...] = ()

    def matches(self, key: str) -> bool:
        """Whether a canonical key is one of those asked for."""
        return key in self.exact or key.startswith(self.prefixes)


def pattern(uri: str) -> Pattern:
    """The pattern that a value of MATCH_* stands for; Gs1Error for a GS1 form that is not well formed.

    An item without serial or lot (a GTIN alone, as Digital Link) stands for itself and all that belongs to it.
    """
    if uri.startswith(_IDPAT):
        return _idpat(uri)
    key = epc.canonical(uri)
    link = key.removeprefix(f"{_ROOT}/")
    if link != key and link.startswith(("01/", "8006/", "8010/")) and link.count("/") == 1:
        return Pattern((key,), (f"{key}/",))
    return Pattern((key,))


def _idpat(uri: str) -> Pattern:
    scheme, _, body = uri.removeprefix(_IDPAT).partition(":")
    start = _SCHEMES.get(scheme)
    if start is None:
        raise Gs1Error("urn-scheme", f"EPC scheme {scheme!r} has no patterns of GS1 keys")
    parts = urn.parts(scheme)
    fields = body.split(".", parts - 1)  # further dots belong to the serial
    stars = 0
    while stars < len(fields) and fields[-1 - stars] == "*":
        stars += 1
    fixed = fields[: len(fields) - stars]
    if not stars:
        return pattern(epc.canonical(uri))
    if len(fields) != parts or "*" in fixed:
        raise Gs1Error("pattern", f"{uri[:80]!r} has not the {parts} parts of {scheme}, stars last")
    if not fixed:
        return Pattern(prefixes=(_ROOT + start.rstrip("0d"),))
    if len(fixed) == 1:
        return _company(start, fixed[0])
    if scheme == "itip" and len(fixed) < parts - 1:
        gtin = epc.canonical(f"{_IDPAT}sgtin:{'.'.join(fixed[:2])}.*").removeprefix(f"{_ROOT}/01/")
        return Pattern(prefixes=(f"{_ROOT}/8006/{gtin}{''.join(fixed[2:])}",))
    return Pattern(prefixes=(epc.canonical(uri) + _STARRED.get(scheme, ""),))


def _company(start: str, prefix: str) -> Pattern:
    if not (prefix.isascii() and prefix.isdigit() and 4 <= len(prefix) <= 12):
        raise Gs1Error("pattern", f"{prefix[:20]!r} is not a company prefix of 4 to 12 digits")
    digits = "0123456789" if start.endswith("d") else ("",)  # the indicator or extension digit, whichever it is
    return Pattern(prefixes=tuple(f"{_ROOT}{start.rstrip('d')}{digit}{prefix}" for digit in digits))
