"""Lines of one shape are walked once: a trace is the same as the ways of its things, walked one by one and added up."""

from collections import Counter
from random import Random
from typing import Any

import pytest

from tests.unit.custody.test_way import HUB, MAKER, SHOP, book, fact, made, opened, packed
from traceability.custody import tracing
from traceability.custody.fold import Fact
from traceability.custody.lines import Book
from traceability.custody.tracing import Group, trace
from traceability.custody.way import way

BY = (MAKER, SHOP, HUB)


def world(random: Random) -> dict[str, list[Fact]]:
    """Packs in cases in pallets, with steps by anybody at any time."""
    facts: dict[str, list[Fact]] = {}
    for name in [f"P{number}" for number in range(12)]:
        facts[name] = [made(random.randrange(3)), *_steps(random, ["C0", "C1", "C2"])]
    for name in ("C0", "C1", "C2"):
        facts[name] = [*_steps(random, ["L"]), *(opened(random.randrange(20), random.choice(BY)) for _ in range(2))]
    facts["L"] = _steps(random, ["M"])
    facts["M"] = _steps(random, ["M2"])
    return {name: sorted(found, key=lambda one: one.order) for name, found in facts.items()}


def _steps(random: Random, containers: list[str]) -> list[Fact]:
    steps = ("shipping", "receiving", "storing", "dispensing", "destroying", "void_shipping", "sensor_reporting")
    found = [fact(random.randrange(20), random.choice(BY), random.choice(steps)) for _ in range(random.randrange(3))]
    for _ in range(random.randrange(3)):
        action = random.choice(["ADD", "ADD", "DELETE"])
        found.append(packed(random.randrange(20), random.choice(BY), random.choice(containers), action))
    return found


def one_by_one(groups: list[Group], pages: Book) -> dict[str, Any]:
    """The same sums out of single ways."""
    legs: Counter[Any] = Counter()
    now: Counter[Any] = Counter()
    steps: Counter[Any] = Counter()
    for group in groups:
        one = way(group.name, pages)
        for key in {(move.source, move.target, move.kind) for move in one.moves}:
            legs[key] += group.things
        now[one.at] += group.things
        for step in one.steps:
            steps[step.fact.index, step.kind, step.evidence, step.why, step.container, step.node] += group.things
    return {"legs": legs, "now": now, "steps": steps}


def summed(groups: list[Group], pages: Book) -> dict[str, Any]:
    found = trace(groups, pages)
    return {
        "legs": Counter({(leg.source, leg.target, leg.kind): leg.packs for leg in found.legs}),
        "now": Counter({row.node: row.now for row in found.nodes if row.now}),
        "steps": Counter(
            {
                (
                    one.step.fact.index, one.step.kind, one.step.evidence, one.step.why, one.step.container,
                    one.step.node,
                ): one.packs
                for one in found.steps
            }
        ),
    }  # fmt: skip


def differ(seed: int) -> bool:
    pages = book(**world(Random(seed)))
    groups = [Group(f"P{number}", number + 1) for number in range(12)]
    return summed(groups, pages) != one_by_one(groups, pages)


@pytest.mark.parametrize("start", range(0, 400, 100))
def test_a_trace_is_the_sum_of_its_ways(start: int) -> None:
    assert [seed for seed in range(start, start + 100) if differ(seed)] == []


@pytest.mark.parametrize("seed", [1])
def test_a_shape_that_tells_too_little_is_noticed(monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    """The negative control: lines as long as each other are taken for the same."""
    monkeypatch.setattr(tracing, "shape", lambda told, _book: len(told.entries))
    assert any(differ(one) for one in range(seed, seed + 20))


def test_cases_that_went_the_same_way_are_walked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    walks = []
    walked = tracing.walked
    monkeypatch.setattr(tracing, "walked", lambda *given: walks.append(1) or walked(*given))
    facts = {}
    for number in range(50):
        facts[f"P{number}"] = [made(number), packed(100 + number, MAKER, f"C{number}")]
        facts[f"C{number}"] = [fact(200 + number, MAKER, "shipping"), fact(300 + number, SHOP, "receiving")]
    found = trace([Group(f"P{number}", 100) for number in range(50)], book(**facts))
    assert (len(walks), found.packs) == (1, 5000)
    assert sorted((leg.kind, leg.packs, len(leg.events)) for leg in found.legs) == [
        ("commissioning", 5000, 50), ("packing", 5000, 50), ("shipping", 5000, 100)
    ]  # fmt: skip
