"""Our short path writes what RFC 8785 writes, and refuses what it refuses."""

import pytest
import rfc8785
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.canonical import CanonicalError, canonical, canonical_bytes

values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.floats(allow_nan=False, allow_infinity=False).filter(lambda number: not 2**53 <= abs(number) < 1e21)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"]), max_size=6), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip


@settings(deadline=None)
@given(values)
def test_it_agrees_with_the_full_implementation(value):
    assert canonical(value).encode() == canonical_bytes(value) == rfc8785.dumps(value)


def test_keys_are_sorted_by_utf16():
    # U+10000 sorts before U+E000 in UTF-16 and after it by code point: the short path must not take this one.
    assert canonical({"\ue000": 1, "\U00010000": 2}) == '{"\U00010000":2,"\ue000":1}'


@pytest.mark.parametrize(
    "value",
    [float("nan"), float("inf"), 2**53, -(2**53), {1: 2}, object(), {"a": {"b": 2**53}}, [1e20], {"a": -(2.0**53)}],
)
def test_what_has_no_canonical_form_is_refused(value):
    with pytest.raises(CanonicalError):
        canonical_bytes(value)


def test_lone_surrogates_and_bottomless_nesting_are_refused():
    nested = []
    for _ in range(100_000):
        nested = [nested]
    for value in ("\ud800", ["\udc00"], {"a": "\ud800"}, nested):
        with pytest.raises(CanonicalError):
            canonical_bytes(value)
    while nested:  # undone by hand: the garbage collector, too, would recurse
        nested = nested[0]
