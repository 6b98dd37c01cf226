"""Traces out of the event index: of packs, containers, lots, shipments and places, now and as of an entry."""

import gc
import itertools
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date
from random import Random
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from ledger import api as ledger
from tests.integration.conftest import EXPIRY, GTIN, LOT, House, house, pack
from tests.integration.contracts.conftest import CASES, DAY, HOUR, PALLET, START, Watched, watched
from tests.integration.visibility.conftest import Chain, sscc
from tests.integration.visibility.test_oracle import Story
from traceability.common import projection
from traceability.custody import lot_packs, trace
from traceability.custody import selectors as custody
from traceability.custody.models import Shipment
from traceability.custody.trace import Answer
from traceability.custody.tracing import Window
from traceability.gs1 import check_digit
from traceability.parties import services as parties
from traceability.visibility import traces

__all__ = ["house", "watched"]
TODAY = date(2026, 6, 1)
LOT_CODE = f"(01){GTIN}(10){LOT}"
A, B, C, D = map(pack, "ABCD")
CASE = CASES[0]


def ask(text: str, **options: Any) -> Answer:
    return trace.ask(trace.subject(text, today=TODAY), **options)


def told(answer: Answer) -> dict[str, Any]:
    """An answer without what tells only of the time of asking."""
    found = answer.trace
    return {
        "steps": [
            (one.step.fact.index, one.step.kind, one.step.evidence, one.step.why, one.step.container, one.step.node,
             one.packs)
            for one in found.steps
        ],
        "legs": [(leg.source, leg.target, leg.kind, leg.packs, leg.evidence, sorted(leg.events)) for leg in found.legs],
        "nodes": [(row.node, row.packs, row.now) for row in found.nodes],
        "of": (found.packs, answer.left_out, answer.as_of),
    }  # fmt: skip


def legs(answer: Answer) -> set[tuple[str, str, str, int]]:
    """(from, to, kind, packs) of what moved, with parties by their ids."""

    def name(node: Any) -> str:
        return (node.party.rpartition(":")[2] or "") + (f" {node.state}" if node.state else "") if node else "-"

    return {
        (name(leg.source), name(leg.target), leg.kind, leg.packs)
        for leg in answer.trace.legs
        if leg.source != leg.target
    }


@pytest.fixture
def delivered(watched: Watched) -> Watched:
    """A and B in a case on a pallet go to the wholesaler, who unpacks and sells A on; C stays, D was never packed."""
    watched.report("maker", watched.commission("maker", START, [A, B, C, D]))
    watched.report("maker", watched.pack("maker", START + HOUR, CASE, [A, B]))
    watched.report("maker", watched.pack("maker", START + 2 * HOUR, PALLET, [CASE]))
    watched.report("maker", watched.travel("maker", START + 3 * HOUR, "shipping", [PALLET], "urn:x:D", "wholesaler"))
    watched.report(
        "wholesaler", watched.travel("wholesaler", START + DAY, "receiving", [PALLET], "urn:x:D", "wholesaler")
    )
    watched.report("wholesaler", watched.pack("wholesaler", START + DAY + HOUR, PALLET, [CASE], action="DELETE"))
    watched.report("wholesaler", watched.pack("wholesaler", START + DAY + 2 * HOUR, CASE, [A, B], action="DELETE"))
    watched.report("wholesaler", watched.travel("wholesaler", START + 2 * DAY, "shipping", [A], "urn:x:E", "pharmacy"))
    return watched


def test_a_pack_s_way_with_its_case_and_pallet(delivered: Watched) -> None:
    found = ask(A).trace.steps
    assert [(one.step.kind, one.step.evidence) for one in found] == [
        ("commissioning", "observed"),
        ("packing", "observed"),
        ("packing", "inferred"),
        ("shipping", "inferred"),
        ("receiving", "inferred"),
        ("unpacking", "inferred"),
        ("unpacking", "observed"),
        ("shipping", "observed"),
    ]
    assert [one.step.container for one in found][2:6] == [CASE, PALLET, PALLET, CASE]
    assert [one.step.fact.index for one in found] == [step.index for step in custody.history(A)]


def test_a_lot_adds_up(delivered: Watched) -> None:
    answer = ask(LOT_CODE)
    assert legs(answer) == {
        ("-", "maker", "commissioning", 4),
        ("maker", "wholesaler", "shipping", 2),
        ("wholesaler", "pharmacy in_transit", "shipping", 1),
    }
    now = {(row.node.party.rpartition(":")[2], row.node.state): row.now for row in answer.trace.nodes}
    assert now == {("maker", ""): 2, ("wholesaler", ""): 1, ("pharmacy", "in_transit"): 1}
    assert sum(now.values()) == sum(row.packs for row in lot_packs.trace_down(GTIN, LOT)) == answer.trace.packs


@pytest.mark.parametrize("of", [CASE, PALLET])
def test_a_container_is_what_lay_in_it(delivered: Watched, of: str) -> None:
    assert ask(of).trace.packs == 2
    on = ask(of, direction="on")
    assert ("-", "maker", "commissioning", 2) not in legs(on)
    assert ("wholesaler", "pharmacy in_transit", "shipping", 1) in legs(on)
    back = ask(of, direction="back")
    assert ("-", "maker", "commissioning", 2) in legs(back)
    assert ("wholesaler", "pharmacy in_transit", "shipping", 1) not in legs(back)


def test_a_shipment_by_its_despatch_advice(delivered: Watched) -> None:
    assert legs(ask("urn:x:D", direction="back")) == {
        ("-", "maker", "commissioning", 2),
        ("maker", "wholesaler", "shipping", 2),
    }
    assert legs(ask("urn:x:D", direction="on")) == {
        ("maker", "wholesaler", "shipping", 2),
        ("wholesaler", "pharmacy in_transit", "shipping", 1),
    }
    assert ask("urn:x:E").trace.packs == 1


def test_a_place_in_a_period(delivered: Watched) -> None:
    here = delivered.house.place("wholesaler")
    all_day = trace.subject(here, today=TODAY, period=Window(START, START + 9 * DAY))
    assert legs(trace.ask(all_day)) >= {("maker", "wholesaler", "shipping", 2)}
    assert trace.ask(all_day).trace.packs == 2
    before = trace.subject(here, today=TODAY, period=Window(START, START + HOUR))
    assert trace.ask(before).trace.packs == 0


def test_a_gln_and_a_number_as_they_are_typed(delivered: Watched) -> None:
    here = delivered.house.place("wholesaler")
    assert trace.subject(here.rpartition("/")[2], today=TODAY).uri == here
    assert trace.subject("D", today=TODAY) == trace.subject("urn:x:D", today=TODAY)
    Shipment.objects.create(
        despatch="urn:y:D", number="D", sender="", receiver="", status="open", despatched=[], received=[]
    )
    for text in ("D", "9521000009994", ""):
        with pytest.raises(trace.TraceError):
            trace.subject(text, today=TODAY)
    own = [delivered.house.parties["wholesaler"].uri]
    assert trace.subject("D", today=TODAY, own=own) == trace.subject("urn:x:D", today=TODAY)  # of two, the party's own
    with pytest.raises(trace.TraceError):  # of another's nobody learns
        trace.subject("D", today=TODAY, own=[delivered.house.parties["regulator"].uri])


def test_too_much_at_a_place_is_said(delivered: Watched) -> None:
    with pytest.raises(trace.TraceError) as caught:
        ask(delivered.house.place("maker"), limit=2)
    assert caught.value.code == "too-much"


def test_across_a_transformation_both_ways(delivered: Watched) -> None:
    product = pack("made")
    delivered.report(
        "maker",
        delivered.event(
            "maker", START + 3 * DAY, step="creating_class_instance", kind="TransformationEvent", inputEPCList=[C, D],
            outputEPCList=[product], inputQuantityList=[{"epcClass": f"https://id.gs1.org/01/{GTIN}", "quantity": 5}],
        ),
    )  # fmt: skip
    assert ask(product, direction="back").trace.packs == 3
    assert ask(product, direction="on").trace.packs == 1
    assert ask(C, direction="on").trace.packs == 2
    assert ask(C, direction="back").trace.packs == 1
    assert ask(C).trace.packs == 2  # D went into the same, and is neither before nor behind C
    assert [one.quantity for one in ask(product).materials] == ["5"]


def test_a_party_sees_its_part_and_how_much_else_there_is(delivered: Watched) -> None:
    parties_ = delivered.house.parties

    def seen(party: str, of: str) -> Answer:
        return traces.ask(trace.subject(of, today=TODAY), party=parties_[party])

    whole, wholesaler, maker = ask(A), seen("wholesaler", A), seen("maker", A)
    assert (len(wholesaler.trace.events), wholesaler.hidden) == (len(whole.trace.events), 0)
    assert len(maker.trace.events) + maker.hidden == len(whole.trace.events)
    assert maker.hidden > 0
    assert "urn:dosetrail:party:pharmacy" not in repr(maker.trace)
    assert (seen("other", A).trace.steps[:], seen("other", A).hidden) == ([], 0)  # not even how much there is
    assert seen("pharmacy", LOT_CODE).trace.packs == 0
    delivered.report("pharmacy", delivered.travel("pharmacy", START + 3 * DAY, "receiving", [A], "urn:x:E", "pharmacy"))
    delivered.report("wholesaler", delivered.event("wholesaler", START + 3 * DAY, step="dispensing", epcs=[B]))
    assert legs(seen("pharmacy", LOT_CODE)) == {
        ("-", "maker", "commissioning", 4),  # what the events that it sees name, siblings of its pack included
        ("maker", "wholesaler", "shipping", 2),
        ("wholesaler", "pharmacy", "shipping", 1),
    }
    assert ("wholesaler", " dispensed", "dispensing", 1) in legs(seen("wholesaler", LOT_CODE))


def test_beyond_its_limit_it_says_how_far_it_went(delivered: Watched) -> None:
    answer = ask(LOT_CODE, limit=2)
    assert (answer.trace.packs + answer.left_out, answer.left_out) == (4, 1)


def test_who_has_few_packs_of_a_large_lot_finds_them(delivered: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    """The limit is of what the asker sees; and how many there are beside is not told."""
    seen = trace.Sight(events=lambda events: set(events), things=lambda epcs: set(epcs) & {A})
    answer = ask(LOT_CODE, sight=seen, limit=1)
    assert (answer.trace.packs, answer.left_out) == (1, 0)
    assert ask(LOT_CODE, limit=1).left_out == 2


def test_the_collector_goes_on_after_a_trace_and_after_one_that_fails(delivered: Watched) -> None:
    ask(A)
    assert gc.isenabled()
    with pytest.raises(trace.TraceError):
        ask(delivered.house.place("maker"), limit=2)
    assert gc.isenabled()


def test_queries_do_not_grow_with_packs(watched: Watched) -> None:
    numbers = []
    for size in (2, 40):
        names = [pack(f"{size}-{number}") for number in range(size)]
        case = CASES[size == 40]
        watched.report("maker", watched.commission("maker", START, names))
        watched.report("maker", watched.pack("maker", START + HOUR, case, names))
        watched.report("maker", watched.travel("maker", START + DAY, "shipping", [case], f"urn:x:{size}", "wholesaler"))
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert ask(case).trace.packs == size
        numbers.append(len(queries))
    assert numbers[0] == numbers[1] < 35


@dataclass
class Slowly:
    """A house that reads its log entry by entry, and asks after each."""

    house: House
    subjects: Sequence[str] = ()
    random: Random = field(default_factory=Random)
    asked: list[tuple[str, int, dict[str, Any]]] = field(default_factory=list, repr=False)

    def settle(self) -> None:
        while ledger.sequence_once():
            pass
        folds = projection.all_projections()
        while sum(projection.advance(fold, limit=1) for fold in folds):
            for of in self.random.sample(self.subjects, 2):
                with suppress(trace.TraceError):  # a despatch advice that nothing names yet
                    self.asked.append((of, trace.horizon(), told(ask(of))))

    def __getattr__(self, name: str) -> Any:
        return getattr(self.house, name)


class Placed(Chain):
    """Events at the places of those that have one, commissioned into a lot, under few despatch advices."""

    def event(self, name: str, by: str, hour: float, step: str, epcs: Sequence[str] = (), **members: Any) -> None:
        if members.get("action") == "ADD" and step == "commissioning":
            members["ilmd"] = {"cbvmda:lotNumber": LOT, "cbvmda:itemExpirationDate": EXPIRY.isoformat()}
        if by in {"maker", "wholesaler", "pharmacy", "other"}:
            members["readPoint"] = {"id": self.house.place(by)}
        if step in {"shipping", "receiving"}:
            members["bizTransactionList"] = [{"type": "desadv", "bizTransaction": f"urn:x:D{len(self.names) % 2}"}]
        super().event(name, by, hour, step, epcs, **members)


@pytest.fixture
def slowly(house: House) -> Slowly:
    for number, name in enumerate(("p5", "p6", "p7")):
        body = f"95210009{number + 50:04d}"
        house.parties[name] = parties.create_party(
            id=name, name=name, roles=["distributor"], gln=body + check_digit.of(body)
        )
    house.settle()
    return Slowly(house)


@pytest.fixture
def placed(slowly: Slowly) -> Placed:
    return Placed(slowly)  # type: ignore[arg-type]


@pytest.mark.parametrize("seed", range(8))
def test_as_of_an_entry_it_is_what_it_was_then(placed: Placed, slowly: Slowly, seed: int) -> None:
    """Lies, late news and declarations among the events: each answer is compared with the one given at the time."""
    boxes = [sscc(10 + number) for number in range(2)]
    slowly.random = Random(seed)
    slowly.subjects = [LOT_CODE, pack("1-0"), "urn:x:D0", "urn:x:D1", slowly.place("wholesaler"), *boxes]
    Story(Random(seed), placed, "1").tell(slowly.random.randint(5, 30))
    slowly.settle()
    assert slowly.asked
    for of, index, answer in slowly.asked:
        assert told(ask(of, as_of=index)) == answer, (of, index)


@pytest.mark.parametrize("protected", [True, False])
def test_what_came_into_the_lot_later_leads_nowhere_then(
    delivered: Watched, monkeypatch: pytest.MonkeyPatch, protected: bool
) -> None:
    """A pack is used up before its commissioning is on the log; its product is none of the lot's until then."""
    late = pack("late")
    used = delivered.event(
        "maker", START + 3 * DAY, step="creating_class_instance", kind="TransformationEvent", inputEPCList=[late],
        outputEPCList=[pack("made")],
    )  # fmt: skip
    delivered.report("maker", used)
    before = trace.horizon()
    then = told(ask(LOT_CODE))
    delivered.report("maker", delivered.commission("maker", START, [late]))
    assert ask(LOT_CODE).trace.packs == 6
    if not protected:
        monkeypatch.setattr(trace, "is_traced", lambda *_: True)
    assert (told(ask(LOT_CODE, as_of=before)) == then) is protected


@pytest.mark.parametrize("protected", [True, False])
def test_what_was_made_void_since_counted_then(
    delivered: Watched, monkeypatch: pytest.MonkeyPatch, protected: bool
) -> None:
    """The negative control reads today's lot alone, in which a pack that was never commissioned is not."""
    before = trace.horizon()
    then = told(ask(LOT_CODE))
    later = delivered.commission("maker", START, [pack("E")])
    delivered.report("maker", later)
    with_e = trace.horizon()
    assert ask(LOT_CODE).trace.packs == 5
    delivered.void("maker", later)
    assert ask(LOT_CODE).trace.packs == 4
    assert told(ask(LOT_CODE, as_of=before)) == then
    if not protected:
        monkeypatch.setattr(trace._Gathering, "_once_of_lot", lambda *_: [])
    assert (ask(LOT_CODE, as_of=with_e).trace.packs == 5) is protected


def test_the_history_of_a_pack_takes_five_queries_at_most(watched: Watched) -> None:
    """However deep it lies and however often it was repacked."""
    watched.report("maker", watched.commission("maker", START, [A, B]))
    chain = [A, *(sscc(100 + depth) for depth in range(6))]
    for depth, (inner, outer) in enumerate(itertools.pairwise(chain)):
        watched.report("maker", watched.pack("maker", START + HOUR * (depth + 1), outer, [inner]))
        watched.report(
            "maker",
            watched.pack("maker", START + HOUR * (depth + 1) + 60_000, outer, [inner], action="DELETE"),
            watched.pack("maker", START + HOUR * (depth + 1) + 120_000, outer, [inner]),
        )
    moved = watched.event("maker", START + DAY, step="storing", epcs=[chain[-1]])
    watched.report("maker", moved)
    watched.report("maker", withdrawn := watched.event("maker", START + DAY + HOUR, step="storing", epcs=[A]))
    watched.void("maker", withdrawn)
    with CaptureQueriesContext(connection) as queries:
        past = custody.past(A)
    assert len(queries) <= 5
    assert len(past.steps) == 1 + 3 * 6 + 1
    assert [(step.relation, step.container) for step in past.steps][-1] == ("container", chain[-1])
    assert len(past.stays) == 2 + 5 * 2  # the first stay in the case was over before the case went anywhere
    assert [step.index for step in past.steps] == [one.step.fact.index for one in ask(A).trace.steps]
