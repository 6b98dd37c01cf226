"""The geometry of a flow graph."""

import re

import pytest

from traceability.web.shared import flow
from traceability.web.shared.flow import Flow, Graph, Spot


def spots(names: str, *, packs: int = 1) -> list[Spot]:
    return [Spot(name, name, "", packs, 0) for name in names]


def columns(graph: Graph) -> list[set[str]]:
    xs = sorted({box.x for box in graph.boxes})
    return [{box.spot.title for box in graph.boxes if box.x == x} for x in xs]


def test_each_stands_behind_those_that_passed_something_on_to_it() -> None:
    graph = flow.draw(spots("mwph"), [Flow("m", "w", 9, ""), Flow("w", "p", 4, ""), Flow("m", "h", 1, "")])
    assert columns(graph) == [{"m"}, {"w", "h"}, {"p"}]


def test_bands_are_as_wide_as_what_went_and_never_too_thin_to_see() -> None:
    graph = flow.draw(spots("mab"), [Flow("m", "a", 1000, ""), Flow("m", "b", 1, "")])
    assert sorted(band.width for band in graph.bands) == [flow.MIN_STROKE, flow.MAX_STROKE]


def test_boxes_do_not_overlap_and_bands_stay_inside_the_picture() -> None:
    names = "abcdefgh"
    graph = flow.draw(spots("m" + names), [Flow("m", name, 100, "") for name in names])
    for one in graph.boxes:
        for other in graph.boxes:
            apart = one.y + one.height <= other.y or other.y + other.height <= one.y
            assert one is other or one.x != other.x or apart
        ends = [band for band in graph.bands if band.source == one.spot.number]
        assert sum(band.width for band in ends) <= one.height
    for band in graph.bands:
        numbers = [float(text) for text in re.findall(r"-?[0-9.]+", band.path)]
        assert max(numbers[1::2]) <= graph.height
        assert max(numbers[0::2]) <= graph.width


def test_what_comes_back_goes_round_below() -> None:
    graph = flow.draw(spots("mw"), [Flow("m", "w", 9, ""), Flow("w", "m", 1, "")])
    assert columns(graph) == [{"m"}, {"w"}]
    back = next(band for band in graph.bands if band.source == 1)
    assert max(float(text) for text in re.findall(r"[0-9.]+", back.path)[1::2]) > max(
        box.y + box.height for box in graph.boxes
    )


def test_many_in_a_tier_stand_together() -> None:
    names = "abcdefghijklnopq"
    flows = [Flow("m", name, 1, "x") for name in names] + [Flow(name, "z", 1, "x") for name in names]
    found, kept = flow.merged([*spots("m"), *spots(names), *spots("z")], flows, "{n} others")
    assert [(spot.title, spot.count) for spot in found if spot.count > 1] == [("9 others", 9)]
    assert len(found) == 1 + flow.MAX_TIER + 1
    assert sum(one.packs for one in kept) == sum(one.packs for one in flows)
    assert [one.packs for one in kept if one.source == ("others", 1)] == [9]


@pytest.mark.parametrize(
    ("text", "shown"), [("short", "short"), ("x" * 30, "x" * 22 + "…"), ("药" * 13, "药" * 11 + "…")]
)
def test_a_title_is_cut_to_the_width_of_its_box(text: str, shown: str) -> None:
    assert flow.shortened(text) == shown


def test_nothing_draws_nothing() -> None:
    assert flow.draw([], []).boxes == []
