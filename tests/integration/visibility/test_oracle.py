"""Random chains of goods, captured through the door: each party sees what the words of the rule say, no more or less.

`make test-long` runs as many as DOSETRAIL_TEST_CHAINS says (2,000 without it).
"""

import os
from dataclasses import dataclass, field
from itertools import count
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from traceability.capture.models import PublishedEvent
from traceability.common import projection
from traceability.gs1 import check_digit
from traceability.parties import services as parties
from traceability.visibility import custody_walk
from traceability.visibility.models import Audience
from traceability.visibility.projection import AUDIENCE
from traceability.visibility.rules import visible_events, visible_since

from . import oracle
from .conftest import Chain, pack, sscc

PEOPLE = ("maker", "wholesaler", "pharmacy", "other", "p5", "p6", "p7", "regulator")
_run = count(1)


@dataclass
class Story:
    """Goods on their way, with lies and late news among it. `log` is what the oracle reads, in log order."""

    random: Random
    chain: Chain
    tag: str
    log: list[dict[str, Any]] = field(default_factory=list)
    late: list[dict[str, Any]] = field(default_factory=list)
    hands: dict[str, str] = field(default_factory=dict)  # thing -> who really has it; '' = on its way
    boxes: dict[str, str] = field(default_factory=dict)
    clock: Any = field(default_factory=lambda: count(1000, 10))
    posted: list[str] = field(default_factory=list)  # names by place on the log

    def tell(self, length: int) -> None:
        packs = [pack(f"{self.tag}-{number}") for number in range(self.random.choice([1, 3, 8, 8, 200]))]
        cases = [sscc(int(self.tag) * 10 + number) for number in range(4)]
        self.say("maker", "commissioning", epcs=list(packs), action="ADD")
        self.hands |= dict.fromkeys(packs, "maker")
        acts = (self.load, self.load, self.open, self.send, self.send, self.send, self.arrive, self.arrive, self.arrive,
                self.look, self.lie, self.lie, self.mix, self.take_back, self.call_back)  # fmt: skip
        for _ in range(length):
            self.random.choice(acts)(packs, cases)
            if self.random.random() < 0.15:
                self.chain.house.settle()
        for event in self.late:
            self.post(event)

    def say(self, by: str, step: str, **members: Any) -> None:
        event: dict[str, Any] = {
            "time": next(self.clock), "by": by, "step": step, "type": "ObjectEvent", "action": "OBSERVE", "epcs": [],
            "parent": "", "children": [], "inputs": [], "outputs": [], "to": [], "names": [], **members,
        }  # fmt: skip
        if self.random.random() < 0.15:
            self.late.append(event)
            return
        self.post(event)
        if self.late and self.random.random() < 0.3:
            self.post(self.late.pop(self.random.randrange(len(self.late))))

    def post(self, event: dict[str, Any]) -> None:
        name = f"{self.tag}:{len(self.posted)}"
        kind = event["type"]
        lists = {
            "ObjectEvent": {"epcList": event["epcs"], "action": event["action"]},
            "AggregationEvent": {"parentID": event["parent"], "childEPCs": event["children"] or None,
                                 "action": event["action"]},
            "TransformationEvent": {"inputEPCList": event["inputs"], "outputEPCList": event["outputs"]},
        }[kind]  # fmt: skip
        partners = {
            f"{side}List": [{"type": "owning_party", side: self.chain.gln(one)} for one in event[of]] or None
            for side, of in (("destination", "to"), ("source", "names"))
        }
        self.chain.event(name, event["by"], event["time"] / 3_600_000, event["step"], type=kind, **lists, **partners)
        self.log.append(event)
        self.posted.append(name)

    def some(self, things: list[str]) -> list[str]:
        return self.random.sample(things, self.random.randint(1, len(things))) if things else []

    def of(self, who: str, things: list[str]) -> list[str]:
        return [thing for thing in things if self.holder(thing) == who]

    def holder(self, thing: str) -> str:
        return self.holder(self.boxes[thing]) if thing in self.boxes else self.hands.get(thing, "nobody")

    def anybody(self) -> str:
        return self.random.choice(PEOPLE)

    def keeper(self, things: list[str]) -> str:
        return self.holder(self.random.choice(things)) or self.anybody()

    def load(self, packs: list[str], cases: list[str]) -> None:
        who = self.keeper(packs)
        if who not in PEOPLE:
            return
        box = self.random.choice(cases)
        inside = packs if self.random.random() < 0.8 else [case for case in cases if case != box]
        children = [thing for thing in self.some(self.of(who, inside)) if thing not in self.boxes]
        if not children or self.holder(box) not in {who, "nobody"} or box in self.boxes:
            return
        self.hands.setdefault(box, who)
        self.boxes |= dict.fromkeys(children, box)
        self.say(who, "packing", type="AggregationEvent", action="ADD", parent=box, children=children)

    def open(self, packs: list[str], cases: list[str]) -> None:
        box = self.random.choice(cases)
        who = self.holder(box)
        children = [thing for thing, parent in self.boxes.items() if parent == box]
        if who not in PEOPLE or not children:
            return
        whole = self.random.random() < 0.3
        taken = children if whole else self.some(children)
        for thing in taken:
            del self.boxes[thing]
            self.hands[thing] = who
        named = [] if whole else taken
        self.say(who, "unpacking", type="AggregationEvent", action="DELETE", parent=box, children=named)

    def send(self, packs: list[str], cases: list[str]) -> None:
        who = self.keeper([*packs, *cases])
        if who not in PEOPLE:
            return
        loose = [thing for thing in self.of(who, [*packs, *cases]) if thing not in self.boxes]
        to = self.random.choice([[self.anybody()], [self.anybody()], [self.anybody(), self.anybody()], []])
        goods = self.some(loose)
        if goods:
            self.hands |= dict.fromkeys(goods, "")
            self.say(who, "shipping", epcs=goods, to=sorted({*to} - {who}))

    def arrive(self, packs: list[str], cases: list[str]) -> None:
        sent = [event for event in (*self.log, *self.late) if event.get("step") == "shipping"]
        if not sent:
            return
        event = self.random.choice(sent[-3:])
        who = self.random.choice(event["to"] or PEOPLE)
        goods = event["epcs"] if self.random.random() < 0.7 else self.some([*packs, *cases])
        self.hands |= {thing: who for thing in goods if self.hands.get(thing) == ""}
        self.say(who, self.random.choice(["receiving", "accepting", "storing"]), epcs=goods,
                 names=[event["by"]] if self.random.random() < 0.3 else [])  # fmt: skip

    def look(self, packs: list[str], cases: list[str]) -> None:
        who = self.keeper([*packs, *cases])
        step = self.random.choice(["storing", "inspecting", "dispensing", "sensor_reporting"])
        self.say(who if who in PEOPLE else self.anybody(), step, epcs=self.some([*packs, *cases])[:5])

    def lie(self, packs: list[str], cases: list[str]) -> None:
        """Anybody says anything, of any time."""
        goods = self.some([*packs, *cases])[:6]
        step = self.random.choice(["receiving", "shipping", "storing", "packing", "unpacking", "commissioning"])
        members: dict[str, Any] = {"epcs": goods}
        if step in {"packing", "unpacking"}:
            box = self.random.choice(cases)
            members = {"type": "AggregationEvent", "action": "ADD" if step == "packing" else "DELETE", "parent": box,
                       "children": [thing for thing in goods if thing != box] or [packs[0]]}  # fmt: skip
        elif step == "shipping":
            members["to"] = [self.anybody()]
        if self.random.random() < 0.5:
            members["time"] = next(self.clock) - self.random.randrange(1, 400)
        self.say(self.anybody(), step, **members)

    def mix(self, packs: list[str], cases: list[str]) -> None:
        who = self.keeper(packs) if self.random.random() < 0.7 else self.anybody()
        inputs = self.some(self.of(who, packs))[:3] or self.some(packs)[:3]
        product = pack(f"{self.tag}-made-{len(self.posted)}-{len(self.late)}")
        if who in PEOPLE:
            packs.append(product)
            self.hands[product] = who
            self.say(who, "creating_class_instance", type="TransformationEvent", action="", inputs=inputs,
                     outputs=[product])  # fmt: skip

    def take_back(self, packs: list[str], cases: list[str]) -> None:
        """An error declaration, mostly by who may."""
        real = [place for place, event in enumerate(self.log) if "voids" not in event]
        place = self.random.choice(real) if real else None
        if place is None or any(event.get("voids") == place for event in self.log):
            return
        by = self.log[place]["by"] if self.random.random() < 0.7 else "regulator"
        self.chain.void("", by, of=self.posted[place])
        self.log.append({"by": by, "voids": place})
        self.posted.append(self.posted[place])

    def call_back(self, packs: list[str], cases: list[str]) -> None:
        sent = [event for event in self.log if event.get("step") == "shipping"]
        if sent:
            event = self.random.choice(sent)
            self.say(event["by"], "void_shipping", epcs=event["epcs"])


@pytest.fixture
def town(chain: Chain) -> Chain:
    """The house with eight parties."""
    for number, name in enumerate(("p5", "p6", "p7")):
        body = f"95210009{number + 50:04d}"
        row = parties.create_party(id=name, name=name, roles=["distributor"], gln=body + check_digit.of(body))
        chain.house.parties[name] = row
        chain.house.tokens[name] = parties.issue_token(party=row, label="test")
    chain.house.settle()
    return chain


def _told(chain: Chain, seed: int, length: int) -> tuple[Story, dict[tuple[str, int], int], list[int]]:
    """A story on the log, who should see what since when, and the log index of each of its entries."""
    story = Story(Random(seed), chain, str(next(_run)))
    story.tell(length)
    chain.house.settle()
    rows: dict[str, list[int]] = {}
    for index, event_id in PublishedEvent.objects.order_by("index").values_list("index", "event_id"):
        rows.setdefault(event_id, []).append(index)
    ids = {name: event_id for event_id, name in chain.names.items()}
    places = [rows[ids[name]].pop(0) for name in story.posted]
    return story, oracle.audiences(story.log, "regulator"), places


def _differences(chain: Chain, expected: dict[tuple[str, int], int], places: list[int]) -> list[Any]:
    """Where a door shows something else than the oracle says."""
    found = []
    for name in PEOPLE[:-1]:
        party = chain.house.parties[name]
        should = {places[event]: places[since] for (who, event), since in expected.items() if who == name}
        seen = visible_events(PublishedEvent.objects.filter(index__in=places), party)
        is_seen = set(seen.values_list("index", flat=True))
        found += [(name, "sees", sorted(is_seen - should.keys()), "misses", sorted(should.keys() - is_seen))]
        in_order = [pair for pair in visible_since(party, (places[0] - 1, 0), 10_000) if pair[1] in places]
        found += [(name, "since", in_order, sorted((since, event) for event, since in should.items()))]
    return [one for one in found if (one[2] != one[3] if one[1] == "since" else one[2] or one[4])]


_quiet = {"deadline": None, "suppress_health_check": list(HealthCheck), "print_blob": True}


@settings(max_examples=20, **_quiet)
@given(seed=st.integers(0, 2**32), length=st.integers(1, 40))
def test_each_party_sees_what_the_rule_says(town: Chain, seed: int, length: int) -> None:
    _, expected, places = _told(town, seed, length)
    assert _differences(town, expected, places) == []


@pytest.mark.long
@settings(max_examples=int(os.environ.get("DOSETRAIL_TEST_CHAINS", "2000")), **_quiet)
@given(seed=st.integers(0, 2**32), length=st.integers(1, 60))
def test_each_party_sees_what_the_rule_says_in_thousands_of_chains(town: Chain, seed: int, length: int) -> None:
    _, expected, places = _told(town, seed, length)
    assert _differences(town, expected, places) == []


def test_the_query_door_gives_the_same_and_a_rebuild_too(town: Chain) -> None:
    _, expected, places = _told(town, 5, 60)
    for name in PEOPLE[:-1]:
        answer = town.house.client(name).get("/epcis/events?perPage=1000").json()
        ids = {event["eventID"] for event in answer["epcisBody"]["queryResults"]["resultsBody"]["eventList"]}
        indexes = [places[event] for who, event in expected if who == name]
        assert ids == set(PublishedEvent.objects.filter(index__in=indexes).values_list("event_id", flat=True))
    before = projection.digest(Audience)
    projection.reset(AUDIENCE)
    while projection.advance(AUDIENCE, limit=7):
        pass
    assert projection.digest(Audience) == before


@pytest.mark.parametrize("lapse", ["_may_take", "has"])
def test_the_oracle_notices_a_lapse(town: Chain, monkeypatch: pytest.MonkeyPatch, lapse: str) -> None:
    """The negative control: a rule that believes too much shows too much."""
    monkeypatch.setattr(custody_walk.Walk, lapse, lambda *_: True)
    assert any(_differences(town, *_told(town, seed, 60)[1:]) for seed in range(5))
