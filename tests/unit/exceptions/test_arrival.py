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
        ([replace(SENT, is_sent=False, is_listed=True)], False),
        ([replace(SENT, is_sent=False, is_listed=True, is_vouched=True)], True),
        ([replace(SENT, is_sent=False, is_vouched=True, is_made=False)], False),
    ],
    ids=[
        "sent and made",
        "one of two",
        "never made",
        "a case is not made",
        "nothing",
        "a list of anybody",
        "a list that quality stored",
        "listed, never made",
    ],
)
def test_product_without_data_waits_for_every_despatch(goods: list[Goods], expected: bool) -> None:
    assert has_arrived("product-no-data", goods) is expected


@pytest.mark.parametrize(("status", "expected"), [("shipped", False), ("active", True), ("dispensed", True)])
def test_data_without_product_waits_until_nothing_is_under_way(status: str, expected: bool) -> None:
    assert has_arrived("data-no-product", [replace(SENT, status=status)]) is expected
    assert not has_arrived("data-no-product", [Goods(is_pack=True)])


@pytest.mark.parametrize(
    ("is_sent", "is_here", "expected"), [(False, False, False), (False, True, True), (True, False, True)]
)
def test_what_only_a_list_says_was_sent_has_to_be_received(is_sent: bool, is_here: bool, expected: bool) -> None:
    one = replace(SENT, is_listed=True, is_sent=is_sent, is_here=is_here, status="active")
    assert has_arrived("data-no-product", [one]) is expected


def test_wrong_data_waits_until_record_and_print_agree() -> None:
    printed = replace(SENT, printed_lot="L1", printed_expiry="2030-01-31", lot="L1", expiry="2030-01-31T00:00:00Z")
    assert has_arrived("data-issue", [printed])
    assert not has_arrived("data-issue", [replace(printed, lot="L2")])
    assert not has_arrived("data-issue", [replace(printed, expiry="2031-01-31")])
    assert not has_arrived("data-issue", [replace(SENT, lot="", expiry="")]), "a code that says nothing proves nothing"


@pytest.mark.parametrize("kind", ["packaging", "unavailable"])
def test_the_other_kinds_wait_for_a_person(kind: str) -> None:
    assert not has_arrived(kind, [SENT])
