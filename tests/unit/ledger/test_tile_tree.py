"""Tiles from a stranger: whatever is changed in them is noticed before a hash is used."""

import random

import pytest

from ledger.tlog import merkle, proof, tile
from ledger.tlog.errors import TileError
from ledger.tlog.tile_tree import TileTree

SIZES = (0, 1, 2, 255, 256, 257, 511, 512, 513, 65_535, 65_536, 65_537, 70_000)
LEAVES = [merkle.leaf_hash(n.to_bytes(4, "big")) for n in range(70_000)]
TILES = {size: tile.extend(0, {}, LEAVES[:size]) for size in SIZES}


def tree(size, *, tiles=None, root=None):
    stored = TILES[size] if tiles is None else tiles

    def read(name):
        return stored[name.level, name.number][: name.width * 32]

    return TileTree(size, merkle.root_of(LEAVES[:size]) if root is None else root, read)


@pytest.mark.parametrize("size", SIZES)
def test_every_proof_from_checked_tiles_verifies(size):
    found, root = tree(size), merkle.root_of(LEAVES[:size])
    picks = {0, 1, 254, 255, 256, 257, size // 2, size - 257, size - 256, size - 2, size - 1}
    for index in sorted(pick for pick in picks if 0 <= pick < size):
        path = proof.carry_out(proof.plan_inclusion(index, size), found.node)
        merkle.verify_inclusion(index, size, leaf=LEAVES[index], proof=path, root=root)
    for older in sorted(pick for pick in picks if 0 < pick <= size):
        path = proof.carry_out(proof.plan_consistency(older, size), found.node)
        assert proof.root_at(older, found.node) == merkle.root_of(LEAVES[:older])
        merkle.verify_consistency(older, size, root1=merkle.root_of(LEAVES[:older]), root2=root, proof=path)


@pytest.mark.parametrize("size", [1, 257, 513, 65_537, 70_000])
def test_no_flipped_bit_of_any_tile_is_believed(size):
    """The whole tree is read leaf by leaf; the flip is in one tile at a time."""
    rng = random.Random(size)
    for place in rng.sample(sorted(TILES[size]), min(12, len(TILES[size]))):
        damaged = dict(TILES[size])
        data = bytearray(damaged[place])
        bit = rng.randrange(len(data) * 8)
        data[bit // 8] ^= 1 << bit % 8
        damaged[place] = bytes(data)
        with pytest.raises(TileError):
            tree(size, tiles=damaged).tile(place)


def test_a_tile_of_another_length_is_refused():
    for change in (lambda data: data[:-32], lambda data: data[:-1], lambda data: data + bytes(32)):
        stored = {place: change(data) for place, data in TILES[257].items()}
        with pytest.raises(TileError, match="bytes instead of"):
            TileTree(257, merkle.root_of(LEAVES[:257]), lambda name, stored=stored: stored[name.level, name.number])


def test_another_root_is_refused_at_once():
    with pytest.raises(TileError, match="another root"):
        tree(513, root=merkle.EMPTY_ROOT)


def test_what_the_tree_does_not_have_is_an_error():
    with pytest.raises(TileError):
        tree(257).tile((0, 2))
    with pytest.raises(TileError):
        tree(257).node((9, 0))


def test_only_so_many_full_tiles_are_kept():
    found = TileTree(
        70_000, merkle.root_of(LEAVES), lambda name: TILES[70_000][name.level, name.number][: name.width * 32], keep=4
    )
    for number in range(273):
        found.tile((0, number))
    assert len(found._full) == 4


def test_without_the_check_a_changed_tile_would_be_believed(monkeypatch):
    damaged = dict(TILES[513])
    damaged[0, 0] = damaged[0, 1]
    monkeypatch.setattr(TileTree, "_complete", lambda self, where: False)
    assert tree(513, tiles=damaged).node((0, 0)) == LEAVES[256]
