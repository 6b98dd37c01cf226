"""Too warm, frozen, too cold: certain and possible bounds, whose limits count, what is one incident."""

from dataclasses import replace
from typing import Any

import pytest

from traceability.contracts.draft import Draft
from traceability.contracts.facts import Chunk, HolderFacts, Limits
from traceability.contracts.templates import temperature_freeze, temperature_hot
from traceability.contracts.templates.temperature_freeze import TemperatureFreeze
from traceability.contracts.templates.temperature_hot import TemperatureHot

MINUTE = 60_000
FRIDGE = Limits("glarvia", "g", "fridge", 2_000, 8_000, 1_200, 1_800, freeze_sensitive=True)
ROOM = Limits("amoxil", "a", "room", 15_000, 25_000, 86_400, 86_400)


def holder(
    *values: int, step_ms: int = 10 * MINUTE, limits: tuple[Limits, ...] = (FRIDGE,), **members: Any
) -> HolderFacts:
    readings = tuple((place * step_ms, value) for place, value in enumerate(values))
    chunk = Chunk(7, "d", "p", readings[0][0], readings[-1][0], readings, min(values), max(values))
    return HolderFacts("box", (chunk,), limits, **members)


def hot(facts: HolderFacts, **parameters: Any) -> list[Draft]:
    return list(temperature_hot.evaluate(TemperatureHot(**parameters), facts))


def cold(facts: HolderFacts, **parameters: Any) -> list[Draft]:
    return list(temperature_freeze.evaluate(TemperatureFreeze(**parameters), facts))


@pytest.mark.parametrize(
    ("bad", "certainty"),
    [
        (1, None),  # possible 20 min < 30
        (2, "possible"),  # certain 10, possible 30
        (3, "possible"),
        (4, "certain"),  # certain 30
    ],
)
def test_too_warm_by_its_bounds(bad: int, certainty: str | None) -> None:
    found = hot(holder(5_000, *[9_000] * bad, 5_000))
    assert [draft.certainty for draft in found] == ([certainty] if certainty else [])
    assert [draft.severity for draft in found] == (
        [{"certain": "S2", "possible": "S3"}[certainty]] if certainty else []
    )


def test_the_limit_itself_is_good_unless_not_strict() -> None:
    facts = holder(5_000, *[8_000] * 9, 5_000)
    assert hot(facts) == []
    assert len(hot(facts, strict=False)) == 1


def test_parameters_go_before_the_profile() -> None:
    facts = holder(5_000, *[9_000] * 9, 5_000)
    assert hot(facts, limit_mc=9_000) == []
    assert hot(facts, limit_s=7_200) == []
    assert hot(facts, limit_mc=8_999, limit_s=4_800)[0].certainty == "certain"


def test_runs_of_one_trip_are_one_incident() -> None:
    twice = holder(5_000, *[9_000] * 4, 5_000, *[12_000] * 4, 5_000)
    (draft,) = hot(twice)
    assert draft.params["extreme_mc"] == 12_000
    assert len(hot(twice, group_s=0)) == 2


def test_two_loggers_are_judged_by_themselves_and_told_once() -> None:
    one = holder(*[9_000] * 5)
    other = replace(
        one.chunks[0], index=8, device="e", readings=tuple((ms + MINUTE, 5_000) for ms, _ in one.chunks[0].readings)
    )
    (draft,) = hot(replace(one, chunks=(one.chunks[0], other)))
    assert draft.certainty == "certain"  # interleaved they would never be warm for long


def test_nothing_is_held_across_a_gap() -> None:
    facts = holder(9_000, 9_000, 9_000, step_ms=60 * MINUTE)
    assert hot(facts, max_gap_s=1_800) == []
    assert len(hot(facts)) == 1


def test_a_summary_without_readings_is_possible_at_most() -> None:
    chunk = Chunk(7, "d", "p", 0, 60 * MINUTE, (), 4_000, 14_000)
    (draft,) = hot(HolderFacts("box", (chunk,), (FRIDGE,)))
    assert (draft.certainty, draft.params["certain_s"], draft.params["possible_s"]) == ("possible", 0, 3600)
    assert hot(HolderFacts("box", (replace(chunk, end_ms=MINUTE),), (FRIDGE,))) == []


def test_frozen_goes_before_too_cold() -> None:
    (draft,) = cold(holder(5_000, *[-4_000] * 9, 5_000))
    assert (draft.code, draft.severity) == ("temperature-freeze", "S2")
    (draft,) = cold(holder(5_000, *[1_000] * 9, 5_000))
    assert draft.code == "temperature-cold"


def test_the_freezing_limit_counts_as_frozen() -> None:
    (draft,) = cold(holder(5_000, *[-500] * 7, 5_000))
    assert (draft.code, draft.certainty) == ("temperature-freeze", "certain")
    assert cold(holder(5_000, *[-499] * 7, 5_000))[0].code == "temperature-cold"
    assert cold(holder(5_000, *[2_000] * 9, 5_000)) == []


def test_what_may_freeze_does_not_freeze() -> None:
    assert [draft.code for draft in cold(holder(*[-4_000] * 200, limits=(ROOM,)))] == ["temperature-cold"]


def test_a_mixed_box_is_judged_for_each_product_and_told_once() -> None:
    (draft,) = hot(holder(*[30_000] * 200, limits=(FRIDGE, ROOM)))
    assert draft.params["extreme_mc"] == 30_000


def test_a_shared_place_is_judged_by_the_product_that_belongs_there() -> None:
    assert hot(holder(*[20_000] * 20, limits=(FRIDGE, ROOM), is_place=True)) == []
    assert len(hot(holder(*[20_000] * 20, limits=(FRIDGE, ROOM)))) == 1  # a container is not shared that way


def test_without_a_known_product_nothing_is_said() -> None:
    assert hot(holder(*[30_000] * 20, limits=())) == []
