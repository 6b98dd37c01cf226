"""Reading a tree from tiles that somebody else serves: no hash is believed before it leads to the checkpoint's root.

Partial tiles along the right edge are checked by computing the root from them, full ones against their parent's hash
(https://research.swtch.com/tlog#tiling_a_log; golang.org/x/mod/sumdb/tlog, TileHashReader).
"""

from collections.abc import Callable

from . import proof, tile
from .errors import TileError
from .merkle import HASH_SIZE, perfect_root
from .tile import WIDTH, Coordinate, TileName

ReadTile = Callable[[TileName], bytes]


class TileTree:
    """The tree of `size` and `root` over tiles that `read` fetches; TileError for any that does not belong to it.

    `read` is asked for a tile by its name, partial where the tree of this size makes it so, and answers with its
    bytes or an error of its own. Tiles are kept, at most `keep` besides the right edge.
    """

    def __init__(self, size: int, root: bytes, read: ReadTile, *, keep: int = 1024) -> None:
        self.size = size
        self._read = read
        self._keep = keep
        self._edge: dict[Coordinate, bytes] = {}
        self._full: dict[Coordinate, bytes] = {}
        for level, number in tile.edge_of(size):
            if tile.width_at(level, number, size) < WIDTH:
                self._edge[level, number] = self._fetch((level, number))
        if proof.root_at(size, self.node) != root:
            raise TileError(f"the tiles of size {size} have another root than the checkpoint")

    def node(self, node: proof.Node) -> bytes:
        """The hash of a complete subtree."""
        where, part = tile.locate(node)
        data = self.tile(where)[part]
        if len(data) != part.stop - part.start:
            raise TileError(f"the tree of size {self.size} has no complete subtree {node[0]}/{node[1]}")
        return perfect_root(tile.split_hashes(data))

    def tile(self, where: Coordinate) -> bytes:
        """The hashes of a tile, checked."""
        known = self._edge.get(where) or self._full.get(where)
        if known is not None:
            return known
        data = self._fetch(where)
        level, number = where
        # The parent of a full tile is full, or on the edge, which is checked as a whole when the tree is opened.
        if self._complete(where):
            parent = self.tile((level + 1, number // WIDTH))
            start = number % WIDTH * HASH_SIZE
            if perfect_root(tile.split_hashes(data)) != parent[start : start + HASH_SIZE]:
                raise TileError(f"tile {level}/{number} is not the one that its parent names")
            while len(self._full) >= self._keep:
                del self._full[next(iter(self._full))]
            self._full[where] = data
        return data

    def _complete(self, where: Coordinate) -> bool:
        return tile.width_at(*where, self.size) == WIDTH

    def _fetch(self, where: Coordinate) -> bytes:
        level, number = where
        width = tile.width_at(level, number, self.size)
        if not width:
            raise TileError(f"a tree of size {self.size} has no tile {level}/{number}")
        data = self._read(TileName(level, number, width))
        if len(data) != width * HASH_SIZE:
            raise TileError(f"tile {level}/{number} holds {len(data)} bytes instead of {width * HASH_SIZE}")
        return data
