"""Signed notes and their Ed25519 keys (https://c2sp.org/signed-note)."""

import re
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Protocol

from nacl.exceptions import BadSignatureError
from nacl.signing import SigningKey, VerifyKey

from .errors import NoteError

ED25519 = 0x01
MAX_NOTE_SIZE = 1_000_000
MAX_SIGNATURES = 100
_PREFIX = "— "  # U+2014 EM DASH and one space
_KEY_ID = re.compile(r"[0-9a-f]{8}")
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]")


class Key(Protocol):
    """A known key of any type: the pair (name, key id) finds its lines, `verify` judges what such a line holds."""

    @property
    def name(self) -> str: ...

    @property
    def key_id(self) -> bytes: ...

    def verify(self, text: str, payload: bytes) -> None:
        """Raise NoteError unless `payload` is this key's signature of a note's `text`."""
        ...


@dataclass(frozen=True, slots=True)
class Verifier:
    """A public Ed25519 key by name, whose vkey is `<name>+<8 hex digits of key id>+<base64 of type and key>`."""

    name: str
    public: bytes

    @property
    def key_id(self) -> bytes:
        return key_id(self.name, ED25519, self.public)

    def verify(self, text: str, payload: bytes) -> None:
        verify_ed25519(self.name, self.public, text.encode(), payload)

    def __str__(self) -> str:
        return format_vkey(self.name, ED25519, self.public)


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature line: name, 4-byte key id and what the key type makes of it."""

    name: str
    key_id: bytes
    payload: bytes


@dataclass(frozen=True, slots=True)
class Note:
    """A well-formed note: its text (ends in a newline) and signature lines, not yet verified."""

    text: str
    signatures: Sequence[Signature]

    def lines_of(self, key: Key) -> list[Signature]:
        """The signature lines under a key's name and id."""
        return [line for line in self.signatures if (line.name, line.key_id) == (key.name, key.key_id)]


def key_id(name: str, kind: int, public: bytes) -> bytes:
    """The 4-byte id of a key of a signature type (one byte) under a name."""
    return sha256(name.encode() + b"\n" + bytes([kind]) + public).digest()[:4]


def format_vkey(name: str, kind: int, public: bytes) -> str:
    """The vkey of a key of a signature type under a name."""
    return f"{name}+{key_id(name, kind, public).hex()}+{b64encode(bytes([kind]) + public).decode()}"


def split_vkey(text: str) -> tuple[str, int, bytes]:
    """Name, signature type and key of a vkey of any type; NoteError unless it is well-formed and its id matches."""
    name, _, rest = text.partition("+")
    digits, _, encoded = rest.partition("+")  # base64 may contain a plus sign
    check_name(name)
    data = decode_base64(encoded)
    if not _KEY_ID.fullmatch(digits) or len(data) < 2:
        raise NoteError("not a verifier key (name+keyid+base64)")
    computed = key_id(name, data[0], data[1:]).hex()
    if computed != digits:
        raise NoteError(f"the verifier key's id is {digits}, computed {computed}")
    return name, data[0], data[1:]


def parse_vkey(text: str) -> Verifier:
    """The verifier that an Ed25519 vkey names; NoteError unless it is well-formed and its key id matches."""
    name, kind, public = split_vkey(text)
    if kind != ED25519 or len(public) != 32:
        raise NoteError("not an Ed25519 verifier key")
    return Verifier(name, public)


def check_name(name: str) -> None:
    """Raise NoteError unless `name` may name a key: not empty, no white space, no plus sign."""
    if not name or "+" in name or any(character.isspace() for character in name) or _CONTROL.search(name):
        raise NoteError("a key name is not empty and has no white space and no plus sign")


def sign(text: str, *, name: str, seed: bytes) -> str:
    """The note of `text` with one Ed25519 signature by the key of `seed` under `name`."""
    check_name(name)
    _check_text(text)
    key = SigningKey(seed)
    signed_by = key_id(name, ED25519, bytes(key.verify_key))
    return f"{text}\n{format_line(Signature(name, signed_by, key.sign(text.encode()).signature))}"


def format_line(signature: Signature) -> str:
    """A signature line with its newline, as a note ends in one or more of them."""
    return f"{_PREFIX}{signature.name} {b64encode(signature.key_id + signature.payload).decode()}\n"


def parse(data: bytes) -> Note:
    """The note in `data`, signatures not yet verified; NoteError for any other spelling."""
    if len(data) > MAX_NOTE_SIZE:
        raise NoteError(f"a note has at most {MAX_NOTE_SIZE} bytes")
    try:
        whole = data.decode()
    except UnicodeDecodeError as error:
        raise NoteError("a note is UTF-8 text") from error
    end = whole.rfind("\n\n")
    if end < 0:
        raise NoteError("a note has a blank line before its signatures")
    text, tail = whole[: end + 1], whole[end + 2 :]
    _check_text(text)
    if not tail.endswith("\n"):
        raise NoteError("a note ends with a newline and has at least one signature")
    lines = tail[:-1].split("\n")
    if len(lines) > MAX_SIGNATURES:
        raise NoteError(f"a note has at most {MAX_SIGNATURES} signatures")
    return Note(text, [parse_line(line) for line in lines])


def parse_line(line: str) -> Signature:
    """The signature in a line without its newline; NoteError for any other spelling."""
    name, separator, encoded = line.removeprefix(_PREFIX).partition(" ")
    if not line.startswith(_PREFIX) or not separator:
        raise NoteError("a signature line is an em dash, a key name and base64")
    check_name(name)
    data = decode_base64(encoded)
    if len(data) < 5:
        raise NoteError("a signature is longer than its key id")
    return Signature(name, data[:4], data[4:])


def verify(data: bytes, keys: Iterable[Key]) -> Note:
    """The note in `data`; NoteError unless a known key signed it and no line of a known key fails."""
    known: dict[tuple[str, bytes], Key] = {}
    for key in keys:
        if known.setdefault((key.name, key.key_id), key) != key:
            raise NoteError(f"two known keys share name and id: {key.name}")
    note = parse(data)
    verified = 0
    for line in note.signatures:
        signer = known.get((line.name, line.key_id))
        if signer is None:
            continue  # another key's line: nothing we can say about it
        signer.verify(note.text, line.payload)
        verified += 1
    if not verified:
        raise NoteError("no known key signed the note")
    return note


def verify_ed25519(name: str, public: bytes, message: bytes, signature: bytes) -> None:
    """Raise NoteError unless the key `public` signed `message`; `name` is for the error's text."""
    try:
        VerifyKey(public).verify(message, signature)
    except (BadSignatureError, ValueError) as error:
        raise NoteError(f"the signature of {name} does not verify") from error


def decode_base64(text: str) -> bytes:
    """Standard base64 in its one spelling, else NoteError."""
    try:
        data = b64decode(text, validate=True)
    except (Base64Error, ValueError) as error:
        raise NoteError("not standard base64") from error
    if b64encode(data).decode() != text:
        raise NoteError("not canonical base64")
    return data


def _check_text(text: str) -> None:
    if not text.endswith("\n") or _CONTROL.search(text):
        raise NoteError("a note's text ends with a newline and has no other control character")
