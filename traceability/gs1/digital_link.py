"""GS1 Digital Link URIs: one parser, one spelling out (GS1 Digital Link URI Syntax 1.4)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from urllib.parse import quote, unquote

from . import keys
from .errors import Gs1Error

CANONICAL_DOMAIN = "https://id.gs1.org"
MAX_LENGTH = 2048
# Names that older links carry instead of AIs (GS1 Digital Link URI Syntax 1.1, convenience alphas).
_ALIASES = {
    "gtin": "01", "itip": "8006", "cpid": "8010", "gln": "414", "party": "417", "gsrnp": "8017", "gsrn": "8018",
    "gcn": "255", "sscc": "00", "gdti": "253", "ginc": "401", "gsin": "402", "grai": "8003", "giai": "8004",
    "cpv": "22", "lot": "10", "ser": "21", "glnx": "254", "tpx": "235", "cpsn": "8011",
}  # fmt: skip
# Of the qualifiers that name ever smaller things, the last one present is part of the key.
_FINEST = {"01": ("10", "21", "235"), "8006": ("10", "21")}


@dataclass(frozen=True)
class DigitalLink:
    """A parsed link: its key, the qualifiers in path order, the attributes of the query."""

    key: str  # the AI of the key
    value: str
    qualifiers: tuple[tuple[str, str], ...] = ()
    attributes: Mapping[str, str] = field(default_factory=dict)

    def qualifier(self, ai: str) -> str | None:
        """The value of one qualifier, or None."""
        return dict(self.qualifiers).get(ai)

    @property
    def path(self) -> str:
        """The path of the link as given, every qualifier in it."""
        return _path([(self.key, self.value), *self.qualifiers])

    @property
    def canonical(self) -> str:
        """The URI under id.gs1.org that names the finest thing (a pack rather than its lot), without attributes."""
        kept = self.qualifiers
        if self.key in _FINEST:
            kept = tuple(pair for pair in kept if pair[0] in _FINEST[self.key])[-1:]
        return CANONICAL_DOMAIN + _path([(self.key, self.value), *kept])


def parse(uri: str, *, check_assets: bool = True) -> DigitalLink:
    """The link in `uri`, of any domain and stem; Gs1Error names what is wrong with it.

    Without `check_assets`, check digits bind items, logistic units and places only (`keys.ASSETS`).
    """
    if len(uri) > MAX_LENGTH:
        raise Gs1Error("too-long", f"a Digital Link has at most {MAX_LENGTH} characters")
    scheme, separator, rest = uri.partition("://")
    if not separator or scheme.lower() not in {"http", "https"}:
        raise Gs1Error("scheme", f"{uri!r} is not a web address")
    location, _, query = rest.partition("#")[0].partition("?")
    segments = location.rstrip("/").split("/")[1:]
    start = _key_position(segments)
    pairs = [(_ai(segments[place]), _decode(segments[place + 1])) for place in range(start, len(segments), 2)]
    return _checked(pairs, query, check_assets=check_assets)


def from_path(path: str, query: str = "") -> DigitalLink:
    """The link of a path that a server has percent-decoded, without its leading slash; Gs1Error as in `parse`.

    A slash in a value is one again by then: what could be a qualifier in its place is read as one, and else as text.
    """
    first, _, rest = path.partition("/")
    key = _ai(first)
    if key not in keys.QUALIFIERS:
        raise Gs1Error("no-key", f"{first[:20]!r} is not the AI of a GS1 key")
    found = _decoded(key).fullmatch(rest)
    if found is None:
        raise Gs1Error("format", f"the address has no value of ({key})")
    pairs = [(key, found["value"]), *((ai, found[f"q{ai}"]) for ai in _may_follow(key) if found[f"q{ai}"])]
    return _checked(pairs, query, check_assets=True)


def _checked(pairs: list[tuple[str, str]], query: str, *, check_assets: bool) -> DigitalLink:
    (key, value), qualifiers = pairs[0], pairs[1:]
    if key == "01" and len(value) in {8, 12, 13}:
        value = value.zfill(14)
    for ai, text in [(key, value), *qualifiers]:
        keys.require(ai, text, check=check_assets or ai not in keys.ASSETS)
    _require_order(key, [ai for ai, _ in qualifiers])
    return DigitalLink(key, value, tuple(qualifiers), _attributes(query))


def build(
    *,
    gtin: str,
    serial: str | None = None,
    lot: str | None = None,
    expiry: date | None = None,
    domain: str = CANONICAL_DOMAIN,
) -> str:
    """The link of a trade item, lot or pack; `expiry` becomes the attribute 17."""
    pairs = [("01", gtin), *((ai, value) for ai, value in (("10", lot), ("21", serial)) if value)]
    for ai, value in pairs:
        keys.require(ai, value)
    return domain.rstrip("/") + _path(pairs) + (f"?17={expiry:%y%m%d}" if expiry else "")


def lot_class(gtin: str, lot: str) -> str:
    """The link under which recalls and holds speak of a lot; its product's where GS1 allows no such number."""
    try:
        return build(gtin=gtin, lot=lot)
    except Gs1Error:
        return build(gtin=gtin)


def of_class(uri: str) -> tuple[str, str] | None:
    """GTIN and lot number of such a link, '' = the whole product; None for a class of another kind."""
    try:
        link = parse(uri)
    except Gs1Error:
        return None
    return (link.value, link.qualifier("10") or "") if link.key == "01" and not link.qualifier("21") else None


def _key_position(segments: list[str]) -> int:
    """Where the key stands: the first AI from which segments pair up to the end (a stem may come before it)."""
    for place, segment in enumerate(segments):
        if _ai(segment) in keys.QUALIFIERS and (len(segments) - place) % 2 == 0:
            return place
    raise Gs1Error("no-key", "the address holds no GS1 key such as /01/<GTIN> or /00/<SSCC>")


def _ai(segment: str) -> str:
    return _ALIASES.get(segment, segment)


def _may_follow(key: str) -> tuple[str, ...]:
    return (*keys.QUALIFIERS[key], *(("235",) if key == "01" else ()))


@cache
def _decoded(key: str) -> re.Pattern[str]:
    spelled = {
        ai: "|".join([ai, *(name for name, other in _ALIASES.items() if other == ai)]) for ai in _may_follow(key)
    }
    return re.compile(
        "(?P<value>.+?)" + "".join(f"(?:/(?:{names})/(?P<q{ai}>.+?))?" for ai, names in spelled.items()), re.DOTALL
    )


def _require_order(key: str, qualifiers: list[str]) -> None:
    if key == "01" and qualifiers == ["235"]:
        return
    allowed = keys.QUALIFIERS[key]
    if qualifiers != [ai for ai in allowed if ai in qualifiers]:
        expected = ", ".join(allowed) or "none"
        raise Gs1Error("qualifiers", f"after ({key}) may stand, in this order: {expected}; not {', '.join(qualifiers)}")


def _decode(segment: str) -> str:
    try:
        return unquote(segment, errors="strict")
    except UnicodeDecodeError as error:
        raise Gs1Error("encoding", f"{segment!r} is not percent-encoded UTF-8") from error


def _attributes(query: str) -> dict[str, str]:
    pairs = (part.partition("=") for part in query.replace(";", "&").split("&") if part)
    return {name: _decode(value) for name, _, value in pairs}


def _path(pairs: list[tuple[str, str]]) -> str:
    return "".join(f"/{ai}/{quote(value, safe='')}" for ai, value in pairs)
