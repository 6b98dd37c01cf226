"""The log against a list: whatever crashes, restarts, backups and witnesses come in between, it is that list.

The short form runs with the suite, ten thousand steps with `make test-long`.
"""

import copy
from contextlib import nullcontext

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from ledger import fsck, keyring
from ledger.follower import Follower
from ledger.sequencer import RefusedError, Sequencer
from ledger.statement import Header, key_from_seed, sign
from ledger.tlog import checkpoint, merkle, note, policy, proof, tile
from ledger.tlog.tile import ENTRIES
from ledger.witness import NOTHING, Witness, WitnessError, WitnessSigner, format_request

from .lying_log import LOG, LOG_SEED, OPERATOR, ORIGIN, ROOT_KEY, event, genesis, registration
from .memory_store import MemoryHighWater, MemoryStore
from .test_follower import MemoryReplica

FIRST = key_from_seed(LOG_SEED)
WITNESS = WitnessSigner("regulator.example/w", b"\7" * 32)
POLICY = f"witness regulator {WITNESS.cosigner}\nquorum regulator\n"


def by_root(kind, content):
    return sign(Header(kind, OPERATOR, ROOT_KEY.kid, 0), content, key=ROOT_KEY)


class Crash(BaseException):
    """The process dies here."""


class Published:
    """Remote: what readers of the house see."""

    def __init__(self, machine):
        self.machine = machine

    def checkpoint(self):
        shown = [one for one in self.machine.store.state.checkpoints if one.size <= self.machine.published]
        return shown[-1].note.encode()

    def tile(self, name):
        entries = self.machine.store.state.entries
        if name.level == ENTRIES:
            return tile.pack_bundle(
                entry.statement for entry in entries[name.number * 256 : name.number * 256 + name.width]
            )
        return self.machine.store.state.tiles[name.level, name.number][: name.width * 32]


class WitnessMemory:
    """WitnessStore."""

    def __init__(self):
        self.state, self.conflicts = NOTHING, []

    def cosigned(self, origin):
        return self.state

    def advance(self, origin, old, new):
        if self.state != old:
            return False
        self.state = new
        return True

    def conflict(self, origin, kept, seen):
        self.conflicts.append((kept, seen))


class LogMachine(RuleBasedStateMachine):
    """`submitted` is the list; `roots` is every root that ever left the house, by size."""

    looks_at_mark = True

    @initialize()
    def begin(self):
        self.store, self.mark = MemoryStore(), MemoryHighWater()
        self.now, self.submitted, self.roots, self.backups = 1_750_000_000_000, [], {}, []
        self.replica, self.memory, self.final = MemoryReplica(), WitnessMemory(), 0
        self.follower = None
        self.log_keys, self.two_sign = [FIRST], False
        self.restart()
        self.submit_all([genesis(), registration()])
        self.sequence()

    @property
    def published(self):
        return self.store.state.head.published_size

    def tell(self):
        self.now += 7
        return self.now

    def restart(self):
        self.sequencer = Sequencer(self.store, self.mark, signer=self, now_ms=self.tell)
        lines = "".join(f"log {note.Verifier(ORIGIN, key.public)}\n" for key in self.log_keys)
        self.follower = Follower(
            self.replica, Published(self), policy.parse(lines + POLICY), now_ms=self.tell, report=self.complain
        )
        logs = {ORIGIN: [note.Verifier(ORIGIN, key.public) for key in self.log_keys]}
        self.witness = Witness(
            self.memory, logs, signer=WITNESS, now_s=lambda: self.now // 1000 + 1, look=lambda *_: None
        )

    verifier = LOG  # the machine holds the log's keys (Signers)

    def signing_key(self, kid):
        return next((key for key in self.log_keys if key.kid == kid), None)

    @precondition(lambda self: not getattr(self, "two_sign", True))
    @rule()
    def follow_the_log_key(self):
        new = key_from_seed((1000 + len(self.log_keys)).to_bytes(32, "big"))
        content = keyring.log_key(origin=ORIGIN, public=new.public, replaces=self.log_keys[-1].public, overlap=True)
        self.log_keys.append(new)
        self.two_sign = True
        self.submit_all([by_root("log-key", content)])
        self.restart()

    @precondition(lambda self: getattr(self, "two_sign", False))
    @rule()
    def retire_the_older_log_key(self):
        self.two_sign = False
        self.submit_all([by_root("log-key-retired", keyring.log_key_retired(origin=ORIGIN, kid=self.log_keys[-2].kid))])

    def complain(self, finding):
        raise AssertionError(finding)

    def submit_all(self, items):
        self.store.submit(items)
        self.submitted += items

    @rule(count=st.integers(1, 300))
    def submit(self, count):
        start = len(self.submitted)
        self.submit_all([event(n) for n in range(start, start + count)])

    @rule()
    def submit_again(self):
        """A client that lost the answer sends the same bytes again."""
        self.store.submit(self.submitted[-3:])

    @rule(limit=st.sampled_from([1, 3, 256, 4096]))
    def sequence(self, limit=4096):
        self.sequencer.sequence(limit)

    @rule()
    def tick(self):
        self.sequencer.tick()

    @rule()
    def clock_goes_back(self):
        self.now -= 5_000

    @rule(at=st.integers(0, 4), tick=st.booleans())
    def crash(self, at, tick):
        """Die at the `at`-th durable step; the next process settles what was left."""
        steps = [0]
        store, mark = self.store, self.mark
        write, write_mark = store.write, mark.write

        def step():
            steps[0] += 1
            if steps[0] == at + 1:
                raise Crash

        class Dying:
            def __enter__(inner):
                step()
                inner.context = write()
                return inner.context.__enter__()

            def __exit__(inner, *error):
                inner.context.__exit__(*error)
                if error == (None, None, None):
                    step()

        store.write = Dying
        mark.write = lambda value: (step(), write_mark(value), step())
        try:
            self.sequencer.tick() if tick else self.sequencer.sequence(4096)
        except Crash:
            pass
        finally:
            del store.write
            mark.write = write_mark
        self.restart()
        self.sequencer.settle()

    @rule()
    def back_up(self):
        self.backups = [*self.backups[-2:], copy.deepcopy(self.store.state)]

    @precondition(lambda self: self.backups)
    @rule(which=st.integers(0, 2))
    def restore_an_older_copy(self, which):
        """What is behind the published log is refused; then the newest copy is put back."""
        newest = self.store.state
        self.store.state = copy.deepcopy(self.backups[which % len(self.backups)])
        self.restart()
        if self.store.state.head.size < self.mark.read().size:
            self.store.submit([event(10**9 + self.now)])
            with pytest.raises(RefusedError) if self.looks_at_mark else nullcontext():
                self.sequencer.sequence(4096)
            self.note_roots()
        else:
            self.sequencer.tick()
        self.store.state = newest
        self.restart()

    @rule()
    def follow(self):
        self.follower.step()

    @rule()
    def cosign(self):
        known = self.memory.state.size
        shown = [one for one in self.store.state.checkpoints if one.size <= self.published][-1]
        tiles = self.store.state.tiles
        plan = proof.plan_consistency(known, shown.size)
        path = proof.carry_out(plan, lambda node: tile.read_node(node, tiles))
        self.witness.add_checkpoint(format_request(known, path, shown.note))
        assert not self.memory.conflicts

    @rule()
    def ask_for_a_fork(self):
        known = self.memory.state
        if not known.note:
            return
        other = checkpoint.sign(checkpoint.Checkpoint(ORIGIN, known.size, merkle.leaf_hash(b"other")), seed=LOG_SEED)
        with pytest.raises(WitnessError) as refused:
            self.witness.add_checkpoint(format_request(known.size, [], other))
        assert refused.value.status == 422
        self.memory.conflicts.clear()

    def note_roots(self):
        """Never two roots for one size, whatever crashed."""
        for one in self.store.state.checkpoints:
            if one.size <= self.published and self.roots.setdefault(one.size, one.root) != one.root:
                self.store = None  # what teardown would find wrong besides is no news, and long to print
                raise AssertionError(f"two roots of size {one.size}")

    @invariant()
    def the_log_is_the_list(self):
        if not getattr(self, "store", None):
            return
        entries = [entry.statement for entry in self.store.state.entries]
        assert entries == self.submitted[: len(entries)]
        assert len(entries) + len({*self.store.state.submissions.values()} - {*entries}) == len(self.submitted)
        assert self.published <= len(entries)
        self.note_roots()
        assert self.replica.head().published_size <= self.published
        assert self.memory.state.size <= self.published

    def teardown(self):
        if not getattr(self, "store", None):
            return
        while self.store.state.submissions:
            self.sequencer.sequence(4096)
        assert [entry.statement for entry in self.store.state.entries] == self.submitted
        assert fsck.check(self.store, LOG) == []
        self.follower.step()
        assert self.replica.head().root == merkle.root_of(map(merkle.leaf_hash, self.submitted))
        self.cosign()
        assert self.memory.state.size == len(self.submitted)


def _run(machine, **options):
    quiet = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]
    run_state_machine_as_test(
        machine, settings=settings(deadline=None, suppress_health_check=quiet, database=None, **options)
    )


def test_the_log_is_a_list():
    _run(LogMachine, max_examples=10, stateful_step_count=30, derandomize=True)


@pytest.mark.long
def test_the_log_is_a_list_for_ten_thousand_steps():
    _run(LogMachine, max_examples=20, stateful_step_count=500)


def test_without_the_mark_a_restored_backup_forks_the_log(monkeypatch):
    """Negative control: the machine finds the second root once the high-water mark is not looked at."""
    monkeypatch.setattr(Sequencer, "_check_mark", lambda self, tx, head: None)

    class Careless(LogMachine):
        looks_at_mark = False

    with pytest.raises(AssertionError, match="two roots of size"):
        _run(
            Careless, max_examples=200, stateful_step_count=30, derandomize=True, phases=[Phase.generate],
            report_multiple_bugs=False,
        )  # fmt: skip
