"""RFC 8785 (JCS) bytes of a JSON value: the standard library's C encoder where it agrees, `rfc8785` where not. PURE."""

import json
from typing import Any

import rfc8785

MAX_INTEGER = 2**53 - 1

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), sort_keys=True, check_circular=False).encode
encode_string = json.encoder.encode_basestring  # the same escapes as RFC 8785 section 3.2.2.2


class CanonicalError(ValueError):
    """The value has no canonical form: a lone surrogate, NaN, an integer beyond 2^53 - 1, a key that is no string."""


def canonical(value: Any) -> str:
    """The JCS text of `value`; CanonicalError when it has none. Its UTF-8 bytes are what gets hashed."""
    kind = type(value)
    if kind is str:
        return encode_string(value)
    if _agrees(value):
        return _encode(value)
    try:
        return rfc8785.dumps(value).decode()
    except (rfc8785.CanonicalizationError, RecursionError) as error:
        raise CanonicalError(str(error)) from error


def canonical_bytes(value: Any) -> bytes:
    """The JCS bytes of `value`."""
    try:
        return canonical(value).encode()
    except UnicodeEncodeError as error:
        raise CanonicalError("a lone surrogate is no text") from error


def _agrees(value: Any) -> bool:
    """Whether the C encoder writes `value` as RFC 8785 does: no float, no large integer, ASCII keys (sort order)."""
    kind = type(value)
    if kind is str or kind is bool or value is None:
        return True
    if kind is int:
        return bool(-MAX_INTEGER <= value <= MAX_INTEGER)
    if kind is list or kind is tuple:
        return all(map(_agrees, value))
    if kind is dict:
        return all(type(key) is str and key.isascii() and _agrees(item) for key, item in value.items())
    return False
