"""A follower: a full replica of somebody else's log, in which every hash and every signature was checked. PURE logic.

It reads the log by `Remote`, keeps it in a `Replica`, and raises `Shouted` evidence where the log lies. Nothing is
stored that does not lead to a checkpoint which the log signed.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from . import statement as statements
from .keyring import Keyring, KeyState, subject_kids
from .statement import Statement, StatementError
from .storage import LogHead, SequencedEntry, SignedCheckpoint, TileReader
from .tlog import merkle, proof, tile
from .tlog.checkpoint import Checkpoint
from .tlog.errors import TileError, TlogError
from .tlog.policy import Checked, Policy
from .tlog.tile import ENTRIES, WIDTH, Coordinate, TileName
from .tlog.tile_tree import TileTree

ROWS = 16  # entry bundles that one transaction of the replica takes


class UnreachableError(Exception):
    """The log did not answer, or not with what was asked for; tried again later."""


class Remote(Protocol):
    """Somebody else's log. UnreachableError when it does not answer; nothing it says is believed."""

    def checkpoint(self) -> bytes: ...

    def tile(self, name: TileName) -> bytes:
        """A hash tile or an entry bundle; a full one is asked for where a partial one is gone."""
        ...


@dataclass(frozen=True, slots=True)
class Finding:
    """What a monitor saw: its kind, in words, and the pieces of evidence by name (notes verbatim, bytes as base64)."""

    kind: str
    detail: str
    evidence: Mapping[str, Any]


class LogLiedError(Exception):
    """The log contradicts itself or what it signed before."""

    def __init__(self, kind: str, detail: str, **evidence: Any) -> None:
        super().__init__(f"{kind}: {detail}")
        self.finding = Finding(kind, detail, evidence)


@dataclass(frozen=True, slots=True)
class Growth:
    """What one transaction adds to a replica: entries, their tiles, the keys they are about, size and root after."""

    entries: Sequence[SequencedEntry]
    key_entries: Mapping[int, Sequence[str]]
    tiles: Mapping[Coordinate, bytes]
    size: int
    root: bytes


class Replica(TileReader, Protocol):
    """The copy. Every write is atomic and durable when it returns; sizes never fall."""

    def head(self) -> LogHead: ...

    def newest_checkpoint(self) -> SignedCheckpoint | None: ...

    def key_statements(self) -> Iterator[tuple[int, bytes]]:
        """The entries about keys, in order of index."""
        ...

    def grow(self, growth: Growth) -> None: ...

    def keep_checkpoint(self, checkpoint: SignedCheckpoint) -> None:
        """Keep a checkpoint of the head's size and let readers see everything up to it."""
        ...


class Follower:
    """Keeps one replica in step with one log under one policy.

    `progress(done, total)` counts entries. `now_ms` dates what was seen: the log itself does not date entries.
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
        """Bring the replica in step with the newest checkpoint; LogLiedError when that is not a continuation."""
        signed = self._remote.checkpoint()
        try:
            checked = self._policy.check(signed)
        except TlogError as error:
            raise LogLiedError(
                "bad-checkpoint", f"the log serves a checkpoint that does not count: {error}", seen=_shown(signed)
            ) from error
        self.take(checked, signed.decode())
        return checked

    def take(self, checked: Checked, signed: str) -> None:
        """Bring the replica up to a checkpoint whose signatures were checked."""
        tree, head = checked.checkpoint, self._replica.head()
        kept = self._kept()
        if tree.size < head.published_size:
            raise LogLiedError(
                "rollback", f"the log shows {tree.size} entries after it showed {head.published_size}", kept=kept, seen=signed
            )
        if tree.size < head.size:
            return  # an older checkpoint than the one that we are just copying
        if tree.size == head.size and tree.root != head.root:
            raise LogLiedError("split-view", f"two trees of {tree.size} entries were signed", kept=kept, seen=signed)
        if tree.size > head.size:
            self._grow(tree, head, signed)
        newest = self._replica.newest_checkpoint()
        if newest is None or newest.note != signed:
            self._replica.keep_checkpoint(SignedCheckpoint(tree.size, tree.root, signed, self._later(newest)))

    def _later(self, newest: SignedCheckpoint | None) -> int:
        return max(self._now_ms(), newest.time_ms + 1 if newest else 0)

    def _grow(self, tree: Checkpoint, head: LogHead, signed: str) -> None:
        try:
            theirs = TileTree(tree.size, tree.root, self._remote.tile)
            before = proof.root_at(head.size, theirs.node)
        except TileError as error:
            raise LogLiedError("bad-tile", str(error), seen=signed) from error
        if before != head.root:
            raise LogLiedError(
                "fork",
                f"the tree of {tree.size} entries does not begin with the one of {head.size} entries that was signed before",
                kept=self._kept(),
                seen=signed,
                size=head.size,
                rootThen=head.root.hex(),
                rootNow=before.hex(),
                hashes=self._prefix_proof(theirs, head.size, tree.size),
            )
        while (size := self._replica.head().size) < tree.size:
            self._copy_rows(theirs, size, tree.size, signed)
            self._progress(min(self._replica.head().size, tree.size), tree.size)

    @staticmethod
    def _prefix_proof(theirs: TileTree, size: int, total: int) -> list[str]:
        """Hashes that lead to the new root by way of a prefix of the old size: the new tree's own other past."""
        return [value.hex() for value in proof.carry_out(proof.plan_consistency(size, total), theirs.node)]

    def _copy_rows(self, theirs: TileTree, size: int, total: int, signed: str) -> None:
        end = min(total, (size // WIDTH + ROWS) * WIDTH)
        entries: list[bytes] = []
        for number in range(size // WIDTH, -(-end // WIDTH)):
            row = self._row(theirs, number, total, signed)
            entries += row[max(0, size - number * WIDTH) :]
        now_ms = self._now_ms()
        sequenced, key_entries = [], {}
        for index, data in enumerate(entries, start=size):
            sequenced.append(SequencedEntry(index, statements.statement_hash(data), data, now_ms))
            kids = self._check_entry(index, data)
            if kids:
                key_entries[index] = kids
        edge = self._replica.tiles(tile.edge_of(size))
        tiles = tile.extend(size, edge, [bytes.fromhex(entry.statement_hash) for entry in sequenced])
        merged = {**edge, **tiles}
        root = proof.root_at(end, lambda node: tile.read_node(node, merged))
        self._replica.grow(Growth(sequenced, key_entries, tiles, end, root))

    def _row(self, theirs: TileTree, number: int, total: int, signed: str) -> list[bytes]:
        """The entries of one bundle, after each was found to hash to its place in the checked tile."""
        width = tile.width_at(0, number, total)
        data = self._remote.tile(TileName(ENTRIES, number, width))
        try:
            hashes = tile.split_hashes(theirs.tile((0, number)))
        except TileError as error:
            raise LogLiedError("bad-tile", str(error), seen=signed) from error
        try:
            row = tile.unpack_bundle(data)
        except TileError as error:
            raise LogLiedError("bad-bundle", f"bundle {number}: {error}", seen=signed, bundle=data.hex()) from error
        for place, (entry, leaf) in enumerate(zip(row, hashes, strict=False)):
            if merkle.leaf_hash(entry) != leaf:
                raise LogLiedError(
                    "bad-bundle",
                    f"entry {number * WIDTH + place} as served is not the one in the signed tree",
                    seen=signed,
                    index=number * WIDTH + place,
                    entry=entry.hex(),
                    leaf=leaf.hex(),
                )
        if len(row) < width:
            raise LogLiedError("bad-bundle", f"bundle {number} has {len(row)} entries, not {width}", seen=signed)
        return row[:width]

    def _check_entry(self, index: int, data: bytes) -> Sequence[str]:
        """Report an entry that no key of the log stands behind; the ids of the keys that it is about."""
        try:
            parsed = statements.parse(data)
            keyring = self._keys()
            if parsed.kind in statements.KEY_KINDS:
                keyring.add(index, parsed)
                return subject_kids(parsed)
            _check_signer(keyring, index, parsed)
        except StatementError as error:
            detail = f"entry {index} is on the log and no registered key stands behind it: {error}"
            self._report(Finding("bad-entry", detail, {"index": index, "entry": data.hex()}))
            return subject_kids(parsed) if error.code != "malformed" and _is_about_keys(data) else ()
        return ()

    def _keys(self) -> Keyring:
        """The fold of the key entries so far; built once, then kept in step."""
        if self._keyring is None:
            self._keyring = Keyring()
            for index, data in self._replica.key_statements():
                try:
                    self._keyring.add(index, statements.parse(data))
                except StatementError:
                    continue  # void: it was reported when it was copied
        return self._keyring

    def _kept(self) -> str:
        newest = self._replica.newest_checkpoint()
        return newest.note if newest else ""
