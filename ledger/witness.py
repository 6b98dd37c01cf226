"""A witness: cosigns the checkpoints of logs that only ever grow (https://c2sp.org/tlog-witness). PURE logic.

What it last cosigned of each log is kept by a `WitnessStore`; its new state is durable before the answer leaves.
"""

import re
from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Protocol

from nacl.signing import SigningKey

from .tlog import checkpoint, cosignature, merkle, note
from .tlog.checkpoint import Checkpoint
from .tlog.cosignature import Cosigner
from .tlog.errors import CheckpointError, EmptyRootError, NoteError, ProofError
from .tlog.merkle import EMPTY_ROOT
from .tlog.note import Verifier

MAX_PROOF = 63
MAX_BODY = 64 * 1024
_OLD = re.compile(r"old (0|[1-9][0-9]{0,18})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Cosigned:
    """What a witness last cosigned of a log: tree, time (seconds since 1970), the log's note without other lines."""

    size: int
    root: bytes
    time_s: int
    note: str


NOTHING = Cosigned(0, EMPTY_ROOT, 0, "")


class WitnessStore(Protocol):
    """Survives any crash: when `advance` has returned True, `cosigned` answers the new state for ever after."""

    def cosigned(self, origin: str) -> Cosigned:
        """The newest state; NOTHING for a log that was never cosigned."""
        ...

    def advance(self, origin: str, old: Cosigned, new: Cosigned) -> bool:
        """Compare-and-set: False, and nothing changed, when the state is no longer `old`."""
        ...

    def conflict(self, origin: str, kept: str, seen: str) -> None:
        """Keep the evidence of two trees of one size that the log signed."""
        ...


class WitnessError(Exception):
    """The request is refused with an HTTP status; `size` is set for 409, the size that we cosigned last."""

    def __init__(self, status: int, detail: str, size: int | None = None) -> None:
        super().__init__(detail)
        self.status = status
        self.size = size


@dataclass(frozen=True, slots=True)
class Request:
    """An add-checkpoint request: the size that the log thinks we know, the proof from it, the signed checkpoint."""

    old: int
    proof: Sequence[bytes]
    note: bytes


@dataclass(frozen=True, slots=True)
class WitnessSigner:
    """The witness' name and seed; one key per witness."""

    name: str
    seed: bytes

    @property
    def cosigner(self) -> Cosigner:
        return Cosigner(self.name, bytes(SigningKey(self.seed).verify_key))

    def __repr__(self) -> str:
        return f"WitnessSigner({self.name})"  # never the seed


class Witness:
    """One witness for the logs whose keys it was given (several keys of one origin while one is replaced).

    `look` is called with a checkpoint that passed every check before it is cosigned; a follower looks at the entries
    there, and raises WitnessError for what it will not put its name to.
    """

    def __init__(
        self,
        store: WitnessStore,
        logs: Mapping[str, Sequence[Verifier]],
        *,
        signer: WitnessSigner,
        now_s: Callable[[], int],
        look: Callable[[Checkpoint, str], None] = lambda tree, signed: None,
    ) -> None:
        self._store = store
        self._logs = logs
        self._signer = signer
        self._now_s = now_s
        self._look = look

    def add_checkpoint(self, body: bytes) -> str:
        """The cosignature line for a request's body; WitnessError says why not."""
        request = parse_request(body)
        tree, text = self._signed_tree(request.note)
        if request.old > tree.size:
            raise WitnessError(400, "the checkpoint is smaller than the old size")
        known = self._store.cosigned(tree.origin)
        self._check_growth(request, tree, known, text)
        self._look(tree, text)
        time_s = max(self._now_s(), known.time_s)  # never back, also when the clock steps back
        line = cosignature.sign(tree.text(), name=self._signer.name, seed=self._signer.seed, time_s=time_s)
        if not self._store.advance(tree.origin, known, Cosigned(tree.size, tree.root, time_s, text + line)):
            raise self._conflict(self._store.cosigned(tree.origin))
        # Crash here: the state says that we cosigned, nobody has the line. The log asks again and gets 409, then one.
        return line

    def checkpoint(self, origin_hash: str) -> str | None:
        """The newest checkpoint that we cosigned, with our line, of the log whose origin has this SHA-256 (hex)."""
        for origin in self._logs:
            if sha256(origin.encode()).hexdigest() == origin_hash:
                return self._store.cosigned(origin).note or None
        return None

    def _signed_tree(self, data: bytes) -> tuple[Checkpoint, str]:
        """The tree, and the note with the log's own lines only; what else hangs on it is not ours to pass on."""
        try:
            parsed = note.parse(data)
        except NoteError as error:
            raise WitnessError(400, str(error)) from error
        origin = parsed.text.split("\n", 1)[0]
        keys = self._logs.get(origin)
        if keys is None:
            raise WitnessError(404, "a log that this witness does not know")
        try:
            note.verify(data, keys)
        except NoteError as error:
            raise WitnessError(403, str(error)) from error
        try:
            tree = checkpoint.parse(parsed.text)
        except EmptyRootError as error:
            raise WitnessError(422, str(error)) from error
        except CheckpointError as error:
            raise WitnessError(400, str(error)) from error
        own = [note.format_line(line) for key in keys for line in parsed.lines_of(key)]
        return tree, f"{parsed.text}\n{''.join(own)}"

    def _check_growth(self, request: Request, tree: Checkpoint, known: Cosigned, text: str) -> None:
        if request.old != known.size:
            raise self._conflict(known)
        if known.note and tree.size == known.size and tree.root != known.root:
            self._store.conflict(tree.origin, known.note, text)
            raise WitnessError(422, "the log signed another root for this size")
        try:
            merkle.verify_consistency(known.size, tree.size, root1=known.root, root2=tree.root, proof=request.proof)
        except ProofError as error:
            raise WitnessError(422, str(error)) from error

    @staticmethod
    def _conflict(known: Cosigned) -> WitnessError:
        return WitnessError(409, "the size that was last cosigned is another", known.size)


def parse_request(body: bytes) -> Request:
    """The request in a body; WitnessError (400) for any other spelling."""
    if len(body) > MAX_BODY:
        raise WitnessError(400, f"a request has at most {MAX_BODY} bytes")
    head, blank, signed = body.partition(b"\n\n")
    try:
        lines = head.decode("ascii").split("\n")
        match = _OLD.fullmatch(lines[0])
        proof = [note.decode_base64(line) for line in lines[1:]]
    except (UnicodeDecodeError, NoteError) as error:
        raise WitnessError(400, "a proof is lines of base64") from error
    if not blank or match is None or int(match[1]) > checkpoint.MAX_SIZE:
        raise WitnessError(400, "a request begins with `old <size>` and has a blank line before the checkpoint")
    if len(proof) > MAX_PROOF or any(len(value) != merkle.HASH_SIZE for value in proof):
        raise WitnessError(400, f"a proof is at most {MAX_PROOF} hashes")
    return Request(int(match[1]), proof, signed)


def format_request(old: int, proof: Sequence[bytes], signed: str) -> bytes:
    """The body of an add-checkpoint request."""
    lines = "".join(f"{b64encode(value).decode()}\n" for value in proof)
    return f"old {old}\n{lines}\n{signed}".encode()


def parse_answer(body: bytes, cosigner: Cosigner, tree: Checkpoint) -> note.Signature:
    """The line of `cosigner` in a witness' answer to a request about `tree`; NoteError unless it verifies."""
    for text in body.decode("utf-8", "replace").split("\n"):
        line = note.parse_line(text) if text else None
        if line and (line.name, line.key_id) == (cosigner.name, cosigner.key_id):
            cosigner.verify(tree.text(), line.payload)
            return line
    raise NoteError(f"the answer has no cosignature of {cosigner.name}")
