"""Cosignatures: whose word counts, and every damage refused."""

import base64

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nacl.signing import SigningKey

from ledger.tlog import checkpoint, cosignature, merkle, note
from ledger.tlog.cosignature import Cosigner
from ledger.tlog.errors import NoteError

LOG_SEED, WITNESS_SEED = b"\1" * 32, b"\2" * 32
ORIGIN, WITNESS = "log.example/one", "witness.example/w1"
LOG = note.Verifier(ORIGIN, bytes(SigningKey(LOG_SEED).verify_key))
COSIGNER = Cosigner(WITNESS, bytes(SigningKey(WITNESS_SEED).verify_key))
TREE = checkpoint.Checkpoint(ORIGIN, 7, merkle.leaf_hash(b"seven"))
SIGNED = checkpoint.sign(TREE, seed=LOG_SEED)
TIME = 1_750_000_000
LINE = cosignature.sign(TREE.text(), name=WITNESS, seed=WITNESS_SEED, time_s=TIME)


def test_a_cosigned_checkpoint_verifies_and_tells_the_time() -> None:
    signed = note.verify((SIGNED + LINE).encode(), [LOG, COSIGNER])
    assert [cosignature.time_of(line.payload) for line in signed.lines_of(COSIGNER)] == [TIME]


def test_what_is_signed_is_spelled_as_the_specification_says() -> None:
    assert cosignature.signed_bytes(TREE.text(), 1) == b"cosignature/v1\ntime 1\n" + TREE.text().encode()
    payload = base64.b64decode(LINE.split(" ")[2])
    assert payload[:4] == COSIGNER.key_id
    assert int.from_bytes(payload[4:12], "big") == TIME
    assert len(payload) == 4 + 8 + 64


def test_the_key_id_depends_on_the_type() -> None:
    assert note.Verifier(WITNESS, COSIGNER.public).key_id != COSIGNER.key_id
    assert cosignature.parse_vkey(str(COSIGNER)) == COSIGNER
    with pytest.raises(NoteError):
        note.parse_vkey(str(COSIGNER))
    with pytest.raises(NoteError):
        cosignature.parse_vkey(str(LOG))


@settings(deadline=None)
@given(st.integers(0, (8 + 64) * 8 - 1))
def test_no_flipped_bit_in_time_or_signature_goes_unnoticed(bit: int) -> None:
    data = bytearray(base64.b64decode(LINE.split(" ")[2]))
    data[4 + bit // 8] ^= 1 << bit % 8
    damaged = note.format_line(note.Signature(WITNESS, bytes(data[:4]), bytes(data[4:])))
    with pytest.raises(NoteError):
        note.verify((SIGNED + damaged).encode(), [LOG, COSIGNER])
    note.verify((SIGNED + damaged).encode(), [LOG])  # who does not know the witness sees a stranger's line


def test_a_cosignature_of_another_checkpoint_is_refused() -> None:
    other = checkpoint.Checkpoint(ORIGIN, 8, TREE.root)
    line = cosignature.sign(other.text(), name=WITNESS, seed=WITNESS_SEED, time_s=TIME)
    with pytest.raises(NoteError):
        note.verify((SIGNED + line).encode(), [LOG, COSIGNER])


def test_a_line_too_short_for_a_time_is_refused_and_not_a_crash() -> None:
    line = note.format_line(note.Signature(WITNESS, COSIGNER.key_id, b"\0" * 8))
    with pytest.raises(NoteError):
        note.verify((SIGNED + line).encode(), [LOG, COSIGNER])


def test_a_post_quantum_witness_is_left_alone() -> None:
    """Type 0x06: its vkey names no cosigner that we can judge, its line is a stranger's."""
    public = bytes(1312)
    assert cosignature.parse_vkey(note.format_vkey("pq.example", cosignature.ML_DSA_44, public)) is None
    line = note.format_line(
        note.Signature("pq.example", note.key_id("pq.example", cosignature.ML_DSA_44, public), bytes(8 + 2420))
    )
    assert note.verify((SIGNED + line + LINE).encode(), [LOG, COSIGNER]).lines_of(COSIGNER)


@pytest.mark.parametrize("time_s", [0, -1, 2**63])
def test_a_time_that_is_none_is_not_signed(time_s: int) -> None:
    with pytest.raises(ValueError, match="positive"):
        cosignature.sign(TREE.text(), name=WITNESS, seed=WITNESS_SEED, time_s=time_s)
