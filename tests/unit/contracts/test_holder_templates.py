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


def chunk_at(index: int, start_min: int, *values: int, reporter: str = "p") -> Chunk:
    readings = tuple(((start_min + 10 * place) * MINUTE, value) for place, value in enumerate(values))
    return Chunk(index, "d", reporter, readings[0][0], readings[-1][0], readings, min(values), max(values))


def test_evidence_is_what_covers_the_incident() -> None:
    """Read-outs before and after it, and who made those, have nothing to do with it."""
    before, up_to = chunk_at(5, 0, 5_000, 5_000, reporter="early"), chunk_at(6, 20, 5_000, 9_000, reporter="first")
    warm, rest = chunk_at(7, 40, *[9_000] * 5, reporter="second"), chunk_at(8, 80, 9_000, 5_000, reporter="third")
    after = chunk_at(9, 100, 5_000, 5_000, reporter="late")
    (draft,) = hot(HolderFacts("box", (before, up_to, warm, rest, after), (FRIDGE,), parties=("carrier",)))
    assert (draft.params["start_ms"], draft.params["end_ms"]) == (30 * MINUTE, 80 * MINUTE)
    assert (draft.evidence, draft.parties) == ((6, 7, 8), ("carrier", "first", "second", "third"))


def test_a_read_out_that_only_touches_the_incident_is_evidence() -> None:
    spans = {
        1: (0, 10 * MINUTE - 1),
        2: (0, 10 * MINUTE),
        3: (50 * MINUTE, 99 * MINUTE),
        4: (50 * MINUTE + 1, 99 * MINUTE),
    }
    other = [Chunk(index, "e", "q", start, end, (), 5_000, 5_000) for index, (start, end) in spans.items()]
    (draft,) = hot(HolderFacts("box", (holder(5_000, *[9_000] * 5, 5_000).chunks[0], *other), (FRIDGE,)))
    assert (draft.params["start_ms"], draft.params["end_ms"]) == (10 * MINUTE, 50 * MINUTE)
    assert draft.evidence == (2, 3, 7)


def test_runs_belong_together_up_to_the_grouping_distance() -> None:
    """From the end of the first (40 min) to the start of the second (60 min)."""
    twice = holder(5_000, *[9_000] * 4, 5_000, *[12_000] * 4, 5_000)
    assert [len(hot(twice, group_s=seconds)) for seconds in (1_200, 1_199)] == [1, 2]


def test_of_overlapping_runs_the_longest_reaches_furthest() -> None:
    long, short = chunk_at(1, 0, *[9_000] * 12), replace(chunk_at(2, 10, *[9_000] * 5), device="e")
    again = replace(chunk_at(3, 115, *[9_000] * 5), device="f")
    assert len(hot(HolderFacts("box", (long, short, again), (FRIDGE,)), group_s=600)) == 1


def test_a_summary_counts_from_exactly_the_limit_on() -> None:
    start, limit_ms = 5 * MINUTE, FRIDGE.high_s * 1000
    chunk = Chunk(7, "d", "p", start, start + limit_ms, (), None, 14_000)
    (draft,) = hot(HolderFacts("box", (chunk,), (FRIDGE,)))
    assert draft.params["possible_s"] == FRIDGE.high_s
    assert hot(HolderFacts("box", (replace(chunk, end_ms=chunk.end_ms - 1000),), (FRIDGE,))) == []


def test_a_shared_place_with_summaries_only_is_judged_by_these() -> None:
    chunk = Chunk(7, "d", "p", 0, 120 * MINUTE, (), 19_000, 21_000)
    assert hot(HolderFacts("shelf", (chunk,), (FRIDGE, ROOM), is_place=True)) == []
    only_high = replace(chunk, min_mc=None, max_mc=5_500)
    assert hot(HolderFacts("shelf", (only_high,), (FRIDGE, ROOM), is_place=True)) == []
    assert len(hot(HolderFacts("shelf", (chunk,), (FRIDGE,), is_place=True))) == 1  # one product only: its own limits


def test_of_products_that_suit_alike_the_stricter_one_counts() -> None:
    wide = replace(FRIDGE, item="wide", low_mc=-10_000, high_mc=30_000)
    warm = holder(*[5_000] * 20, *[9_000] * 9, limits=(wide, FRIDGE), is_place=True)
    assert hot(warm)[0].params["item"] == "glarvia"
