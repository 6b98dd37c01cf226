"""Preflight: which reasons speak against a step, given what is recorded."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from traceability.gs1 import scan
from traceability.scans import reasons
from traceability.scans.preflight import Advice, Ask, Known, LotFacts, Situation, Tally, judge
from traceability.scans.steps import Shape
from traceability.scans.tables import TABLES

GTIN, LOT = "09521000001008", "L1"
HERE, THERE = "https://id.gs1.org/414/9521000000013", "https://id.gs1.org/414/9521000000020"
CASE = "https://id.gs1.org/00/395210000001001060"
PACK = f"https://id.gs1.org/01/{GTIN}/21/1"
TODAY = date(2028, 6, 1)
STEPS = {step.id: step for table in TABLES for step in table.steps}
OURS = "urn:dosetrail:party:us"


def code(text: str = f"(01){GTIN}(21)1") -> scan.ScannedCode:
    return scan.parse(text, today=date(2026, 1, 1))


def found(step: str, known: Known | None, codes: list[scan.ScannedCode] | None = None, **more: Any) -> dict[str, str]:
    """Reason code -> verdict for a step on the pack."""
    codes = codes or [code()]
    ask = Ask(
        STEPS[step],
        codes,
        HERE,
        TODAY,
        own_uris=[OURS],
        **{k: more.pop(k) for k in ("lot", "expiry", "container") if k in more},
    )
    answer = judge(ask, Situation(known={codes[0].epc: known} if known else {}, **more))
    assert answer.verdict == max(
        (reason.verdict for reason in answer.reasons), key=reasons.ORDER.__getitem__, default="allow"
    )
    return {reason.code: reason.verdict for reason in answer.reasons}


IN_STOCK = Known("active", HERE, lot=LOT, expiry=date(2028, 6, 1))


@pytest.mark.parametrize(
    ("printed", "registered", "told", "codes"),
    [
        ("", None, date(2030, 1, 31), set()),
        ("300131", date(2030, 1, 31), date(2030, 1, 31), set()),
        ("300131", None, date(2030, 2, 28), {"expiry-mismatch"}),
        ("", date(2030, 1, 31), date(2030, 2, 28), {"expiry-mismatch"}),
        ("300131", date(2030, 1, 31), None, set()),
    ],
)
def test_commissioning_under_another_expiry_date(
    printed: str, registered: date | None, told: date | None, codes: set[str]
) -> None:
    one = code(f"(01){GTIN}(17){printed}(21)1" if printed else f"(01){GTIN}(21)1")
    facts = LotFacts(is_known=True, is_ours=True, item_known=True, expiry=registered)
    assert set(found("commission", None, [one], lots={one.epc: facts}, expiry=told)) == codes
    if not registered:  # nor is it known as a lot
        assert set(found("commission", None, [one], expiry=told)) == codes


def test_nothing_speaks_against_selling_a_good_pack() -> None:
    assert found("dispense", IN_STOCK) == {}


@pytest.mark.parametrize(
    ("step", "known", "expected"),
    [
        ("dispense", None, {"unknown": "stop"}),
        ("receive", None, {"unknown": "warn"}),
        ("opening_stock", None, {}),
        ("opening_stock", replace(IN_STOCK, status="shipped"), {}),
        ("opening_stock", replace(IN_STOCK, status="dispensed"), {"is-dispensed": "stop"}),
        ("dispense", replace(IN_STOCK, status="dispensed"), {"is-dispensed": "stop"}),
        ("dispense", replace(IN_STOCK, status="stolen"), {"is-stolen": "stop"}),
        ("dispense", replace(IN_STOCK, recalled=True), {"recalled": "stop"}),
        ("receive", replace(IN_STOCK, recalled=True), {"recalled": "warn"}),
        ("destroy", replace(IN_STOCK, recalled=True), {"recalled": "warn"}),
        ("dispense", replace(IN_STOCK, held=True), {"held": "stop"}),
        ("hold", replace(IN_STOCK, held=True), {"held": "warn"}),
        ("dispense", replace(IN_STOCK, expiry=date(2028, 5, 31)), {"expired": "stop"}),
        ("dispense", replace(IN_STOCK, expiry=date(2028, 5, 31), last_day=date(2028, 12, 31)), {}),  # extended
        ("dispense", replace(IN_STOCK, last_day=date(2028, 5, 31)), {"expired": "stop"}),
        ("dispense", replace(IN_STOCK, place=THERE), {"elsewhere": "warn"}),
        ("destroy", replace(IN_STOCK, place=THERE), {"elsewhere": "stop"}),
        ("destroy", Known("shipped", THERE, destinations=frozenset({"else"})), {"elsewhere": "stop"}),
        ("destroy", Known("shipped", THERE, destinations=frozenset({OURS})), {}),
        ("destroy", replace(IN_STOCK, status="dispensed", place=THERE), {}),  # what was sold turns up anywhere
        ("return_in", Known("shipped", THERE, destinations=frozenset({OURS})), {}),
        ("verify", replace(IN_STOCK, place=THERE), {}),
        ("receive", replace(IN_STOCK, place=THERE), {"no-despatch": "warn"}),
        ("receive", Known("shipped", THERE, destinations=frozenset({OURS})), {}),
        ("receive", Known("shipped", THERE, destinations=frozenset({"else"})), {"wrong-recipient": "warn"}),
        ("dispense", replace(IN_STOCK, containers=(CASE,)), {"in-container": "warn"}),
        ("undo", replace(IN_STOCK, status="dispensed", recalled=True), {"recalled": "stop"}),
        ("commission", IN_STOCK, {"exists": "stop"}),
        ("commission", None, {}),
        ("unpack", None, {"not-inside": "stop"}),
        ("unpack", IN_STOCK, {"not-inside": "stop"}),
        ("unpack", replace(IN_STOCK, containers=(CASE,)), {}),
    ],
)
def test_what_is_recorded_speaks(step: str, known: Known | None, expected: dict[str, str]) -> None:
    assert found(step, known) == expected


@pytest.mark.parametrize(
    ("printed", "expected"),
    [
        (f"(01){GTIN}(10){LOT}(17)280601(21)1", {}),
        (f"(01){GTIN}(10)l1(17)280601(21)1", {"lot-mismatch": "stop"}),
        (f"(01){GTIN}(10){LOT}(17)280602(21)1", {"expiry-mismatch": "stop"}),
        (f"(01){GTIN}(21)1", {}),  # a missing element says nothing
    ],
)
def test_the_print_is_compared_with_the_record(printed: str, expected: dict[str, str]) -> None:
    assert found("dispense", IN_STOCK, [code(printed)]) == expected


@pytest.mark.parametrize(
    ("step", "text", "expected"),
    [
        ("dispense", "hello", "not-a-code"),
        ("dispense", f"(01){GTIN}", "no-serial"),
        ("dispense", f"(01){GTIN}(10){LOT}", "no-serial"),
        ("hold_lot", f"(01){GTIN}(21)1", "not-a-lot"),
    ],
)
def test_against_a_code_of_the_wrong_kind_no_reason_helps(step: str, text: str, expected: str) -> None:
    assert found(step, None, [code(text)])[expected] == "stop"
    assert expected in reasons.HARD


@pytest.mark.parametrize(
    ("inside", "step", "expected"),
    [
        (LotFacts(recalled=True), "ship", {"inside-recalled": "stop"}),
        (LotFacts(recalled=True), "receive", {"inside-recalled": "warn"}),
        (LotFacts(held=True), "ship", {"inside-held": "stop"}),
        (LotFacts(expiry=date(2028, 5, 31)), "ship", {"inside-expired": "stop"}),
        (LotFacts(expiry=date(2028, 6, 1)), "ship", {}),
    ],
)
def test_a_container_answers_for_what_is_in_it(inside: LotFacts, step: str, expected: dict[str, str]) -> None:
    known = Known("active", HERE, has_contents=True, lots_inside=frozenset({inside}))
    assert found(step, known, [code(f"(00){CASE[-18:]}")]) == expected


def test_a_case_shipped_with_its_packs_is_no_contradiction() -> None:
    codes = [code(), code(f"(00){CASE[-18:]}")]
    known = {PACK: replace(IN_STOCK, containers=(CASE,)), CASE: Known("active", HERE)}
    assert judge(Ask(STEPS["ship"], codes, HERE, TODAY), Situation(known)).reasons == ()
    alone = judge(Ask(STEPS["ship"], codes[:1], HERE, TODAY), Situation(known))
    assert [reason.code for reason in alone.reasons] == ["in-container"]


@pytest.mark.parametrize(
    ("facts", "step", "expected"),
    [
        (LotFacts(), "hold_lot", {}),
        (LotFacts(is_known=False), "hold_lot", {"unknown-lot": "warn"}),
        (LotFacts(is_ours=False), "hold_lot", {"not-your-product": "stop"}),
        (LotFacts(item_known=False), "hold_lot", {"unknown-product": "warn"}),
        (LotFacts(recalled=True), "release", {"recalled": "stop"}),
        (LotFacts(recalled=True), "hold_lot", {"recalled": "warn"}),
    ],
)
def test_a_lot_step_asks_whose_lot_it_is(facts: LotFacts, step: str, expected: dict[str, str]) -> None:
    lot = code(f"(01){GTIN}(10){LOT}")
    assert found(step, None, [lot], lots={lot.epc: facts}) == expected


def test_commissioning_under_another_lot_than_the_print_says() -> None:
    printed = code(f"(01){GTIN}(10){LOT}(21)1")
    assert found("commission", None, [printed], lot="L2") == {"lot-mismatch": "stop"}
    assert found("commission", None, [printed], lot=LOT) == {}


def test_a_container_is_asked_too() -> None:
    ask = Ask(STEPS["pack"], [code()], HERE, TODAY, container=CASE)
    for container, expected in (
        (None, []),
        (Known("active", HERE), []),
        (Known("active", THERE), ["elsewhere"]),
        (Known("shipped", HERE), ["is-shipped"]),
    ):
        known = {PACK: IN_STOCK} | ({CASE: container} if container else {})
        assert [reason.code for reason in judge(ask, Situation(known)).reasons] == expected
    itself = replace(ask, codes=[code(f"(00){CASE[-18:]}")])
    assert "container-in-itself" in [
        one.code for one in judge(itself, Situation({CASE: Known("active", HERE)})).reasons
    ]


def advice(despatched: dict[str, str], scanned: dict[str, str], received: str = "") -> list[tuple[str, str]]:
    def sets(things: dict[str, str]) -> dict[str, frozenset[str]]:
        return {epc: frozenset(packs.split()) for epc, packs in things.items()}

    told = Advice(sets(despatched), sets(scanned), frozenset(received.split()))
    answer = judge(Ask(STEPS["receive"], [], HERE, TODAY), Situation(advice=told))
    return [(reason.code, reason.epc) for reason in answer.reasons]


def test_short_and_over_are_counted_by_what_lies_in_the_containers() -> None:
    assert advice({"pallet": "a b c d"}, {"case1": "a b", "case2": "c d"}) == []
    assert advice({"case1": "a b", "case2": "c d"}, {"case1": "a b"}) == [("short", "case2")]
    assert advice({"case1": "a b"}, {"a": "a"}) == [("short", "b")]
    assert advice({"case1": "a b"}, {"case1": "a b", "x": "x"}) == [("over", "x")]
    assert advice({"case1": "a b", "case2": "c d"}, {"case2": "c d"}, received="a b") == []


def test_goods_whose_print_differs_can_be_set_aside_by_anybody() -> None:
    printed = [code(f"(01){GTIN}(17)280602(10)L2(21)1")]
    assert found("hold", IN_STOCK, printed) == {"lot-mismatch": "warn", "expiry-mismatch": "warn"}
    assert found("stock", IN_STOCK, printed) == {"lot-mismatch": "stop", "expiry-mismatch": "stop"}


def test_a_release_is_not_warned_of_the_hold_that_it_ends() -> None:
    held = replace(IN_STOCK, held=True)
    assert found("release_hold", held) == {}
    assert found("verify_return", replace(held, unverified=True), [code(f"(01){GTIN}(17)280601(10){LOT}(21)1")]) == {}
    assert found("ship", held) == {"held": "stop"}, "any other step is"
    assert found("release_hold", IN_STOCK) == {"not-held": "warn"}
    assert found("release_hold", replace(held, lot_held=True)) == {"lot-held": "warn"}


def test_a_case_that_is_missing_from_a_pallet_is_named_once() -> None:
    despatched, cases = {"pallet": frozenset("abcdef")}, {"case1": frozenset("ab"), "case2": frozenset("cd")}
    told = Advice(despatched, {"case1": frozenset("ab"), "e": frozenset("e")}, cases=cases)
    answer = judge(Ask(STEPS["receive"], [], HERE, TODAY), Situation(advice=told))
    assert [(one.code, one.epc) for one in answer.reasons] == [("short", "case2"), ("short", "f")]


def test_the_figures_of_an_advice_are_packs() -> None:
    despatched = {"pallet": frozenset("abcd"), "x": frozenset("x")}
    told = Advice(despatched, {"case": frozenset("cd"), "y": frozenset("y")}, received=frozenset("ab"))
    answer = judge(Ask(STEPS["receive"], [], HERE, TODAY), Situation(advice=told))
    assert answer.tally == Tally(expected=5, before=2, scanned=3, missing=1, over=1)
    assert judge(Ask(STEPS["receive"], [], HERE, TODAY), Situation()).tally is None


def test_every_code_has_words_and_nothing_else_is_said() -> None:
    assert set(reasons.TEXTS) >= reasons.HARD | reasons.UNDO_GUARD
    assert found("dispense", IN_STOCK, hindrances=[("no-permission", "")]) == {"no-permission": "stop"}
    statuses = {status for step in STEPS.values() for status in step.from_statuses}
    assert {f"is-{status}" for status in statuses} <= set(reasons.TEXTS)


def test_undo_and_lot_steps_are_marked_as_the_rules_ask() -> None:
    assert not STEPS["undo"].is_overridable
    for step in STEPS.values():
        if step.shape is Shape.LOT:
            assert step.quality_only
    assert {step.id for step in STEPS.values() if step.high_risk} == {"release", "release_hold"}
