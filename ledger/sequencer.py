"""The sequencer: gives waiting statements their index and signs the tree, one batch at a time. PURE logic.

A batch passes three durable steps (ledger.md, section 6): tx1 (entries, tiles, signed checkpoint), the high-water
mark, tx2 (published). Recovery is not a path of its own: `settle` finishes whatever the last run left.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from . import statement as statements
from .keyring import Keyring, fold, subject_kids
from .statement import Statement, StatementError
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


class Signers(Protocol):
    """The private keys of one log; which of them sign a checkpoint is the log's own word (`log_keys`)."""

    @property
    def verifier(self) -> note.Verifier:
        """The log's first key: the one that signs as long as the log names no other."""
        ...

    def signing_key(self, kid: bytes) -> statements.SigningKey | None:
        """The key of this id; None when this house does not hold it, or no longer."""
        ...


@dataclass(frozen=True, slots=True)
class LogSigner:
    """A log key and the one origin it signs for; by itself the Signers of a log that never replaced its key."""

    origin: str
    key: statements.SigningKey

    @property
    def verifier(self) -> note.Verifier:
        return note.Verifier(self.origin, self.key.public)

    def signing_key(self, kid: bytes) -> statements.SigningKey | None:
        return self.key if kid == self.key.kid else None


class Sequencer:
    """One writer of one log; the caller holds the election lock while it uses this."""

    def __init__(self, store: LogStore, high_water: HighWater, *, signer: Signers, now_ms: Callable[[], int]) -> None:
        self._store = store
        self._high_water = high_water
        self._signer = signer
        self._now_ms = now_ms
        self._folded, self._keyring = 0, Keyring()  # the entries about keys of a committed tree of this size

    def sequence(self, limit: int = BATCH) -> int:
        """Sequence and publish the next batch; the number of entries appended (0 = nothing new waited)."""
        with self._store.write() as tx:
            head, edge = self._checked(tx)
            unfinished = tx.newest_checkpoint() if head.pending else None
            waiting = () if unfinished else tx.waiting(limit)
            batch, keyring = self._batch(tx, head, edge, waiting) if waiting else (None, self._keyring)
            if batch:
                tx.append(batch)
        # Crash before: nothing happened, what waits still waits.
        # Crash here: signed and not published. Nobody has seen the checkpoint; the next run marks and publishes it.
        if unfinished:
            self._publish(unfinished)
            return self.sequence(limit)
        if batch:
            self._folded, self._keyring = batch.checkpoint.size, keyring
            self._publish(batch.checkpoint)
        return len(batch.entries) if batch else 0

    def tick(self) -> None:
        """Publish the newest size again with a later time, so that ledger time goes on while nothing happens."""
        self.settle()
        with self._store.write() as tx:
            head, _ = self._checked(tx)
            tree = checkpoint.Checkpoint(self._signer.verifier.name, head.size, head.root)
            signed = self._sign(tree, self._next_time(head), self._keyring, tick=True)
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
        keys = self._keyring.log_keys.verifiers(self._signer.verifier, signed.size)
        self._high_water.write(Mark(str(keys[-1]), signed.size, signed.root))
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
            self._fold(tx, head)
            self._check_mark(tx, head)
            if newest is None and head.size == 0:
                return head, edge
            note_ = b"" if newest is None else newest.note.encode()
            signed = self._keyring.log_keys.verify(note_, self._signer.verifier)
        except (TlogError, StatementError) as error:
            raise RefusedError(f"what is stored does not match what was signed ({error}); run fsck") from error
        if (signed.size, signed.root) != (head.size, head.root):
            raise RefusedError(f"the newest checkpoint is of another tree than the head of size {head.size}; run fsck")
        return head, edge

    def _fold(self, tx: LogTransaction, head: LogHead) -> None:
        """Bring the keyring to the head: read anew after a start, a crash or another writer's batch."""
        if self._folded != head.size:
            self._keyring = fold(tx.key_statements())
            self._folded = head.size

    def _check_mark(self, tx: LogTransaction, head: LogHead) -> None:
        mark = self._high_water.read()
        if mark is None:
            if head.published_size:
                raise RefusedError(_NO_MARK)
            return
        if mark.vkey not in map(str, self._keyring.log_keys.verifiers(self._signer.verifier)):
            if head.published_time_ms:
                raise RefusedError(_OTHER_KEY)
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
    ) -> tuple[Batch, Keyring]:
        """The batch, and the keyring once it is on the log: a new log key signs the checkpoint that first covers it."""
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
        about_keys = _about_keys(entries)
        keyring = _extended(self._keyring, about_keys)
        tree = checkpoint.Checkpoint(self._signer.verifier.name, size, root)
        batch = Batch(
            taken=[item.id for item in waiting],
            entries=entries,
            key_entries={index: subject_kids(parsed) for index, parsed in about_keys},
            tiles=tiles,
            checkpoint=self._sign(tree, time_ms, keyring, tick=not entries),
        )
        return batch, keyring

    def _next_time(self, head: LogHead) -> int:
        return max(self._now_ms(), head.time_ms + 1)  # strictly increasing, also when the clock steps back

    def _sign(self, tree: checkpoint.Checkpoint, time_ms: int, keyring: Keyring, *, tick: bool) -> SignedCheckpoint:
        """The checkpoint with the lines of all keys of its size; RefusedError when one is not here."""
        seeds = []
        for verifier in keyring.log_keys.verifiers(self._signer.verifier, tree.size):
            key = self._signer.signing_key(statements.key_id(verifier.public))
            if key is None:
                raise RefusedError(_NO_KEY.format(vkey=verifier, size=tree.size))
            seeds.append(key.seed)
        note_ = checkpoint.sign(tree, seed=seeds[0], also=seeds[1:])
        return SignedCheckpoint(tree.size, tree.root, note_, time_ms, tick)


def _about_keys(entries: Sequence[SequencedEntry]) -> list[tuple[int, Statement]]:
    parsed = ((entry.index, statements.parse(entry.statement)) for entry in entries)
    return [(index, statement) for index, statement in parsed if statement.kind in statements.KEY_KINDS]


def _extended(keyring: Keyring, about_keys: Sequence[tuple[int, Statement]]) -> Keyring:
    if not about_keys:
        return keyring
    longer = keyring.copy()  # the batch may still fail
    for index, statement in about_keys:
        try:
            longer.add(index, statement)
        except StatementError:
            continue  # void
    return longer


_NO_MARK = (
    "the high-water file is absent although the log has published checkpoints: a backup was restored, or the file was"
    " lost. Published entries may be missing here, and signing without them would give two trees of one size. Fetch"
    " them from a follower, also to learn that there are none: manage.py recover --from URL. If this machine takes over"
    " from another, copy the file from there. If nobody has a copy of what is missing: manage.py new_epoch. Only if the"
    " newest checkpoint is surely the last that was published: manage.py sequencer --accept-database"
)
_OTHER_KEY = (
    "the high-water file is of another log key. If the log key was replaced, this database is an older copy, from"
    " before that: restore a newer backup. Else put the right file back"
)
_NO_KEY = (
    "the checkpoint of size {size} must carry the line of {vkey}, and this house does not hold that key. Restore the"
    " backup that has it, or replace it: manage.py rotate_log_key --at-once"
)
_BEHIND = (
    "the database has {stored} entries, but a checkpoint of {marked} was signed: this is an older copy, and signing"
    " from here would give two trees of one size. Fetch what is missing from a follower: manage.py recover --from URL,"
    " or restore a newer backup; if nobody has it: manage.py new_epoch"
)
_OTHER_ROOT = (
    "the database's tree of size {marked} is not the one that was signed: entries were changed or this is another"
    " history. Run fsck, then restore a backup whose fsck is clean"
)
