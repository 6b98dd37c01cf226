"""The sequencer's promises, held on every store: in memory and on the ORM (SQLite, PostgreSQL)."""

import copy
import dataclasses
from contextlib import contextmanager

import pytest

from ledger import fsck, keyring, models
from ledger import statement as statements
from ledger.db_storage import DbReader, DbStore, HighWaterFile
from ledger.sequencer import LogSigner, RefusedError, Sequencer
from ledger.statement import Header
from ledger.storage import Mark
from ledger.tlog import checkpoint, merkle

from .memory_store import MemoryHighWater, MemoryStore

LOG_KEY = statements.key_from_seed(b"\1" * 32)
ROOT_KEY = statements.key_from_seed(b"\2" * 32)
PARTY_KEY = statements.key_from_seed(b"\3" * 32)
SIGNER = LogSigner("log.example/one", LOG_KEY)
OPERATOR = "urn:dosetrail:operator"


def genesis():
    content = keyring.genesis(
        origin=SIGNER.origin, operator_name="x", root=ROOT_KEY.public, registrars=[ROOT_KEY.public]
    )
    return statements.sign(Header("genesis", OPERATOR, ROOT_KEY.kid, 0), content, key=ROOT_KEY)


def event(number):
    header = Header("event", "urn:dosetrail:party:acme", PARTY_KEY.kid, 0)
    return statements.sign(header, number.to_bytes(32, "big"), key=PARTY_KEY)


class Crash(BaseException):
    """The process dies here."""


class OnOrm:
    """The ORM store, submissions written straight into its table."""

    def __init__(self, folder):
        self.store, self.reader = DbStore(), DbReader()
        self.high_water = HighWaterFile(folder / "mark")

    def submit(self, items):
        models.Submission.objects.bulk_create(
            models.Submission(statement_hash=statements.statement_hash(item), statement=item) for item in items
        )

    def waiting(self):
        return models.Submission.objects.count()

    def damage_tile(self, path, position):
        row = models.Tile.objects.get(path=path)
        row.hashes = flipped(bytes(row.hashes), position)
        row.save()

    def damage_entry(self, index, position):
        row = models.Entry.objects.get(index=index)
        row.statement = flipped(bytes(row.statement), position)
        row.save()

    def damage_checkpoint(self, place):
        row = models.Checkpoint.objects.order_by("id")[place]
        row.note = row.note.replace("\n\n", "\n \n", 1) if "\n\n" in row.note else row.note
        row.save()

    def replace_note(self, place, text):
        row = models.Checkpoint.objects.order_by("id")[place]
        models.Checkpoint.objects.filter(pk=row.pk).update(note=text)

    def damage_head_root(self):
        models.Head.objects.update(root="00" * 32)


class InMemory:
    def __init__(self, folder):
        self.store = self.reader = MemoryStore()
        self.high_water = MemoryHighWater()
        self.submit = self.store.submit

    def waiting(self):
        return len(self.store.state.submissions)

    def damage_tile(self, path, position):
        level, number = path.split("/")
        place = (int(level), int(number))
        self.store.state.tiles[place] = flipped(self.store.state.tiles[place], position)

    def damage_entry(self, index, position):
        entry = self.store.state.entries[index]
        self.store.state.entries[index] = dataclasses.replace(entry, statement=flipped(entry.statement, position))

    def damage_checkpoint(self, place):
        old = self.store.state.checkpoints[place]
        self.store.state.checkpoints[place] = dataclasses.replace(old, note=old.note.replace("\n\n", "\n \n", 1))

    def replace_note(self, place, text):
        self.store.state.checkpoints[place] = dataclasses.replace(self.store.state.checkpoints[place], note=text)

    def damage_head_root(self):
        self.store.state.head = dataclasses.replace(self.store.state.head, root=bytes(32))


def flipped(data, position):
    damaged = bytearray(data)
    damaged[position] ^= 1
    return bytes(damaged)


# A durable step, whether what it wrote is kept although it was reported failed, and then: how many entries more are
# signed, marked, published. None is fatal.
FAILURES = [
    ("tx1", False, 0, 0, 0),
    ("tx1", True, 1, 0, 0),
    ("mark", False, 1, 0, 0),
    ("mark", True, 1, 1, 0),
    ("tx2", False, 1, 1, 0),
    ("tx2", True, 1, 1, 1),
]


@contextmanager
def failing(house, step, *, kept):
    """The store or the mark of a house, with one step that fails once: lost, or kept and reported failed."""
    write, write_mark, turn = house.store.write, house.high_water.write, iter(["tx1", "tx2"])

    @contextmanager
    def failing_write():
        fails = next(turn) == step
        with write() as tx:
            yield tx
            if fails and not kept:
                raise Crash
        if fails:
            raise Crash

    def failing_mark(mark):
        if step != "mark" or kept:
            write_mark(mark)
        if step == "mark":
            raise Crash

    house.store.write, house.high_water.write = failing_write, failing_mark
    try:
        yield
    finally:
        house.store.write, house.high_water.write = write, write_mark


@pytest.mark.django_db(transaction=True)
class StoreContract:
    """What must hold on every store."""

    kind: type

    @pytest.fixture
    def house(self, tmp_path):
        return self.kind(tmp_path)

    @pytest.fixture
    def clock(self):
        return [1_000]

    @pytest.fixture
    def sequencer(self, house, clock):
        return Sequencer(house.store, house.high_water, signer=SIGNER, now_ms=lambda: clock[0])

    def problems(self, house):
        return [str(problem) for problem in fsck.check(house.reader, SIGNER.verifier)]

    def grow(self, house, sequencer, *steps):
        house.submit([genesis()])
        sequencer.sequence()
        number = 0
        for step in steps:
            house.submit([event(number + place) for place in range(step)])
            number += step
            assert sequencer.sequence() == step
            assert self.problems(house) == []

    def test_batches_are_dense_ordered_signed_and_marked(self, house, sequencer):
        self.grow(house, sequencer, 3, 1, 300)
        entries = list(house.reader.entries(0))
        assert [entry.index for entry in entries] == list(range(305))
        expected = [genesis(), *(event(number) for number in range(304))]
        assert [bytes(entry.statement) for entry in entries] == expected
        root = merkle.root_of(map(merkle.leaf_hash, expected))
        head = house.store.head()
        assert (head.size, head.root, head.published_size) == (305, root, 305)
        assert house.high_water.read() == Mark(str(SIGNER.verifier), 305, root)
        sizes = [checkpoint.verify(item.note.encode(), SIGNER.verifier).size for item in house.reader.checkpoints()]
        assert sizes == [1, 4, 5, 305]
        assert house.waiting() == 0

    def test_record_time_rises_with_every_batch_even_when_the_clock_falls(self, house, sequencer, clock):
        house.submit([genesis()])
        sequencer.sequence()
        clock[0] = 500
        house.submit([event(1), event(2)])
        sequencer.sequence()
        sequencer.tick()
        clock[0] = 9_000
        house.submit([event(3)])
        sequencer.sequence()
        assert [entry.record_time_ms for entry in house.reader.entries(0)] == [1000, 1001, 1001, 9000]
        assert [item.time_ms for item in house.reader.checkpoints()] == [1000, 1001, 1002, 9000]
        assert self.problems(house) == []

    def test_a_tick_repeats_the_size_with_a_later_time(self, house, sequencer, clock):
        self.grow(house, sequencer, 2)
        clock[0] = 31_000
        sequencer.tick()
        before, tick = list(house.reader.checkpoints())[-2:]
        assert (tick.note, tick.size, tick.tick, tick.time_ms) == (before.note, before.size, True, 31_000)
        assert house.store.head().published_time_ms == 31_000
        assert self.problems(house) == []

    def test_a_statement_submitted_again_keeps_its_first_index(self, house, sequencer):
        self.grow(house, sequencer, 2)
        house.submit([event(0), event(2)])
        assert sequencer.sequence() == 1
        assert house.waiting() == 0
        assert len(list(house.reader.entries(0))) == 4
        assert self.problems(house) == []

    def test_a_small_limit_takes_the_oldest(self, house, sequencer):
        self.grow(house, sequencer)
        house.submit([event(number) for number in range(5)])
        assert [sequencer.sequence(2), sequencer.sequence(2), sequencer.sequence(2), sequencer.sequence(2)] == [
            2,
            2,
            1,
            0,
        ]
        assert [bytes(entry.statement) for entry in house.reader.entries(1)] == [event(number) for number in range(5)]

    @pytest.mark.parametrize("again", ["the same process", "the next one"])
    def test_what_each_durable_step_leaves_when_it_fails(self, house, sequencer, again):
        """Whatever is left, going on is the normal way, and no size is signed twice."""
        self.grow(house, sequencer, 2)
        size = 3
        for number, (step, kept, *more) in enumerate(FAILURES):
            house.submit([event(100 + number)])
            with failing(house, step, kept=kept), pytest.raises(Crash):
                sequencer.sequence()
            head = house.store.head()
            left = [head.size, house.high_water.read().size, head.published_size]
            assert left == [size + one for one in more], (step, kept)
            notes = {item.size: item.note for item in house.reader.checkpoints()}
            house.submit([event(200 + number)])
            if again == "the next one":
                sequencer = Sequencer(house.store, house.high_water, signer=SIGNER, now_ms=lambda: 1_000)
                sequencer.settle()
            sequencer.sequence()
            head, size = house.store.head(), size + 2
            found = [head.size, head.published_size, house.high_water.read().size, house.waiting()]
            assert found == [size, size, size, 0], (step, kept)
            stored = list(house.reader.checkpoints())
            assert all(item.note == notes.get(item.size, item.note) for item in stored)
            assert len({item.size for item in stored}) == len(stored)
            assert self.problems(house) == []

    def test_an_older_copy_of_the_database_is_not_signed_on(self, house, sequencer):
        self.grow(house, sequencer, 2)
        house.high_water.write(Mark(str(SIGNER.verifier), 10, bytes(32)))
        house.submit([event(7)])
        with pytest.raises(RefusedError, match="older copy"):
            sequencer.sequence()
        assert house.store.head().size == 3

    def test_another_history_is_not_signed_on(self, house, sequencer):
        self.grow(house, sequencer, 2)
        house.high_water.write(Mark(str(SIGNER.verifier), 2, bytes(32)))
        house.submit([event(7)])
        with pytest.raises(RefusedError, match="not the one that was signed"):
            sequencer.sequence()

    def test_a_mark_that_lags_behind_is_fine(self, house, sequencer):
        house.submit([genesis()])
        sequencer.sequence()
        lagging = house.high_water.read()
        house.submit([event(number) for number in range(300)])
        sequencer.sequence()
        house.high_water.write(lagging)
        house.submit([event(400)])
        assert sequencer.sequence() == 1

    def test_a_lost_mark_or_one_of_another_key_is_refused_once_something_is_published(self, house, sequencer):
        self.grow(house, sequencer, 1)
        mark = house.high_water.read()
        house.submit([event(7)])
        house.high_water.set_aside()
        with pytest.raises(RefusedError, match="absent"):
            sequencer.sequence()
        other = LogSigner("log.example/two", LOG_KEY)
        house.high_water.write(dataclasses.replace(mark, vkey=str(other.verifier)))
        with pytest.raises(RefusedError, match="another log key"):
            sequencer.sequence()
        house.high_water.write(mark)
        assert sequencer.sequence() == 1

    def test_the_mark_of_an_earlier_log_is_set_aside_by_a_new_one(self, house, sequencer):
        other = LogSigner("log.example/two", LOG_KEY)
        house.high_water.write(Mark(str(other.verifier), 50, bytes(32)))
        self.grow(house, sequencer, 1)
        assert house.high_water.read().size == 2

    @pytest.mark.parametrize("path", ["0/001", "1/000"])
    def test_fsck_names_a_flipped_byte_in_a_tile_and_nothing_is_signed_on_it(self, house, sequencer, path):
        self.grow(house, sequencer, 300)
        house.damage_tile(path, 5)
        found = self.problems(house)
        assert len(found) == 1
        assert found[0].startswith(f"slot 0 of tile {path}: differs")
        house.submit([event(900)])
        with pytest.raises(RefusedError, match="run fsck"):
            sequencer.sequence()
        with pytest.raises(RefusedError, match="run fsck"):
            sequencer.tick()
        assert house.store.head().size == 301

    def test_fsck_names_a_flipped_byte_in_a_full_tile(self, house, sequencer):
        self.grow(house, sequencer, 300)
        house.damage_tile("0/000", 32 * 17)
        [found] = self.problems(house)
        assert found.startswith("slot 17 of tile 0/000: differs from the leaf hash of entry 17")

    @pytest.mark.parametrize("index", [0, 17, 255, 256, 300])
    def test_fsck_names_a_flipped_byte_in_an_entry(self, house, sequencer, index):
        self.grow(house, sequencer, 300)
        house.damage_entry(index, 60)
        found = self.problems(house)
        assert found[0].startswith(f"entry {index}: its bytes were changed")
        assert all(item.startswith(f"entry {index}") for item in found)

    def test_the_scrubber_finds_what_fsck_finds(self, house, sequencer):
        self.grow(house, sequencer, 300)
        scrubber = fsck.Scrubber(house.reader)
        assert [scrubber.next_row() for _ in range(4)] == [[], [], [], []]
        house.damage_entry(17, 60)
        assert str(scrubber.next_row()[0]).startswith("entry 17: its bytes were changed")

    def test_fsck_names_a_damaged_checkpoint_and_nothing_is_signed_after_it(self, house, sequencer):
        self.grow(house, sequencer, 2, 3)
        house.damage_checkpoint(2)
        [found] = self.problems(house)
        assert found.startswith("checkpoint of size 6 (time 1002): its note does not verify")
        house.submit([event(900)])
        with pytest.raises(RefusedError, match="run fsck"):
            sequencer.sequence()

    def test_fsck_names_a_damaged_head(self, house, sequencer):
        self.grow(house, sequencer, 2)
        house.damage_head_root()
        assert any(item.startswith("head: says root 0000") for item in self.problems(house))
        with pytest.raises(RefusedError):
            sequencer.tick()

    def test_fsck_stays_quiet_about_an_intact_log_and_counts(self, house, sequencer):
        self.grow(house, sequencer, 256)
        seen = []
        assert fsck.check(house.reader, SIGNER.verifier, lambda done, total: seen.append((done, total))) == []
        assert seen == [(256, 257), (257, 257)]


class TestOrm(StoreContract):
    kind = OnOrm

    def test_fsck_names_gaps_and_strays(self, house, sequencer):
        self.grow(house, sequencer, 300)
        models.Tile.objects.create(path="2/000", hashes=bytes(32))
        models.KeyEntry.objects.create(index=5, kid="aa" * 32)
        last = models.Entry.objects.get(index=300)
        models.Entry.objects.create(index=301, statement_hash="bb" * 32, statement=b"x", record_time_ms=5)
        found = self.problems(house)
        assert any(item.startswith("tile 2/000: must not exist") for item in found)
        assert any(item.startswith("entry 5: the index of key entries") for item in found)
        assert any(item.startswith("entry 301: lies beyond the head") for item in found)
        assert len(found) == 3
        models.Entry.objects.filter(index=300).delete()
        assert any(item.startswith("entry 300: is missing") for item in self.problems(house)), last

    def test_a_rewritten_history_is_named_by_the_checkpoints(self, house, sequencer):
        """The operator changes an entry and everything that follows from it, but cannot change what was signed."""
        self.grow(house, sequencer, 5, 5)
        row = models.Entry.objects.get(index=7)
        row.statement = event(1234)
        row.statement_hash = statements.statement_hash(row.statement)
        row.save()
        tile_row = models.Tile.objects.get(path="0/000")
        hashes = bytearray(bytes(tile_row.hashes))
        hashes[7 * 32 : 8 * 32] = bytes.fromhex(row.statement_hash)
        tile_row.hashes = bytes(hashes)
        tile_row.save()
        found = self.problems(house)
        assert found[0].startswith("checkpoint of size 11")
        assert "at or after entry 6 and before entry 11" in found[0]

    def test_an_older_checkpoint_in_place_of_the_newest_is_not_signed_on(self, house, sequencer):
        self.grow(house, sequencer, 1, 1)
        older, newest = models.Checkpoint.objects.order_by("id")[1:3]
        newest.note = older.note
        newest.save()
        house.submit([event(900)])
        with pytest.raises(RefusedError, match="another tree"):
            sequencer.sequence()
        assert any("its note says size 2" in item for item in self.problems(house))

    def test_fsck_names_times_and_sizes_that_fall(self, house, sequencer):
        self.grow(house, sequencer, 1, 1)
        models.Entry.objects.filter(index=0).update(record_time_ms=5_000)
        models.Checkpoint.objects.filter(size=2).update(time_ms=500)
        found = self.problems(house)
        assert "entry 1: its record time lies before that of the entry before it" in found
        assert "checkpoint of size 2 (time 500): is out of order: sizes never fall, times always rise" in found


class TestMemory(StoreContract):
    kind = InMemory

    def test_two_copies_in_one_batch_get_one_index(self, house, sequencer):
        self.grow(house, sequencer, 1)
        house.submit([event(5), event(5), event(6)])
        assert sequencer.sequence() == 2
        assert self.problems(house) == []


def test_two_that_share_neither_lock_nor_mark_fork_the_log():
    """Negative control: what the election, the head's lock and the mark are there to prevent."""
    house = InMemory(None)
    first = Sequencer(house.store, house.high_water, signer=SIGNER, now_ms=lambda: 1_000)
    house.submit([genesis()])
    first.sequence()
    other = copy.deepcopy(house)
    second = Sequencer(other.store, other.high_water, signer=SIGNER, now_ms=lambda: 1_000)
    house.submit([event(1)])
    other.store.submit([event(2)])
    first.sequence()
    second.sequence()
    heads = [one.store.head() for one in (house, other)]
    assert {head.published_size for head in heads} == {2}
    assert len({head.root for head in heads}) == 2
    # With the mark alone shared, the second is refused.
    third = Sequencer(copy.deepcopy(other).store, house.high_water, signer=SIGNER, now_ms=lambda: 1_000)
    with pytest.raises(RefusedError, match="not the one that was signed"):
        third.tick()
