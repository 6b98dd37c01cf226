"""The one-file proof: it comes back, proves what it should, and has one spelling."""

import pytest

from ledger.tlog import checkpoint, merkle, note, proof, tlog_proof
from ledger.tlog.errors import NoteError, ProofError
from ledger.tlog.tlog_proof import TlogProof

SEED = b"\1" * 32
ORIGIN = "log.example/one"
LEAVES = [merkle.leaf_hash(bytes([n])) for n in range(11)]
NOTE = checkpoint.sign(checkpoint.Checkpoint(ORIGIN, 11, merkle.root_of(LEAVES)), seed=SEED).encode()


def path_of(index: int) -> list[bytes]:
    def read(node: tuple[int, int]) -> bytes:
        level, place = node
        return merkle.perfect_root(LEAVES[place << level : (place + 1) << level])

    return proof.carry_out(proof.plan_inclusion(index, 11), read)


@pytest.mark.parametrize("index", range(11))
@pytest.mark.parametrize("extra", [None, b"", b"claims"])
def test_a_proof_comes_back_and_proves(index: int, extra: bytes | None) -> None:
    made = TlogProof(index, tuple(path_of(index)), NOTE, extra)
    found = tlog_proof.parse(made.text())
    assert found == made
    tree = checkpoint.verify(found.note, note.Verifier(ORIGIN, bytes(note.SigningKey(SEED).verify_key)))
    merkle.verify_inclusion(found.index, tree.size, leaf=LEAVES[index], proof=found.path, root=tree.root)


def test_the_spelling() -> None:
    lines = TlogProof(3, (LEAVES[0],), NOTE).text().decode().split("\n")
    assert lines[:2] == ["c2sp.org/tlog-proof@v1", "index 3"]
    assert lines[3:5] == ["", ORIGIN]


GOOD = TlogProof(3, tuple(path_of(3)), NOTE).text()


@pytest.mark.parametrize(
    "bad",
    [
        b"",
        GOOD[1:],
        GOOD.replace(b"@v1", b"@v2"),
        GOOD.replace(b"index 3", b"index 03"),
        GOOD.replace(b"index 3", b"index -3"),
        GOOD.replace(b"index 3", b"index 9223372036854775808"),
        GOOD.replace(b"index 3", "index ３".encode()),
        GOOD.replace(b"index 3\n", b""),
        GOOD.replace(b"index 3", b"index 3\nindex 3"),
        GOOD.replace(b"index 3\n", b"index 3\nAAAA\n"),
        GOOD.replace(b"index 3\n", b"index 3\n" + b"A" * 43 + b"=\n" * 64),
        GOOD.replace(b"index 3", b"extra !\nindex 3"),
        GOOD.replace(b"\n", b"\r\n"),
        b"\xff" + GOOD,
        GOOD[: -len(NOTE)],
    ],
)
def test_other_spellings_are_refused(bad: bytes) -> None:
    with pytest.raises((ProofError, NoteError)):
        tlog_proof.parse(bad)
