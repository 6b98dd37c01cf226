"""The demo world's plan: whatever the seed, the same kinds of things happen, and nothing impossible."""

from datetime import date

import pytest

from traceability.simulation import events
from traceability.simulation.bootstrap import Founded
from traceability.simulation.plan import DAY, DAYS, make_plan
from traceability.simulation.summary import summary
from traceability.simulation.world import check_digit, make_world

START_MS = 1_793_548_800_000
KINDS = {
    "warm_truck",
    "frozen_box",
    "cloned_serial",
    "expired_sale",
    "short_delivery",
    "moved_after_recall",
    "double_dispense",
}


@pytest.mark.parametrize("seed", range(25))
def test_every_seed_gives_a_whole_world(seed: int) -> None:
    world = make_world(seed=seed, first_day=date(2026, 11, 2))
    plan = make_plan(world, seed=seed, start_ms=START_MS)
    assert {incident.kind for incident in plan.incidents} == KINDS
    assert len(plan.incidents) == len(KINDS)
    assert set(plan.stock()) == {party.id for party in world.parties.values() if party.role != "regulator"}
    content = summary(world, plan, Founded({}, {}), base_url="http://x", seed=seed)
    assert len(content["samples"]) == 7
    tasks = [action.data["task"] for action in plan.actions if action.door == "desk"]
    assert (tasks.count("recall"), tasks.count("exception"), "answer_recall" in tasks) == (1, 1, True)
    assert sum(action.data.get("step") == "dispense_part" for action in plan.actions) == 1
    assert plan.actions[0].at_ms >= START_MS
    assert plan.actions[-1].at_ms < START_MS + (DAYS - 1) * DAY  # never later than the day on which it is built


def test_the_same_seed_gives_the_same_plan_and_another_seed_another() -> None:
    def plan(seed: int) -> object:
        return make_plan(make_world(seed=seed, first_day=date(2026, 11, 2)), seed=seed, start_ms=START_MS)

    assert plan(5) == plan(5)
    assert plan(5) != plan(6)


def test_goods_move_only_after_they_were_made_and_are_handed_out_once() -> None:
    world = make_world(seed=4, first_day=date(2026, 11, 2))
    plan = make_plan(world, seed=4, start_ms=START_MS)
    seen = set()
    handed = []
    for action in plan.actions:
        for event in action.data.get("events", ()):
            if event.get("ilmd"):
                seen |= set(event["epcList"])
            elif event["bizStep"] == "dispensing":
                handed += event["epcList"]
                assert set(event["epcList"]) <= seen
        if action.data.get("step") == "dispense":
            handed += action.data["codes"]
    twice = next(incident for incident in plan.incidents if incident.kind == "double_dispense").packs[0]
    assert len(handed) == len(set(handed))  # the second hand-out of the pair goes through the other door
    assert twice.code in handed


def test_numbers_carry_their_check_digit() -> None:
    world = make_world(seed=2, first_day=date(2026, 11, 2))
    numbers = [item.gtin for item in world.items.values()] + [party.gln for party in world.parties.values()]
    numbers += [case.sscc for lot in world.lots for case in lot.cases]
    assert all(check_digit(number[:-1]) == number[-1] for number in numbers)
    assert len(set(numbers)) == len(numbers)


def test_a_document_is_what_a_company_would_send() -> None:
    document = events.document([], START_MS)
    assert document["creationDate"].endswith("Z")
    assert document["type"] == "EPCISDocument"
