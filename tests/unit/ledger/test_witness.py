"""The witness: every status of C2SP tlog-witness, what it remembers, and what it would do without its checks."""

import threading
from hashlib import sha256

import pytest
from nacl.signing import SigningKey

from ledger import witness
from ledger.tlog import checkpoint, cosignature, merkle, note, proof
from ledger.tlog.errors import NoteError
from ledger.witness import NOTHING, Cosigned, Witness, WitnessError, WitnessSigner, format_request

ORIGIN, NAME = "log.example/one", "w.example/regulator"
LOG_SEED, NEW_LOG_SEED, SEED = b"\1" * 32, b"\4" * 32, b"\2" * 32
LOG = note.Verifier(ORIGIN, bytes(SigningKey(LOG_SEED).verify_key))
NEW_LOG = note.Verifier(ORIGIN, bytes(SigningKey(NEW_LOG_SEED).verify_key))
SIGNER = WitnessSigner(NAME, SEED)
LEAVES = [merkle.leaf_hash(bytes([n])) for n in range(64)]
NOW = 1_750_000_000


class Memory:
    """WitnessStore."""

    def __init__(self):
        self.states, self.conflicts = {}, []

    def cosigned(self, origin):
        return self.states.get(origin, NOTHING)

    def advance(self, origin, old, new):
        if self.cosigned(origin) != old:
            return False
        self.states[origin] = new
        return True

    def conflict(self, origin, kept, seen):
        self.conflicts.append((origin, kept, seen))


class House:
    def __init__(self, **options):
        self.store, self.now = Memory(), NOW
        self.witness = Witness(self.store, {ORIGIN: [LOG, NEW_LOG]}, signer=SIGNER, now_s=lambda: self.now, **options)

    def ask(self, old, size, **changes):
        return self.witness.add_checkpoint(request(old, size, **changes))

    def refused(self, old, size, **changes):
        with pytest.raises(WitnessError) as error:
            self.ask(old, size, **changes)
        return error.value.status


def signed(size, *, root=None, seed=LOG_SEED, origin=ORIGIN):
    tree = checkpoint.Checkpoint(origin, size, merkle.root_of(LEAVES[:size]) if root is None else root)
    return note.sign(tree.text(), name=origin, seed=seed)


def path(old, size):
    def read(node):
        level, place = node
        return merkle.perfect_root(LEAVES[place << level : (place + 1) << level])

    return proof.carry_out(proof.plan_consistency(old, size), read)


def request(old, size, *, proof_=None, note_=None, **changes):
    return format_request(old, path(old, size) if proof_ is None else proof_, note_ or signed(size, **changes))


def test_a_growing_log_is_cosigned_step_by_step():
    house, old = House(), 0
    for size in (0, 1, 1, 7, 8, 64):
        line = house.ask(old, size)
        found = note.verify((signed(size) + line).encode(), [LOG, SIGNER.cosigner])
        assert [cosignature.time_of(item.payload) for item in found.lines_of(SIGNER.cosigner)] == [NOW]
        assert house.store.cosigned(ORIGIN).size == size
        old = size


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"old 0\n",
        b"old 00\n\n" + signed(3).encode(),
        b"old -1\n\n" + signed(3).encode(),
        b"old +1\n\n" + signed(3).encode(),
        b"old 9223372036854775808\n\n" + signed(3).encode(),
        b"old 0\r\n\r\n" + signed(3).encode(),
        b"size 0\n\n" + signed(3).encode(),
        b"old 0\nAAAA\n\n" + signed(3).encode(),
        b"old 0\n!\n\n" + signed(3).encode(),
        b"old 0\n" + b"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n" * 64 + b"\n" + signed(3).encode(),
        b"old 0\n\n" + signed(3).encode()[:-1],
        b"old 0\n\nno checkpoint\n",
        b"old 0\n\n" + b"x" * witness.MAX_BODY,
        request(4, 3, proof_=[]),
        request(0, 0, note_=note.sign(f"{ORIGIN}\n03\n{'A' * 43}=\n", name=ORIGIN, seed=LOG_SEED)),
        request(0, 0, note_=note.sign(f"{ORIGIN}\n3\n{'A' * 43}=\nextension\n", name=ORIGIN, seed=LOG_SEED)),
    ],
)
def test_400_malformed_or_smaller_than_the_old_size(body):
    house = House()
    with pytest.raises(WitnessError) as error:
        house.witness.add_checkpoint(body)
    assert error.value.status == 400
    assert house.store.states == {}


def test_403_when_no_key_of_the_log_signed():
    assert House().refused(0, 3, seed=b"\5" * 32) == 403
    broken = signed(3).replace("\n3\n", "\n4\n")
    assert House().refused(0, 3, note_=broken) == 403


def test_404_for_a_log_that_it_does_not_know():
    assert House().refused(0, 3, origin="log.example/two") == 404


def test_409_says_what_was_cosigned_last():
    house = House()
    house.ask(0, 5)
    with pytest.raises(WitnessError) as error:
        house.ask(0, 7)
    assert (error.value.status, error.value.size) == (409, 5)
    assert house.refused(4, 7) == 409


def test_422_for_what_is_no_continuation():
    house = House()
    assert house.refused(0, 3, proof_=[LEAVES[0]]) == 422
    assert house.refused(0, 0, note_=note.sign(f"{ORIGIN}\n0\n{'A' * 43}=\n", name=ORIGIN, seed=LOG_SEED)) == 422
    house.ask(0, 5)
    assert house.refused(5, 9, proof_=[]) == 422
    assert house.refused(5, 9, proof_=path(4, 9)) == 422
    assert house.refused(5, 9, root=LEAVES[1]) == 422
    assert house.refused(5, 5, proof_=[LEAVES[0]]) == 422
    assert house.store.cosigned(ORIGIN).size == 5


def test_two_roots_of_one_size_are_kept_as_evidence():
    house = House()
    house.ask(0, 5)
    other = signed(5, root=LEAVES[3])
    assert house.refused(5, 5, note_=other) == 422
    ((origin, kept, seen),) = house.store.conflicts
    assert (origin, seen) == (ORIGIN, other)
    assert checkpoint.verify(kept.encode(), LOG).root != checkpoint.verify(seen.encode(), LOG).root


def test_foreign_and_forged_lines_are_not_passed_on():
    """A line in our own name that comes with the request counts for nothing, and is not in what we keep."""
    house = House()
    forged = note.format_line(note.Signature(NAME, SIGNER.cosigner.key_id, bytes(72)))
    house.ask(0, 3, note_=signed(3) + forged)
    kept = house.witness.checkpoint(sha256(ORIGIN.encode()).hexdigest())
    assert kept is not None
    assert forged not in kept
    note.verify(kept.encode(), [LOG, SIGNER.cosigner])
    assert house.witness.checkpoint("00" * 32) is None


def test_a_replaced_log_key_is_known_by_both_lines():
    house = House()
    house.ask(0, 3)
    house.ask(3, 5, seed=NEW_LOG_SEED)
    assert house.store.cosigned(ORIGIN).size == 5


def test_the_time_never_goes_back():
    house = House()
    house.ask(0, 3)
    house.now -= 1000
    line = house.ask(3, 4)
    assert cosignature.time_of(note.parse_line(line.rstrip("\n")).payload) == NOW


def test_of_two_that_ask_at_once_one_is_told_to_ask_again():
    """Both pass the checks against the same state; the compare-and-set lets one through."""
    barrier = threading.Barrier(2, timeout=10)
    waited = threading.local()

    def meet(tree, text):
        if not getattr(waited, "once", False):
            waited.once = True
            barrier.wait()

    house = House(look=meet)
    other = [merkle.leaf_hash(b"fork%d" % n) for n in range(9)]
    results = []

    def go(note_):
        try:
            results.append(house.ask(0, 9, note_=note_, proof_=[]))
        except WitnessError as error:
            results.append(error.status)

    threads = [threading.Thread(target=go, args=(text,)) for text in (signed(9), signed(9, root=merkle.root_of(other)))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert sorted(map(str, results))[0] == "409"
    assert len([result for result in results if isinstance(result, str)]) == 1


def test_without_the_compare_and_set_both_sides_of_a_fork_are_cosigned(monkeypatch):
    """Negative control for the test above."""
    house = House(look=lambda tree, text: house.store.states.clear())

    def careless(self, origin, old, new):
        self.states[origin] = new
        return True

    monkeypatch.setattr(Memory, "advance", careless)
    house.ask(0, 9, proof_=[])
    house.store.states.clear()
    house.ask(0, 9, root=LEAVES[0], proof_=[])


def test_what_the_follower_will_not_look_at_is_not_cosigned():
    def refuse(tree, text):
        raise WitnessError(503, "not yet")

    house = House(look=refuse)
    assert house.refused(0, 3) == 503
    assert house.store.states == {}


def test_a_crash_after_the_state_is_durable_is_mended_by_a_409():
    house = House()

    class Crash(BaseException):
        pass

    advance = house.store.advance

    def crash(*arguments):
        advance(*arguments)
        raise Crash

    house.store.advance = crash
    with pytest.raises(Crash):
        house.ask(0, 5)
    house.store.advance = advance
    assert house.refused(0, 5) == 409
    house.ask(5, 5)


def test_an_answer_counts_only_with_a_line_that_verifies():
    tree = checkpoint.parse(note.parse(signed(5).encode()).text)
    line = House().ask(0, 5)
    assert witness.parse_answer(line.encode(), SIGNER.cosigner, tree).name == NAME
    other = checkpoint.Checkpoint(ORIGIN, 5, LEAVES[0])
    for body, about in ((b"", tree), (b"nonsense\n", tree), (line.encode(), other), (line.encode()[:-9], tree)):
        with pytest.raises(NoteError):
            witness.parse_answer(body, SIGNER.cosigner, about)


def test_a_witness_never_shows_its_seed():
    assert "\\x02" not in repr(SIGNER)
    assert Cosigned(1, LEAVES[0], 2, "").size == 1
