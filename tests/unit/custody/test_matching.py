"""Which receipts belong to a despatch by content, and how both sides of a shipment are laid beside each other."""

from collections import Counter
from typing import Any

from traceability.custody import matching, sides
from traceability.custody.matching import DAY_MS, SKEW_MS, WINDOW_MS, Despatch, Match, Receipt
from traceability.custody.sides import Known, Standing, State

LOT = ("09521000001008", "L1")


def despatch(key: str = "DA1", *goods: str, at: int = DAY_MS, to: str = "pharmacy") -> Despatch:
    return Despatch(key, frozenset(["maker"]), frozenset([to]), frozenset(goods or ("a", "b")), at)


def receipt(*things: str, at: int = 2 * DAY_MS, by: str = "pharmacy", sender: str = "", index: int = 9) -> Receipt:
    return Receipt(index, frozenset([by, "gln-of-" + by]), sender, {one: frozenset([one]) for one in things}, at)


def test_a_receipt_of_the_same_goods_by_the_named_receiver_belongs_to_the_despatch() -> None:
    assert matching.match([despatch()], [receipt("a", "x")]) == {"DA1": [Match(9, frozenset(["a"]))]}
    assert matching.match([despatch(to="gln-of-pharmacy")], [receipt("a")]), "whatever URI names the receiver"


def test_others_receipts_and_other_times_do_not() -> None:
    assert matching.match([despatch()], [receipt("x")]) == {}
    assert matching.match([despatch()], [receipt("a", by="other")]) == {}
    assert matching.match([despatch()], [receipt("a", sender="other")]) == {}
    assert matching.match([despatch()], [receipt("a", at=DAY_MS - SKEW_MS - 1)]) == {}
    assert matching.match([despatch()], [receipt("a", at=DAY_MS + WINDOW_MS + 1)]) == {}
    assert matching.match([despatch()], [receipt("a", at=DAY_MS + WINDOW_MS, sender="maker")])


def test_goods_that_travelled_twice_belong_to_the_newest_despatch_before_the_receipt() -> None:
    twice = [despatch("DA1", "a", at=DAY_MS), despatch("DA2", "a", at=5 * DAY_MS)]
    assert list(matching.match(twice, [receipt("a", at=2 * DAY_MS)])) == ["DA1"]
    assert list(matching.match(twice, [receipt("a", at=6 * DAY_MS)])) == ["DA2"]


def test_one_receipt_may_take_in_two_despatches_and_a_case_counts_for_its_pallet() -> None:
    around = Receipt(
        9, frozenset(["pharmacy"]), "", {"case": frozenset(["case", "pallet"]), "b": frozenset("b")}, 2 * DAY_MS
    )
    found = matching.match([despatch("DA1", "pallet"), despatch("DA2", "b")], [around])
    assert found == {"DA1": [Match(9, frozenset(["case"]))], "DA2": [Match(9, frozenset(["b"]))]}


def known(**more: Any) -> Known:
    counts = {"pallet": Counter({LOT: 4}), "case1": Counter({LOT: 2}), "case2": Counter({LOT: 2})}
    counts |= {name: Counter({LOT: 1}) for name in ("a", "b", "x", "p1")}
    above = {"case1": ["pallet"], "case2": ["pallet"], "p1": ["case1", "pallet"]}
    return Known(counts, more.get("above", above), more.get("inside", {}))


def states(found: list[sides.Line]) -> dict[str, str]:
    return {line.epc: line.state for line in found}


def test_lines_that_differ_come_first() -> None:
    found = sides.lines(["a", "b", "pallet"], ["a", "case1", "x"], known())
    assert [(one.epc, one.state) for one in found] == [
        ("pallet", State.PART), ("x", State.SURPLUS), ("b", State.AWAITED), ("a", State.RECEIVED),
    ]  # fmt: skip
    assert (found[0].missing, found[0].parts, found[1].surplus) == (2, ("case1",), 1)
    assert sides.by_lot(found) == {LOT: (6, 4)}


def test_a_pallet_received_by_all_its_cases_is_whole_and_a_pack_of_a_received_case_counts_once() -> None:
    assert states(sides.lines(["pallet"], ["case1", "case2", "p1"], known())) == {"pallet": State.RECEIVED}
    assert states(sides.lines(["pallet"], ["pallet", "p1"], known())) == {"pallet": State.RECEIVED}


def test_cases_received_on_the_pallet_that_they_stood_on_are_received() -> None:
    inside = {"pallet": {"case1", "case2", "p1"}}
    assert states(sides.lines(["case1", "case2"], ["pallet"], known(inside=inside))) == dict.fromkeys(
        ("case1", "case2"), State.RECEIVED
    )
    besides = sides.lines(["case1"], ["pallet"], known(inside=inside))
    assert [(one.epc, one.surplus) for one in besides] == [("pallet", 2), ("case1", 0)]


def standing(sent: list[str], got: list[str], **more: Any) -> Standing:
    told = {"is_void": False, "is_sent": True, "received_ms": 0, "now_ms": 0, **more}
    return sides.standing(sides.totals(sides.lines(sent, got, known())), **told)


def test_where_a_shipment_stands() -> None:
    assert standing(["a", "b"], []) == Standing.TRANSIT
    assert standing(["a", "b"], ["a"]) == Standing.PARTIAL
    assert standing(["a", "b"], ["a"], now_ms=sides.PARTIAL_MS) == Standing.SHORT
    assert standing(["a"], ["a", "x"]) == Standing.OVER
    assert standing(["a"], ["a"]) == Standing.RECEIVED
    assert standing(["a"], [], is_void=True) == Standing.VOID
    assert standing(["a"], ["a"], is_void=True) == Standing.VOID_RECEIVED
    assert standing([], ["a"], is_sent=False) == Standing.UNSENT
