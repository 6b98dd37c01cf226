"""The whole-log check: recomputes everything from the entries and says exactly what is wrong where. PURE.

A leaf hash is stored twice, beside the entry and in its tile; with the entry's own bytes that makes three witnesses,
so that the one that was changed can be named.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from . import statement as statements
from .keyring import Keyring, subject_kids
from .statement import StatementError
from .storage import LogHead, LogReader, SequencedEntry, SignedCheckpoint
from .tlog import merkle, tile
from .tlog.errors import TlogError
from .tlog.merkle import HASH_SIZE, Frontier
from .tlog.note import Verifier
from .tlog.tile import WIDTH, TileName

Progress = Callable[[int, int], None]
MAX_PROBLEMS = 1000


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong, and where: `place` is e.g. "entry 17", "tile 0/000", "checkpoint of size 40"."""

    place: str
    detail: str

    def __str__(self) -> str:
        return f"{self.place}: {self.detail}"


def check(reader: LogReader, verifier: Verifier, progress: Progress = lambda done, total: None) -> list[Problem]:
    """All problems of a log, in order of discovery, at most 1,000; none means that it is what was signed.

    `verifier` is a key of the log, whichever: what its keys were at each size the log says itself.
    `progress` is called with the number of entries checked and the head's size. Statement signatures of private
    entries are not checked here (they cost far more than everything else); those about keys are.
    """
    return _Check(reader, verifier, progress).run()


class Scrubber:
    """Checks one row of up to 256 entries against its tile at a time, round and round: cheap enough while idle."""

    def __init__(self, reader: LogReader) -> None:
        self._reader = reader
        self._number = 0

    def next_row(self) -> list[Problem]:
        head = self._reader.head()
        rows = -(-head.size // WIDTH)
        if not rows:
            return []
        number, self._number = self._number % rows, (self._number + 1) % rows
        row = list(self._reader.entries(number * WIDTH, min((number + 1) * WIDTH, head.size)))
        stored = self._reader.tiles([(0, number)]).get((0, number), b"")
        problems = []
        for entry in row:
            problem, _ = compare(entry, _slot(stored, entry.index % WIDTH))
            problems += [problem] if problem else []
        return problems


def compare(entry: SequencedEntry, slot: bytes) -> tuple[Problem | None, bytes]:
    """What is wrong between an entry, its hash column and its tile's slot; and the hash that most of them agree on."""
    computed = merkle.leaf_hash(entry.statement)
    digest = computed.hex()
    if slot == computed and entry.statement_hash == digest:
        return None, computed
    place = f"entry {entry.index}"
    where = f"slot {entry.index % WIDTH} of {_name(0, entry.index // WIDTH)}"
    if entry.statement_hash == digest:
        return Problem(where, f"differs from the leaf hash of {place}, {digest}"), computed
    if slot == computed:
        return Problem(place, f"its statement_hash column says {entry.statement_hash}, its bytes {digest}"), computed
    if entry.statement_hash == slot.hex():
        return Problem(place, f"its bytes were changed: they hash to {digest}, not to {slot.hex()}"), slot
    return Problem(place, f"its bytes, its statement_hash column and {where} all differ"), computed


@dataclass
class _Check:
    reader: LogReader
    verifier: Verifier
    progress: Progress
    head: LogHead = field(init=False)
    later: Iterator[SignedCheckpoint] = field(init=False)
    pending: SignedCheckpoint | None = None
    last_checkpoint: SignedCheckpoint | None = None
    key_entries: Mapping[int, Sequence[str]] = field(default_factory=dict)
    rising: list[list[bytes]] = field(default_factory=lambda: [[]])  # by level, the hashes of its full tiles
    problems: list[Problem] = field(default_factory=list)
    frontier: Frontier = field(default_factory=Frontier)
    keyring: Keyring = field(default_factory=Keyring)
    surplus: list[Problem] = field(default_factory=list)  # what lies beyond the head: growth, or somebody's doing
    last_time_ms: int = 0
    good_size: int = 0  # the largest size whose checkpoint agrees

    def run(self) -> list[Problem]:
        self.head = self.reader.head()
        self.later = iter(self.reader.checkpoints())
        self.pending = next(self.later, None)
        self.key_entries = self.reader.key_entries()
        for number, rows in enumerate(self._rows()):
            if len(self.problems) >= MAX_PROBLEMS:
                return self.problems
            self._check_row(number, rows)
            self.progress(self.frontier.size, self.head.size)
        self._check_upper_tiles()
        self._check_checkpoints(after_last=True)
        self._check_head()
        self._check_strays()
        if self.reader.head() == self.head:  # otherwise the log grew meanwhile, and may have rows beyond that head
            self.problems += self.surplus
        return self.problems

    def report(self, place: str, detail: str) -> None:
        self.problems.append(Problem(place, detail))

    def _rows(self) -> Iterator[list[SequencedEntry]]:
        """The entries in rows of a tile, gaps reported and closed up by what the tile holds."""
        row: list[SequencedEntry] = []
        for expected, entry in enumerate(self.reader.entries(0)):
            if expected >= self.head.size:
                self.surplus.append(Problem(f"entry {entry.index}", f"lies beyond the head of size {self.head.size}"))
                break
            if entry.index != expected:
                self.report(f"entry {expected}", f"is missing; the next stored entry is {entry.index}")
                break  # nothing after a gap can be placed
            row.append(entry)
            if len(row) == WIDTH:
                yield row
                row = []
        if row:
            yield row

    def _check_row(self, number: int, row: Sequence[SequencedEntry]) -> None:
        stored = self._stored(0, number, len(row))
        leaves = [self._check_entry(entry, _slot(stored, entry.index % WIDTH)) for entry in row]
        for leaf in leaves:
            self._check_checkpoints()
            self.frontier.append(leaf)
        if len(row) == WIDTH:
            self.rising[0].append(merkle.perfect_root(leaves))

    def _check_entry(self, entry: SequencedEntry, slot: bytes) -> bytes:
        """Report what is wrong with an entry; the leaf hash to go on with."""
        problem, leaf = compare(entry, slot)
        if problem:
            self.problems.append(problem)
        if entry.record_time_ms < self.last_time_ms:
            self.report(f"entry {entry.index}", "its record time lies before that of the entry before it")
        self.last_time_ms = max(self.last_time_ms, entry.record_time_ms)
        if not problem:
            self._check_statement(entry)
        return leaf

    def _check_statement(self, entry: SequencedEntry) -> None:
        place = f"entry {entry.index}"
        try:
            parsed = statements.parse(entry.statement)
        except StatementError as error:
            self.report(place, f"is no statement: {error}")
            return
        kids: Sequence[str] = subject_kids(parsed) if parsed.kind in statements.KEY_KINDS else ()
        if list(self.key_entries.get(entry.index, ())) != list(kids):
            self.report(place, "the index of key entries does not say what the entry says")
        if parsed.kind in statements.LOG_KEY_KINDS:
            with suppress(StatementError):  # void: it changes nothing
                self.keyring.add(entry.index, parsed)
        if entry.index == 0:
            try:
                self.keyring.add(0, parsed)
            except StatementError as error:
                self.report(place, f"is not a genesis that counts: {error}")
            if self.keyring.origin != self.verifier.name:
                self.report(
                    place, f"is the genesis of {self.keyring.origin!r}, the log key is of {self.verifier.name!r}"
                )

    def _check_checkpoints(self, *, after_last: bool = False) -> None:
        """Compare every checkpoint of the size reached so far (with `after_last`: all that are left)."""
        while (signed := self.pending) is not None and (signed.size <= self.frontier.size or after_last):
            if signed.time_ms > self.head.time_ms:
                self.surplus.append(Problem(_checkpoint_name(signed), "is newer than the head"))
                self.pending = None
                return
            self._check_checkpoint(signed)
            self.last_checkpoint = signed
            self.pending = next(self.later, None)

    def _check_checkpoint(self, signed: SignedCheckpoint) -> None:
        place = _checkpoint_name(signed)
        before = self.last_checkpoint
        if before is not None and (signed.size < before.size or signed.time_ms <= before.time_ms):
            self.report(place, "is out of order: sizes never fall, times always rise")
        try:
            note = self.keyring.log_keys.verify(signed.note.encode(), self.verifier)
        except TlogError as error:
            self.report(place, f"its note does not verify: {error}")
            return
        if (note.size, note.root) != (signed.size, signed.root):
            self.report(place, f"its note says size {note.size} and root {note.root.hex()}, its columns another")
        if note.size != self.frontier.size:
            self.report(place, f"no such tree: {self.frontier.size} entries are stored")
        elif note.root != self.frontier.root():
            self.report(
                place,
                f"its signed root is {note.root.hex()}, the entries give {self.frontier.root().hex()}: something at or"
                f" after entry {self.good_size} and before entry {note.size} is not what was signed",
            )
        else:
            self.good_size = note.size

    def _check_upper_tiles(self) -> None:
        """Compare the tiles above level 0 with the full tiles below them, as recomputed from the entries."""
        level = 1
        while hashes := self.rising[level - 1]:
            self.rising.append([])
            for number in range(-(-len(hashes) // WIDTH)):
                self._check_upper_tile(level, number, hashes[number * WIDTH : (number + 1) * WIDTH])
            level += 1

    def _check_upper_tile(self, level: int, number: int, wanted: list[bytes]) -> None:
        stored = self._stored(level, number, len(wanted))
        for place, hash_ in enumerate(wanted):
            if _slot(stored, place) != hash_:
                below = _name(level - 1, number * WIDTH + place)
                self.report(f"slot {place} of {_name(level, number)}", f"differs from the hash of {below}")
        if len(wanted) == WIDTH:
            self.rising[level].append(merkle.perfect_root(wanted))

    def _check_head(self) -> None:
        head, newest = self.head, self.last_checkpoint
        if head.size != self.frontier.size:
            self.report("head", f"says size {head.size}; {self.frontier.size} entries are stored")
        elif head.root != self.frontier.root():
            self.report("head", f"says root {head.root.hex()}, the entries give {self.frontier.root().hex()}")
        if newest is not None and (newest.size, newest.time_ms) != (head.size, head.time_ms):
            self.report("head", f"is not the newest checkpoint, which is of size {newest.size}")
        if newest is None and head.size:
            self.report("head", f"says size {head.size}, and no checkpoint is stored")
        if head.published_size > head.size:
            self.report("head", f"says that {head.published_size} entries are published, more than there are")

    def _check_strays(self) -> None:
        known = {
            tile.format_path(TileName(name.level, name.number, WIDTH)) for name in tile.tiles_of(self.frontier.size)
        }
        for path in self.reader.tile_paths():
            if path not in known:
                self.surplus.append(Problem(f"tile {path}", f"must not exist in a tree of size {self.frontier.size}"))
        for index in self.key_entries:
            if not 0 <= index < self.frontier.size:
                self.surplus.append(Problem(f"entry {index}", "is in the index of key entries and not in the log"))

    def _stored(self, level: int, number: int, width: int) -> bytes:
        """A tile's stored bytes; its length is judged here."""
        stored = self.reader.tiles([(level, number)]).get((level, number), b"")
        wanted = width * HASH_SIZE
        if len(stored) != wanted:
            problem = Problem(_name(level, number), f"holds {len(stored)} bytes instead of {wanted}")
            (self.surplus if len(stored) > wanted else self.problems).append(problem)
        return stored[:wanted]


def _checkpoint_name(signed: SignedCheckpoint) -> str:
    return f"checkpoint of size {signed.size} (time {signed.time_ms})"


def _slot(row: bytes, place: int) -> bytes:
    return row[place * HASH_SIZE : (place + 1) * HASH_SIZE]


def _name(level: int, number: int) -> str:
    return f"tile {tile.format_path(TileName(level, number, WIDTH))}"
