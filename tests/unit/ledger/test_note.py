"""Signed notes and checkpoints: the specification's vector, and every other spelling refused."""

import base64

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.tlog import checkpoint, merkle, note
from ledger.tlog.checkpoint import Checkpoint
from ledger.tlog.errors import CheckpointError, NoteError

# https://c2sp.org/signed-note
SPEC_KEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
SPEC_NOTE = (
    "This is an example message.\n\n— example.com/foo"
    " Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
).encode()
SEED = b"\7" * 32
NAME = "log.example/one"
ROOT = merkle.leaf_hash(b"one")


def key(name=NAME, seed=SEED):
    return note.Verifier(name, bytes(note.SigningKey(seed).verify_key))


def test_the_specifications_example():
    verifier = note.parse_vkey(SPEC_KEY)
    assert str(verifier) == SPEC_KEY
    assert note.verify(SPEC_NOTE, [verifier]).text == "This is an example message.\n"


@settings(deadline=None)
@given(st.integers(0, len(SPEC_NOTE) * 8 - 1))
def test_no_flipped_bit_goes_unnoticed(bit):
    damaged = bytearray(SPEC_NOTE)
    damaged[bit // 8] ^= 1 << bit % 8
    with pytest.raises(NoteError):
        note.verify(bytes(damaged), [note.parse_vkey(SPEC_KEY)])


GOOD = note.sign("text\n", name=NAME, seed=SEED)
LINE = GOOD.split("\n")[2]


@pytest.mark.parametrize(
    "bad",
    [
        GOOD[:-1],
        GOOD.replace("\n", "\r\n"),
        GOOD.replace("text", "te\x01xt"),
        GOOD.replace("text", "te\txt"),
        GOOD.replace("— ", "-- "),
        GOOD.replace("— ", "—  "),
        GOOD.replace("— ", "– "),
        GOOD.replace("\n\n", "\n"),
        GOOD + "\n",
        GOOD + "trailing\n",
        "text\n\n",
        "",
        GOOD.replace(LINE, LINE[:-1]),
        GOOD.replace(LINE, LINE + "="),
        GOOD.replace(LINE, LINE + " x"),
        GOOD.replace(LINE, f"— {NAME} {base64.b64encode(b'1234').decode()}"),
        "\ufeff" + GOOD,
        GOOD + (LINE + "\n") * 100,
    ],
)
def test_a_malformed_note_is_refused(bad):
    note.verify(GOOD.encode(), [key()])
    with pytest.raises(NoteError):
        note.verify(bad.encode(), [key()])


def test_not_utf8_is_refused():
    with pytest.raises(NoteError):
        note.parse(b"\xff" + GOOD.encode())


def test_lines_of_strangers_are_ignored_and_a_known_keys_bad_line_is_fatal():
    stranger = note.sign("text\n", name="other.example", seed=b"\1" * 32).split("\n")[2]
    many = GOOD + (stranger + "\n") * 40
    assert len(note.verify(many.encode(), [key()]).signatures) == 41
    with pytest.raises(NoteError, match="no known key"):
        note.verify(f"text\n\n{stranger}\n".encode(), [key()])
    known = note.parse(GOOD.encode()).signatures[0]
    forged = base64.b64encode(known.key_id + bytes(64)).decode()
    with pytest.raises(NoteError, match="does not verify"):
        note.verify(f"{GOOD}— {NAME} {forged}\n".encode(), [key()])


def test_two_known_keys_with_one_id_are_refused(monkeypatch):
    monkeypatch.setattr(note, "key_id", lambda name, kind, public: b"same")
    with pytest.raises(NoteError, match="share"):
        note.verify(GOOD.encode(), [key(), key(seed=b"\2" * 32)])


@pytest.mark.parametrize(
    "bad",
    ["", "a", "a+b", SPEC_KEY.upper(), SPEC_KEY.replace("530d903a", "530d903b"), SPEC_KEY + "=",
     SPEC_KEY.replace("example", "exa mple"), SPEC_KEY.replace("+A", "+B")],
)  # fmt: skip
def test_a_malformed_verifier_key_is_refused(bad):
    with pytest.raises(NoteError):
        note.parse_vkey(bad)


def test_a_checkpoint_comes_back():
    signed = checkpoint.sign(Checkpoint(NAME, 1, ROOT), seed=SEED)
    assert checkpoint.verify(signed.encode(), key()) == Checkpoint(NAME, 1, ROOT)
    with pytest.raises(NoteError):
        checkpoint.verify(signed.encode(), key(seed=b"\3" * 32))
    other = note.sign(Checkpoint("log.example/two", 1, ROOT).text(), name=NAME, seed=SEED)
    with pytest.raises(CheckpointError, match="two"):  # the log key used for another origin
        checkpoint.verify(other.encode(), key())


TEXT = Checkpoint(NAME, 1, ROOT).text()
B64 = base64.b64encode(ROOT).decode()


@pytest.mark.parametrize(
    "bad",
    [
        TEXT[:-1], TEXT + "\n", TEXT + "extension\n", TEXT.replace("\n1\n", "\n01\n"), TEXT.replace("\n1\n", "\n+1\n"),
        TEXT.replace("\n1\n", "\n１\n"), TEXT.replace("\n1\n", "\n-1\n"), TEXT.replace("\n1\n", "\n 1\n"),
        TEXT.replace("\n1\n", "\n1e3\n"), TEXT.replace("\n1\n", f"\n{2**63}\n"), TEXT.replace("\n1\n", "\n\n"),
        TEXT.replace(B64, B64[:-1]), TEXT.replace(B64, B64[:-4]), TEXT.replace(B64, B64 + "AAAA"),
        TEXT.replace(NAME, ""), TEXT.replace(NAME, "a b"), TEXT.replace("\n1\n", "\n0\n"),
    ],
)  # fmt: skip
def test_a_checkpoint_has_one_spelling(bad):
    assert checkpoint.parse(TEXT).size == 1
    with pytest.raises(CheckpointError):
        checkpoint.parse(bad)
