"""Packed anew without having been taken out, and lying in itself: positive, negative and at the boundary."""

from collections.abc import Sequence
from typing import Any

import pytest

from traceability.contracts.draft import Draft
from traceability.contracts.facts import ThingFacts
from traceability.contracts.gather.packings import on_rings
from traceability.contracts.templates import containment
from traceability.contracts.templates.containment import Containment
from traceability.custody.fold import Fact

HOUR = 3_600_000
SKEW = 900_000


def packing(index: int, parent: str, *, hour: float = 0, action: str = "ADD", **members: Any) -> Fact:
    return Fact(
        index=index, time_ms=int(hour * HOUR), event_id=f"e{index:02d}", role=members.pop("role", "child"),
        type="AggregationEvent", action=action, step="packing", disposition="", place="", reporter=f"p{index}",
        parent=parent, **members,
    )  # fmt: skip


def judged(as_of: int = 1000, /, **packings: Sequence[Fact]) -> list[Draft]:
    subject = next(iter(packings))
    return list(containment.evaluate(Containment(), ThingFacts(subject, (), packings=packings).as_of(as_of)))


def test_packed_into_a_second_container() -> None:
    (found,) = judged(A=[packing(1, "X", hour=1), packing(2, "Y", hour=2)])
    assert (found.code, found.evidence, found.severity) == ("containment-second", (1, 2), "S3")
    assert (found.params["first_container"], found.params["second_container"]) == ("X", "Y")
    assert (found.parties, found.at_ms) == (("p1", "p2"), 2 * HOUR)


@pytest.mark.parametrize("role", ["child", "emptied"])
def test_taken_out_first_is_in_order(role: str) -> None:
    out = packing(3, "X", hour=1.5, action="DELETE", role=role)
    assert judged(A=[packing(1, "X", hour=1), out, packing(2, "Y", hour=2)]) == []


@pytest.mark.parametrize(("late_ms", "is_found"), [(0, False), (SKEW, False), (SKEW + 1, True)])
def test_clocks_may_differ(late_ms: int, is_found: bool) -> None:
    out = packing(3, "X", hour=2 + late_ms / HOUR, action="DELETE")
    facts = [packing(1, "X", hour=1), packing(2, "Y", hour=2), out]
    assert bool(judged(A=sorted(facts, key=lambda fact: fact.order))) is is_found


def test_taken_out_of_a_third_one_does_not_help() -> None:
    out = packing(3, "Z", hour=1.5, action="DELETE")
    assert len(judged(A=[packing(1, "X", hour=1), out, packing(2, "Y", hour=2)])) == 1


def test_the_same_container_again_and_none_at_all_are_in_order() -> None:
    assert judged(A=[packing(1, "X", hour=1), packing(2, "X", hour=2)]) == []
    assert judged(A=[packing(1, "X", hour=1)]) == []
    assert judged(A=[]) == []


def test_each_packing_out_of_nothing_is_a_finding_of_its_own() -> None:
    found = judged(A=[packing(1, "X", hour=1), packing(2, "Y", hour=2), packing(3, "Z", hour=3)])
    assert [one.evidence for one in found] == [(1, 2), (2, 3)]
    assert len({one.discriminator for one in found}) == 2


def test_void_is_void_and_only_then() -> None:
    facts = [packing(1, "X", hour=1, void=((5, None),)), packing(2, "Y", hour=2)]
    assert judged(5, A=facts) == []
    assert len(judged(4, A=facts)) == 1


def test_a_in_b_in_a() -> None:
    rings = {"A": [packing(1, "B", hour=1)], "B": [packing(2, "A", hour=2)]}
    (found,) = judged(**rings)
    (other,) = judged(B=rings["B"], A=rings["A"])
    assert (found.code, found.evidence, found.params["ring"]) == ("containment-ring", (1, 2), ["B", "A"])
    assert found.incident == other.incident  # one alert for both
    assert found.at_ms == other.at_ms == 2 * HOUR
    assert judged(1, **rings) == []  # before the second entry


def test_a_in_itself() -> None:
    (found,) = judged(A=[packing(1, "A", hour=1)])
    assert (found.evidence, found.params["ring"]) == ((1,), ["A"])


@pytest.mark.parametrize(("levels", "is_found"), [(3, True), (8, True), (9, False)])
def test_over_several_levels(levels: int, is_found: bool) -> None:
    ring = {f"C{n}": [packing(n, f"C{(n + 1) % levels}", hour=n)] for n in range(levels)}
    assert bool(judged(**ring)) is is_found


def test_one_after_the_other_is_no_ring() -> None:
    taken_out = [packing(1, "B", hour=1), packing(2, "B", hour=2, action="DELETE")]
    assert judged(A=taken_out, B=[packing(3, "A", hour=2)]) == []
    assert len(judged(A=taken_out, B=[packing(3, "A", hour=1.5)])) == 1  # negative control: half an hour at once


def test_what_lies_in_a_ring_is_no_member() -> None:
    assert judged(pack=[packing(1, "A", hour=0)], A=[packing(2, "B", hour=1)], B=[packing(3, "A", hour=2)]) == []


def test_rings_of_a_graph() -> None:
    assert on_rings([("pack", "A"), ("A", "B"), ("B", "A"), ("B", "truck")]) == {"A", "B"}
    assert on_rings([("A", "A"), ("A", "B")]) == {"A"}
    assert on_rings([("A", "B"), ("B", "C"), ("A", "C")]) == set()
