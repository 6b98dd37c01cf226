"""Checks of single values: texts, URIs, times, terms, identifiers. Each notes faults and never raises."""

import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

from traceability.gs1 import epc
from traceability.gs1.errors import Gs1Error

from .faults import Faults
from .vocabulary import bare

Check = Callable[[Any, "Scope"], None]

MAX_TEXT = 8192
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:[^\s<>\"{}|\\^`]+")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)")
OFFSET = re.compile(r"[+-](?:(?:0[0-9]|1[0-3]):[0-5][0-9]|14:00)")
_UOM = re.compile(r"[A-Z0-9]{2,3}")


class Scope:
    """What a check needs to know around the value: fault list, declared prefixes, the party's strictness."""

    def __init__(self, faults: Faults, prefixes: set[str], *, cbv_compliant: bool) -> None:
        self.faults, self.prefixes, self.cbv_compliant = faults, prefixes, cbv_compliant

    def add(self, code: str, message: str) -> None:
        self.faults.add(code, message)


def is_text(value: Any, scope: Scope) -> bool:
    """Whether `value` is a string of sane length; notes a fault otherwise."""
    if not isinstance(value, str):
        scope.add("type", f"must be a text, not {_kind(value)}")
        return False
    if not value or len(value) > MAX_TEXT:
        scope.add("length", f"must have 1 to {MAX_TEXT} characters")
        return False
    return True


def text(value: Any, scope: Scope) -> None:
    """A text."""
    is_text(value, scope)


def number(value: Any, scope: Scope) -> None:
    """A JSON number."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        scope.add("type", f"must be a number, not {_kind(value)}")


def boolean(value: Any, scope: Scope) -> None:
    """true or false."""
    if not isinstance(value, bool):
        scope.add("type", f"must be true or false, not {_kind(value)}")


def is_uri(value: str) -> bool:
    """Whether `value` has the form of a URI; a CURIE has it too."""
    return _URI.fullmatch(value) is not None


def is_declared_name(value: str, scope: Scope) -> bool:
    """Whether a member name is a URI, or a CURIE whose prefix is declared (schemes with `//` or `urn:` need none)."""
    if not is_uri(value):
        return False
    prefix, _, rest = value.partition(":")
    return prefix in scope.prefixes or rest.startswith("//") or prefix.lower() in {"urn", "ni", "tag", "did"}


def uri(value: Any, scope: Scope) -> None:
    """A URI or CURIE."""
    if is_text(value, scope) and not is_uri(value):
        scope.add("uri", f"{value[:80]!r} is not a URI")


def identifier(value: Any, scope: Scope) -> None:
    """A URI that names a thing, a class, a place or a party; a GS1 form must be well formed, check digit included."""
    if not is_text(value, scope):
        return
    if not is_uri(value):
        scope.add("uri", f"{value[:80]!r} is not a URI")
        return
    try:
        epc.canonical(value)
    except Gs1Error as error:
        scope.add(f"gs1-{error.code}", error.detail)


def time(value: Any, scope: Scope) -> None:
    """A date-time with zone, as in RFC 3339."""
    if not is_text(value, scope):
        return
    if _TIME.fullmatch(value) is None or not _is_date(value):
        scope.add("date-time", f"{value[:40]!r} is not a date-time with zone, such as 2026-03-01T12:00:00.000+08:00")


def offset(value: Any, scope: Scope) -> None:
    """A time zone offset, ±hh:mm."""
    if is_text(value, scope) and OFFSET.fullmatch(value) is None:
        scope.add("time-zone-offset", f"{value[:20]!r} is not an offset such as +08:00")


def uom(value: Any, scope: Scope) -> None:
    """A UN/CEFACT Recommendation 20 unit code."""
    if is_text(value, scope) and _UOM.fullmatch(value) is None:
        scope.add("uom", f"{value[:20]!r} is not a unit code such as CEL or KGM")


def term(words: frozenset[str], name: str) -> Check:
    """A check for a CBV term: a bare word of `words`, its Web URI, or (unless compliance is asked) a custom URI."""

    def check(value: Any, scope: Scope) -> None:
        if not is_text(value, scope) or bare(value) in words:
            return
        if value.startswith("urn:epcglobal:cbv:"):
            scope.add("cbv-urn", f"{value[:80]!r}: JSON carries CBV terms as bare words, not as URNs")
        elif not is_uri(value):
            scope.add("unknown-term", f"{value[:80]!r} is not a {name} of CBV 2.0; a term of your own must be a URI")
        elif value.startswith("https://ref.gs1.org/cbv/"):
            scope.add("unknown-term", f"{value[:80]!r} is not a {name} of CBV 2.0")
        elif scope.cbv_compliant:
            scope.add("custom-term", f"{value[:80]!r}: this party's events use the {name} words of CBV only")

    return check


def one_of(words: frozenset[str]) -> Check:
    """A check for a closed list of words."""

    def check(value: Any, scope: Scope) -> None:
        if is_text(value, scope) and bare(value) not in words:
            scope.add("unknown-term", f"{value[:80]!r} is not one of {', '.join(sorted(words))}")

    return check


def list_of(check: Check, *, minimum: int = 0, unique: bool = False) -> Check:
    """A check for a list whose members pass `check`."""

    def check_list(value: Any, scope: Scope) -> None:
        if not isinstance(value, list):
            scope.add("type", f"must be a list, not {_kind(value)}")
            return
        if len(value) < minimum:
            scope.add("empty", f"needs at least {minimum} member{'s' if minimum > 1 else ''}")
        if unique and len({item for item in value if isinstance(item, str)}) < sum(isinstance(i, str) for i in value):
            scope.add("duplicate", "holds the same identifier twice")
        for place, item in enumerate(value):
            with scope.faults.at(place):
                check(item, scope)

    return check_list


def is_object(value: Any, scope: Scope) -> bool:
    """Whether `value` is a JSON object; notes a fault otherwise."""
    if not isinstance(value, dict):
        scope.add("type", f"must be an object, not {_kind(value)}")
        return False
    return True


def _is_date(value: str) -> bool:
    try:
        datetime.fromisoformat(re.sub(r"\.\d+", "", value).replace("Z", "+00:00"))
    except ValueError:
        return False
    return True


def _kind(value: Any) -> str:
    names = {dict: "an object", list: "a list", str: "a text", bool: "true or false", type(None): "null"}
    return names.get(type(value), "a number")
