"""One thing's way and how well each step of it is known, on events as short as they can be written."""

from itertools import count
from typing import Any

import pytest

from traceability.custody.entries import Sayings
from traceability.custody.fold import Fact
from traceability.custody.lines import Book, line
from traceability.custody.tracing import BACK, ON, Group, Window, trace
from traceability.custody.way import Node, Way, way

_ids = count(1)
MAKER, SHOP, HUB = "M", "S", "H"


def fact(at: int, by: str, step: str, role: str = "epc", **members: Any) -> Fact:
    index = members.pop("index", next(_ids))
    values = {"type": "ObjectEvent", "action": "OBSERVE", "disposition": "", "place": f"{by}1", "reporter": by}
    return Fact(index, at, f"e{index}", role, step=step, **{**values, **members})


def made(at: int = 0, by: str = MAKER, **members: Any) -> Fact:
    return fact(at, by, "commissioning", action="ADD", **members)


def packed(at: int, by: str, parent: str, action: str = "ADD", **members: Any) -> Fact:
    step = "packing" if action == "ADD" else "unpacking"
    return fact(at, by, step, "child", type="AggregationEvent", action=action, parent=parent, **members)


def opened(at: int, by: str, **members: Any) -> Fact:
    return fact(at, by, "unpacking", "parent", type="AggregationEvent", action="DELETE", **members)


def told(thing: str = "P", **facts: list[Fact]) -> Way:
    return way(thing, book(**facts))


def book(**facts: list[Fact]) -> Book:
    actors = {f"{party}1": party for party in (MAKER, SHOP, HUB)}
    sayings = Sayings()
    pages = {name: [sayings.entry(one) for one in found] for name, found in facts.items()}
    return Book(pages, sayings, actors=actors, parties={"gln:S": SHOP})


def known(one: Way) -> list[tuple[str, str, str]]:
    return [(step.kind, step.evidence, step.why) for step in one.steps]


def legs(one: Way) -> list[tuple[str, str, str, str]]:
    """Without what happened on the spot."""

    def name(node: Node | None) -> str:
        return (node.party or node.state) if node else ""

    moves = [move for move in one.moves if move.source != move.target]
    return [(name(move.source), name(move.target), move.kind, move.evidence) for move in moves]


def test_sent_and_received_by_itself() -> None:
    one = told(P=[made(), fact(1, MAKER, "shipping", destination="gln:S"), fact(2, SHOP, "receiving")])
    assert known(one) == [(kind, "observed", "") for kind in ("commissioning", "shipping", "receiving")]
    assert legs(one) == [("", "M", "commissioning", "observed"), ("M", "S", "shipping", "observed")]
    assert one.at == Node(SHOP, "S1")


def test_on_its_way_to_whom_the_shipping_names() -> None:
    one = told(P=[made(), fact(1, MAKER, "shipping", destination="gln:S")])
    assert one.at == Node(SHOP, "", "in_transit")
    assert legs(one)[-1] == ("M", "S", "shipping", "observed")


def test_in_a_case_its_steps_are_inferred_while_it_is_inside() -> None:
    case = [fact(0, MAKER, "packing", "parent", type="AggregationEvent", action="ADD"), fact(2, MAKER, "shipping"),
            fact(3, SHOP, "receiving"), fact(5, SHOP, "inspecting")]  # fmt: skip
    one = told(P=[made(), packed(1, MAKER, "C"), packed(4, SHOP, "C", "DELETE")], C=case)
    assert known(one) == [
        ("commissioning", "observed", ""),
        ("packing", "observed", ""),
        ("shipping", "inferred", ""),
        ("receiving", "inferred", ""),
        ("unpacking", "observed", ""),
    ]
    assert legs(one)[-1] == ("M", "S", "shipping", "inferred")


@pytest.mark.parametrize(("shipped", "evidence"), [(True, "observed"), (False, "unknown")])
def test_received_without_a_shipment(shipped: bool, evidence: str) -> None:
    one = told(P=[made(), *([fact(1, MAKER, "shipping")] if shipped else []), fact(2, SHOP, "receiving")])
    assert one.steps[-1].evidence == evidence
    assert legs(one)[-1] == ("M", "S", "shipping" if shipped else "unexplained", evidence)
    assert one.steps[-1].why == ("" if shipped else "unshipped")


@pytest.mark.parametrize(("where", "evidence"), [(MAKER, "inferred"), (HUB, "unknown")])
def test_a_case_opened_elsewhere_without_it(where: str, evidence: str) -> None:
    """Opened where it was packed, it was part of the packing; elsewhere, nobody knows whether it went on inside."""
    case = [*([fact(2, MAKER, "shipping"), fact(3, HUB, "receiving")] if where == HUB else []), opened(4, where),
            fact(5, where, "shipping"), fact(6, SHOP, "receiving")]  # fmt: skip
    one = told(P=[made(), packed(1, MAKER, "C")], C=case)
    assert one.steps[-1].evidence == evidence
    assert one.steps[-1].why == ("" if where == MAKER else "opened")


@pytest.mark.parametrize(("seen", "evidence"), [(MAKER, "inferred"), (HUB, "unknown")])
def test_two_records_that_contradict_each_other(seen: str, evidence: str) -> None:
    case = [fact(3, MAKER, "shipping"), fact(5, SHOP, "receiving")]
    one = told(P=[made(), packed(1, MAKER, "C"), fact(2, seen, "inspecting")], C=case)
    assert one.steps[-1].evidence == evidence
    assert one.steps[-1].why == ("" if seen == MAKER else "apart")


def test_taken_out_ahead_of_its_case_they_meet_again() -> None:
    case = [
        fact(2, MAKER, "shipping"),
        fact(4, SHOP, "receiving"),
        fact(5, SHOP, "shipping"),
        fact(6, HUB, "receiving"),
    ]
    one = told(P=[made(), packed(1, MAKER, "C"), fact(3, SHOP, "receiving")], C=case)
    assert [step.evidence for step in one.steps] == [*["observed"] * 2, "inferred", "observed", *["inferred"] * 3]


def test_repacked_after_it_was_lost_it_is_known_again() -> None:
    case = [fact(2, MAKER, "shipping"), fact(3, HUB, "receiving"), opened(4, HUB), fact(5, HUB, "storing"),
            fact(7, HUB, "shipping")]  # fmt: skip
    one = told(P=[made(), packed(1, MAKER, "C"), packed(6, HUB, "C", "DELETE"), packed(6, HUB, "D")], C=case,
               D=[fact(8, HUB, "shipping"), fact(9, SHOP, "receiving")])  # fmt: skip
    assert [step.evidence for step in one.steps][-6:] == [*["unknown"] * 2, *["observed"] * 2, *["inferred"] * 2]


def test_reported_by_another_than_who_acted() -> None:
    stock = fact(1, SHOP, "stock_taking", is_opening=True)
    assert known(told(P=[stock]))[0][1] == "reported"
    assert known(told(P=[made(), fact(1, SHOP, "shipping", place="M1")]))[1][1] == "reported"


def test_where_it_was_before_is_unknown_where_nobody_says() -> None:
    one = told(P=[fact(1, SHOP, "receiving")])
    assert (one.steps[0].evidence, legs(one)) == ("observed", [("", "S", "first_seen", "unknown")])


@pytest.mark.parametrize("step", ["dispensing", "destroying", "sampling"])
def test_after_its_end(step: str) -> None:
    one = told(P=[made(), fact(1, MAKER, step), fact(2, MAKER, "inspecting")])
    assert known(one)[-1] == ("inspecting", "unknown", "ended")
    assert one.at is not None
    assert one.at.state == legs(one)[-1][1] != ""


def test_sold_once_more_elsewhere_it_is_shown_there_and_stays_sold() -> None:
    facts = [made(by=SHOP), fact(1, SHOP, "dispensing"), fact(2, HUB, "dispensing"), fact(3, SHOP, "dispensing")]
    one = told(P=facts)
    assert legs(one)[1:] == [("S", "dispensed", "dispensing", "observed"), ("S", "H", "unexplained", "unknown")]
    assert one.at == Node(state="dispensed")
    assert [move.evidence for move in one.moves if move.source == move.target] == ["unknown"]
    found = trace([Group("P", 1)], book(P=facts))
    assert {(row.node.party, row.node.state, row.now) for row in found.nodes} == {
        (SHOP, "", 0), (HUB, "", 0), ("", "dispensed", 1)
    }  # fmt: skip


def test_a_return_follows_a_sale_and_no_destruction() -> None:
    for end, evidence, place in (("dispensing", "observed", "S1"), ("destroying", "unknown", "")):
        one = told(P=[made(by=SHOP), fact(1, SHOP, end), fact(2, SHOP, "receiving")])
        assert one.at is not None
        assert (one.steps[-1].evidence, one.at.place) == (evidence, place)


def test_packs_of_a_case_are_counted_and_the_case_is_not() -> None:
    case = [fact(1, MAKER, "packing", "parent", type="AggregationEvent", action="ADD"), fact(2, MAKER, "shipping")]
    pages = book(P=[made(), packed(1, MAKER, "C")], C=case)
    found = trace([Group("P", 100), Group("C", 1)], pages)
    assert found.packs == 100
    assert {(leg.kind, leg.packs) for leg in found.legs} == {
        ("commissioning", 100),
        ("packing", 100),
        ("shipping", 100),
    }
    assert [(one.step.kind, one.step.evidence, one.packs) for one in found.steps if one.step.kind == "shipping"] == [
        ("shipping", "observed", 100)  # the case's own record, told once
    ]


def test_back_and_on_from_a_window() -> None:
    pages = book(P=[made(), fact(10, MAKER, "shipping"), fact(20, SHOP, "receiving"), fact(30, SHOP, "dispensing")])
    group = Group("P", 1, roots={"P": Window(20, 20)})
    back, on = (trace([group], pages, direction=one) for one in (BACK, ON))
    assert [one.step.kind for one in back.steps] == ["commissioning", "shipping", "receiving"]
    assert [one.step.kind for one in on.steps] == ["receiving", "dispensing"]


def test_what_never_lay_in_the_root_is_left_out() -> None:
    pages = book(P=[made(), packed(1, MAKER, "C")], Q=[made()], C=[fact(2, MAKER, "shipping")])
    groups = [Group(name, 1, roots={"C": Window(-(1 << 62), 1 << 62)}) for name in "PQC"]
    assert trace(groups, pages).packs == 1


def test_what_ended_before_the_window_and_is_told_of_later_is_where_it_ended() -> None:
    sold = [made(), fact(1, MAKER, "dispensing"), fact(9, SHOP, "storing")]
    found = trace([Group("P", 3, {"P": Window(5, 10)})], book(P=sold), direction=ON)
    assert [(leg.kind, leg.packs) for leg in found.legs] == [("unexplained", 3)]
    both = [Group("P", 3, {"P": Window(5, 10)}), Group("Q", 2, {"Q": Window(1, 10)})]
    found = trace(both, book(P=sold, Q=[made(), fact(1, MAKER, "dispensing")]), direction=ON)
    assert [(row.packs, row.now) for row in found.nodes if row.node.state == "dispensed"] == [(5, 5)]


@pytest.mark.parametrize("order", ["PQ", "QP"])
def test_a_container_that_lies_in_one_of_its_packs_is_around_the_other(order: str) -> None:
    """Two packs that the same event puts into a case share what lay around them, but for what is the pack itself."""
    put_in = packed(1, MAKER, "C")
    pages = book(P=[made(), put_in], Q=[made(), put_in], C=[packed(2, MAKER, "P")])
    found = {name: [stay.container for stay in line(name, pages).inside] for name in order}
    assert found == {"P": ["C"], "Q": ["C", "P"]}
