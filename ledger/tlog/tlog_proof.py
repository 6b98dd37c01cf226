"""A proof in one file: index, inclusion proof and checkpoint of an entry (https://c2sp.org/tlog-proof)."""

import re
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass

from . import note
from .errors import NoteError, ProofError
from .merkle import HASH_SIZE

HEADER = "c2sp.org/tlog-proof@v1"
MAX_PATH = 63
_INDEX = re.compile(r"index (0|[1-9][0-9]{0,18})", re.ASCII)


@dataclass(frozen=True, slots=True)
class TlogProof:
    """An entry's index, its path (leaf's sibling first), the signed checkpoint verbatim, and data nobody vouches for.

    Nothing is verified yet: check the note under a policy, then the path with `merkle.verify_inclusion`.
    """

    index: int
    path: Sequence[bytes]
    note: bytes
    extra: bytes | None = None

    def text(self) -> bytes:
        extra = [] if self.extra is None else [f"extra {b64encode(self.extra).decode()}"]
        hashes = [b64encode(value).decode() for value in self.path]
        return (
            "".join(f"{line}\n" for line in [HEADER, *extra, f"index {self.index}", *hashes, ""]).encode() + self.note
        )


def parse(data: bytes) -> TlogProof:
    """The proof in `data`; ProofError or NoteError for any other spelling."""
    head, blank, signed = data.partition(b"\n\n")
    try:
        lines = head.decode().split("\n")
    except UnicodeDecodeError as error:
        raise ProofError("a tlog-proof is text") from error
    if not blank or lines.pop(0) != HEADER:
        raise ProofError(f"not a {HEADER}")
    try:
        extra = None
        if lines and lines[0].startswith("extra "):
            extra = note.decode_base64(lines.pop(0).removeprefix("extra "))
        match = _INDEX.fullmatch(lines.pop(0)) if lines else None
        path = [note.decode_base64(line) for line in lines]
    except NoteError as error:
        raise ProofError(f"a line of the tlog-proof is {error}") from error
    if match is None or int(match[1]) >= 2**63:
        raise ProofError("a tlog-proof says the entry's index in a line of its own")
    if len(path) > MAX_PATH or any(len(value) != HASH_SIZE for value in path):
        raise ProofError(f"a path is at most {MAX_PATH} hashes of {HASH_SIZE} bytes")
    note.parse(signed)
    return TlogProof(int(match[1]), tuple(path), signed, extra)
