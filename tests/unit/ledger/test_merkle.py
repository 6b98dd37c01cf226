"""The tree against RFC 6962, published vectors, foreign probes and an independent recursive reference."""

import base64
import hashlib
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.tlog import merkle, proof
from ledger.tlog.errors import ProofError

EIGHT = [
    bytes.fromhex(text)
    for text in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
]
EIGHT_ROOT = "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"


def reference_root(leaves):
    """RFC 6962 section 2.1, word for word."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return hashlib.sha256(b"\1" + reference_root(leaves[:k]) + reference_root(leaves[k:])).digest()


def reference_path(m, leaves):
    if len(leaves) <= 1:
        return []
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    if m < k:
        return [*reference_path(m, leaves[:k]), reference_root(leaves[k:])]
    return [*reference_path(m - k, leaves[k:]), reference_root(leaves[:k])]


def reference_consistency(m, leaves, complete=True):
    n = len(leaves)
    if m == n:
        return [] if complete else [reference_root(leaves)]
    k = 1
    while k * 2 < n:
        k *= 2
    if m <= k:
        return [*reference_consistency(m, leaves[:k], complete), reference_root(leaves[k:])]
    return [*reference_consistency(m - k, leaves[k:], False), reference_root(leaves[:k])]


def leaves_of(count):
    return [merkle.leaf_hash(index.to_bytes(4, "big")) for index in range(count)]


def reader_of(leaves):
    def read(node):
        level, index = node
        return merkle.perfect_root(leaves[index << level : (index + 1) << level])

    return read


def test_published_hashes():
    assert merkle.EMPTY_ROOT.hex().startswith("e3b0c44298fc1c14")
    assert merkle.leaf_hash(b"").hex().startswith("6e340b9cffb37a98")
    assert merkle.leaf_hash(b"L123456").hex() == "395aa064aa4c29f7010acfe3f25db9485bbd4b91897b6ad7ad547639252b4d56"
    assert (
        merkle.node_hash(b"N123", b"N456").hex() == "aa217fe888e47007fa15edab33c2b492a722cb106c64667fc2b044444de66bbb"
    )
    assert merkle.root_of(map(merkle.leaf_hash, EIGHT)).hex() == EIGHT_ROOT
    assert merkle.root_of([]) == merkle.EMPTY_ROOT


@settings(deadline=None)
@given(st.data())
def test_proofs_in_larger_trees(data):
    size = data.draw(st.integers(1, 600))
    index = data.draw(st.integers(0, size - 1))
    leaves = leaves_of(size)
    root = merkle.root_of(leaves)
    path = proof.carry_out(proof.plan_inclusion(index, size), reader_of(leaves))
    merkle.verify_inclusion(index, size, leaf=leaves[index], proof=path, root=root)
    flipped = data.draw(st.integers(0, len(path) * 256 + 511))  # any bit of the proof, the leaf or the root
    parts = [*path, leaves[index], root]
    damaged = bytearray(parts[flipped // 256])
    damaged[flipped % 256 // 8] ^= 1 << flipped % 8
    parts[flipped // 256] = bytes(damaged)
    with pytest.raises(ProofError):
        merkle.verify_inclusion(index, size, leaf=parts[-2], proof=parts[:-2], root=parts[-1])
    size1 = data.draw(st.integers(1, size))
    steps = proof.carry_out(proof.plan_consistency(size1, size), reader_of(leaves))
    assert size1 == size or steps == reference_consistency(size1, leaves)
    merkle.verify_consistency(size1, size, root1=merkle.root_of(leaves[:size1]), root2=root, proof=steps)


def test_a_tree_of_size_zero_is_contained_in_all_and_by_no_proof():
    root = merkle.root_of(leaves_of(3))
    merkle.verify_consistency(0, 3, root1=merkle.EMPTY_ROOT, root2=root, proof=[])
    merkle.verify_consistency(0, 0, root1=merkle.EMPTY_ROOT, root2=merkle.EMPTY_ROOT, proof=[])
    for bad in (
        {"root1": root, "root2": root, "proof": []},
        {"root1": merkle.EMPTY_ROOT, "root2": root, "proof": [root]},
    ):
        with pytest.raises(ProofError):
            merkle.verify_consistency(0, 3, **bad)
    with pytest.raises(ProofError):
        merkle.verify_consistency(0, 0, root1=root, root2=root, proof=[])


def test_the_classic_eight_leaves(shared_data: Path):
    vectors = json.loads((shared_data / "tlog/rfc/ct8.json").read_text())
    leaves = [merkle.leaf_hash(bytes.fromhex(text)) for text in vectors["leaves_hex"]]
    assert [leaf.hex() for leaf in leaves] == vectors["leaf_hashes"]
    for size, root in vectors["roots"].items():
        assert merkle.root_of(leaves[: int(size)]).hex() == root
    for case in vectors["inclusion"]:
        made = proof.carry_out(proof.plan_inclusion(case["i"], case["n"]), reader_of(leaves[: case["n"]]))
        assert [item.hex() for item in made] == case["path"]
    for case in vectors["consistency"]:
        made = proof.carry_out(proof.plan_consistency(case["m"], case["n"]), reader_of(leaves[: case["n"]]))
        assert [item.hex() for item in made] == case["proof"]


def _decoded(values):
    return [base64.b64decode(value or "") for value in values or []]


def _probe(case):
    if "leafIdx" in case:
        leaf, root = _decoded([case["leafHash"], case["root"]])
        index, size = case["leafIdx"], case["treeSize"]
        merkle.verify_inclusion(index, size, leaf=leaf, proof=_decoded(case["proof"]), root=root)
    else:
        root1, root2 = _decoded([case["root1"], case["root2"]])
        merkle.verify_consistency(case["size1"], case["size2"], root1=root1, root2=root2, proof=_decoded(case["proof"]))


# Why the probes of a name are refused, where that is one reason for all of them.
REASONS = {
    "trailing-garbage": "32 bytes long", "preceding-garbage": "32 bytes long", "wrong-leaf": "32 bytes long",
    "empty-leaf": "32 bytes long", "trailing-root": "too long", "preceding-root": "too long", "inserted": "too long",
    "removed": "too short", "treeSize-mul": "too short", "empty-proof": "is empty", "random-root": "another root",
    "modified-proof[": "another root", "modified-proof@": "does not contain", "swapped-roots": "does not contain",
    "wrong-root": "does not contain", "truncated-proof": "does not contain", "preceding-proof": "too long",
    "size1-is-greater": "out of order", "sizes-match-but-proof-is-not-empty": "should be empty",
}  # fmt: skip


def test_the_196_probes(shared_data: Path):
    paths = sorted((shared_data / "tlog/merkle").rglob("*.json"))
    assert len(paths) == 196
    wrong = []
    for path in paths:
        case = json.loads(path.read_text())
        try:
            _probe(case)
            refused = ""
        except ProofError as error:
            refused = str(error)
        reasons = [reason for name, reason in REASONS.items() if path.name.startswith(name)]
        if bool(refused) != case["wantErr"] or any(reason not in refused for reason in reasons):
            wrong.append((str(path.relative_to(shared_data)), case["desc"], refused))
    assert wrong == []
