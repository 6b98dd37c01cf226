"""Checkpoints: the signed claim "the log named so has this size and this root" (https://c2sp.org/tlog-checkpoint)."""

import re
from base64 import b64encode
from collections.abc import Iterable
from dataclasses import dataclass

from . import note
from .errors import CheckpointError, EmptyRootError, NoteError
from .merkle import EMPTY_ROOT, HASH_SIZE

MAX_SIZE = 2**63 - 1
_SIZE = re.compile(r"0|[1-9][0-9]{0,18}")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Origin (a URL without scheme), tree size and root hash. No extension lines: real witnesses refuse them."""

    origin: str
    size: int
    root: bytes

    def text(self) -> str:
        return f"{self.origin}\n{self.size}\n{b64encode(self.root).decode()}\n"


def parse(text: str) -> Checkpoint:
    """The checkpoint that a note's text spells; CheckpointError for any other spelling."""
    lines = text.split("\n")
    if len(lines) != 4 or lines[3]:
        raise CheckpointError("a checkpoint has three lines: origin, size, root")
    origin, size, encoded = lines[:3]
    if not (size.isascii() and _SIZE.fullmatch(size)) or int(size) > MAX_SIZE:
        raise CheckpointError("a checkpoint's size is a decimal number without leading zero")
    try:
        note.check_name(origin)
        root = note.decode_base64(encoded)
    except NoteError as error:
        raise CheckpointError(str(error)) from error
    if len(root) != HASH_SIZE:
        raise CheckpointError("a checkpoint's root is 32 bytes")
    checkpoint = Checkpoint(origin, int(size), root)
    if checkpoint.size == 0 and root != EMPTY_ROOT:
        raise EmptyRootError("the root of an empty log is the SHA-256 of nothing")
    if checkpoint.text() != text:
        raise CheckpointError("a checkpoint has exactly one spelling")
    return checkpoint


def sign(checkpoint: Checkpoint, *, seed: bytes, also: Iterable[bytes] = ()) -> str:
    """The signed note of a checkpoint; the keys' name is the origin. `also` = the seeds of further lines."""
    text = checkpoint.text()
    parse(text)  # never sign what a verifier would refuse
    signed, *more = (note.sign(text, name=checkpoint.origin, seed=one) for one in (seed, *also))
    return signed + "".join(one[len(text) + 1 :] for one in more)


def verify(data: bytes, verifier: note.Verifier) -> Checkpoint:
    """The checkpoint in a note signed by `verifier` for its own name; NoteError or CheckpointError otherwise."""
    checkpoint = parse(note.verify(data, [verifier]).text)
    if checkpoint.origin != verifier.name:
        raise CheckpointError(f"the checkpoint is of {checkpoint.origin!r}, the key of {verifier.name!r}")
    return checkpoint
