"""Signed notes and their Ed25519 keys (https://c2sp.org/signed-note)."""

import re
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256

from nacl.exceptions import BadSignatureError
from nacl.signing import SigningKey, VerifyKey

from .errors import NoteError

ED25519 = 0x01
MAX_NOTE_SIZE = 1_000_000
MAX_SIGNATURES = 100
_PREFIX = "— "  # U+2014 EM DASH and one space
_KEY_ID = re.compile(r"[0-9a-f]{8}")
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]")


@dataclass(frozen=True, slots=True)
class Verifier:
    """A public key by name, as a vkey spells it: `<name>+<8 hex digits of key id>+<base64 of type and key>`."""

    name: str
    public: bytes

    @property
    def key_id(self) -> bytes:
        return key_id(self.name, self.public)

    def __str__(self) -> str:
        return f"{self.name}+{self.key_id.hex()}+{b64encode(bytes([ED25519]) + self.public).decode()}"


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


def key_id(name: str, public: bytes) -> bytes:
    """The 4-byte id of an Ed25519 key under a name."""
    return sha256(name.encode() + b"\n" + bytes([ED25519]) + public).digest()[:4]


def parse_vkey(text: str) -> Verifier:
    """The verifier that an Ed25519 vkey names; NoteError unless it is well-formed and its key id matches."""
    name, _, rest = text.partition("+")
    digits, _, encoded = rest.partition("+")  # base64 may contain a plus sign
    check_name(name)
    data = decode_base64(encoded)
    if not _KEY_ID.fullmatch(digits) or len(data) != 33 or data[0] != ED25519:
        raise NoteError("not an Ed25519 verifier key (name+keyid+base64)")
    verifier = Verifier(name, data[1:])
    if verifier.key_id.hex() != digits:
        raise NoteError(f"the verifier key's id is {digits}, computed {verifier.key_id.hex()}")
    return verifier


def check_name(name: str) -> None:
    """Raise NoteError unless `name` may name a key: not empty, no white space, no plus sign."""
    if not name or "+" in name or any(character.isspace() for character in name) or _CONTROL.search(name):
        raise NoteError("a key name is not empty and has no white space and no plus sign")


def sign(text: str, *, name: str, seed: bytes) -> str:
    """The note of `text` with one Ed25519 signature by the key of `seed` under `name`."""
    check_name(name)
    _check_text(text)
    key = SigningKey(seed)
    signature = key.sign(text.encode()).signature
    line = key_id(name, bytes(key.verify_key)) + signature
    return f"{text}\n{_PREFIX}{name} {b64encode(line).decode()}\n"


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
    return Note(text, [_parse_line(line) for line in lines])


def verify(data: bytes, verifiers: Iterable[Verifier]) -> Note:
    """The note in `data`; NoteError unless a known key signed it and no line of a known key fails."""
    known: dict[tuple[str, bytes], Verifier] = {}
    for verifier in verifiers:
        if known.setdefault((verifier.name, verifier.key_id), verifier) != verifier:
            raise NoteError(f"two known keys share name and id: {verifier.name}")
    note = parse(data)
    verified = 0
    for signature in note.signatures:
        key = known.get((signature.name, signature.key_id))
        if key is None:
            continue  # another key's line: nothing we can say about it
        try:
            VerifyKey(key.public).verify(note.text.encode(), signature.payload)
        except (BadSignatureError, ValueError) as error:
            raise NoteError(f"the signature of {signature.name} does not verify") from error
        verified += 1
    if not verified:
        raise NoteError("no known key signed the note")
    return note


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


def _parse_line(line: str) -> Signature:
    name, separator, encoded = line.removeprefix(_PREFIX).partition(" ")
    if not line.startswith(_PREFIX) or not separator:
        raise NoteError("a signature line is an em dash, a key name and base64")
    check_name(name)
    data = decode_base64(encoded)
    if len(data) < 5:
        raise NoteError("a signature is longer than its key id")
    return Signature(name, data[:4], data[4:])
