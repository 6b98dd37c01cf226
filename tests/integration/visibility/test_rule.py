"""The rule of ADR 9, sentence by sentence, and the ways to get around it."""

from typing import Any

import pytest

from traceability.capture.models import PublishedEvent
from traceability.common import projection
from traceability.visibility import custody_walk
from traceability.visibility.models import Audience
from traceability.visibility.projection import AUDIENCE
from traceability.visibility.rules import visible_since

from .conftest import CASE, LOT_CLASS, OTHER_CASE, PALLET, Chain, X, Y


def _delivered(chain: Chain) -> None:
    """X and Y come in a case on a pallet from maker to wholesaler, who opens both and ships X to the pharmacy."""
    chain.make("made", "maker", 0, [X, Y])
    chain.pack("packed", "maker", 1, CASE, [X, Y])
    chain.pack("loaded", "maker", 2, PALLET, [CASE])
    chain.ship("sent", "maker", 3, [PALLET], to="wholesaler")
    chain.receive("got", "wholesaler", 4, [PALLET])
    chain.event("stored", "wholesaler", 5, "storing", [PALLET])
    chain.pack("unloaded", "wholesaler", 6, PALLET, [CASE], "DELETE")
    chain.pack("unpacked", "wholesaler", 7, CASE, [X, Y], "DELETE")
    chain.event("checked Y", "wholesaler", 8, "inspecting", [Y])
    chain.ship("sent X", "wholesaler", 9, [X], to="pharmacy")
    chain.receive("got X", "pharmacy", 10, [X])


def test_who_holds_a_pack_sees_where_it_came_from_and_not_where_its_siblings_went(chain: Chain) -> None:
    _delivered(chain)
    chain.event("sold X", "pharmacy", 11, "dispensing", [X])
    chain.ship("sent Y", "wholesaler", 12, [Y], to="other")
    chain.receive("got Y", "other", 13, [Y])
    way_of_x = {"made", "packed", "loaded", "sent", "got", "stored", "unloaded", "unpacked"}
    assert chain.sees("pharmacy") == way_of_x | {"sent X", "got X", "sold X"}
    assert chain.sees("other") == way_of_x | {"checked Y", "sent Y", "got Y"}
    assert chain.sees("wholesaler") == way_of_x | {"checked Y", "sent X", "sent Y"}
    assert chain.sees("maker") == {"made", "packed", "loaded", "sent"}
    assert len(chain.sees("regulator")) == 14


def test_containers_count_only_while_the_pack_was_inside(chain: Chain) -> None:
    chain.pack("first load", "maker", 0, PALLET, [OTHER_CASE])
    chain.event("moved before", "maker", 1, "storing", [PALLET])
    _delivered(chain)
    chain.event("moved after", "wholesaler", 20, "storing", [PALLET])
    assert {"moved before", "moved after", "first load"} & chain.sees("pharmacy") == set()


def test_saying_that_one_received_it_opens_nothing(chain: Chain) -> None:
    _delivered(chain)
    for number, goods in enumerate((X, Y, CASE, PALLET)):
        chain.receive(f"lie {number}", "other", 12 + number, [goods])
        chain.receive(f"lie of before {number}", "other", -12 + number, [goods])
    assert all(name.startswith("lie") for name in chain.sees("other"))


def test_without_the_rule_of_hand_over_it_would(chain: Chain, monkeypatch: pytest.MonkeyPatch) -> None:
    """The negative control of the test above."""
    monkeypatch.setattr(custody_walk.Walk, "_may_take", lambda self, event, hold: True)
    _delivered(chain)
    chain.receive("lie", "other", 12, [Y])
    assert {"made", "checked Y"} <= chain.sees("other")


def test_who_names_a_thing_before_anybody_else_learns_nothing_of_it(chain: Chain) -> None:
    chain.receive("guess", "other", -1, [X, CASE])
    _delivered(chain)
    assert chain.sees("other") == {"guess"}


def test_packing_ones_own_into_anothers_pallet_shows_nothing_of_that_pallet(chain: Chain) -> None:
    mine = X + "mine"
    chain.make("own", "other", 0, [mine])
    chain.ship("over", "other", 1, [mine], to="pharmacy")
    chain.receive("handed", "pharmacy", 2, [mine])
    chain.make("made", "maker", 0, [X])
    chain.pack("loaded", "maker", 1, PALLET, [X])
    chain.pack("lie", "pharmacy", 3, PALLET, [mine])
    chain.event("moved", "maker", 4, "storing", [PALLET])
    assert chain.sees("pharmacy") == {"own", "over", "handed", "lie"}


def test_what_one_is_said_to_have_made_it_of_shows_nothing(chain: Chain) -> None:
    product = X + "product"
    chain.make("made", "maker", 0, [X])
    chain.event("lie", "other", 1, "creating_class_instance", type="TransformationEvent",
                inputEPCList=[X], outputEPCList=[product])  # fmt: skip
    chain.ship("over", "other", 2, [product], to="pharmacy")
    chain.receive("handed", "pharmacy", 3, [product])
    assert chain.sees("pharmacy") == {"lie", "over", "handed"}


def test_what_it_was_made_of_is_upstream(chain: Chain) -> None:
    product = X + "product"
    chain.make("made", "maker", 0, [X])
    chain.event("mixed", "maker", 1, "creating_class_instance", type="TransformationEvent",
                inputEPCList=[X], outputEPCList=[product])  # fmt: skip
    chain.ship("sent", "maker", 2, [product], to="pharmacy")
    chain.receive("got", "pharmacy", 3, [product])
    assert chain.sees("pharmacy") == {"made", "mixed", "sent", "got"}


def test_what_was_shipped_to_nobody_named_goes_to_the_first_on_the_log(chain: Chain) -> None:
    chain.make("made", "maker", 0, [X])
    chain.ship("sent", "maker", 1, [X])
    chain.receive("got", "pharmacy", 3, [X])
    chain.receive("lie", "other", 2, [X])
    assert chain.sees("pharmacy") == {"made", "sent", "got", "lie"}
    assert chain.sees("other") == {"lie"}


def test_a_receipt_counts_when_the_shipping_comes_late(chain: Chain) -> None:
    chain.make("made", "maker", 0, [X])
    chain.receive("got", "wholesaler", 2, [X])
    assert chain.sees("wholesaler") == {"got"}
    chain.ship("sent on", "wholesaler", 3, [X], to="pharmacy")
    chain.receive("got on", "pharmacy", 4, [X])
    assert chain.sees("pharmacy") == {"got on", "sent on"}
    chain.ship("sent", "maker", 1, [X], to="wholesaler")
    assert chain.sees("wholesaler") == {"made", "sent", "got", "sent on"}
    assert chain.sees("pharmacy") == {"made", "sent", "got", "sent on", "got on"}


def test_what_comes_late_is_seen_up_to_the_shipping_on(chain: Chain) -> None:
    _delivered(chain)
    chain.event("late", "maker", 2.5, "storing", [PALLET])
    chain.event("late of the case", "maker", 1.5, "inspecting", [CASE])
    chain.event("after", "pharmacy", 12, "storing", [X])
    assert {"late", "late of the case"} <= chain.sees("pharmacy") & chain.sees("wholesaler")
    assert "after" not in chain.sees("wholesaler")


def test_an_earlier_entry_of_hand_over_stands_against_a_later_one(chain: Chain) -> None:
    """A maker cannot give an accomplice a view of what its customer does, by a shipping of before."""
    _delivered(chain)
    chain.ship("other way", "maker", 2.5, [PALLET, X], to="other")
    chain.receive("accomplice", "other", 2.6, [PALLET, X])
    chain.event("more", "wholesaler", 5.5, "storing", [PALLET])
    assert not {"got", "stored", "more", "unpacked", "sent X"} & chain.sees("other")


def test_who_sees_an_event_sees_that_it_was_taken_back(chain: Chain) -> None:
    _delivered(chain)
    chain.void("void", "maker", of="packed")
    chain.house.settle()
    declaration = PublishedEvent.objects.get(declaration_ms__isnull=False)
    to = Audience.objects.filter(event_index=declaration.index).values_list("party", flat=True)
    packed = PublishedEvent.objects.get(event_id=declaration.event_id, declaration_ms=None)
    assert set(to) == set(Audience.objects.filter(event_index=packed.index).values_list("party", flat=True))
    assert "urn:dosetrail:party:pharmacy" in to


def test_a_void_shipping_opens_nothing_any_more(chain: Chain) -> None:
    chain.make("made", "maker", 0, [X])
    chain.ship("sent", "maker", 1, [X], to="other")
    chain.void("void", "maker", of="sent")
    chain.receive("got", "other", 2, [X])
    assert chain.sees("other") == {"sent", "got"}  # the shipping names it


def test_a_recall_by_who_may_is_for_everybody(chain: Chain) -> None:
    recalled = {"quantityList": [{"epcClass": LOT_CLASS}], "persistentDisposition": {"set": ["recalled"]}}
    chain.event("recall", "maker", 0, "holding", epcList=None, **recalled)
    chain.event("no right", "other", 0, "holding", epcList=None, **recalled)
    chain.event("practice", "maker", 1, "holding", epcList=None, **{**recalled, "@context": [
        "https://ref.gs1.org/standards/epcis/epcis-context.jsonld", {"ex": "https://example.com/"}],
        "ex:drill": True})  # fmt: skip
    assert chain.sees("pharmacy") == {"recall"}


def test_a_business_transaction_names_its_party(chain: Chain) -> None:
    gln = chain.house.parties["pharmacy"].identifiers.get(scheme="gln").value
    order = [{"type": "po", "bizTransaction": f"urn:epcglobal:cbv:bt:{gln}:PO-1"}]
    chain.make("ordered", "maker", 0, [X], bizTransactionList=order)
    assert chain.sees("pharmacy") == {"ordered"}
    assert chain.sees("other") == set()


@pytest.mark.parametrize("batch", [1, 3, 500])
def test_the_batch_makes_no_difference(chain: Chain, batch: int) -> None:
    _delivered(chain)
    chain.event("late", "maker", 2.5, "storing", [PALLET])
    chain.void("void", "maker", of="packed")
    chain.receive("lie", "other", 1.2, [X])
    chain.house.settle()
    before = projection.digest(Audience)
    projection.reset(AUDIENCE)
    while projection.advance(AUDIENCE, limit=batch):
        pass
    assert projection.digest(Audience) == before


def test_positions_give_every_event_once_however_late_it_was_opened(chain: Chain) -> None:
    chain.make("made", "maker", 0, [X])
    chain.receive("got", "wholesaler", 2, [X])
    party = chain.house.parties["wholesaler"]
    chain.house.settle()
    first = visible_since(party, (-1, -1), 10)
    chain.ship("sent", "maker", 1, [X], to="wholesaler")
    chain.house.settle()
    names: dict[int, Any] = dict(PublishedEvent.objects.values_list("index", "event_id"))
    then = visible_since(party, first[-1], 1)
    rest = visible_since(party, then[-1], 10)
    assert [chain.names[names[index]] for _, index in first] == ["got"]
    assert [chain.names[names[index]] for _, index in then + rest] == ["made", "sent"]
    assert visible_since(party, rest[-1], 10) == []
