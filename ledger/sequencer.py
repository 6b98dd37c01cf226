"""The sequencer: gives waiting statements their index and signs the tree, one batch at a time. PURE logic.

A batch passes three durable steps (ledger.md, section 6): tx1 (entries, tiles, signed checkpoint), the high-water
mark, tx2 (published). Recovery is not a path of its own: `settle` finishes whatever the last run left.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from . import statement as statements
from .keyring import subject_kids
from .storage import (
    Batch,
    HighWater,
    LogHead,
    LogStore,
    LogTransaction,
    Mark,
    SequencedEntry,
    SignedCheckpoint,
    Submitted,
)
from .tlog import checkpoint, note, proof, tile
from .tlog.errors import TlogError

BATCH = 4096


class RefusedError(Exception):
    """The sequencer will not sign: what is stored does not match what was signed. Says how to go on."""


@dataclass(frozen=True, slots=True)
class LogSigner:
    """The log key and the one origin it signs for."""

    origin: str
    key: statements.SigningKey

    @property
    def verifier(self) -> note.Verifier:
        return note.Verifier(self.origin, self.key.public)


class Sequencer:
    """One writer of one log; the caller holds the election lock while it uses this."""

    def __init__(self, store: LogStore, high_water: HighWater, *, signer: LogSigner, now_ms: Callable[[], int]) -> None:
        self._store = store
        self._high_water = high_water
        self._signer = signer
        self._now_ms = now_ms

    def sequence(self, limit: int = BATCH) -> int:
        """Sequence and publish the next batch; the number of entries appended (0 = nothing new waited)."""
        with self._store.write() as tx:
            head, edge = self._checked(tx)
            unfinished = tx.newest_checkpoint() if head.pending else None
            waiting = () if unfinished else tx.waiting(limit)
            batch = self._batch(tx, head, edge, waiting) if waiting else None
            if batch:
                tx.append(batch)
        # Crash here: signed and not published. Nobody has seen the checkpoint; the next run marks and publishes it.
        if unfinished:
            self._publish(unfinished)
            return self.sequence(limit)
        if batch:
            self._publish(batch.checkpoint)
        return len(batch.entries) if batch else 0

    def tick(self) -> None:
        """Publish the newest size again with a later time, so that ledger time goes on while nothing happens."""
        self.settle()
        with self._store.write() as tx:
            head, _ = self._checked(tx)
            signed = self._sign(head.size, head.root, self._next_time(head), tick=True)
            tx.append(Batch((), (), {}, {}, signed))
        self._publish(signed)

    def settle(self) -> None:
        """Mark and publish what an earlier run signed and did not publish."""
        if self._store.head().pending:
            with self._store.write() as tx:
                head, _ = self._checked(tx)
                newest = tx.newest_checkpoint()
            if head.pending and newest is not None:
                self._publish(newest)

    def _publish(self, signed: SignedCheckpoint) -> None:
        self._high_water.write(Mark(str(self._signer.verifier), signed.size, signed.root))
        # Crash here: marked and not published. The next run finds the mark at the head and publishes.
        with self._store.write() as tx:
            if tx.head().time_ms != signed.time_ms:
                raise RefusedError("another sequencer moved the head; only one may run per log")
            tx.publish()
        # Crash here: published; nothing is left to do.

    def _checked(self, tx: LogTransaction) -> tuple[LogHead, Mapping[tile.Coordinate, bytes]]:
        """Head and edge tiles, after mark, tiles, head and newest signature were found to be of one tree."""
        head, newest = tx.head(), tx.newest_checkpoint()
        edge = tx.tiles(tile.edge_of(head.size))
        try:
            root = proof.root_at(head.size, lambda node: tile.read_node(node, edge))
            if root != head.root:
                raise RefusedError(f"the tiles of size {head.size} have another root than the head; run fsck")
            self._check_mark(tx, head)
            if newest is None and head.size == 0:
                return head, edge
            note_ = b"" if newest is None else newest.note.encode()
            signed = checkpoint.verify(note_, self._signer.verifier)
        except TlogError as error:
            raise RefusedError(f"what is stored does not match what was signed ({error}); run fsck") from error
        if (signed.size, signed.root) != (head.size, head.root):
            raise RefusedError(f"the newest checkpoint is of another tree than the head of size {head.size}; run fsck")
        return head, edge

    def _check_mark(self, tx: LogTransaction, head: LogHead) -> None:
        mark = self._high_water.read()
        if mark is None:
            if head.published_size:
                raise RefusedError(_NO_MARK)
            return
        if mark.vkey != str(self._signer.verifier):
            if head.published_time_ms:
                raise RefusedError("the high-water file is of another log key; put the right file back")
            self._high_water.set_aside()  # a new log with a new key: what the old key signed does not bind it
            return
        if head.size < mark.size:
            raise RefusedError(_BEHIND.format(stored=head.size, marked=mark.size))
        if (mark.size, mark.root) == (head.size, head.root):
            return
        tiles = tx.tiles({tile.locate(node)[0] for nodes in proof.plan_root(mark.size) for node in nodes})
        if proof.root_at(mark.size, lambda node: tile.read_node(node, tiles)) != mark.root:
            raise RefusedError(_OTHER_ROOT.format(marked=mark.size))

    def _batch(
        self,
        tx: LogTransaction,
        head: LogHead,
        edge: Mapping[tile.Coordinate, bytes],
        waiting: Sequence[Submitted],
    ) -> Batch:
        known = tx.known([statements.statement_hash(item.statement) for item in waiting])
        time_ms = self._next_time(head)
        entries: list[SequencedEntry] = []
        for item in waiting:
            name = statements.statement_hash(item.statement)
            if name not in known:  # submitted twice: the first answer stands
                known.add(name)
                entries.append(SequencedEntry(head.size + len(entries), name, item.statement, time_ms))
        size = head.size + len(entries)
        tiles = tile.extend(head.size, edge, [bytes.fromhex(entry.statement_hash) for entry in entries])
        merged = {**edge, **tiles}
        root = proof.root_at(size, lambda node: tile.read_node(node, merged))
        return Batch(
            taken=[item.id for item in waiting],
            entries=entries,
            key_entries=_key_entries(entries),
            tiles=tiles,
            checkpoint=self._sign(size, root, time_ms, tick=not entries),
        )

    def _next_time(self, head: LogHead) -> int:
        return max(self._now_ms(), head.time_ms + 1)  # strictly increasing, also when the clock steps back

    def _sign(self, size: int, root: bytes, time_ms: int, *, tick: bool) -> SignedCheckpoint:
        text = checkpoint.Checkpoint(self._signer.origin, size, root)
        return SignedCheckpoint(size, root, checkpoint.sign(text, seed=self._signer.key.seed), time_ms, tick)


def _key_entries(entries: Sequence[SequencedEntry]) -> dict[int, Sequence[str]]:
    found: dict[int, Sequence[str]] = {}
    for entry in entries:
        parsed = statements.parse(entry.statement)
        if parsed.kind in statements.KEY_KINDS:
            found[entry.index] = subject_kids(parsed)
    return found


_NO_MARK = (
    "the high-water file is absent although the log has published checkpoints. If this machine takes over from"
    " another, copy the file from there; if it was lost, compare the newest checkpoint with one that a witness or a"
    " member kept, then run: manage.py sequencer --accept-database"
)
_BEHIND = (
    "the database has {stored} entries, but a checkpoint of {marked} was signed: this is an older copy. Restore a"
    " newer backup; signing from here would give two trees of one size"
)
_OTHER_ROOT = (
    "the database's tree of size {marked} is not the one that was signed: entries were changed or this is another"
    " history. Run fsck, then restore a backup whose fsck is clean"
)
