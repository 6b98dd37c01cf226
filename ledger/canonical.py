"""RFC 8785 (JCS) text of a JSON value: a short path for most of what events hold, `rfc8785` for the rest. PURE."""

import json
from typing import Any

import rfc8785

MAX_INTEGER = 2**53 - 1
_EXPONENT_FROM = 1e21  # RFC 8785 writes no smaller whole number with an exponent

encode_string = json.encoder.encode_basestring  # C; the same escapes as RFC 8785 section 3.2.2.2


class CanonicalError(ValueError):
    """The value has no canonical form: a lone surrogate, NaN, an integer beyond 2^53 - 1, a key that is no string."""


class _BeyondError(Exception):
    """The value holds something that only the full implementation writes."""


def canonical(value: Any) -> str:
    """The JCS text of `value`; CanonicalError when it has none. Its UTF-8 bytes are what gets hashed."""
    try:
        return _plain(value)
    except _BeyondError:
        return _full(value)
    except RecursionError as error:
        raise CanonicalError("nested too deeply") from error


def canonical_bytes(value: Any) -> bytes:
    """The JCS bytes of `value`."""
    try:
        return canonical(value).encode()
    except UnicodeEncodeError as error:
        raise CanonicalError("a lone surrogate is no text") from error


def _full(value: Any) -> str:
    try:
        _require_safe(value)
        return rfc8785.dumps(value).decode()
    except (rfc8785.CanonicalizationError, RecursionError) as error:
        raise CanonicalError(str(error)) from error


def _require_safe(value: Any) -> None:
    """No number that RFC 8785 writes as an integer beyond 2^53 - 1: of 2^60 its text is another integer's."""
    if isinstance(value, float):
        if MAX_INTEGER < abs(value) < _EXPONENT_FROM:
            raise CanonicalError(f"{value!r} is written as an integer beyond 2^53 - 1")
    elif isinstance(value, dict | list | tuple):
        for item in value.values() if isinstance(value, dict) else value:
            _require_safe(item)


def _plain(value: Any) -> str:
    """The text of values without floats, large integers and non-ASCII keys (whose sort order differs in UTF-16)."""
    kind = type(value)
    if kind is str:
        return encode_string(value)
    if kind is dict:
        if not all(type(key) is str and key.isascii() for key in value):
            raise _BeyondError
        return "{" + ",".join([f"{encode_string(key)}:{_plain(value[key])}" for key in sorted(value)]) + "}"
    if kind is list or kind is tuple:
        return "[" + ",".join([_plain(item) for item in value]) + "]"
    if kind is int and -MAX_INTEGER <= value <= MAX_INTEGER:
        return str(value)
    if kind is bool or value is None:
        return "null" if value is None else "true" if value else "false"
    raise _BeyondError
