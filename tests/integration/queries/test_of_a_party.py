"""A party's pages are what a naive reading finds among what it may see, in order, whichever way they are found."""

from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from django.db.models import Count

from tests.integration.conftest import House
from traceability.capture import selectors as captured
from traceability.capture.models import PublishedEvent
from traceability.common.problems import ProblemError
from traceability.parties.models import Party
from traceability.queries import conditions, engine, event_query
from traceability.visibility import rules
from traceability.visibility.models import Audience

from . import naive
from .test_against_naive import EXAMPLE
from .world import STEPS, TIMES, World

EVENTS, QUESTIONS = 60, 100
Bodies = dict[int, dict[str, Any]]


@pytest.fixture
def bodies(house: House) -> Bodies:
    """Events of the maker and the wholesaler; every third names the pharmacy, as a party, as a place, or as both."""
    world, batches = World(3), {"wholesaler": [], "maker": []}
    for number in range(EVENTS):
        event = world.event()
        if number % 3 == 0:
            gln = house.parties["pharmacy"].identifiers.get(scheme="gln").value
            named = [f"https://id.gs1.org/417/{gln}", house.place("pharmacy")]
            named = [named, named[:1], named[1:]][number // 3 % 3]
            event["destinationList"] = [{"type": "possessing_party", "destination": uri} for uri in named]
        batches["maker" if number % 2 else "wholesaler"].append(event)
    for reporter, batch in batches.items():
        assert house.capture(reporter, *batch).status_code == 202
    house.settle()
    return captured.bodies(list(PublishedEvent.objects.values_list("index", flat=True)))


def asked(world: World) -> dict[str, list[str]]:
    """A question: of steps and times, of anything, or of both."""
    kind, found = world.chance.randrange(3), {}
    if kind != 0:
        found |= world.question()
    if kind != 1:
        if world.maybe(0.7):
            found["EQ_bizStep"] = world.some(lambda: world.chance.choice(STEPS), 2)
        if world.maybe():
            found["GE_eventTime"] = [world.chance.choice(TIMES)]
        if world.maybe():
            found["LT_eventTime"] = [world.chance.choice(TIMES)]
    return found


def pages(query: event_query.EventQuery, party: Party) -> Iterator[list[int]]:
    page = engine.first_page(query, party)
    yield [row.index for row in page.rows]
    while page.next_token:
        page = engine.next_page(page.next_token, party)
        yield [row.index for row in page.rows]


def differences(house: House, bodies: Bodies, who: str, sizes: Sequence[int]) -> tuple[list[Any], dict[bool, int]]:
    """Questions with a wrong answer; and how many had a telling one, by whether it was read off the audience."""
    world, party = World(4), house.parties[who]
    order = dict(PublishedEvent.objects.values_list("index", "event_time_ms"))
    seen = rules.visible_indexes(list(bodies), party)
    wrong, telling = [], {True: 0, False: 0}
    for _ in range(QUESTIONS):
        question, direction = asked(world), world.chance.choice(["ASC", "DESC"])
        expected = [index for index in seen if naive.matches(bodies[index], question)]
        expected.sort(key=lambda index: (order[index], index), reverse=direction == "DESC")
        controls = {"perPage": [str(world.chance.choice(sizes))], "orderDirection": [direction]}
        query = event_query.from_url({**question, **controls}, EXAMPLE)
        found = [index for page in pages(query, party) for index in page]
        telling[engine._asked(query, party, ()).is_read_off()] += 0 < len(expected) < len(seen)
        if found != expected:
            wrong.append((question, direction, found, expected))
    return wrong, telling


@pytest.mark.parametrize(("who", "few", "apart"), [("pharmacy", 5_000, 16), ("pharmacy", 0, 1), ("maker", 0, 16)])
def test_pages_are_what_the_party_may_see_of_the_answer(
    house: House, bodies: Bodies, who: str, few: int, apart: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether rows of other tables are listed or not, and the audiences of its URIs are read apart or together."""
    monkeypatch.setattr(conditions, "_FEW", few)
    monkeypatch.setattr(rules, "_MOST_READ_APART", apart)
    twice = Audience.objects.filter(party__in=rules.audiences_of(house.parties["pharmacy"])).values("event_index")
    assert twice.annotate(times=Count("party")).filter(times__gt=1).exists()
    wrong, telling = differences(house, bodies, who, (5, 50))
    assert (wrong, min(telling.values()) > 5) == ([], True)


@pytest.mark.parametrize("lie", [{"biz_step": "storing"}, {"event_time_ms": 0}])
def test_what_an_audience_told_wrongly_would_be_seen(house: House, bodies: Bodies, lie: dict[str, Any]) -> None:
    """Negative control, on pages that hold all: a place in an order that is not kept would never be left."""
    Audience.objects.update(**lie)
    assert differences(house, bodies, "pharmacy", (EVENTS,))[0]


def test_a_party_without_audience_reads_nothing(house: House, bodies: Bodies) -> None:
    """Negative control of the narrowing: the same questions find much for others."""
    Audience.objects.all().delete()
    for question in ({}, {"EQ_bizStep": ["shipping"]}, {"EQ_action": ["ADD"]}, {"EXISTS_example:farm": ["true"]}):
        query = event_query.from_url(question, EXAMPLE)
        assert list(pages(query, house.parties["pharmacy"])) == [[]]
        assert any(pages(query, house.parties["regulator"]))


@pytest.mark.parametrize("question", [{}, {"EQ_bizStep": STEPS}, {"EQ_action": ["ADD", "OBSERVE", "DELETE"]}])
def test_more_than_max_event_count_is_refused(house: House, bodies: Bodies, question: dict[str, list[str]]) -> None:
    party = house.parties["pharmacy"]
    total = sum(map(len, pages(event_query.from_url({**question, "perPage": ["50"]}), party)))
    assert total > 5
    assert engine.first_page(event_query.from_url({**question, "maxEventCount": [str(total)]}), party).rows
    with pytest.raises(ProblemError) as refused:
        engine.first_page(event_query.from_url({**question, "maxEventCount": [str(total - 1)]}), party)
    assert refused.value.code == "query-too-large"
