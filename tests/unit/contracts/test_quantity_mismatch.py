"""Both sides of a despatch advice: sets, contents, amounts, and the window in ledger time."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from traceability.contracts.draft import Draft
from traceability.contracts.facts import Leg, ShipmentFacts
from traceability.contracts.templates.quantity_mismatch import QuantityMismatch, due_ms, evaluate

HOUR = 3_600_000
LATE = 10**12
INSIDE = {"pallet": frozenset({"case1", "case2"}), "case1": frozenset({"a", "b"}), "case2": frozenset({"c"})}


def sent(*epcs: str, step: str = "shipping", **members: Any) -> Leg:
    return Leg(1, "s", 0, "seller", step, frozenset(epcs), **members)


def got(*epcs: str, index: int = 2, time_ms: int = HOUR, **members: Any) -> Leg:
    return Leg(index, f"r{index}", time_ms, "buyer", "receiving", frozenset(epcs), **members)


def found(*legs: Leg, now_ms: int = LATE, **parameters: int) -> list[Draft]:
    facts = ShipmentFacts("DA1", legs, INSIDE).as_of(99)
    return list(evaluate(QuantityMismatch(**parameters), facts, ledger_time_ms=now_ms))


@pytest.mark.parametrize(
    "received",
    [("pallet",), ("case1", "case2"), ("a", "b", "case2"), ("a", "b", "c"), ("pallet", "case1")],
)
def test_the_same_goods_however_they_were_scanned(received: tuple[str, ...]) -> None:
    assert found(sent("pallet"), got(*received)) == []


@pytest.mark.parametrize(
    ("received", "missing", "extra"),
    [
        (("case1",), ["c"], []),
        (("a", "case2"), ["b"], []),
        (("pallet", "x"), [], ["x"]),
        (("case1", "x"), ["c"], ["x"]),
    ],
)
def test_short_and_over(received: tuple[str, ...], missing: list[str], extra: list[str]) -> None:
    (draft,) = found(sent("pallet"), got(*received))
    assert (draft.params["missing_items"], draft.params["extra_items"]) == (missing, extra)
    assert draft.severity == ("S2" if missing else "S3")


def test_partial_receipts_add_up() -> None:
    assert found(sent("case1", "case2"), got("case1"), got("case2", index=3)) == []


def test_the_window_is_counted_from_the_first_receipt_in_ledger_time() -> None:
    legs = (sent("case1", "case2"), got("case1"), got("x", index=3, time_ms=3 * HOUR))
    assert found(*legs, now_ms=3 * HOUR - 1, window_s=7200) == []
    assert len(found(*legs, now_ms=3 * HOUR, window_s=7200)) == 1


def test_nothing_is_due_without_a_receipt_or_a_difference() -> None:
    parameters = QuantityMismatch()
    assert due_ms(parameters, ShipmentFacts("DA1", (sent("case1"),))) is None
    assert due_ms(parameters, ShipmentFacts("DA1", (got("case1"),))) is None
    assert due_ms(parameters, ShipmentFacts("DA1", (sent("case1"), got("case1")))) is None
    assert due_ms(parameters, ShipmentFacts("DA1", (sent("case1"), got("case2")))) == HOUR + 86_400_000


def test_void_legs_and_despatches_called_back() -> None:
    assert found(sent("case1", "case2", void=((5, None),)), got("case1")) == []
    back = replace(sent("case2", step="void_shipping"), index=3, event_id="v", time_ms=1)
    assert found(sent("case1", "case2"), back, got("case1")) == []
    assert len(found(sent("case1", "case2"), got("case1"))) == 1


def test_amounts_per_class_and_unit() -> None:
    def amount(value: str, unit: str = "") -> dict[tuple[str, str], Decimal]:
        return {("lot", unit): Decimal(value)}

    assert found(sent(quantities=amount("10")), got(quantities=amount("4")), got(index=3, quantities=amount("6"))) == []
    (draft,) = found(sent(quantities=amount("10")), got(quantities=amount("7.5")))
    assert (draft.params["missing"], draft.params["missing_items"]) == ("2.5", ["lot"])
    (draft,) = found(sent(quantities=amount("10", "KGM")), got(quantities=amount("10", "LBR")))
    assert (draft.params["missing_items"], draft.params["extra_items"]) == (["lot KGM"], ["lot LBR"])
