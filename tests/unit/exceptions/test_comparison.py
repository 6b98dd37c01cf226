"""Ordered, advised, despatched and received of each product."""

from collections import Counter

import pytest

from traceability.exceptions.comparison import Compared, compare, differing

A, B = "09521000001008", "09521000002005"


def test_each_side_is_added_up_over_lots_and_what_is_not_known_stays_unknown() -> None:
    found = compare(
        ordered={A: 10}, advised=None, despatched=Counter({(A, "L1"): 6, (A, "L2"): 3}),
        received=Counter({(A, "L1"): 4, (B, "M"): 1, ("", ""): 2}),
    )  # fmt: skip
    assert found == [Compared("", 0, None, 0, 2), Compared(A, 10, None, 9, 4), Compared(B, 0, None, 0, 1)]
    assert [(one.short, one.over) for one in found] == [(0, 2), (5, 0), (0, 1)]


@pytest.mark.parametrize(
    ("ordered", "advised", "despatched", "expected"),
    [(10, 8, 7, 7), (10, 8, None, 8), (10, None, None, 10), (None, 8, None, 8), (10, 0, None, 0)],
)
def test_the_record_goes_before_a_list_and_the_list_before_the_order(
    ordered: int | None, advised: int | None, despatched: int | None, expected: int
) -> None:
    one = Compared(A, ordered, advised, despatched, 9)
    assert (one.expected, one.short, one.over) == (expected, max(expected - 9, 0), max(9 - expected, 0))


def test_a_list_differs_from_the_record_where_both_say_something_else() -> None:
    told = [("a", "L1", "2030-01-31"), ("b", "L2", ""), ("c", "", "2031-01-31"), ("d", "L1", ""), ("e", "", "")]
    recorded = {
        "a": ("L1", "2030-01-31T00:00:00Z"), "b": ("L1", ""), "c": ("L1", "2030-01-31"), "e": ("L1", "2030-01-31"),
    }  # fmt: skip
    assert differing(told, recorded) == ["b", "c"]
