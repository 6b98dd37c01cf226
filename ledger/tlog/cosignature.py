"""Cosignatures: a witness' word that it saw a checkpoint, and when (https://c2sp.org/tlog-cosignature).

Only Ed25519 cosignatures (`cosignature/v1`, type 0x04) are made and judged; lines of type 0x06 (ML-DSA-44) are left
alone like those of strangers.
"""

from dataclasses import dataclass

from nacl.signing import SigningKey

from . import note
from .errors import NoteError

ED25519 = 0x04
ML_DSA_44 = 0x06
MAX_TIME = 2**63 - 1
_TIME_SIZE = 8


@dataclass(frozen=True, slots=True)
class Cosigner:
    """A witness' public Ed25519 key by name."""

    name: str
    public: bytes

    @property
    def key_id(self) -> bytes:
        return note.key_id(self.name, ED25519, self.public)

    def verify(self, text: str, payload: bytes) -> None:
        signed = signed_bytes(text, time_of(payload))
        note.verify_ed25519(self.name, self.public, signed, payload[_TIME_SIZE:])

    def __str__(self) -> str:
        return note.format_vkey(self.name, ED25519, self.public)


def parse_vkey(text: str) -> Cosigner | None:
    """The cosigner that a witness' vkey names, None for an ML-DSA key; NoteError for any other."""
    name, kind, public = note.split_vkey(text)
    if kind == ML_DSA_44:
        return None
    if kind != ED25519 or len(public) != 32:
        raise NoteError("not a witness' verifier key (type 0x04)")
    return Cosigner(name, public)


def sign(text: str, *, name: str, seed: bytes, time_s: int) -> str:
    """The signature line that cosigns a checkpoint's text at `time_s`, seconds since 1970."""
    if not 0 < time_s <= MAX_TIME:
        raise ValueError("a cosignature's time is a positive number of seconds")
    note.check_name(name)
    key = SigningKey(seed)
    payload = time_s.to_bytes(_TIME_SIZE, "big") + key.sign(signed_bytes(text, time_s)).signature
    return note.format_line(note.Signature(name, note.key_id(name, ED25519, bytes(key.verify_key)), payload))


def time_of(payload: bytes) -> int:
    """The time that a cosignature claims, in seconds since 1970."""
    time_s = int.from_bytes(payload[:_TIME_SIZE], "big")
    if len(payload) <= _TIME_SIZE or time_s > MAX_TIME:
        raise NoteError("a cosignature is a time and a signature")
    return time_s


def signed_bytes(text: str, time_s: int) -> bytes:
    """What a cosigner signs: a header, the time and the whole text of the checkpoint."""
    return f"cosignature/v1\ntime {time_s}\n{text}".encode()
