"""Making proofs: which complete subtrees are needed, and their hashes put together (RFC 9162 section 2.1.3/2.1.4).

A plan is a list of ranges; a range is the list of its complete subtrees, largest first, each named `(level, index)`:
the hash over leaves [index * 2^level, (index + 1) * 2^level). Plans come first so that a store can fetch all tiles of
several proofs at once.
"""

from collections.abc import Callable, Sequence

from .errors import ProofError
from .merkle import EMPTY_ROOT, fold_peaks

Node = tuple[int, int]
Plan = list[list[Node]]
ReadHash = Callable[[Node], bytes]


def subtrees(start: int, end: int) -> list[Node]:
    """The complete subtrees of leaves [start, end), in order; `start` must be aligned as in an RFC 6962 split."""
    nodes = []
    while start < end:
        level = (end - start).bit_length() - 1
        nodes.append((level, start >> level))
        start += 1 << level
    return nodes


def plan_inclusion(index: int, size: int) -> Plan:
    """The ranges of an inclusion proof, leaf's sibling first."""
    if not 0 <= index < size:
        raise ProofError(f"index {index} is outside a tree of size {size}")
    return [subtrees(*sibling) for sibling in reversed(_inclusion_ranges(index, size))]


def plan_consistency(size1: int, size2: int) -> Plan:
    """The ranges of a consistency proof; none when the sizes are equal or the first is 0."""
    if not 0 <= size1 <= size2:
        raise ProofError(f"sizes {size1} and {size2} are out of order")
    if size1 in (0, size2):
        return []
    ranges, start, end, known = [], 0, size2, True
    while size1 < end:
        middle = start + _split(end - start)
        if size1 <= middle:
            ranges.append((middle, end))
            end = middle
        else:
            ranges.append((start, middle))
            start, known = middle, False
    if not known:  # the verifier does not know the subtree where the two trees part
        ranges.append((start, end))
    return [subtrees(*sibling) for sibling in reversed(ranges)]


def plan_root(size: int) -> Plan:
    """The single range of a whole tree."""
    return [subtrees(0, size)] if size else []


def carry_out(plan: Plan, read: ReadHash) -> list[bytes]:
    """The hashes of a plan's ranges."""
    return [fold_peaks([read(node) for node in nodes]) for nodes in plan]


def root_at(size: int, read: ReadHash) -> bytes:
    """The root of the first `size` leaves."""
    return carry_out(plan_root(size), read)[0] if size else EMPTY_ROOT


def _inclusion_ranges(index: int, size: int) -> Sequence[tuple[int, int]]:
    ranges, start, end = [], 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            ranges.append((middle, end))
            end = middle
        else:
            ranges.append((start, middle))
            start = middle
    return ranges


def _split(width: int) -> int:
    """The largest power of two strictly below `width` (RFC 6962 section 2.1)."""
    return 1 << ((width - 1).bit_length() - 1)
