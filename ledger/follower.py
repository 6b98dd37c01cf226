"""A follower: a full replica of somebody else's log, in which every hash and every signature was checked. PURE logic.

It reads the log by a `Remote`, keeps it in a `Replica`, and raises LogLiedError with the evidence where the log
contradicts what it signed. No entry is stored that does not lead to a checkpoint which the log signed.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Protocol

from . import statement as statements
from .keyring import Keyring, KeyState, subject_kids
from .statement import Statement, StatementError
from .storage import LogHead, SequencedEntry, SignedCheckpoint, TileReader
from .tlog import checkpoint, merkle, proof, tile
from .tlog.checkpoint import Checkpoint
from .tlog.errors import TileError, TlogError
from .tlog.note import Verifier
from .tlog.policy import Checked, Policy
from .tlog.tile import ENTRIES, WIDTH, Coordinate, TileName
from .tlog.tile_tree import TileTree

ROWS = 16  # entry bundles that one transaction of the replica takes


class UnreachableError(Exception):
    """The log did not answer, or not with what was asked for; to be tried again."""


class ReplicaError(Exception):
    """The replica itself is not what was written to it; run fsck on it, or copy the log anew."""


class Remote(Protocol):
    """Somebody else's log. UnreachableError when it does not answer; nothing it says is believed."""

    def checkpoint(self) -> bytes: ...

    def tile(self, name: TileName) -> bytes:
        """A hash tile or an entry bundle; a bundle may come longer than asked for, where only the full one is left."""
        ...


@dataclass(frozen=True, slots=True)
class Finding:
    """What a monitor saw: its kind, in words, and the evidence by name (notes verbatim, bytes as hex)."""

    kind: str
    detail: str
    evidence: Mapping[str, Any]


class LogLiedError(Exception):
    """The log contradicts itself, or what it signed before."""

    def __init__(self, kind: str, detail: str, **evidence: Any) -> None:
        super().__init__(f"{kind}: {detail}")
        self.finding = Finding(kind, detail, evidence)


@dataclass(frozen=True, slots=True)
class Growth:
    """What one transaction adds to a replica: entries, the keys they are about, tiles, and size and root after it."""

    entries: Sequence[SequencedEntry]
    key_entries: Mapping[int, Sequence[str]]
    tiles: Mapping[Coordinate, bytes]
    size: int
    root: bytes


class Replica(TileReader, Protocol):
    """The copy. Every write is atomic, and durable when it returns."""

    def head(self) -> LogHead: ...

    def newest_checkpoint(self) -> SignedCheckpoint | None:
        """The newest that `note_checkpoint` was given: the copy may not have reached it yet."""
        ...

    def key_statements(self) -> Iterator[tuple[int, bytes]]:
        """The entries about keys, in order of index."""
        ...

    def note_checkpoint(self, signed: SignedCheckpoint) -> None:
        """Keep a checkpoint whose signatures were checked, before anything is copied under it."""
        ...

    def grow(self, growth: Growth) -> None: ...

    def publish(self) -> None:
        """Let readers see everything up to the head, which is the newest checkpoint's tree."""
        ...


class Follower:
    """Keeps one replica in step with one log under one policy.

    `now_ms` dates what was seen: the log does not date its entries. `report` takes what is wrong with single entries,
    for which the copying does not stop. `progress(done, total)` counts entries.
    """

    def __init__(
        self,
        replica: Replica,
        remote: Remote,
        policy: Policy,
        *,
        now_ms: Callable[[], int],
        report: Callable[[Finding], None],
        progress: Callable[[int, int], None] = lambda done, total: None,
    ) -> None:
        self._replica = replica
        self._remote = remote
        self._policy = policy
        self._now_ms = now_ms
        self._report = report
        self._progress = progress
        self._keyring: Keyring | None = None

    def step(self) -> Checked:
        """Bring the replica in step with the log's newest checkpoint; LogLiedError when that is no continuation."""
        data = self._remote.checkpoint()
        try:
            checked = read_checkpoint(data, self._policy)
        except LogLiedError:
            self._check_successor(data)
            raise
        self.take(checked.checkpoint, data.decode())
        return checked

    def unknown_log_key(self) -> tuple[Verifier, int] | None:
        """The newest key that signs for the log by its own word and is not in our policy, and the entry that says so.

        No reason to trust it: the policy is. But its owner should ask whether the line is missing.
        """
        origin, known = self._policy.logs[0].verifier.name, {log.verifier for log in self._policy.logs}
        for record in reversed(self._keys().log_keys.signing(self._replica.head().size)):
            verifier = Verifier(origin, record.public)
            if record.entry is not None and verifier not in known:
                return verifier, record.entry
        return None

    def _check_successor(self, data: bytes) -> None:
        """Name the line that our policy lacks, when a checkpoint is signed by the key that the log says followed ours.

        The same evidence for every such checkpoint, so that it is one finding.
        """
        missing = self.unknown_log_key()
        if missing is None:
            return
        verifier, index = missing
        with suppress(TlogError):
            checkpoint.verify(data, verifier)
            detail = (
                f"the checkpoint is signed by a key that our policy does not name: {verifier}. Entry {index} of this"
                " log, signed by its root key, says that it follows the one that we know. If the operator confirms it"
                f" by another way, add the line `log {verifier}` to the policy and start again"
            )
            raise LogLiedError("bad-checkpoint", detail, entry=index, vkey=str(verifier))

    def take(self, tree: Checkpoint, signed: str) -> None:
        """Bring the replica up to a checkpoint whose signatures were checked."""
        kept = self._replica.newest_checkpoint()
        if kept is not None:
            compare(kept, tree, signed)
        head = self._replica.head()
        theirs = open_tree(self._remote, tree, signed) if tree.size > head.size else None
        if kept is not None and theirs is not None:
            check_past(kept, tree, signed, theirs)
        if kept is None or kept.note != signed:
            again = kept is not None and kept.size == tree.size
            time_ms = max(self._now_ms(), kept.time_ms + 1 if kept else 0)
            self._replica.note_checkpoint(SignedCheckpoint(tree.size, tree.root, signed, time_ms, tick=again))
        # Crash here: noted and not copied. The next step compares with what was noted, and goes on copying.
        try:
            while theirs is not None and head.size < tree.size:
                self._copy_rows(theirs, head.size, signed)
                head = self._replica.head()
                self._progress(head.size, tree.size)
        except BaseException:
            self._keyring = None  # it may be ahead of what was stored
            raise
        if (head.size, head.root) != (tree.size, tree.root):
            raise ReplicaError(f"the copy of {head.size} entries has another root than the checkpoint; run fsck")
        self._replica.publish()

    def _copy_rows(self, theirs: TileTree, size: int, signed: str) -> None:
        end = min(theirs.size, (size // WIDTH + ROWS) * WIDTH)
        fetched: list[bytes] = []
        for number in range(size // WIDTH, -(-end // WIDTH)):
            fetched += read_row(self._remote, theirs, number, signed)[max(0, size - number * WIDTH) :]
        now_ms = self._now_ms()
        entries = [
            SequencedEntry(index, statements.statement_hash(data), data, now_ms)
            for index, data in enumerate(fetched, start=size)
        ]
        kids = {entry.index: self._check_entry(entry.index, entry.statement) for entry in entries}
        edge = self._replica.tiles(tile.edge_of(size))
        tiles = tile.extend(size, edge, [bytes.fromhex(entry.statement_hash) for entry in entries])
        merged = {**edge, **tiles}
        root = proof.root_at(end, lambda node: tile.read_node(node, merged))
        about_keys = {index: found for index, found in kids.items() if found}
        self._replica.grow(Growth(entries, about_keys, tiles, end, root))

    def _check_entry(self, index: int, data: bytes) -> Sequence[str]:
        """The ids of the keys that an entry is about; one that no registered key stands behind is reported."""
        kids: Sequence[str] = ()
        try:
            parsed = statements.parse(data)
            if parsed.kind in statements.KEY_KINDS:
                kids = subject_kids(parsed)
                self._keys().add(index, parsed)
                check_genesis(self._keys(), self._policy.logs[0].verifier.name)
            else:
                check_signer(self._keys(), index, parsed)
        except StatementError as error:
            self._report(bad_entry(index, data, error))
        return kids

    def _keys(self) -> Keyring:
        """The fold of the key entries so far; built once, then kept in step."""
        if self._keyring is None:
            self._keyring = Keyring()
            for index, data in self._replica.key_statements():
                try:
                    self._keyring.add(index, statements.parse(data))
                except StatementError:
                    continue  # void; it was reported when it was copied
        return self._keyring


def read_checkpoint(data: bytes, policy: Policy) -> Checked:
    """The checkpoint that a log serves, judged by a policy; LogLiedError when it does not count."""
    try:
        return policy.check(data)
    except TlogError as error:
        detail = f"the log serves a checkpoint that does not count: {error}{_other_log(data, policy)}"
        raise LogLiedError("bad-checkpoint", detail, seen=data.decode("utf-8", "replace")) from error


def _other_log(data: bytes, policy: Policy) -> str:
    """What to think of a checkpoint under a name that the policy does not know; "" under one that it does."""
    origin = data.split(b"\n", 1)[0].decode("utf-8", "replace")
    if any(log.verifier.name == origin for log in policy.logs):
        return ""
    return (
        f". It is of another log, {origin!r}. If its operator began a new epoch, entry 0 says which log it continues"
        " and what was lost; get the new policy by a way that you trust, copy the new log into a new folder, and keep"
        " this copy: it may hold what was lost"
    )


def open_tree(remote: Remote, tree: Checkpoint, signed: str) -> TileTree:
    """The tree of a checkpoint over the log's tiles; LogLiedError when its right edge has another root."""
    try:
        return TileTree(tree.size, tree.root, remote.tile)
    except TileError as error:
        raise LogLiedError("bad-tile", str(error), seen=signed) from error


def read_row(remote: Remote, theirs: TileTree, number: int, signed: str) -> list[bytes]:
    """The entries of one bundle, after each was found to hash to its place in the checked tile; else LogLiedError."""
    width = tile.width_at(0, number, theirs.size)
    data = remote.tile(TileName(ENTRIES, number, width))
    try:
        leaves = tile.split_hashes(theirs.tile((0, number)))
    except TileError as error:
        raise LogLiedError("bad-tile", str(error), seen=signed) from error
    try:
        row = tile.unpack_bundle(data)
    except TileError as error:
        raise LogLiedError("bad-bundle", f"bundle {number}: {error}", seen=signed, bundle=data.hex()) from error
    if len(row) < width:
        raise LogLiedError("bad-bundle", f"bundle {number} has {len(row)} entries, not {width}", seen=signed)
    for index, (entry, leaf) in enumerate(zip(row, leaves, strict=False), start=number * WIDTH):
        if merkle.leaf_hash(entry) != leaf:
            detail = f"entry {index} as served is not the one in the signed tree"
            raise LogLiedError("bad-bundle", detail, seen=signed, index=index, entry=entry.hex(), leaf=leaf.hex())
    return row[:width]


def bad_entry(index: int, data: bytes, error: StatementError) -> Finding:
    """What is reported of an entry that is no statement, or that no registered key stands behind."""
    detail = f"entry {index} is in the log and no registered key stands behind it: {error}"
    return Finding("bad-entry", detail, {"index": index, "entry": data.hex()})


def check_genesis(keyring: Keyring, origin: str) -> None:
    """StatementError when the genesis of the fold is that of another log."""
    if keyring.origin != origin:
        raise StatementError("foreign-genesis", f"it stands under the genesis of {keyring.origin!r}")


def compare(kept: SignedCheckpoint, tree: Checkpoint, signed: str) -> None:
    """LogLiedError when the log shows less than it showed before, or another tree of the same size."""
    if tree.size < kept.size:
        detail = f"the log shows {tree.size} entries after it showed {kept.size}"
        raise LogLiedError("rollback", detail, kept=kept.note, seen=signed)
    if tree.size == kept.size and tree.root != kept.root:
        detail = f"two trees of {tree.size} entries were signed"
        raise LogLiedError("split-view", detail, kept=kept.note, seen=signed)


def check_past(kept: SignedCheckpoint, tree: Checkpoint, signed: str, theirs: TileTree) -> None:
    """LogLiedError unless the new tree begins with the kept one; the evidence proves the other past that it has."""
    try:
        root = proof.root_at(kept.size, theirs.node)
        if root == kept.root:
            return
        path = proof.carry_out(proof.plan_consistency(kept.size, tree.size), theirs.node)
    except TileError as error:
        raise LogLiedError("bad-tile", str(error), seen=signed) from error
    detail = (
        f"the tree of {tree.size} entries does not begin with the one of {kept.size} entries that was signed before"
    )
    hashes = [value.hex() for value in path]
    raise LogLiedError("fork", detail, kept=kept.note, seen=signed, otherRoot=root.hex(), proof=hashes)


def check_signer(keyring: Keyring, index: int, parsed: Statement) -> None:
    """StatementError unless a key that was registered for the statement's party before `index` signed it."""
    if parsed.iss == keyring.operator and parsed.kid in keyring.registrars:
        statements.verify(parsed, keyring.registrars[parsed.kid])
        return
    status = keyring.status(parsed.kid, index)
    if status.state is KeyState.UNKNOWN or status.public is None:
        raise StatementError("unknown-key", "its key is not registered before it")
    if status.party != parsed.iss:
        raise StatementError("foreign-key", f"its key belongs to {status.party}, not to {parsed.iss}")
    statements.verify(parsed, status.public)
