"""Which keys are the log's at which size: only the root key says so, only for its own log, one step after another."""

import pytest

from ledger import keyring
from ledger import statement as statements
from ledger.log_keys import LogKeys
from ledger.tlog import checkpoint, merkle, note
from ledger.tlog.errors import CheckpointError, NoteError

from .test_keyring import NEXT, OPERATOR, PARTY, REGISTRAR, ROOT, STRANGER, registered, ring, signed

ORIGIN = "log.example"
A, B, C = (statements.key_from_seed(bytes([number]) * 32) for number in (11, 12, 13))
VERIFIERS = {key.kid: note.Verifier(ORIGIN, key.public) for key in (A, B, C)}
PINNED = VERIFIERS[A.kid]


def follows(new=B, old=A, *, by=ROOT, iss=OPERATOR, overlap=True, origin=ORIGIN, **changes):
    content = keyring.log_key(origin=origin, public=new.public, replaces=old.public, overlap=overlap)
    return signed(by, "log-key", {**content, **changes}, iss=iss)


def retired(old=A, *, by=ROOT, origin=ORIGIN):
    return signed(by, "log-key-retired", keyring.log_key_retired(origin=origin, kid=old.kid))


def periods(*entries):
    return [(record.kid, record.from_size, record.until_size) for record in ring(*entries).log_keys.records]


def tree(size, origin=ORIGIN):
    return checkpoint.Checkpoint(origin, size, merkle.leaf_hash(bytes([size])))


def note_of(size, *keys, origin=ORIGIN):
    return checkpoint.sign(tree(size, origin), seed=keys[0].seed, also=[key.seed for key in keys[1:]]).encode()


def test_a_log_that_names_no_key_has_the_pinned_one():
    keys = ring(registered()).log_keys
    assert keys.verifiers(PINNED) == keys.verifiers(PINNED, 9) == [PINNED]
    assert keys.verify(note_of(5, A), PINNED) == tree(5)
    with pytest.raises(NoteError, match="no known key"):
        keys.verify(note_of(5, B), PINNED)


def test_both_keys_sign_from_the_checkpoint_that_covers_the_entry_and_the_new_one_after_the_retirement():
    entries = (registered(), follows(), registered(NEXT), retired())  # at 2 and 4
    assert periods(*entries) == [(A.kid, 0, 5), (B.kid, 3, None)]
    keys = ring(*entries).log_keys
    signing = {size: [record.kid for record in keys.signing(size)] for size in range(7)}
    assert signing == {0: [A.kid], 1: [A.kid], 2: [A.kid], 3: [A.kid, B.kid], 4: [A.kid, B.kid], 5: [B.kid], 6: [B.kid]}


def test_a_checkpoint_carries_the_lines_of_the_keys_of_its_size_and_no_others():
    keys = ring(registered(), follows(), retired()).log_keys  # both at 3, B alone from 4 on
    for size, right in ((2, [A]), (3, [A, B]), (3, [B, A]), (4, [B])):
        for pinned in (VERIFIERS[A.kid], VERIFIERS[B.kid]):
            assert keys.verify(note_of(size, *right), pinned) == tree(size)
    for size, wrong, why in (
        (2, [B], "was not a key of the log"),
        (2, [A, B], "was not a key of the log at size 2"),
        (3, [A], "lacks the line"),
        (3, [B], "lacks the line"),
        (4, [A], "was not a key"),
        (4, [A, B], "was not a key of the log at size 4"),
    ):
        with pytest.raises(CheckpointError, match=why):
            keys.verify(note_of(size, *wrong), PINNED)
    with pytest.raises(CheckpointError, match="not among the keys"):
        keys.verify(note_of(3, A, B), note.Verifier(ORIGIN, C.public))


def test_a_line_that_does_not_verify_spoils_the_checkpoint():
    keys = ring(registered(), follows()).log_keys
    good, other = note_of(3, A, B).decode(), note_of(2, B).decode()
    bent = good.rsplit("— ", 1)[0] + "— " + other.rsplit("— ", 1)[1]
    with pytest.raises(NoteError, match="does not verify"):
        keys.verify(bent.encode(), PINNED)


def test_a_stranger_beside_the_keys_is_a_witness_and_ignored():
    keys = ring(registered(), follows()).log_keys
    line = note.sign(tree(3).text(), name="w.example", seed=STRANGER.seed).split("\n\n")[1]
    assert keys.verify(note_of(3, A, B) + line.encode(), PINNED) == tree(3)


def test_a_key_never_signs_for_another_origin():
    keys = ring(registered(), follows()).log_keys
    signatures = note_of(3, A, B, origin="other.example")
    with pytest.raises(NoteError, match="no known key"):
        keys.verify(signatures, PINNED)
    text = tree(3, "other.example").text()
    named = note.sign(text, name=ORIGIN, seed=A.seed) + note.sign(text, name=ORIGIN, seed=B.seed)[len(text) + 1 :]
    with pytest.raises(CheckpointError, match=r"is of .other\.example"):
        keys.verify(named.encode(), PINNED)


@pytest.mark.parametrize(
    "entry",
    [
        follows(by=REGISTRAR),
        follows(by=STRANGER),
        follows(by=A),  # the log key itself has no say in who follows it
        follows(iss="urn:dosetrail:party:acme"),
        follows(origin="other.example"),
        follows(new=A),
        follows(new=ROOT),
        follows(new=REGISTRAR),
        follows(new=PARTY),
        follows(kid=A.kid.hex()),
        follows(replaces=B.kid.hex()),
        follows(replacesPublic="AA=="),
        follows(public="A" * 43 + "="),
        follows(overlap=1),
        follows(overlap=None),
        signed(ROOT, "log-key", [1]),
        signed(ROOT, "log-key", {}),
        retired(),
        retired(by=REGISTRAR),
        signed(ROOT, "log-key-retired", {"origin": ORIGIN, "kid": "xx"}),
    ],
)
def test_a_void_entry_changes_nothing(entry):
    keys = ring(registered(), entry)
    assert (keys.log_keys, keys.effective) == (LogKeys(), [0, 1])


def test_the_root_key_says_nothing_about_party_keys():
    assert ring(registered(by=ROOT)).effective == [0]


@pytest.mark.parametrize(
    "entries",
    [
        [follows()],  # the same entry again: a replay
        [follows(C, A)],  # A has a follower
        [follows(C, B)],  # one rotation at a time
        [retired(B)],
        [retired(C)],
        [retired(origin="other.example")],
    ],
)
def test_while_two_keys_sign_only_the_older_one_can_go(entries):
    assert periods(follows(), *entries) == [(A.kid, 0, None), (B.kid, 2, None)]


@pytest.mark.parametrize("entry", [follows(), follows(A, B), follows(C, A), retired(), retired(B)])
def test_what_was_retired_does_not_come_back(entry):
    assert periods(follows(), retired(), entry) == [(A.kid, 0, 3), (B.kid, 2, None)]


def test_one_rotation_after_another():
    found = periods(follows(), retired(), follows(C, B), retired(B))
    assert found == [(A.kid, 0, 3), (B.kid, 2, 5), (C.kid, 4, None)]


def test_without_overlap_the_new_key_signs_alone_at_once():
    assert periods(registered(), follows(overlap=False)) == [(A.kid, 0, 3), (B.kid, 3, None)]
    assert periods(follows(), follows(C, B, overlap=False)) == [(A.kid, 0, 3), (B.kid, 2, 3), (C.kid, 3, None)]
    assert periods(follows(overlap=False), retired()) == [(A.kid, 0, 2), (B.kid, 2, None)]


def test_a_copy_goes_on_by_itself():
    one = ring(registered())
    other = one.copy()
    other.add(2, statements.parse(follows()))
    other.add(3, statements.parse(registered(NEXT)))
    assert (one.log_keys, one.effective, NEXT.kid in one.keys) == (LogKeys(), [0, 1], False)
    assert len(other.log_keys.records) == 2
