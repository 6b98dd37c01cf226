"""The one strict JSON reader for whatever is committed, so that Python and a browser read the same value.

Refused: duplicate members, NaN and Infinity, lone surrogates, integers beyond 2^53 - 1 and what RFC 8785 writes as one
(1e20, but not 1e21), numbers that a double cannot hold exactly as written, too deep nesting.
"""

import json
import re
from decimal import Decimal, InvalidOperation
from typing import Any, NoReturn

MAX_SAFE_INTEGER = 2**53 - 1
EXPONENT_FROM = 1e21  # RFC 8785 writes no smaller whole number with an exponent
MAX_DEPTH = 64
# Possessive and with an optional end, so that an unclosed string costs one pass only.
_STRING = re.compile(rb'"(?:[^"\\]++|\\.)*+"?', re.DOTALL)
_ALL_BUT_BRACKETS = bytes(byte for byte in range(256) if byte not in b"[]{}")


class StrictJsonError(ValueError):
    """The bytes are not JSON that everyone reads alike. `code` is stable; `detail` is for people."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code, self.detail = code, detail


def loads(data: bytes) -> Any:
    """The value in `data` (UTF-8, no byte-order mark); StrictJsonError says what is wrong with it."""
    if data.startswith(b"\xef\xbb\xbf"):
        raise StrictJsonError("not-json", "begins with a byte-order mark; JSON has none")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise StrictJsonError("not-utf8", f"byte {error.start} is not UTF-8") from error
    _require_shallow(data)
    try:
        value = _DECODER.decode(text)
    except json.JSONDecodeError as error:
        raise StrictJsonError("not-json", f"line {error.lineno}, column {error.colno}: {error.msg}") from error
    except RecursionError as error:
        raise StrictJsonError("too-deep", f"nested deeper than {MAX_DEPTH}") from error
    if "\\ud" in text or "\\uD" in text:
        _require_no_surrogates(value)
    return value


def read_at(text: str, start: int, *, max_depth: int) -> tuple[Any, int]:
    """The value that begins at `start`, by the same rules, and where it ends; it may nest `max_depth` deep.

    json.JSONDecodeError where no value ends within `text`: a caller with more text behind it tries again.
    """
    try:
        value, end = _DECODER.raw_decode(text, start)
    except RecursionError as error:
        raise StrictJsonError("too-deep", f"nested deeper than {MAX_DEPTH}") from error
    if text.count("[", start, end) + text.count("{", start, end) > max_depth:
        _require_shallow(text[start:end].encode("utf-8", "surrogatepass"), max_depth)
    if text.find("\\ud", start, end) >= 0 or text.find("\\uD", start, end) >= 0:
        _require_no_surrogates(value)
    return value, end


def _require_shallow(data: bytes, max_depth: int = MAX_DEPTH) -> None:
    """Only a document with that many brackets can be that deep; counting is far cheaper than walking."""
    if data.count(b"[") + data.count(b"{") <= max_depth:
        return
    depth = 0
    # Without escapes every second piece between quotes stands outside of strings.
    outside = _STRING.sub(b"", data) if b"\\" in data else b"".join(data.split(b'"')[::2])
    for byte in outside.translate(None, _ALL_BUT_BRACKETS):
        depth += 1 if byte in b"[{" else -1
        if depth > max_depth:
            raise StrictJsonError("too-deep", f"nested deeper than {MAX_DEPTH}")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        seen: set[str] = set()
        for name, _ in pairs:
            if name in seen:
                raise StrictJsonError("duplicate-member", f"the member {name!r} stands twice")
            seen.add(name)
    return members


def _integer(text: str) -> int:
    value = int(text) if len(text) <= 17 else MAX_SAFE_INTEGER + 1
    if abs(value) > MAX_SAFE_INTEGER:
        raise StrictJsonError("number", f"the integer {text[:40]} is beyond 2^53 - 1")
    return value


def _number(text: str) -> float:
    value = float(text)
    try:
        is_exact = value not in (float("inf"), float("-inf")) and Decimal(text) == Decimal(repr(value))
    except InvalidOperation:  # an exponent beyond what Decimal takes
        is_exact = False
    if not is_exact:
        raise StrictJsonError("number", f"the number {text[:40]} has more digits than a double can hold")
    if MAX_SAFE_INTEGER < abs(value) < EXPONENT_FROM:
        raise StrictJsonError("number", f"the number {text[:40]} is an integer beyond 2^53 - 1")
    return value


def _constant(name: str) -> NoReturn:
    raise StrictJsonError("number", f"{name} is not JSON")


def _require_no_surrogates(value: Any) -> None:
    if isinstance(value, str):
        if any(0xD800 <= ord(char) <= 0xDFFF for char in value):
            raise StrictJsonError("surrogate", "a string holds half a surrogate pair")
    elif isinstance(value, dict):
        for name, member in value.items():
            _require_no_surrogates(name)
            _require_no_surrogates(member)
    elif isinstance(value, list):
        for member in value:
            _require_no_surrogates(member)


_DECODER = json.JSONDecoder(
    object_pairs_hook=_object, parse_int=_integer, parse_float=_number, parse_constant=_constant
)
