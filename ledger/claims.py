"""The salted claims tree of a document: one root commits to it, each claim can be shown alone (docs/formats.md). PURE.

A claim is `[salt, name, value]` in RFC 8785 JSON; its leaf is an RFC 6962 leaf hash. Leaves are sorted by hash and
padded, so that position, order and number of claims tell nothing.
"""

import re
from base64 import b64encode
from binascii import b2a_base64
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any, NamedTuple

from .canonical import CanonicalError, canonical, encode_string
from .tlog import merkle

# Members of EPCIS events that are lists without order: each member of the list is a claim of its own.
LISTS = frozenset(
    {
        "epcList",
        "childEPCs",
        "inputEPCList",
        "outputEPCList",
        "quantityList",
        "childQuantityList",
        "inputQuantityList",
        "outputQuantityList",
        "bizTransactionList",
        "sourceList",
        "destinationList",
        "sensorElementList",
    }
)
SPREAD = "ilmd"  # each of its members is a claim of its own, by name
MIN_LEAVES = 16
SECRET_SIZE = 32

_CLAIM = b"dosetrail/claim/1\x00"
_PAD = b"dosetrail/pad/1\x00"
_OFFSET = re.compile(r"([+-])([01][0-9]|2[0-3]):([0-5][0-9])")


class ClaimsError(ValueError):
    """The document cannot be committed: a name that claims reserve, a value without canonical form, a bad time."""


class Claim(NamedTuple):
    """One claim: its name, its text `[salt,name,value]` and its leaf hash."""

    name: str
    text: str
    leaf: bytes


@dataclass(frozen=True, slots=True)
class Commitment:
    """A committed document: its root, its claims and all leaves (claims and padding) in tree order."""

    root: bytes
    claims: Sequence[Claim]
    leaves: Sequence[bytes]


def commit(document: Mapping[str, Any], *, secret: bytes, party: str) -> Commitment:
    """The claims tree of `document`, signed by `party`; the same arguments always give the same root."""
    if len(secret) != SECRET_SIZE:
        raise ClaimsError(f"a document's secret is {SECRET_SIZE} bytes long")
    claims = _claims(document, secret, party)
    leaves = [claim.leaf for claim in claims]
    size = max(MIN_LEAVES, 1 << (len(leaves) - 1).bit_length())
    mac = _Hmac(secret)
    for i in range(size - len(leaves)):
        leaves.append(sha256(b"\x00" + mac.digest(_PAD + i.to_bytes(4, "big"))).digest())
    leaves.sort()
    return Commitment(merkle.perfect_root(leaves), claims, leaves)


def disclose(commitment: Commitment, names: Callable[[str], bool]) -> list[dict[str, Any]]:
    """The claims whose name `names` accepts, each with its place and path: `{"index", "claim", "path"}`."""
    levels = _levels(commitment.leaves)
    place = {leaf: index for index, leaf in enumerate(commitment.leaves)}
    shown = [(place[claim.leaf], claim.text) for claim in commitment.claims if names(claim.name)]
    return [{"index": index, "claim": text, "path": _path(levels, index)} for index, text in sorted(shown)]


def members(document: Mapping[str, Any], party: str) -> Iterator[tuple[str, Any]]:
    """Name and value of every claim that `document` makes, those about its shape included."""
    for name, value in document.items():
        if name in LISTS and isinstance(value, list | tuple):
            for item in value:
                yield name, item
            yield f"{name}#count", len(value)
        elif name == SPREAD and isinstance(value, Mapping):
            for key, item in value.items():
                yield f"{SPREAD}/{key}", item
            yield f"{SPREAD}#members", sorted(value)
        elif name[:1] == "#" or name.startswith(f"{SPREAD}/") or name in _RESERVED:
            raise ClaimsError(f"the member name {name!r} is reserved")
        else:
            yield name, value
    yield "#members", sorted(document)
    yield "#party", party
    if "eventTime" in document:
        yield "#day", local_day(document["eventTime"], document.get("eventTimeZoneOffset"))


def local_day(event_time: Any, offset: Any) -> str:
    """The calendar day (ISO 8601) of an EPCIS eventTime at its eventTimeZoneOffset."""
    match = _OFFSET.fullmatch(offset) if isinstance(offset, str) else None
    if not match or not isinstance(event_time, str):
        raise ClaimsError("eventTime needs an eventTimeZoneOffset such as +08:00")
    minutes = int(match[2]) * 60 + int(match[3])
    try:
        instant = datetime.fromisoformat(event_time)
        if instant.tzinfo is None:
            raise ClaimsError("eventTime needs a time zone designator")
        local = instant.astimezone(UTC) + timedelta(minutes=-minutes if match[1] == "-" else minutes)
    except (ValueError, OverflowError) as error:
        raise ClaimsError(f"eventTime {event_time!r} is not an ISO 8601 date and time") from error
    return local.date().isoformat()


_RESERVED = frozenset({f"{name}#count" for name in LISTS} | {f"{SPREAD}#members"})


def _claims(document: Mapping[str, Any], secret: bytes, party: str) -> list[Claim]:
    claims: list[Claim] = []
    seen: dict[str, int] = {}
    mac = _Hmac(secret)
    try:
        for name, value in members(document, party):
            pair = f"{encode_string(name)},{canonical(value)}"
            repeat = 1
            if name in LISTS:  # equal members of a list get salts of their own
                repeat = seen[pair] = seen.get(pair, 0) + 1
            digest = mac.digest(_CLAIM + f"[{pair},{repeat}]".encode())
            salt = b2a_base64(digest[:16], newline=False)[:22].translate(_URL_SAFE).decode()
            text = f'["{salt}",{pair}]'
            claims.append(Claim(name, text, sha256(b"\x00" + text.encode()).digest()))
    except (CanonicalError, UnicodeEncodeError, AttributeError, TypeError) as error:
        raise ClaimsError(f"the document has no canonical form: {error}") from error
    return claims


class _Hmac:
    """HMAC-SHA256 (RFC 2104) under one key of at most 64 bytes, its padded key hashed once for all messages."""

    def __init__(self, key: bytes) -> None:
        padded = key.ljust(64, b"\x00")
        self._inner = sha256(padded.translate(_INNER))
        self._outer = sha256(padded.translate(_OUTER))

    def digest(self, message: bytes) -> bytes:
        inner, outer = self._inner.copy(), self._outer.copy()
        inner.update(message)
        outer.update(inner.digest())
        return outer.digest()


_INNER = bytes(byte ^ 0x36 for byte in range(256))
_OUTER = bytes(byte ^ 0x5C for byte in range(256))
_URL_SAFE = bytes.maketrans(b"+/", b"-_")


def _levels(leaves: Sequence[bytes]) -> list[Sequence[bytes]]:
    levels = [leaves]
    while len(levels[-1]) > 1:
        below = levels[-1]
        levels.append([merkle.node_hash(below[i], below[i + 1]) for i in range(0, len(below), 2)])
    return levels


def _path(levels: Sequence[Sequence[bytes]], index: int) -> list[str]:
    return [b64encode(level[(index >> height) ^ 1]).decode() for height, level in enumerate(levels[:-1])]
