"""A whole log, checked by somebody who keeps no copy: every tile, every bundle, every statement. PURE.

Tiles and bundles are read as a follower reads them. Statements are judged in batches by a function that may run in
other processes: it is given the keyring as it stood behind the batch, so that batches need not wait for each other.
"""

import pickle
from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from ledger import statement as statements
from ledger.follower import (
    Finding,
    LogLiedError,
    Remote,
    bad_entry,
    check_genesis,
    check_past,
    check_signer,
    compare,
    open_tree,
    read_checkpoint,
    read_row,
)
from ledger.keyring import Keyring
from ledger.statement import StatementError
from ledger.storage import SignedCheckpoint
from ledger.tlog import note
from ledger.tlog.errors import TlogError
from ledger.tlog.merkle import leaf_hash
from ledger.tlog.policy import Checked, Policy
from ledger.tlog.tile import ENTRIES, WIDTH, TileName, width_at

ROWS = 8  # bundles in one batch
MAX_FINDINGS = 1000
_END = 2**62  # later than any index and any time
# A statement about keys names its kind in clear, so that those without these words need not be decoded to know.
_KEY_WORDS = tuple(f"dosetrail:{kind}".encode() for kind in sorted(statements.KEY_KINDS))


@dataclass(frozen=True, slots=True)
class Batch:
    """Consecutive entries, and the fold (pickled) of the key entries up to the last of them."""

    first: int
    entries: Sequence[bytes]
    keyring: bytes


@dataclass(slots=True)
class Judged:
    """What came of a batch: entries by kind, findings, and index and time of what each key signed, alternating."""

    kinds: Counter[str] = field(default_factory=Counter)
    findings: list[Finding] = field(default_factory=list)
    signed: dict[bytes, "array[int]"] = field(default_factory=dict)


Judge = Callable[[Callable[[Batch], Judged], Iterable[Batch]], Iterable[Judged]]


@dataclass(frozen=True, slots=True)
class CheckedLog:
    """A log whose tiles, bundles and statements were all recomputed.

    `findings` are entries that no registered key stands behind; `void` counts, by key id in hex, the statements that
    are in the log and do not count because their key was revoked or retired. `held` are those of the wanted hashes
    that are there.
    """

    checked: Checked
    operator: str
    kinds: Mapping[str, int]
    findings: Sequence[Finding]
    void: Mapping[str, int]
    held: frozenset[str]


def check(
    remote: Remote,
    trust: Policy,
    *,
    kept: Iterable[SignedCheckpoint] = (),
    wanted: frozenset[str] = frozenset(),
    judge: Judge = map,
    expect: Callable[[Iterable[TileName]], None] = lambda names: None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> CheckedLog:
    """Check a log up to its newest checkpoint, and that it begins with the trees of `kept`, seen before.

    LogLiedError for the first thing that is not what was signed, UnreachableError where the log does not answer.
    `judge` maps a function over batches in order, `expect` is told what will be read, `progress` counts entries.
    """
    data = remote.checkpoint()
    checked = read_checkpoint(data, trust)
    reading = _Reading(remote, checked, data.decode(), wanted)
    for seen in kept:
        compare(seen, checked.checkpoint, reading.note)
        check_past(seen, checked.checkpoint, reading.note, reading.tree)
    expect(_names(checked.checkpoint.size))
    kinds: Counter[str] = Counter()
    signed: dict[bytes, array[int]] = {}
    findings: list[Finding] = []
    done = 0
    for judged in judge(judge_batch, reading.batches()):
        kinds.update(judged.kinds)
        findings += judged.findings[: MAX_FINDINGS - len(findings)]
        for kid, pairs in judged.signed.items():
            signed.setdefault(kid, array("q")).extend(pairs)
        done = min(done + ROWS * WIDTH, checked.checkpoint.size)
        progress(done, checked.checkpoint.size)
    check_log_keys(reading.keyring, checked, data, trust)
    findings = sorted([*reading.findings, *findings], key=lambda finding: int(finding.evidence["index"]))
    void = _void(reading.keyring, signed)
    return CheckedLog(checked, reading.keyring.operator, kinds, findings, void, frozenset(reading.held))


def check_log_keys(keyring: Keyring, checked: Checked, data: bytes, trust: Policy) -> None:
    """LogLiedError unless the checkpoint carries the lines of exactly the keys that the log names for its size."""
    origin = checked.checkpoint.origin
    signed = note.parse(data)
    for key in (log.verifier for log in trust.logs):
        if key.name == origin and signed.lines_of(key):
            try:
                keyring.log_keys.verify(data, key)
            except TlogError as error:
                detail = f"the checkpoint is not signed by the keys that the log names: {error}"
                raise LogLiedError("bad-checkpoint", detail, seen=data.decode()) from error


def judge_batch(batch: Batch) -> Judged:
    """Check spelling, signature and key of each statement; those about keys were folded by the reader."""
    judged = Judged()
    keyring = _thawed(batch.keyring)
    for index, data in enumerate(batch.entries, start=batch.first):
        try:
            parsed = statements.parse(data)
            judged.kinds[parsed.kind] += 1
            if parsed.kind in statements.KEY_KINDS:
                continue
            check_signer(keyring, index, parsed)
        except StatementError as error:
            judged.findings.append(bad_entry(index, data, error))
        else:
            judged.signed.setdefault(parsed.kid, array("q")).extend((index, parsed.iat))
    return judged


class _Reading:
    """Reads the log row by row, and folds the entries about keys on the way."""

    def __init__(self, remote: Remote, checked: Checked, signed: str, wanted: frozenset[str]) -> None:
        self.note = signed
        self.tree = open_tree(remote, checked.checkpoint, signed)
        self.keyring = Keyring()
        self.findings: list[Finding] = []
        self.held: set[str] = set()
        self._remote = remote
        self._origin = checked.checkpoint.origin
        self._wanted = wanted
        self._frozen = pickle.dumps(self.keyring)

    def batches(self) -> Iterator[Batch]:
        rows = -(-self.tree.size // WIDTH)
        for number in range(0, rows, ROWS):
            entries: list[bytes] = []
            for row in range(number, min(number + ROWS, rows)):
                entries += read_row(self._remote, self.tree, row, self.note)
            first = number * WIDTH
            if self._wanted:
                self.held |= self._wanted.intersection(leaf_hash(data).hex() for data in entries)
            for index, data in enumerate(entries, start=first):
                if any(word in data for word in _KEY_WORDS):
                    self._fold(index, data)
            yield Batch(first, entries, self._frozen)

    def _fold(self, index: int, data: bytes) -> None:
        try:
            parsed = statements.parse(data)
        except StatementError:
            return  # reported where all statements are judged
        if parsed.kind not in statements.KEY_KINDS:
            return
        try:
            self.keyring.add(index, parsed)
            check_genesis(self.keyring, self._origin)
        except StatementError as error:
            self.findings.append(bad_entry(index, data, error))
        self._frozen = pickle.dumps(self.keyring)


def _names(size: int) -> Iterator[TileName]:
    """The bundles of a log and the tiles that they are compared with, in the order of reading."""
    for number in range(-(-size // WIDTH)):
        width = width_at(0, number, size)
        yield TileName(ENTRIES, number, width)
        if width == WIDTH:  # the last one was read when the tree was opened
            yield TileName(0, number, width)


def _void(keyring: Keyring, signed: Mapping[bytes, "array[int]"]) -> dict[str, int]:
    """How many statements of each key do not count, now that all revocations are known."""
    void = {}
    for kid, pairs in signed.items():
        if kid in keyring.registrars or keyring.status(kid, _END).believes(_END):
            continue  # nothing was ever said against this key
        times = zip(pairs[::2], pairs[1::2], strict=True)
        count = sum(not keyring.status(kid, index).believes(iat) for index, iat in times)
        if count:
            void[kid.hex()] = count
    return void


@lru_cache(maxsize=2)
def _thawed(frozen: bytes) -> Keyring:
    keyring: Keyring = pickle.loads(frozen)  # noqa: S301  our own process wrote it
    return keyring
