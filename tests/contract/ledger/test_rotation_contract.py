"""Replacing the log key, held on every store: who signs which size, whatever crashes in between."""

from contextlib import contextmanager, suppress

import pytest

from ledger import fsck, keyring
from ledger import statement as statements
from ledger.sequencer import LogSigner, RefusedError, Sequencer
from ledger.statement import Header
from ledger.storage import Mark
from ledger.tlog import checkpoint, note

from .test_store_contract import LOG_KEY, OPERATOR, ROOT_KEY, SIGNER, Crash, InMemory, OnOrm, event, genesis

NEXT_KEY = statements.key_from_seed(b"\7" * 32)
THIRD_KEY = statements.key_from_seed(b"\10" * 32)
OLD, NEW, THIRD = (note.Verifier(SIGNER.origin, key.public) for key in (LOG_KEY, NEXT_KEY, THIRD_KEY))


def by_root(kind, content, key=ROOT_KEY):
    return statements.sign(Header(kind, OPERATOR, key.kid, 0), content, key=key)


def follows(new=NEXT_KEY, old=LOG_KEY, *, by=ROOT_KEY, overlap=True):
    content = keyring.log_key(origin=SIGNER.origin, public=new.public, replaces=old.public, overlap=overlap)
    return by_root("log-key", content, by)


def retired(old=LOG_KEY):
    return by_root("log-key-retired", keyring.log_key_retired(origin=SIGNER.origin, kid=old.kid))


class Held:
    """Signers: the private keys that the house has at the moment."""

    verifier = OLD

    def __init__(self, *keys):
        self.keys = {key.kid: key for key in keys or (LOG_KEY, NEXT_KEY, THIRD_KEY)}

    def signing_key(self, kid):
        return self.keys.get(kid)


@pytest.mark.django_db(transaction=True)
class RotationContract:
    """What must hold on every store."""

    kind: type

    @pytest.fixture
    def house(self, tmp_path):
        house = self.kind(tmp_path)
        house.submit([genesis()])
        self.sequencer(house).sequence()
        return house

    def sequencer(self, house, *keys):
        return Sequencer(house.store, house.high_water, signer=Held(*keys), now_ms=lambda: 1_000)

    def put(self, house, *items, sequencer=None):
        house.submit(items)
        (sequencer or self.sequencer(house)).sequence()
        assert self.problems(house) == []

    def problems(self, house, key=OLD):
        return [str(problem) for problem in fsck.check(house.reader, key)]

    def signed_by(self, house):
        """Who signed each checkpoint that is stored."""
        found = []
        for item in house.reader.checkpoints():
            lines = note.parse(item.note.encode())
            found.append((item.size, "".join(
                name for name, key in (("A", OLD), ("B", NEW), ("C", THIRD)) if lines.lines_of(key)
            )))  # fmt: skip
        return found

    def test_each_checkpoint_carries_the_lines_of_the_keys_of_its_size(self, house):
        sequencer = self.sequencer(house)
        for items in ([event(1)], [event(2), follows(), event(3)], [event(4)], [retired()], [event(5)]):
            self.put(house, *items, sequencer=sequencer)
        sequencer.tick()
        expected = [(1, "A"), (2, "A"), (5, "AB"), (6, "AB"), (7, "B"), (8, "B"), (8, "B")]
        assert self.signed_by(house) == expected
        assert self.problems(house, OLD) == self.problems(house, NEW) == []
        assert house.high_water.read().vkey == str(NEW)

    def test_old_checkpoints_verify_under_the_key_that_was_pinned_then(self, house):
        for items in ([event(1)], [follows()], [retired()], [event(2)]):
            self.put(house, *items)
        good = {key: [] for key in (OLD, NEW)}
        for item in house.reader.checkpoints():
            for key, sizes in good.items():
                with suppress(checkpoint.NoteError):
                    sizes.append(checkpoint.verify(item.note.encode(), key).size)
        assert good == {OLD: [1, 2, 3], NEW: [3, 4, 5]}

    def test_both_steps_in_one_batch(self, house):
        self.put(house, follows(), retired(), event(1))
        assert self.signed_by(house) == [(1, "A"), (4, "B")]

    def test_a_second_rotation_follows_the_first(self, house):
        for items in ([follows()], [retired()], [follows(THIRD_KEY, NEXT_KEY)], [retired(NEXT_KEY)]):
            self.put(house, *items)
        assert self.signed_by(house) == [(1, "A"), (2, "AB"), (3, "B"), (4, "BC"), (5, "C")]

    def test_a_lost_key_is_replaced_at_once(self, house):
        lost = self.sequencer(house, NEXT_KEY)
        house.submit([event(1)])
        with pytest.raises(RefusedError, match=r"must carry the line of .* --at-once"):
            lost.sequence()
        assert (house.store.head().size, house.waiting()) == (1, 1)
        house.submit([follows(overlap=False)])
        assert lost.sequence() == 2
        assert self.signed_by(house) == [(1, "A"), (3, "B")]
        assert self.problems(house) == []

    def test_an_entry_that_the_root_key_did_not_sign_changes_no_signer(self, house):
        self.put(house, follows(by=THIRD_KEY), retired(), event(1))
        self.put(house, follows())
        self.put(house, follows(), follows(THIRD_KEY, LOG_KEY))  # the one again, the other while A is being followed
        assert self.signed_by(house) == [(1, "A"), (4, "A"), (5, "AB"), (6, "AB")]

    def test_the_mark_of_any_key_of_the_log_is_its_mark(self, house):
        self.put(house, follows())
        mark = house.high_water.read()
        assert mark.vkey == str(NEW)
        house.high_water.write(Mark(str(OLD), mark.size, mark.root))
        self.put(house, event(1))
        house.high_water.write(Mark(str(THIRD), 3, mark.root))
        house.submit([event(2)])
        with pytest.raises(RefusedError, match="older copy, from before"):
            self.sequencer(house).sequence()

    def test_an_older_copy_from_before_the_rotation_is_not_signed_on(self, house):
        mark = house.high_water.read()
        house.high_water.write(Mark(str(NEW), 9, mark.root))
        house.submit([event(2)])
        with pytest.raises(RefusedError, match="older copy, from before"):
            self.sequencer(house).sequence()

    @pytest.mark.parametrize("keys", [[LOG_KEY], [NEXT_KEY]])
    def test_nothing_is_signed_by_half(self, house, keys):
        """A house that holds one of two keys (a backup from before the rotation) does not sign with that one alone."""
        self.put(house, follows())
        house.submit([event(1)])
        with pytest.raises(RefusedError, match="does not hold that key"):
            self.sequencer(house, *keys).sequence()
        with pytest.raises(RefusedError, match="does not hold that key"):
            self.sequencer(house, *keys).tick()
        assert house.store.head().size == 2

    @pytest.mark.parametrize(
        ("place", "keys", "why"),
        [
            (0, [NEXT_KEY], "was not a key of the log at size 1"),
            (0, [LOG_KEY, NEXT_KEY], "was not a key of the log at size 1"),
            (1, [LOG_KEY], "lacks the line"),
            (2, [LOG_KEY], "was not a key of the log at size 3"),
            (2, [LOG_KEY, NEXT_KEY], "was not a key of the log at size 3"),
            (2, [THIRD_KEY], "no known key signed"),
        ],
    )
    def test_fsck_names_a_checkpoint_signed_by_a_key_that_was_not_the_logs_at_that_size(self, house, place, keys, why):
        for item in (follows(), retired()):
            self.put(house, item)
        tree = checkpoint.parse(note.parse(list(house.reader.checkpoints())[place].note.encode()).text)
        house.replace_note(place, checkpoint.sign(tree, seed=keys[0].seed, also=[key.seed for key in keys[1:]]))
        [found] = self.problems(house)
        assert found.startswith(f"checkpoint of size {place + 1}")
        assert why in found

    def test_without_the_sizes_a_stolen_retired_key_would_pass_fsck(self, house, monkeypatch):
        """Negative control: any key of the log taken for good at any size, the old key's checkpoint goes unnoticed."""
        for item in (follows(), retired()):
            self.put(house, item)
        tree = checkpoint.parse(note.parse(list(house.reader.checkpoints())[2].note.encode()).text)
        house.replace_note(2, checkpoint.sign(tree, seed=LOG_KEY.seed))
        assert len(self.problems(house)) == 1

        def any_key(self, data, pinned):
            return checkpoint.parse(note.verify(data, self.verifiers(pinned)).text)

        monkeypatch.setattr("ledger.log_keys.LogKeys.verify", any_key)
        assert self.problems(house) == []

    def test_fsck_of_a_key_that_this_log_never_had(self, house):
        for item in (follows(), retired()):
            self.put(house, item)
        assert all("not among the keys that this log names" in found for found in self.problems(house, THIRD))

    @pytest.mark.parametrize("step", [follows(), retired(), follows(THIRD_KEY, NEXT_KEY, overlap=False)])
    @pytest.mark.parametrize("at", range(7))
    def test_a_crash_at_any_durable_step_of_a_rotation_recovers(self, house, step, at):
        """Die before or after the at-th transaction or mark; the next process goes on with the keys of the log."""
        if step != follows():
            self.put(house, follows())
        before = self.signed_by(house)
        house.submit([event(1), step])
        died = self.dying(house, at)
        self.sequencer(house).settle()
        self.put(house, event(2))
        keys = {follows(): "AB", retired(): "B"}.get(step, "C")
        size = len(before) + 2
        now = self.signed_by(house)
        assert now[: len(before)] == before
        assert now[-1] == (size + 1, keys)
        assert set(now[len(before) :]) <= {(size, keys), (size + 1, keys)}
        assert len({item.note for item in house.reader.checkpoints() if item.size == size}) <= 1
        assert died or at > 3

    def dying(self, house, at):
        steps = [0]
        write, mark = house.store.write, house.high_water.write

        def count():
            steps[0] += 1
            if steps[0] == at + 1:
                raise Crash

        @contextmanager
        def dying_write():
            count()
            with write() as tx:
                yield tx
            count()

        def dying_mark(value):
            count()
            mark(value)
            count()

        house.store.write, house.high_water.write = dying_write, dying_mark
        try:
            self.sequencer(house).sequence()
        except Crash:
            return True
        finally:
            house.store.write, house.high_water.write = write, mark
        return False


class TestOrm(RotationContract):
    kind = OnOrm


class TestMemory(RotationContract):
    kind = InMemory


def test_a_signer_by_itself_is_the_signers_of_a_log_that_never_replaced_its_key():
    signer = LogSigner("log.example/one", LOG_KEY)
    assert (signer.verifier, signer.signing_key(LOG_KEY.kid), signer.signing_key(NEXT_KEY.kid)) == (OLD, LOG_KEY, None)
