"""Which keys sign a log's checkpoints at which tree size: the log's own word, while its key is replaced. PURE.

`keyring` folds the entries and judges who may make them; here is what they add up to (docs/formats.md).
"""

from dataclasses import dataclass, replace

from .statement import StatementError, key_id
from .tlog import checkpoint, note
from .tlog.checkpoint import Checkpoint
from .tlog.errors import CheckpointError
from .tlog.note import Verifier


@dataclass(frozen=True, slots=True)
class LogKeyRecord:
    """A key and the tree sizes whose checkpoints carry its line: from `from_size` on, below `until_size` (None: open).

    `entry` is the one that made it a key of the log; None for the first, which the entry that replaced it names.
    """

    public: bytes
    from_size: int
    until_size: int | None = None
    entry: int | None = None

    @property
    def kid(self) -> bytes:
        return key_id(self.public)

    def signs(self, size: int) -> bool:
        """Whether a checkpoint of this tree size carries the key's line."""
        return self.from_size <= size and (self.until_size is None or size < self.until_size)


@dataclass(frozen=True, slots=True)
class LogKeys:
    """A log's keys, oldest first; none as long as the log has not replaced the one that everybody pins."""

    records: tuple[LogKeyRecord, ...] = ()

    def signing(self, size: int) -> list[LogKeyRecord]:
        """The keys of a tree size, oldest first: two while one follows the other. Empty when the log names none."""
        return [record for record in self.records if record.signs(size)]

    def verifiers(self, pinned: Verifier, size: int | None = None) -> list[Verifier]:
        """All keys that are or were the log's (with `size`: that sign this tree size), oldest first.

        `pinned` is a key known from elsewhere, and the only one as long as the log names none. CheckpointError when
        the log names keys, and this is not one of them.
        """
        if not self.records:
            return [pinned]
        if pinned.public not in {record.public for record in self.records}:
            raise CheckpointError(f"{pinned} is not among the keys that this log names as its own")
        chosen = self.records if size is None else self.signing(size)
        return [Verifier(pinned.name, record.public) for record in chosen]

    def verify(self, data: bytes, pinned: Verifier) -> Checkpoint:
        """The checkpoint in a note that carries the lines of all keys of its size, and of no other key of the log.

        NoteError or CheckpointError otherwise.
        """
        known = self.verifiers(pinned)
        signed = note.verify(data, known)
        tree = checkpoint.parse(signed.text)
        if tree.origin != pinned.name:
            raise CheckpointError(f"the checkpoint is of {tree.origin!r}, the key of {pinned.name!r}")
        wanted = self.verifiers(pinned, tree.size)
        present = [key for key in known if signed.lines_of(key)]
        for key in present:
            if key not in wanted:
                raise CheckpointError(f"it is signed by {key}, which was not a key of the log at size {tree.size}")
        for key in wanted:
            if key not in present:
                raise CheckpointError(f"it lacks the line of {key}, a key of the log at size {tree.size}")
        return tree

    def followed(self, index: int, public: bytes, *, replaces: bytes, overlap: bool) -> "LogKeys":
        """With the key that entry `index` puts in the place of the key `replaces` (public keys, 32 bytes).

        Both sign until the old one is retired; without `overlap` the entry retires every key that signs. StatementError
        when `replaces` is not the newest that signs, a rotation is under way, or `public` was a key of the log before.
        """
        records = self.records or (LogKeyRecord(replaces, 0),)
        signing = [record.public for record in records if record.signs(index)]
        if signing[-1] != replaces or (overlap and len(signing) > 1):
            raise StatementError("bad-key-entry", f"entry {index} replaces what is not the one key of the log")
        if public in {record.public for record in records}:
            raise StatementError("bad-key-entry", f"entry {index} names a key that is or was the log's")
        kept = records if overlap else tuple(_ended(record, index + 1) for record in records)
        return LogKeys((*kept, LogKeyRecord(public, index + 1, entry=index)))

    def retired(self, index: int, kid: bytes) -> "LogKeys":
        """Without the older of the two keys that sign, from entry `index` on; StatementError for any other key."""
        signing = self.signing(index + 1)
        if len(signing) != 2 or signing[0].kid != kid:
            raise StatementError("bad-key-entry", f"entry {index} retires a key that nothing has followed")
        old = signing[0]
        return LogKeys(tuple(_ended(record, index + 1) if record is old else record for record in self.records))


def _ended(record: LogKeyRecord, size: int) -> LogKeyRecord:
    return record if record.until_size is not None else replace(record, until_size=size)
