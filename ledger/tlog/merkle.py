"""The Merkle tree: hashes, roots and the verification of proofs (RFC 6962 section 2.1, RFC 9162 section 2.1)."""

from collections.abc import Iterable, Sequence
from hashlib import sha256

from .errors import ProofError

HASH_SIZE = 32
EMPTY_ROOT = sha256(b"").digest()
_LEAF = b"\x00"
_NODE = b"\x01"


def leaf_hash(entry: bytes) -> bytes:
    """The leaf hash of an entry: SHA-256(0x00 || entry)."""
    return sha256(_LEAF + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of an inner node: SHA-256(0x01 || left || right)."""
    return sha256(_NODE + left + right).digest()


def root_of(leaves: Iterable[bytes]) -> bytes:
    """The root over leaf hashes; that of no leaf is SHA-256 of nothing."""
    frontier = Frontier()
    for leaf in leaves:
        frontier.append(leaf)
    return frontier.root()


def perfect_root(hashes: Sequence[bytes]) -> bytes:
    """The root over 2^k hashes, level by level: faster than `root_of` where the shape is known."""
    level = list(hashes)
    while len(level) > 1:
        level = [sha256(_NODE + level[i] + level[i + 1]).digest() for i in range(0, len(level), 2)]
    return level[0]


class Frontier:
    """The peaks of a growing tree, largest first: all that appending and the root need."""

    __slots__ = ("peaks", "size")

    def __init__(self, peaks: Iterable[bytes] = (), size: int = 0) -> None:
        self.peaks = list(peaks)
        self.size = size
        if len(self.peaks) != size.bit_count():
            raise ValueError(f"a tree of size {size} has {size.bit_count()} peaks, not {len(self.peaks)}")

    def append(self, leaf: bytes) -> None:
        peaks, carry = self.peaks, self.size
        while carry & 1:
            leaf = sha256(_NODE + peaks.pop() + leaf).digest()
            carry >>= 1
        peaks.append(leaf)
        self.size += 1

    def root(self) -> bytes:
        return fold_peaks(self.peaks) if self.peaks else EMPTY_ROOT


def fold_peaks(peaks: Sequence[bytes]) -> bytes:
    """The hash of a range from the hashes of its complete subtrees, largest first."""
    root = peaks[-1]
    for peak in reversed(peaks[:-1]):
        root = node_hash(peak, root)
    return root


def verify_inclusion(index: int, size: int, *, leaf: bytes, proof: Sequence[bytes], root: bytes) -> None:
    """Raise ProofError unless `proof` shows `leaf` at `index` in the tree of `size` and `root` (RFC 9162 2.1.3.2)."""
    if not 0 <= index < size:
        raise ProofError(f"index {index} is outside a tree of size {size}")
    _check_hashes(leaf, *proof)
    fn, sn, computed = index, size - 1, leaf
    for sibling in proof:
        if sn == 0:
            raise ProofError("inclusion proof is too long")
        if fn & 1 or fn == sn:
            computed = node_hash(sibling, computed)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            computed = node_hash(computed, sibling)
        fn, sn = fn >> 1, sn >> 1
    if sn:
        raise ProofError("inclusion proof is too short")
    if computed != root:
        raise ProofError(f"inclusion proof of entry {index} leads to another root")


def verify_consistency(size1: int, size2: int, *, root1: bytes, root2: bytes, proof: Sequence[bytes]) -> None:
    """Raise ProofError unless `proof` shows that tree 2 begins with tree 1 (RFC 9162 2.1.4.2).

    Size 0 is contained in every tree: its proof is empty and its root the empty root (C2SP tlog-witness).
    """
    if not 0 <= size1 <= size2:
        raise ProofError(f"sizes {size1} and {size2} are out of order")
    _check_hashes(*proof)
    if size1 == 0 or size1 == size2:
        if proof:
            raise ProofError("consistency proof should be empty")
        if root1 != (EMPTY_ROOT if size1 == 0 else root2):
            raise ProofError(f"another root at size {size1}")
        if len(root2) != HASH_SIZE and size1 == 0:
            raise ProofError(f"a hash is {HASH_SIZE} bytes long")
        if size2 == 0 and root2 != EMPTY_ROOT:
            raise ProofError("another root at size 0")
        return
    _verify_consistency_path(size1, size2, (root1, root2), proof)


def _verify_consistency_path(size1: int, size2: int, roots: tuple[bytes, bytes], proof: Sequence[bytes]) -> None:
    if not proof:
        raise ProofError("consistency proof is empty")
    path = [roots[0], *proof] if size1 & (size1 - 1) == 0 else list(proof)
    fn, sn = size1 - 1, size2 - 1
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    first = second = path[0]
    for sibling in path[1:]:
        if sn == 0:
            raise ProofError("consistency proof is too long")
        if fn & 1 or fn == sn:
            first, second = node_hash(sibling, first), node_hash(sibling, second)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            second = node_hash(second, sibling)
        fn, sn = fn >> 1, sn >> 1
    if sn or (first, second) != roots:
        raise ProofError(f"the tree of size {size2} does not contain the one of size {size1}")


def _check_hashes(*hashes: bytes) -> None:
    if any(len(value) != HASH_SIZE for value in hashes):
        raise ProofError(f"a hash is {HASH_SIZE} bytes long")
