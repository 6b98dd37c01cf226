"""Tiles and entry bundles: geometry, paths and growth (https://c2sp.org/tlog-tiles)."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from .errors import TileError
from .merkle import HASH_SIZE, perfect_root
from .proof import Node

WIDTH = 256  # hashes in a full tile, entries in a full bundle
MAX_LEVEL = 63
MAX_ENTRY_SIZE = 0xFFFF
ENTRIES = -1  # the level of entry bundles

Coordinate = tuple[int, int]  # (tile level, tile number)

_PATH = re.compile(r"(entries|0|[1-9][0-9]?)/((?:x[0-9]{3}/)*[0-9]{3})(?:\.p/([1-9][0-9]{0,2}))?")
_MAX_NUMBER = 2**56


@dataclass(frozen=True, slots=True)
class TileName:
    """What a tile's path says; level ENTRIES is an entry bundle; width WIDTH a full tile."""

    level: int
    number: int
    width: int


def format_path(name: TileName) -> str:
    """The path below `<prefix>/tile/`: level, number in groups of three digits, width where partial."""
    digits = f"{name.number:03d}"
    digits = digits.zfill(-(-len(digits) // 3) * 3)
    groups = [digits[i : i + 3] for i in range(0, len(digits), 3)]
    number = "/".join([*(f"x{group}" for group in groups[:-1]), groups[-1]])
    level = "entries" if name.level == ENTRIES else str(name.level)
    return f"{level}/{number}" if name.width == WIDTH else f"{level}/{number}.p/{name.width}"


def parse_path(path: str) -> TileName:
    """The tile that a path names; exactly one spelling is accepted, otherwise TileError."""
    match = _PATH.fullmatch(path) if path.isascii() else None
    if not match:
        raise TileError("not a tile path")
    level = ENTRIES if match[1] == "entries" else int(match[1])
    number = int(match[2].replace("x", "").replace("/", ""))
    name = TileName(level, number, int(match[3] or WIDTH))
    partial_ok = match[3] is None or name.width < WIDTH
    if level > MAX_LEVEL or number >= _MAX_NUMBER or not partial_ok or format_path(name) != path:
        raise TileError("not a tile path")
    return name


def width_at(level: int, number: int, size: int) -> int:
    """How many hashes (or entries) tile (level, number) holds in a tree of `size`: 0 = it must not exist."""
    total = size >> (8 * max(level, 0))
    return max(0, min(WIDTH, total - number * WIDTH))


def tiles_of(size: int) -> Iterable[TileName]:
    """Every hash tile of a tree of `size`, level by level."""
    level = 0
    while total := size >> (8 * level):
        for number in range(-(-total // WIDTH)):
            yield TileName(level, number, width_at(level, number, size))
        level += 1


def edge_of(size: int) -> list[Coordinate]:
    """The tiles along the right edge that an append may change or a root needs: the last one of each level."""
    return [(level, (total - 1) // WIDTH) for level in range(9) if (total := size >> (8 * level))]


def locate(node: Node) -> tuple[Coordinate, slice]:
    """The tile that holds a complete subtree, and its bytes there (2^(level mod 8) hashes to be folded)."""
    level, index = node
    first, count = index << (level % 8), 1 << (level % 8)
    start = first % WIDTH * HASH_SIZE
    return (level // 8, first // WIDTH), slice(start, start + count * HASH_SIZE)


def split_hashes(data: bytes) -> list[bytes]:
    """The hashes of a tile's bytes."""
    if len(data) % HASH_SIZE:
        raise TileError("a tile is a row of 32-byte hashes")
    return [data[i : i + HASH_SIZE] for i in range(0, len(data), HASH_SIZE)]


def read_node(node: Node, tiles: Mapping[Coordinate, bytes]) -> bytes:
    """The hash of a complete subtree out of tiles at hand; TileError when a tile is absent or too short."""
    coordinate, where = locate(node)
    data = tiles.get(coordinate, b"")[where]
    if len(data) != where.stop - where.start:
        raise TileError(f"tile {coordinate[0]}/{coordinate[1]} lacks a hash that the tree needs")
    return perfect_root(split_hashes(data))


def extend(size: int, edge: Mapping[Coordinate, bytes], leaves: Sequence[bytes]) -> dict[Coordinate, bytes]:
    """The tiles that appending `leaves` to a tree of `size` makes or changes; `edge` holds the partial ones before.

    A full tile's hash moves up a level; a partial one is never hashed upward.
    """
    changed: dict[Coordinate, bytes] = {}
    level, rising = 0, list(leaves)
    while rising:
        total = size >> (8 * level)
        number, width = divmod(total, WIDTH)
        row = edge[level, number][: width * HASH_SIZE] if width else b""
        if len(row) != width * HASH_SIZE:
            raise TileError(f"tile {level}/{number} is shorter than the tree of size {size} needs")
        rising = _fill(changed, (level, number), row + b"".join(rising))
        level += 1
    return changed


def _fill(changed: dict[Coordinate, bytes], first: Coordinate, row: bytes) -> list[bytes]:
    level, number = first
    full = []
    for start in range(0, len(row), WIDTH * HASH_SIZE):
        data = row[start : start + WIDTH * HASH_SIZE]
        changed[level, number] = data
        if len(data) == WIDTH * HASH_SIZE:
            full.append(perfect_root(split_hashes(data)))
        number += 1
    return full


def pack_bundle(entries: Iterable[bytes]) -> bytes:
    """An entry bundle: each entry behind its length as two bytes, big-endian."""
    parts: list[bytes] = []
    for entry in entries:
        if len(entry) > MAX_ENTRY_SIZE:
            raise TileError(f"an entry has at most {MAX_ENTRY_SIZE} bytes, not {len(entry)}")
        parts += (len(entry).to_bytes(2, "big"), entry)
    return b"".join(parts)


def unpack_bundle(data: bytes) -> list[bytes]:
    """The entries of a bundle; TileError when it is cut short or holds more than a full tile's worth."""
    entries: list[bytes] = []
    position = 0
    while position < len(data):
        end = position + 2 + int.from_bytes(data[position : position + 2], "big")
        if position + 2 > len(data) or end > len(data) or len(entries) == WIDTH:
            raise TileError("not an entry bundle")
        entries.append(data[position + 2 : end])
        position = end
    return entries
