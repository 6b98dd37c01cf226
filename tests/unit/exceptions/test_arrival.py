"""When the data that an exception waits for has arrived."""

from dataclasses import replace

import pytest

from traceability.exceptions.arrival import Goods, has_arrived

SENT = Goods(is_pack=True, is_recorded=True, is_made=True, is_sent=True, status="shipped")


@pytest.mark.parametrize(
    ("goods", "expected"),
    [
        ([SENT], True),
        ([SENT, replace(SENT, is_sent=False)], False),
        ([replace(SENT, is_made=False)], False),
        ([replace(SENT, is_made=False, is_pack=False)], True),
        ([Goods(is_pack=True)], False),
    ],
    ids=["sent and made", "one of two", "never made", "a case is not made", "nothing"],
)
def test_product_without_data_waits_for_every_despatch(goods: list[Goods], expected: bool) -> None:
    assert has_arrived("product-no-data", goods) is expected


@pytest.mark.parametrize(("status", "expected"), [("shipped", False), ("active", True), ("dispensed", True)])
def test_data_without_product_waits_until_nothing_is_under_way(status: str, expected: bool) -> None:
    assert has_arrived("data-no-product", [replace(SENT, status=status)]) is expected
    assert not has_arrived("data-no-product", [Goods(is_pack=True)])


def test_wrong_data_waits_until_record_and_print_agree() -> None:
    printed = replace(SENT, printed_lot="L1", printed_expiry="2030-01-31", lot="L1", expiry="2030-01-31T00:00:00Z")
    assert has_arrived("data-issue", [printed])
    assert not has_arrived("data-issue", [replace(printed, lot="L2")])
    assert not has_arrived("data-issue", [replace(printed, expiry="2031-01-31")])
    assert not has_arrived("data-issue", [replace(SENT, lot="", expiry="")]), "a code that says nothing proves nothing"


@pytest.mark.parametrize("kind", ["packaging", "unavailable"])
def test_the_other_kinds_wait_for_a_person(kind: str) -> None:
    assert not has_arrived(kind, [SENT])
