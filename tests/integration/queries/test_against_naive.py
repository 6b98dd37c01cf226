"""The engine finds what a naive reading of the JSON finds, whatever is asked."""

import json
from typing import Any

import pytest

from tests.integration.conftest import House
from traceability.capture import selectors as captured
from traceability.capture.models import PublishedEvent
from traceability.queries import conditions, engine, event_query

from . import naive
from .world import World

EXAMPLE = {"example": naive.EX}


def fill(house: House, world: World, events: int) -> dict[int, dict[str, Any]]:
    """Capture random events; their JSON by log index."""
    answer = house.capture("maker", *(world.event() for _ in range(events)))
    assert answer.status_code == 202, answer.content
    house.settle()
    rows = {row.index: row for row in PublishedEvent.objects.all()}
    assert len(rows) == events
    return captured.bodies(list(rows))


def differences(world: World, bodies: dict[int, dict[str, Any]], questions: int) -> tuple[list[Any], int]:
    """The questions to which the two give different answers, and how many had an answer other than all or nothing."""
    wrong, telling = [], 0
    for _ in range(questions):
        asked = world.question()
        query = event_query.from_url(asked, EXAMPLE)
        found = set(engine.matching(query, PublishedEvent.objects.all()).values_list("index", flat=True))
        expected = {index for index, body in bodies.items() if naive.matches(body, asked)}
        telling += 0 < len(expected) < len(bodies)
        again = event_query.EventQuery.from_json(json.loads(json.dumps(query.as_json())))
        if found != expected or again != query or again.criteria != query.criteria:
            wrong.append((asked, sorted(found - expected)[:1], sorted(expected - found)[:1]))
    return wrong, telling


@pytest.mark.parametrize("few", [5_000, 0])
def test_engine_and_naive_reading_agree(house: House, few: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both ways of asking for rows of other tables: looked up from few, asked event by event where there are many."""
    monkeypatch.setattr(conditions, "_FEW", few)
    world = World(1)
    wrong, telling = differences(world, fill(house, world, 120), 600)
    assert (wrong, telling > 200) == ([], True)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(2, 12))
def test_engine_and_naive_reading_agree_at_length(house: House, seed: int) -> None:
    world = World(seed)
    wrong, telling = differences(world, fill(house, world, 300), 2_000)
    assert (wrong, telling > 600) == ([], True)


def test_the_comparison_sees_a_parameter_left_out(house: House) -> None:
    """Negative control: an engine that forgets one kind of criterion is caught."""
    world = World(1)
    bodies = fill(house, world, 120)
    asked = {"EQ_quantity_KGM": ["1.5"]}
    assert any(naive.matches(body, asked) for body in bodies.values())
    query = event_query.from_url(asked)
    assert engine.matching(event_query.EventQuery({}, ()), PublishedEvent.objects.all()).count() == len(bodies)
    assert 0 < engine.matching(query, PublishedEvent.objects.all()).count() < len(bodies)
