"""Monitor reports: what a follower or witness saw a log do, signed by it (docs/formats.md). PURE.

A report is a note (C2SP signed-note) under the witness' name. The key is the one that cosigns; the two uses cannot be
taken for each other, since the one signs texts that begin with `cosignature/v1`, the other with the format's name.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from .canonical import CanonicalError, canonical, canonical_bytes
from .follower import Finding
from .tlog import checkpoint, merkle, note
from .tlog.errors import NoteError, TlogError
from .tlog.note import Verifier
from .tlog.policy import Policy
from .witness import WitnessSigner

FORMAT = "dosetrail.monitor-report/1"
MAX_REPORT = note.MAX_NOTE_SIZE
# Kinds of report, most serious first: what a log's own signatures prove, then what is the reporter's word.
KINDS = (
    "split-view", "fork", "rollback", "bad-bundle", "bad-tile", "bad-checkpoint", "omission", "bad-entry", "stale",
)  # fmt: skip
_TIME = re.compile(r"0|[1-9][0-9]{0,15}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Report:
    """A report whose signature was checked; `time_s` and everything else is the witness' word."""

    witness: str
    origin: str
    time_s: int
    finding: Finding


def digest(finding: Finding) -> str:
    """What makes two findings the same: kind and evidence, in hex."""
    return sha256(canonical_bytes([finding.kind, dict(finding.evidence)])).hexdigest()


def sign(finding: Finding, *, origin: str, signer: WitnessSigner, time_s: int) -> str:
    """The signed report of a finding about the log of `origin`."""
    content = canonical({"detail": finding.detail, "evidence": dict(finding.evidence)})
    text = f"{FORMAT}\n{origin}\n{time_s}\n{finding.kind}\n{content}\n"
    return note.sign(text, name=signer.name, seed=signer.seed)


def read(data: bytes, policy: Policy) -> Report:
    """The report in a note that a witness of `policy` signed; NoteError for any other."""
    keys = {name: Verifier(key.name, key.public) for name, key in policy.cosigners.items()}
    signed = note.verify(data, keys.values())
    witness = next(name for name, key in keys.items() if signed.lines_of(key))
    lines = signed.text.split("\n")
    if len(lines) != 6 or lines[0] != FORMAT or lines[3] not in KINDS or not _TIME.fullmatch(lines[2]):
        raise NoteError(f"not a {FORMAT}")
    content = _content(lines[4])
    return Report(witness, lines[1], int(lines[2]), Finding(lines[3], content["detail"], content["evidence"]))


def proves(finding: Finding, keys: Sequence[Verifier]) -> bool:
    """Whether the evidence alone convicts the log: two checkpoints that its keys signed and no one log can have."""
    try:
        kept, seen = (_tree(finding.evidence.get(name), keys) for name in ("kept", "seen"))
        if finding.kind == "split-view":
            return kept.size == seen.size and kept.origin == seen.origin and kept.root != seen.root
        if finding.kind == "fork":
            other = bytes.fromhex(finding.evidence["otherRoot"])
            path = [bytes.fromhex(value) for value in finding.evidence["proof"]]
            merkle.verify_consistency(kept.size, seen.size, root1=other, root2=seen.root, proof=path)
            return kept.origin == seen.origin and other != kept.root
    except (TlogError, KeyError, ValueError, TypeError):
        return False
    return False


def _tree(text: Any, keys: Sequence[Verifier]) -> checkpoint.Checkpoint:
    tree = checkpoint.parse(note.verify(str(text).encode("utf-8", "replace"), keys).text)
    if tree.origin not in {key.name for key in keys}:
        raise NoteError("a checkpoint of another log")
    return tree


def _content(text: str) -> Mapping[str, Any]:
    try:
        content = json.loads(text)
        if canonical(content) != text:
            raise CanonicalError("not in RFC 8785 form")
    except (ValueError, RecursionError) as error:
        raise NoteError(f"a report's content is canonical JSON: {error}") from error
    if not isinstance(content, dict) or set(content) != {"detail", "evidence"}:
        raise NoteError("a report's content is detail and evidence")
    if not isinstance(content["detail"], str) or not isinstance(content["evidence"], dict):
        raise NoteError("a report's detail is text, its evidence an object")
    return content
