"""Every proof of every small tree against RFC 6962's recursion, and every bit of some: nothing else is accepted.

The recursion here shares nothing with `ledger.tlog`: it knows ranges of leaves, the code knows subtrees and shifts.
"""

import hashlib
from functools import cache

import pytest

from ledger.tlog import merkle, proof
from ledger.tlog.errors import ProofError

LEAVES = [hashlib.sha256(b"\0" + index.to_bytes(4, "big")).digest() for index in range(600)]


@cache
def root(start, end):
    """RFC 6962 section 2.1, over leaves [start, end)."""
    if end == start:
        return hashlib.sha256(b"").digest()
    if end - start == 1:
        return LEAVES[start]
    middle = start + split(end - start)
    return hashlib.sha256(b"\1" + root(start, middle) + root(middle, end)).digest()


def split(count):
    k = 1
    while k * 2 < count:
        k *= 2
    return k


def path(index, start, end):
    """Section 2.1.1: sides and hashes, leaf's sibling first."""
    if end - start == 1:
        return []
    middle = start + split(end - start)
    if index < middle:
        return [*path(index, start, middle), ("right", root(middle, end))]
    return [*path(index, middle, end), ("left", root(start, middle))]


def consistency(size1, start, end, complete=True):
    """Section 2.1.2, SUBPROOF; size1 counts from `start`."""
    if size1 == end - start:
        return [] if complete else [("known", root(start, end))]
    k = split(end - start)
    if size1 <= k:
        return [*consistency(size1, start, start + k, complete), ("right", root(start + k, end))]
    return [*consistency(size1 - k, start + k, end, False), ("left", root(start, start + k))]


def read(node):
    level, index = node
    return root(index << level, (index + 1) << level)


def hashes(sided):
    return [value for _, value in sided]


def sides(sided):
    return [side for side, _ in sided]


def every_proof(sizes):
    for size in sizes:
        assert proof.root_at(size, read) == root(0, size)
        for index in range(size):
            made = proof.carry_out(proof.plan_inclusion(index, size), read)
            assert made == hashes(path(index, 0, size))
            merkle.verify_inclusion(index, size, leaf=LEAVES[index], proof=made, root=root(0, size))
        for older in range(1, size + 1):
            made = proof.carry_out(proof.plan_consistency(older, size), read)
            assert made == hashes(consistency(older, 0, size))
            merkle.verify_consistency(older, size, root1=root(0, older), root2=root(0, size), proof=made)


def test_every_proof_up_to_130():
    every_proof(range(131))


@pytest.mark.long
@pytest.mark.parametrize("start", range(131, 601, 47))
def test_every_proof_up_to_600(start):
    every_proof(range(start, min(start + 47, 601)))


def refused(verify, *sizes, **parts):
    try:
        verify(*sizes, **parts)
    except ProofError:
        return True
    return False


def flips(parts):
    """Each bit of each hash flipped, one at a time."""
    for place, value in enumerate(parts):
        for bit in range(len(value) * 8):
            changed = bytearray(value)
            changed[bit // 8] ^= 1 << bit % 8
            yield [*parts[:place], bytes(changed), *parts[place + 1 :]]


SIZES = [1, 2, 3, 5, 6, 7, 8, 13]


@pytest.mark.parametrize("size", SIZES)
def test_no_bit_of_an_inclusion_proof_may_differ(size):
    for index in range(size):
        parts = [*hashes(path(index, 0, size)), LEAVES[index], root(0, size)]
        for changed in flips(parts):
            *steps, leaf, top = changed
            assert refused(merkle.verify_inclusion, index, size, leaf=leaf, proof=steps, root=top)
        for length in range(len(parts) - 2):  # nor a hash be missing, or one more be there
            assert refused(
                merkle.verify_inclusion, index, size, leaf=LEAVES[index], proof=parts[:length], root=parts[-1]
            )
        more = [*parts[:-2], LEAVES[0]]
        assert refused(merkle.verify_inclusion, index, size, leaf=LEAVES[index], proof=more, root=parts[-1])


@pytest.mark.parametrize("size", SIZES)
def test_no_bit_of_a_consistency_proof_may_differ(size):
    for older in range(1, size):
        parts = [*hashes(consistency(older, 0, size)), root(0, older), root(0, size)]
        for changed in flips(parts):
            *steps, root1, root2 = changed
            assert refused(merkle.verify_consistency, older, size, root1=root1, root2=root2, proof=steps)


def test_another_index_or_size_passes_only_where_it_names_the_same_way_up():
    """A path does not commit to the size (RFC 9162): the signed checkpoint does, whose every bit is signed."""
    for size in range(1, 34):
        for index in range(size):
            way = path(index, 0, size)
            for other_index, other_size in flipped_numbers(index, size):
                same = other_index < other_size and other_size <= 600 and sides(path(other_index, 0, other_size))
                accepted = not refused(
                    merkle.verify_inclusion,
                    other_index,
                    other_size,
                    leaf=LEAVES[index],
                    proof=hashes(way),
                    root=root(0, size),
                )
                assert accepted == (same == sides(way))


def flipped_numbers(index, size):
    for other in range(size):
        if other != index:
            yield other, size
    for bit in range(64):
        yield index ^ 1 << bit, size
        yield index, size ^ 1 << bit


def test_without_the_last_comparison_a_false_root_would_pass():
    """Negative control: the flips above are refused by the comparison with the root, and by nothing before it."""

    class Anything(bytes):
        def __ne__(self, other):
            return False

    steps = hashes(path(3, 0, 7))
    merkle.verify_inclusion(3, 7, leaf=LEAVES[4], proof=steps, root=Anything(32))
    assert refused(merkle.verify_inclusion, 3, 7, leaf=LEAVES[4], proof=steps, root=root(0, 7))
