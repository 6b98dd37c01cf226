"""Packs and the cases that carry them, where the records of the two do not keep step."""

import re

import pytest
from django.test import Client

from tests.integration.conftest import EXPIRY, GTIN, LOT, House, house, pack
from tests.integration.contracts.conftest import CASES, DAY, HOUR, START, Watched, watched
from traceability.custody import selectors as custody
from traceability.custody.stock import standing as stock_of

__all__ = ["house", "watched"]
A, B, C = pack("A"), pack("B"), pack("C")
CASE = CASES[0]


@pytest.fixture
def packed(watched: Watched) -> Watched:
    """A and B in a case, C loose, all at the maker's."""
    watched.report("maker", watched.commission("maker", START, [A, B, C]))
    watched.report("maker", watched.pack("maker", START + HOUR, CASE, [A, B]))
    return watched


def sent(watched: Watched, *epcs: str) -> None:
    watched.report("maker", watched.travel("maker", START + 2 * HOUR, "shipping", epcs, "urn:x:D", "wholesaler"))


def stock(house: House, party: str) -> set[str]:
    return {row.epc for row in stock_of([house.place(party)])}


def test_received_alone_it_is_where_it_was_received(packed: Watched) -> None:
    """Nobody opened the case on record; what was seen of the pack itself since then says more than the case does."""
    sent(packed, CASE)
    packed.report("wholesaler", packed.travel("wholesaler", START + DAY, "receiving", [A], "urn:x:D", "wholesaler"))
    (alone, inside) = (custody.state(A), custody.state(B))
    assert alone is not None
    assert inside is not None
    here = packed.house.place("wholesaler")
    assert (alone.status, alone.place, alone.path) == ("active", here, (CASE,))
    assert (inside.status, inside.place) == ("shipped", packed.house.place("maker"))
    assert stock(packed.house, "wholesaler") == {A}
    packed.report(
        "wholesaler", packed.travel("wholesaler", START + 2 * DAY, "receiving", [CASE], "urn:x:D", "wholesaler")
    )
    assert stock(packed.house, "wholesaler") == {CASE}  # now the case tells where both are


@pytest.mark.parametrize(
    ("step", "status"), [("destroying", "destroyed"), ("sampling", "sampled"), ("other", "stolen")]
)
def test_what_happens_to_the_case_happens_to_what_is_in_it(packed: Watched, step: str, status: str) -> None:
    members = {"persistentDisposition": {"set": ["stolen"]}} if status == "stolen" else {}
    packed.report("maker", packed.event("maker", START + 2 * HOUR, step=step, epcs=[CASE], **members))
    found = {epc: located.status for epc, located in custody.states([A, B, C]).items()}
    assert found == {A: status, B: status, C: "active"}
    title = re.compile(r"<h1[^>]*>(.*?)</h1>", re.DOTALL)
    in_hand = f"?17={EXPIRY:%y%m%d}"
    pages = [Client().get(f"/01/{GTIN}/10/{LOT}/21/{serial}{in_hand}").content.decode() for serial in "AC"]
    assert [title.findall(page)[0].strip() for page in pages] == [
        "Recorded as taken out of sale",
        "Registered, not yet sold",
    ]
    assert {"destroyed": "Destroyed", "sampled": "Taken as a sample", "stolen": "Reported stolen"}[status] in pages[0]


def test_unpacked_before_it_is_not_in_it(packed: Watched) -> None:
    packed.report("maker", packed.pack("maker", START + 2 * HOUR, CASE, [A], action="DELETE"))
    packed.report("maker", packed.event("maker", START + 3 * HOUR, step="destroying", epcs=[CASE]))
    assert {epc: one.status for epc, one in custody.states([A, B]).items()} == {A: "active", B: "destroyed"}


def test_a_packing_that_did_not_happen_moves_nothing(packed: Watched) -> None:
    other = CASES[1]
    mistake = packed.pack("maker", START + HOUR, other, [C])
    packed.report("maker", mistake)
    sent(packed, CASE, other)
    assert {one.status for one in custody.states([A, B, C]).values()} == {"shipped"}
    packed.void("maker", mistake)
    assert {epc: one.status for epc, one in custody.states([A, C]).items()} == {A: "shipped", C: "active"}


def test_a_case_is_used_again(packed: Watched) -> None:
    emptied = packed.pack("maker", START + 2 * HOUR, CASE, [], action="DELETE")
    packed.report("maker", {name: value for name, value in emptied.items() if name != "childEPCs"})
    packed.report("maker", packed.pack("maker", START + 3 * HOUR, CASE, [C]))
    sent_later = packed.travel("maker", START + 4 * HOUR, "shipping", [CASE], "urn:x:D", "wholesaler")
    packed.report("maker", sent_later)
    assert {epc: one.status for epc, one in custody.states([A, B, C]).items()} == {
        A: "active",
        B: "active",
        C: "shipped",
    }


def test_reports_that_come_in_any_order_agree(packed: Watched) -> None:
    received = packed.travel("wholesaler", START + DAY, "receiving", [CASE], "urn:x:D", "wholesaler")
    packed.report("wholesaler", received)
    sent(packed, CASE)
    state, shipment = custody.state(A), custody.shipment("urn:x:D")
    assert state is not None
    assert shipment is not None
    assert (state.status, state.place, shipment.status) == ("active", packed.house.place("wholesaler"), "received")
    assert packed.found() == []


def test_the_chain_of_hands_is_told_back_to_the_maker(packed: Watched) -> None:
    sent(packed, CASE)
    packed.report("wholesaler", packed.travel("wholesaler", START + DAY, "receiving", [CASE], "urn:x:D", "wholesaler"))
    hands = [(party.rpartition(":")[2], place) for party, place, _ in custody.trace_up(A)]
    assert hands == [(party, packed.house.place(party)) for party in ("maker", "wholesaler")]
    assert [party.rpartition(":")[2] for party, _, _ in custody.trace_up(C)] == ["maker"]
