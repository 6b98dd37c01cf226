"""Checks of single values: texts, URIs, times, terms, identifiers. Each notes faults and never raises."""

import math
import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

from traceability.gs1 import epc
from traceability.gs1.errors import Gs1Error

from . import times
from .faults import Faults
from .vocabulary import PREFIXES, Vocabulary

Check = Callable[[Any, "Scope"], None]

MAX_TEXT = 8192
# What the index of events and the folds keep of an event has its place; what would not fit is refused at the door.
MAX_URI = 1024
MAX_EVENT_ID = 512
MAX_TERM = 256
MAX_EVENT_TYPE = 128
MAX_LOT = 64
MAX_DATE = 40
_AMOUNTS = (1e-9, 1e15)
# RFC 3986, appendix A, with something behind the scheme: no spaces, controls or letters that have two spellings. Of an
# IP address in brackets, which stand nowhere else, only the characters are asked.
_NAME = r"(?:[A-Za-z0-9\-._~!$&'()*+,;=]|%[0-9A-Fa-f]{2})"
_SEGMENT = r"(?:[A-Za-z0-9\-._~!$&'()*+,;=:@]|%[0-9A-Fa-f]{2})"
_PATH = r"(?:[A-Za-z0-9\-._~!$&'()*+,;=:@/]|%[0-9A-Fa-f]{2})*"
_REST = r"(?:[A-Za-z0-9\-._~!$&'()*+,;=:@/?]|%[0-9A-Fa-f]{2})*"
_HOST = rf"(?:(?:{_NAME}|:)*@)?(?:\[[0-9A-Fa-f:.]+\]|{_NAME}*)(?::[0-9]*)?"
_HIERARCHY = rf"//{_HOST}(?:/{_PATH})?|/?{_SEGMENT}{_PATH}|/"
URI = rf"[A-Za-z][A-Za-z0-9+.\-]*:(?:(?:{_HIERARCHY})(?:\?{_REST})?(?:#{_REST})?|\?{_REST}(?:#{_REST})?|#{_REST})"
_URI = re.compile(URI)
_TIME = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,12})?(Z|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])"
)
OFFSET = re.compile(r"[+-](?:(?:0[0-9]|1[0-3]):[0-5][0-9]|14:00)")
_AFTER_A_DAY = ("", "T", "Z", "+", "-")
_UOM = re.compile(r"[A-Z0-9]{2,3}")
_HEX = re.compile(r"[0-9A-Fa-f]+")


class Scope:
    """What a check needs to know around the value: fault list, declared prefixes, the party's strictness."""

    def __init__(self, faults: Faults, prefixes: frozenset[str], *, cbv_compliant: bool) -> None:
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
    if "\x00" in value:
        scope.add("control-character", "must not contain the character NUL")
        return False
    return True


def text(value: Any, scope: Scope) -> None:
    """A text."""
    is_text(value, scope)


def number(value: Any, scope: Scope) -> None:
    """A JSON number."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        scope.add("type", f"must be a number, not {_kind(value)}")
    elif not math.isfinite(value):
        scope.add("number", "must be a finite number")


def quantity(value: Any, scope: Scope) -> None:
    """An amount: 0, or a number that is neither negative nor beyond reason."""
    number(value, scope)
    smallest, largest = _AMOUNTS
    if isinstance(value, int | float) and value and not smallest <= value <= largest:
        scope.add("quantity", f"an amount is 0 or lies between {smallest:g} and {largest:g}")


def hexadecimal(value: Any, scope: Scope) -> None:
    """Bytes in hexadecimal."""
    if is_text(value, scope) and _HEX.fullmatch(value) is None:
        scope.add("hexadecimal", f"{value[:20]!r} is not hexadecimal")


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


def own_name(name: str, scope: Scope) -> None:
    """A member name of an extension."""
    if is_declared_name(name, scope):
        return
    prefix, colon, _ = name.partition(":")
    if colon:
        scope.add("prefix-undeclared", f"{name[:80]!r}: no @context declares the prefix {prefix[:40]!r}")
    else:
        scope.add("unknown-field", f"{name[:80]!r} is not a member here; one of your own must be a URI or a CURIE")


def at_most(limit: int, check: Check) -> Check:
    """A check for a text that passes `check` and has at most `limit` characters."""

    def check_length(value: Any, scope: Scope) -> None:
        if isinstance(value, str) and len(value) > limit:
            scope.add("length", f"must have at most {limit} characters")
        else:
            check(value, scope)

    return check_length


def _uri(value: Any, scope: Scope) -> None:
    if is_text(value, scope) and not is_uri(value):
        scope.add("uri", f"{value[:80]!r} is not a URI")


uri = at_most(MAX_URI, _uri)  # a URI or CURIE


def identifier(value: Any, scope: Scope) -> None:
    """A URI that names a thing, a class, a place or a party; a GS1 form must be well formed, check digit included."""
    if not is_text(value, scope):
        return
    if len(value) > MAX_URI:
        scope.add("length", f"must have at most {MAX_URI} characters")
        return
    if not is_uri(value):
        scope.add("uri", f"{value[:80]!r} is not a URI")
        return
    try:
        epc.canonical(value)  # never longer: a GS1 form is of short values, any other is its own
    except Gs1Error as error:
        scope.add(f"gs1-{error.code}", error.detail)


def is_time(value: Any) -> bool:
    """Whether `value` is a date-time with zone that exists, in years that every calendar computes with."""
    if not isinstance(value, str) or _TIME.fullmatch(value) is None:
        return False
    try:
        return 1900 <= datetime.fromisoformat(value[:19]).year <= 9998
    except ValueError:
        return False


def time(value: Any, scope: Scope) -> None:
    """A date-time with zone, as in RFC 3339."""
    if is_text(value, scope) and not is_time(value):
        scope.add("date-time", f"{value[:40]!r} is not a date-time with zone, such as 2026-03-01T12:00:00.000+08:00")


def day(value: Any, scope: Scope) -> None:
    """A date that exists, YYYY-MM-DD; what follows it (a zone, a time) is let pass."""
    if not is_text(value, scope):
        return
    if len(value) > MAX_DATE or value[10:11] not in _AFTER_A_DAY:
        scope.add("date", f"{value[:20]!r} is not a date such as 2026-12-31")
        return
    try:
        times.day(value[:10])
    except ValueError as error:
        scope.add("date", str(error))


def offset(value: Any, scope: Scope) -> None:
    """A time zone offset, ±hh:mm."""
    if is_text(value, scope) and OFFSET.fullmatch(value) is None:
        scope.add("time-zone-offset", f"{value[:20]!r} is not an offset such as +08:00")


def uom(value: Any, scope: Scope) -> None:
    """A UN/CEFACT Recommendation 20 unit code."""
    if is_text(value, scope) and _UOM.fullmatch(value) is None:
        scope.add("uom", f"{value[:20]!r} is not a unit code such as CEL or KGM")


def term(vocabulary: Vocabulary) -> Check:
    """A check for a CBV term: a bare word, its Web URI, or (unless compliance is asked) a URI of one's own."""

    def check(value: Any, scope: Scope) -> None:
        if not is_text(value, scope):
            return
        word = vocabulary.bare(value)
        is_known = word in vocabulary.words
        if is_known and word not in vocabulary.lenient:
            return
        if value.startswith("urn:epcglobal:cbv:"):
            scope.add("cbv-urn", f"{value[:80]!r}: JSON carries CBV terms as bare words, not as URNs")
        elif not is_known and not is_uri(value):
            scope.add(
                "unknown-term",
                f"{value[:80]!r} is not a {vocabulary.name} of CBV 2.0; a term of your own must be a URI",
            )
        elif not is_known and value.startswith(PREFIXES):
            scope.add("unknown-term", f"{value[:80]!r} is not a {vocabulary.name} of CBV 2.0")
        elif scope.cbv_compliant:
            scope.add("custom-term", f"{value[:80]!r}: this party's events use the {vocabulary.name} words of CBV only")

    return at_most(MAX_TERM, check)


def one_of(vocabulary: Vocabulary) -> Check:
    """A check for a closed list of words."""

    def check(value: Any, scope: Scope) -> None:
        if is_text(value, scope) and vocabulary.bare(value) not in vocabulary.words:
            scope.add("unknown-term", f"{value[:80]!r} is not one of {', '.join(sorted(vocabulary.words))}")

    return check


def list_of(check: Check, *, minimum: int = 0, maximum: int | None = None, unique: bool = False) -> Check:
    """A check for a list whose members pass `check`."""

    def check_list(value: Any, scope: Scope) -> None:
        if not isinstance(value, list):
            scope.add("type", f"must be a list, not {_kind(value)}")
            return
        if len(value) < minimum:
            scope.add("empty", f"needs at least {minimum} member{'s' if minimum > 1 else ''}")
        if maximum is not None and len(value) > maximum:
            scope.add("length", f"has at most {maximum} members")
        if unique:
            texts = [item for item in value if isinstance(item, str)]
            if len(set(texts)) < len(texts):
                scope.add("duplicate", "holds the same text twice")
        path = scope.faults.path
        for place, item in enumerate(value):
            path.append(place)
            check(item, scope)
            path.pop()

    return check_list


def is_object(value: Any, scope: Scope) -> bool:
    """Whether `value` is a JSON object; notes a fault otherwise."""
    if not isinstance(value, dict):
        scope.add("type", f"must be an object, not {_kind(value)}")
        return False
    return True


def _kind(value: Any) -> str:
    if isinstance(value, str):
        return f"the text {value[:40]!r}"
    names = {dict: "an object", list: "a list", bool: "true or false", type(None): "null"}
    return names.get(type(value), "a number")
