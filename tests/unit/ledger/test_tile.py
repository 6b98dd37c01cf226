"""Tile geometry, paths, growth and bundles (C2SP tlog-tiles); a log written by another implementation."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.tlog import checkpoint, merkle, note, proof, tile
from ledger.tlog.errors import TileError
from ledger.tlog.tile import ENTRIES, TileName

TESSERA_KEY = "example.com/log/testdata+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx"


def leaves_of(count, start=0):
    return [merkle.leaf_hash(index.to_bytes(4, "big")) for index in range(start, start + count)]


@pytest.mark.parametrize(
    ("name", "path"),
    [
        (TileName(0, 0, 256), "0/000"),
        (TileName(0, 1234067, 256), "0/x001/x234/067"),
        (TileName(1, 17, 5), "1/017.p/5"),
        (TileName(ENTRIES, 1000, 112), "entries/x001/000.p/112"),
        (TileName(63, 999, 255), "63/999.p/255"),
    ],
)
def test_a_path_has_one_spelling(name, path):
    assert tile.format_path(name) == path
    assert tile.parse_path(path) == name


@pytest.mark.parametrize(
    "path",
    [
        "", "0", "0/0", "0/00", "0/0000", "00/000", "64/000", "0/x000/000", "0/x001", "0/001/000", "0/x01/000",
        "0/000.p/0", "0/000.p/256", "0/000.p/01", "0/000.p/", "0/000.p", "0/000/", "/0/000", "0/000\n", "0/٠٠٠",
        "+1/000", "entries/000.p/300", "Entries/000", "0/" + "x999/" * 7 + "999",
    ],
)  # fmt: skip
def test_other_spellings_are_refused(path):
    with pytest.raises(TileError):
        tile.parse_path(path)


@pytest.mark.parametrize(
    ("size", "widths"),
    [
        (0, []),
        (1, [("0/000", 1)]),
        (255, [("0/000", 255)]),
        (256, [("0/000", 256), ("1/000", 1)]),
        (257, [("0/000", 256), ("0/001", 1), ("1/000", 1)]),
    ],
)
def test_which_tiles_a_small_tree_has(size, widths):
    assert [(tile.format_path(name).split(".")[0], name.width) for name in tile.tiles_of(size)] == widths


@pytest.mark.parametrize(
    ("size", "counts"),
    [
        (65_535, {0: (255, 255), 1: (0, 255)}),
        (65_536, {0: (256, 0), 1: (1, 0), 2: (0, 1)}),
        (65_537, {0: (256, 1), 1: (1, 0), 2: (0, 1)}),
        (70_000, {0: (273, 112), 1: (1, 17), 2: (0, 1)}),
    ],
)
def test_how_many_tiles_a_large_tree_has(size, counts):
    found = {}
    for name in tile.tiles_of(size):
        full, partial = found.get(name.level, (0, 0))
        found[name.level] = (full + 1, partial) if name.width == 256 else (full, name.width)
    assert found == counts


@pytest.mark.parametrize("steps", [[1] * 20, [255, 1, 1], [300, 300], [65_535, 1, 1], [70_000], [256, 65_280, 4464]])
def test_growing_by_steps_gives_the_tiles_and_the_root_of_the_whole(steps):
    tiles, size, leaves = {}, 0, leaves_of(sum(steps))
    for step in steps:
        edge = {place: tiles[place] for place in tile.edge_of(size)}
        tiles.update(tile.extend(size, edge, leaves[size : size + step]))
        size += step
        root = proof.root_at(size, lambda node: tile.read_node(node, tiles))
        assert root == merkle.root_of(leaves[:size])
    assert {(name.level, name.number): name.width * 32 for name in tile.tiles_of(size)} == {
        place: len(data) for place, data in tiles.items()
    }


def test_a_tile_that_is_too_short_is_refused():
    with pytest.raises(TileError):
        tile.extend(5, {(0, 0): b"\0" * 32 * 4}, leaves_of(1))
    with pytest.raises(TileError):
        tile.read_node((1, 1), {(0, 0): b"\0" * 32 * 3})


@settings(deadline=None)
@given(st.lists(st.binary(max_size=300), max_size=256))
def test_a_bundle_gives_back_its_entries(entries):
    assert tile.unpack_bundle(tile.pack_bundle(entries)) == entries


def test_an_entry_of_65535_bytes_fits_and_one_more_does_not():
    assert tile.unpack_bundle(tile.pack_bundle([b"x" * 65_535])) == [b"x" * 65_535]
    with pytest.raises(TileError):
        tile.pack_bundle([b"x" * 65_536])


@pytest.mark.parametrize("data", [b"\0", b"\0\1", b"\0\2a", b"\0\0" * 257])
def test_a_damaged_bundle_is_refused(data):
    with pytest.raises(TileError):
        tile.unpack_bundle(data)


def test_a_log_written_by_another_implementation(shared_data: Path):
    log = shared_data / "tlog/tessera/log"
    key = note.parse_vkey(TESSERA_KEY)
    assert str(key) == TESSERA_KEY
    entries = tile.unpack_bundle((log / "tile/entries/000.p/15").read_bytes())
    leaves = list(map(merkle.leaf_hash, entries))
    tiles = {}
    for size in range(16):
        signed = checkpoint.verify((log / f"checkpoint.{size}").read_bytes(), key)
        assert (signed.size, signed.root) == (size, merkle.root_of(leaves[:size]))
        if size:
            tiles.update(tile.extend(size - 1, tiles, leaves[size - 1 : size]))
            assert tiles[0, 0] == (log / f"tile/0/000.p/{size}").read_bytes()
            assert tile.pack_bundle(entries[:size]) == (log / f"tile/entries/000.p/{size}").read_bytes()
