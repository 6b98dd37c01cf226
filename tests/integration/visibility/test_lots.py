"""A maker sees counts of its lots that tell nothing of single customers, and under a recall who holds them."""

from typing import Any

import pytest
from django.test import Client

from tests.integration.conftest import LOT, pack
from tests.integration.portal.conftest import PASSWORD
from traceability.parties import services as parties
from traceability.products.models import Lot
from traceability.visibility import lots

from .conftest import LOT_CLASS, Chain

BUYERS = ("wholesaler", "pharmacy", "other")


@pytest.fixture
def sold(chain: Chain) -> Chain:
    """Thirty packs: twelve at three buyers in Shanghai (four each), two of them besides sold; the others stay."""
    packs = [pack(str(number)) for number in range(30)]
    ilmd = {"cbvmda:lotNumber": LOT, "cbvmda:itemExpirationDate": "2030-01-31"}
    home = {"id": chain.house.place("maker")}
    chain.make("made", "maker", 0, packs, ilmd=ilmd, bizLocation=home)
    for number, buyer in enumerate(BUYERS):
        goods = packs[number * 4 : number * 4 + 4]
        chain.ship(f"to {buyer}", "maker", 1 + number, goods, to=buyer)
        chain.event(f"at {buyer}", buyer, 5 + number, "receiving", goods, bizLocation={"id": chain.house.place(buyer)})
    chain.event("sold", "pharmacy", 9, "dispensing", packs[4:6], bizLocation={"id": chain.house.place("pharmacy")})
    chain.house.settle()
    return chain


def _lot() -> Lot:
    return Lot.objects.select_related("item").get(number=LOT)


def test_small_counts_are_not_told(sold: Chain) -> None:
    found = lots.whereabouts(_lot(), maker=sold.house.parties["maker"])
    assert found is not None
    assert [(one.status, one.packs) for one in found.own] == [("active", 18)]
    assert [(one.city, one.status, one.packs) for one in found.counts] == [("Shanghai", "active", 10)]
    assert (found.rest, found.holders) == (2, [])


def test_without_the_least_count_a_single_sale_shows(sold: Chain, monkeypatch: pytest.MonkeyPatch) -> None:
    """The negative control."""
    monkeypatch.setattr(lots, "MIN_PACKS", 1)
    monkeypatch.setattr(lots, "MIN_PARTIES", 1)
    found = lots.whereabouts(_lot(), maker=sold.house.parties["maker"])
    assert found is not None
    assert ("dispensed", 2) in {(one.status, one.packs) for one in found.counts}


def test_under_a_recall_the_holders_are_named(sold: Chain) -> None:
    recalled: dict[str, Any] = {
        "quantityList": [{"epcClass": LOT_CLASS}],
        "persistentDisposition": {"set": ["recalled"]},
    }
    sold.event("recall", "maker", 10, "holding", epcList=None, **recalled)
    sold.house.settle()
    found = lots.whereabouts(_lot(), maker=sold.house.parties["maker"])
    assert found is not None
    assert {one.party.rpartition(":")[2] for one in found.holders} == set(BUYERS)
    page = _browser(sold, "maker").get(f"/portal/lots?lot={_lot().pk}").content.decode()
    assert "Recalled: who holds it" in page
    assert "Wholesaler" in page


def test_nobody_else_is_told(sold: Chain) -> None:
    assert lots.whereabouts(_lot(), maker=sold.house.parties["wholesaler"]) is None
    assert _browser(sold, "wholesaler").get(f"/portal/lots?lot={_lot().pk}").status_code == 403
    maker = _browser(sold, "maker")
    page = maker.get(f"/portal/lots?lot={_lot().pk}").content.decode()
    assert "Wholesaler" not in page
    assert [maker.get(f"/portal/lots?lot={odd}").status_code for odd in ("0", "x", "9" * 30)] == [404] * 3


def _browser(chain: Chain, party: str) -> Client:
    parties.add_member(party=chain.house.parties[party], username=party, password=PASSWORD, role="operator")
    client = Client()
    assert client.login(username=party, password=PASSWORD)
    return client
