"""The checks behind the command line that take files or a log: a proof, two checkpoints, a whole log."""

import os
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass

from tqdm import tqdm

from ledger import receipts as submission
from ledger.follower import check_past, compare, open_tree
from ledger.storage import SignedCheckpoint
from ledger.tlog import merkle, note, tlog_proof
from ledger.tlog.errors import ProofError
from ledger.tlog.policy import Checked, Policy

from . import whole_log
from .bundle import BundleError
from .sources import judging, open_log, reading_ahead
from .whole_log import CheckedLog


@dataclass(frozen=True, slots=True)
class LogOutcome:
    """A checked log, what a receipt promises and it does not hold, and how long it took."""

    log: CheckedLog
    missing: list[str]
    seconds: float


def check_proof(data: bytes, entry: bytes, trust: Policy) -> tuple[int, Checked]:
    """Index and checkpoint of an entry's tlog-proof; TlogError unless it proves that the log holds the entry."""
    proof = tlog_proof.parse(data)
    checked = trust.check(proof.note)
    tree = checked.checkpoint
    merkle.verify_inclusion(
        proof.index, tree.size, leaf=merkle.leaf_hash(entry), proof=list(proof.path), root=tree.root
    )
    return proof.index, checked


def check_consistency(
    old: bytes, new: bytes, trust: Policy, *, where: str | None, lines: bytes | None
) -> tuple[int, int]:
    """The sizes of two signed checkpoints of which one continues the other, by a log's tiles or by a proof's lines.

    LogLiedError with both notes where one does not.
    """
    before, after = trust.check(old).checkpoint, trust.check(new).checkpoint
    if before.origin != after.origin:
        raise ProofError(f"the checkpoints are of two logs, {before.origin} and {after.origin}")
    kept = SignedCheckpoint(before.size, before.root, old.decode(), 0)
    compare(kept, after, new.decode())
    if where is not None:
        check_past(kept, after, new.decode(), open_tree(open_log(where), after, new.decode()))
        return before.size, after.size
    try:
        path = [note.decode_base64(line) for line in (lines or b"").decode("ascii").splitlines()]
    except UnicodeDecodeError as error:
        raise ProofError("a consistency proof is lines of base64") from error
    merkle.verify_consistency(before.size, after.size, root1=before.root, root2=after.root, proof=path)
    return before.size, after.size


def check_log(
    where: str, trust: Policy, *, token: str, kept: Sequence[bytes], receipts: Sequence[bytes], jobs: int
) -> LogOutcome:
    """Check a whole log, with a progress bar on standard error; see `whole_log.check`."""
    started = time.monotonic()
    seen = [_kept(data, trust) for data in kept]
    promised = _promised(receipts, trust)
    with (
        reading_ahead(open_log(where, token)) as ahead,
        judging(jobs or os.cpu_count() or 1) as judge,
        tqdm(unit=" entries", file=sys.stderr, disable=None, dynamic_ncols=True) as bar,
    ):

        def progress(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        checked = whole_log.check(
            ahead, trust, kept=seen, wanted=promised, judge=judge, expect=ahead.expect, progress=progress
        )
    return LogOutcome(checked, sorted(promised - checked.held), time.monotonic() - started)


def _kept(data: bytes, trust: Policy) -> SignedCheckpoint:
    tree = trust.check(data).checkpoint
    return SignedCheckpoint(tree.size, tree.root, data.decode(), 0)


def _promised(receipts: Sequence[bytes], trust: Policy) -> frozenset[str]:
    keys = [log.verifier for log in trust.logs]
    try:
        return frozenset(name for data in receipts for name in submission.read(data, keys)["statements"])
    except submission.ReceiptError as error:
        raise BundleError(str(error)) from error
