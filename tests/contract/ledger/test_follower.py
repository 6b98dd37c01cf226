"""The follower's promises, on a replica in memory and on the ORM: an honest log is copied, every lie is named."""

import dataclasses

import pytest

from ledger import fsck, models
from ledger.db_replica import DbReplica
from ledger.db_storage import DbReader
from ledger.follower import Follower, LogLiedError, ReplicaError, UnreachableError
from ledger.storage import LogHead
from ledger.tlog import checkpoint, merkle, policy, tile
from ledger.tlog.errors import TileError
from ledger.tlog.tile import ENTRIES, TileName
from ledger.tlog.tile_tree import TileTree

from . import lying_log
from .lying_log import LOG, LOG_SEED, LyingLog, event
from .memory_store import MemoryStore


class MemoryReplica(MemoryStore):
    """Replica."""

    def newest_checkpoint(self):
        return self.state.checkpoints[-1] if self.state.checkpoints else None

    def key_statements(self):
        return iter([(index, self.state.entries[index].statement) for index in sorted(self.state.key_entries)])

    def note_checkpoint(self, signed):
        self.state.checkpoints.append(signed)

    def grow(self, growth):
        self.state.entries += growth.entries
        self.state.key_entries.update(growth.key_entries)
        self.state.tiles.update(growth.tiles)
        self.state.head = dataclasses.replace(self.state.head, size=growth.size, root=growth.root)

    def publish(self):
        newest, head = self.newest_checkpoint(), self.state.head
        self.state.head = LogHead(head.size, head.root, newest.time_ms, head.size, newest.time_ms)


class Following:
    """A follower of one log, with a clock that moves a second a look."""

    def __init__(self, replica, log, text=lying_log.POLICY):
        self.replica, self.log, self.reports, self.shown = replica, log, [], []
        self.now_ms = 1_000_000
        self.text = text
        self.start()

    def start(self):
        self.follower = Follower(
            self.replica,
            self.log,
            policy.parse(self.text),
            now_ms=self.tell,
            report=self.reports.append,
            progress=lambda done, total: self.shown.append((done, total)),
        )

    def tell(self):
        self.now_ms += 1000
        return self.now_ms

    def step(self):
        return self.follower.step()

    def lie(self):
        with pytest.raises(LogLiedError) as error:
            self.step()
        return error.value.finding


@pytest.fixture(params=[MemoryReplica, pytest.param(DbReplica, marks=pytest.mark.django_db)])
def replica(request):
    return request.param()


def checked(replica):
    reader = DbReader() if isinstance(replica, DbReplica) else replica
    return fsck.check(reader, LOG)


@pytest.mark.parametrize("size", [2, 3, 256, 257, 4097])
def test_an_honest_log_is_copied_whole(replica, size):
    following = Following(replica, LyingLog(size))
    following.step()
    head = replica.head()
    assert (head.size, head.published_size) == (size, size)
    assert head.root == merkle.root_of(following.log.leaves)
    assert (following.reports, checked(replica)) == ([], [])
    assert following.shown[-1] == (size, size)


def test_it_goes_on_where_it_stopped(replica):
    following = Following(replica, LyingLog(300))
    following.step()
    for size in (300, 301, 512, 513, 1030):
        following.log.grow(size)
        following.log.asked.clear()
        following.step()
        assert replica.head().published_size == size
        assert all(name.number >= (size - 600) // 256 for name in following.log.asked if name.level == ENTRIES)
    assert checked(replica) == []


def test_an_interruption_in_the_middle_is_gone_on_from(replica):
    """The log goes away after the first rows; what was copied is kept and not shown."""
    following = Following(replica, LyingLog(9000))
    honest = following.log.tile

    def breaking(name):
        if name.level == ENTRIES and name.number == 20:
            raise UnreachableError("gone")
        return honest(name)

    following.log.tile = breaking
    with pytest.raises(UnreachableError):
        following.step()
    assert (replica.head().size, replica.head().published_size) == (4096, 0)
    following.log.tile = honest
    following.start()  # another process
    following.log.asked.clear()
    following.step()
    assert min(name.number for name in following.log.asked if name.level == ENTRIES) == 16
    assert (replica.head().published_size, checked(replica)) == (9000, [])


def test_a_split_view_is_shown_with_both_checkpoints(replica):
    following = Following(replica, LyingLog(40))
    following.step()
    kept = following.log.signed()
    following.log.note = following.log.signed(root=merkle.leaf_hash(b"other"))
    finding = following.lie()
    assert (finding.kind, finding.evidence) == ("split-view", {"kept": kept, "seen": following.log.note})
    assert replica.head().published_size == 40


def test_a_fork_is_proved(replica):
    """The evidence alone convinces: two signed checkpoints, and a proof that the larger has another past."""
    following = Following(replica, LyingLog(300))
    following.step()
    other = LyingLog(entries=[*following.log.all[:299], *(event(10_000 + n) for n in range(60))])
    following.log.all, following.log.size = other.all, other.size
    finding = following.lie()
    assert finding.kind == "fork"
    kept, seen = (checkpoint.verify(finding.evidence[name].encode(), LOG) for name in ("kept", "seen"))
    other_root = bytes.fromhex(finding.evidence["otherRoot"])
    path = [bytes.fromhex(value) for value in finding.evidence["proof"]]
    merkle.verify_consistency(kept.size, seen.size, root1=other_root, root2=seen.root, proof=path)
    assert other_root != kept.root
    assert replica.head().published_size == 300


def test_a_rollback_is_shown(replica):
    following = Following(replica, LyingLog(300))
    following.step()
    following.log.note = following.log.signed(size=299)
    assert following.lie().kind == "rollback"


def test_a_lie_about_what_was_noted_and_not_copied_yet_is_noticed(replica):
    """The copying was interrupted; the checkpoint that it was for is evidence all the same."""
    following = Following(replica, LyingLog(600))
    honest = following.log.tile
    following.log.tile = lambda name: (_ for _ in ()).throw(UnreachableError("x")) if name.level == -1 else honest(name)
    with pytest.raises(UnreachableError):
        following.step()
    following.log.tile = honest
    following.log.note = following.log.signed(size=599)
    assert following.lie().kind == "rollback"
    following.log.note = following.log.signed(root=merkle.leaf_hash(b"x"))
    assert following.lie().kind == "split-view"


def test_a_bundle_that_is_not_what_the_tile_says_is_named_by_its_entry(replica):
    following = Following(replica, LyingLog(300))
    entries = list(following.log.all[256:300])
    entries[7] = event(77_777)
    following.log.served[TileName(ENTRIES, 1, 44)] = tile.pack_bundle(entries)
    finding = following.lie()
    assert (finding.kind, finding.evidence["index"]) == ("bad-bundle", 263)
    assert replica.head().published_size == 0


@pytest.mark.parametrize("data", [b"", b"\0", tile.pack_bundle([event(1)] * 3)])
def test_a_bundle_that_is_cut_short_is_named(replica, data):
    following = Following(replica, LyingLog(44))
    following.log.served[TileName(ENTRIES, 0, 44)] = data
    assert following.lie().kind == "bad-bundle"


@pytest.mark.parametrize(
    ("name", "damage"),
    [
        (TileName(0, 0, 256), lambda data: data[:-1] + bytes([data[-1] ^ 1])),
        (TileName(0, 1, 44), lambda data: bytes([data[0] ^ 1]) + data[1:]),
        (TileName(1, 0, 1), lambda data: bytes(32)),
        (TileName(0, 1, 44), lambda data: data[:-32]),
    ],
)
def test_a_tile_that_does_not_belong_to_the_checkpoint_is_named(replica, name, damage):
    following = Following(replica, LyingLog(300))
    following.log.served[name] = damage(following.log.tile(name))
    assert following.lie().kind == "bad-tile"


@pytest.mark.parametrize(
    "note_",
    [
        "",
        "no note",
        LyingLog(9).signed(seed=b"\6" * 32),
        LyingLog(9).signed(origin="log.example/two"),
        LyingLog(9).signed().replace("\n9\n", "\n8\n"),
    ],
)
def test_a_checkpoint_that_no_log_key_signed_is_named(replica, note_):
    following = Following(replica, LyingLog(300))
    following.log.note = note_ or "\n"
    assert following.lie().kind == "bad-checkpoint"


@pytest.mark.parametrize(
    "entry",
    [
        b"no statement at all",
        event(1, key=lying_log.STRANGER_KEY),
        event(1, iss="urn:dosetrail:party:other"),
        event(1)[:-1] + bytes([event(1)[-1] ^ 1]),
    ],
)
def test_an_entry_that_no_registered_key_stands_behind_is_reported_and_copied(replica, entry):
    """The log is what it is: the copy has the entry too, its owner is told."""
    log = LyingLog(5)
    log.all.append(entry)
    log.grow(9)
    following = Following(replica, log)
    following.step()
    assert [(report.kind, report.evidence["index"]) for report in following.reports] == [("bad-entry", 5)]
    assert replica.head().published_size == 9


def test_a_key_that_was_registered_in_an_earlier_step_is_known_in_a_later_process(replica):
    following = Following(replica, LyingLog(2))
    following.step()
    following.log.grow(5)
    following.start()
    following.step()
    assert following.reports == []


def test_the_same_checkpoint_again_changes_nothing(replica):
    following = Following(replica, LyingLog(5))
    following.step()
    head = replica.head()
    following.step()
    assert replica.head() == head


def test_a_damaged_replica_is_no_accusation(replica):
    """Somebody changed a tile of ours: that is our fault, and the log is not accused."""
    following = Following(replica, LyingLog(5))
    following.step()
    if isinstance(replica, DbReplica):
        models.Tile.objects.update(hashes=bytes(32 * 5))
    else:
        replica.state.tiles[0, 0] = bytes(32 * 5)
    following.log.grow(6)
    with pytest.raises(ReplicaError):
        following.step()


def test_without_the_comparison_a_fork_would_be_copied(replica, monkeypatch):
    """Negative control: the checks off, another past gets in, and only fsck would tell."""
    following = Following(replica, LyingLog(300))
    following.step()
    following.log.all = [*following.log.all[:299], *(event(10_000 + n) for n in range(60))]
    following.log.size = len(following.log.all)
    monkeypatch.setattr("ledger.follower.check_past", lambda *_: None)
    with pytest.raises(ReplicaError):
        following.step()


def test_without_checked_tiles_a_false_bundle_would_be_copied(replica, monkeypatch):
    log = LyingLog(44)
    honest = log.leaves
    entries = list(log.all)
    entries[7] = event(77_777)
    false = [merkle.leaf_hash(entry) for entry in entries]
    log.served[TileName(ENTRIES, 0, 44)] = tile.pack_bundle(entries)
    log.served[TileName(0, 0, 44)] = b"".join(false)
    following = Following(replica, log)
    assert following.lie().kind == "bad-tile"

    def unchecked(self, size, root, read, **_):
        self.size, self._read, self._keep, self._edge, self._full = size, read, 9, {}, {}

    monkeypatch.setattr(TileTree, "__init__", unchecked)
    with pytest.raises(ReplicaError):  # the copy's own root is the last line
        following.step()
    assert replica.head().size == 44
    assert honest != false


def test_a_log_that_does_not_answer_is_no_liar(replica):
    following = Following(replica, LyingLog(5))
    following.log.down = True
    with pytest.raises(UnreachableError):
        following.step()
    with pytest.raises(TileError):
        TileTree(5, merkle.EMPTY_ROOT, lambda name: b"")
    assert LOG_SEED
