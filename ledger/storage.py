"""What the sequencer, the checkers and the proofs ask of a store, and the guarantee each call gives. PURE."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from .tlog.tile import Coordinate


@dataclass(frozen=True, slots=True)
class Submitted:
    """A statement that waits for its index, in order of `id`."""

    id: int
    statement: bytes


@dataclass(frozen=True, slots=True)
class SequencedEntry:
    """An entry with its place in the log. `statement_hash` is the hex of its leaf hash; the time is ledger time."""

    index: int
    statement_hash: str
    statement: bytes
    record_time_ms: int


@dataclass(frozen=True, slots=True)
class SignedCheckpoint:
    """A checkpoint as stored: what the note says, the ledger time, whether it only repeats the size before (tick)."""

    size: int
    root: bytes
    note: str
    time_ms: int
    tick: bool = False
    published: bool = False


@dataclass(frozen=True, slots=True)
class LogHead:
    """The newest signed state and how much of it is published; equal unless a crash fell between the two."""

    size: int
    root: bytes
    time_ms: int
    published_size: int
    published_time_ms: int

    @property
    def pending(self) -> bool:
        return self.time_ms != self.published_time_ms


@dataclass(frozen=True, slots=True)
class Batch:
    """All that one sequencing step makes durable, at once or not at all."""

    taken: Sequence[int]  # ids of submissions, those dropped as already sequenced included
    entries: Sequence[SequencedEntry]
    key_entries: Mapping[int, Sequence[str]]  # index -> hex ids of the keys it is about
    tiles: Mapping[Coordinate, bytes]
    checkpoint: SignedCheckpoint


@dataclass(frozen=True, slots=True)
class Mark:
    """The high-water mark: the newest checkpoint that may have left the house, and the key that signed it."""

    vkey: str
    size: int
    root: bytes


class TileReader(Protocol):
    """Reads tiles; those that do not exist are absent from the answer, partial ones come as wide as stored."""

    def tiles(self, coordinates: Iterable[Coordinate]) -> Mapping[Coordinate, bytes]: ...


class LogTransaction(TileReader, Protocol):
    """The head row is locked: until the transaction ends no other writer reads or moves the head."""

    def head(self) -> LogHead: ...

    def newest_checkpoint(self) -> SignedCheckpoint | None: ...

    def key_statements(self) -> Iterator[tuple[int, bytes]]:
        """The entries about keys, in order of index."""
        ...

    def waiting(self, limit: int) -> Sequence[Submitted]:
        """The first submissions that are visible, by id. A lower id may still appear later (a late commit)."""
        ...

    def known(self, hashes: Sequence[str]) -> set[str]:
        """Which of these statements are sequenced already."""
        ...

    def append(self, batch: Batch) -> None:
        """Write the batch and move the head; taken submissions are deleted by id, never by range."""
        ...

    def publish(self) -> None:
        """Let readers see everything up to the head."""
        ...


class LogStore(Protocol):
    """Atomic and durable: after `write()` ends without an exception, all of it survives any crash; before, nothing."""

    def write(self) -> AbstractContextManager[LogTransaction]: ...

    def head(self) -> LogHead:
        """The head as committed; it may have moved when the answer arrives."""
        ...


class HighWater(Protocol):
    """A mark outside the database, so that a restored backup shows. `write` returns after the bytes are on disk."""

    def read(self) -> Mark | None: ...

    def write(self, mark: Mark) -> None: ...

    def set_aside(self) -> None:
        """Keep the mark of an earlier log under another name; `read` then answers None."""
        ...


class LogReader(TileReader, Protocol):
    """Reads everything there is, for the checker; rows come in order of index, path or time."""

    def head(self) -> LogHead: ...

    def entries(self, start: int, end: int | None = None) -> Iterator[SequencedEntry]: ...

    def key_entries(self) -> Mapping[int, Sequence[str]]: ...

    def tile_paths(self) -> Iterable[str]: ...

    def checkpoints(self) -> Iterable[SignedCheckpoint]: ...
