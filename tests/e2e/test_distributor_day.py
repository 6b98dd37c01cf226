"""A distributor's day: a load is broken down, sent on, called back; what is damaged is held and destroyed."""

import pytest

from tests.e2e.conftest import DemoHouse

pytestmark = pytest.mark.xdist_group("demo")  # one house for the four days

PARTY = "silkroad"


def test_a_day_in_the_warehouse(demo: DemoHouse) -> None:
    pallet = demo.world["stock"][PARTY]["sscc"]
    cases = [
        row[0]
        for row in demo.rows(f"select child from custody_containment where parent = '{pallet}' and to_ms is null")
    ]
    assert len(cases) == 5
    assert demo.scan(PARTY, "unpack", [pallet]).status_code == 201
    demo.folded()
    assert demo.scan(PARTY, "ship", cases[:2], details={"receiver": "ph-citywall", "despatch": "SR-1"}).is_success
    demo.folded()
    late = demo.preflight(PARTY, "ship", cases[:1], details={"receiver": "ph-bund"})
    assert {reason["code"] for reason in late["reasons"]} == {"is-shipped"}
    called_back = demo.scan(PARTY, "void_shipping", cases[:1], details={"despatch": "SR-1b", "receiver": "ph-citywall"})
    assert called_back.status_code == 201
    demo.folded()
    assert demo.preflight(PARTY, "ship", cases[:1], details={"receiver": "ph-bund"})["verdict"] == "allow"

    assert demo.scan(PARTY, "hold", [cases[2]], details={"reason": "wet carton"}).is_success
    demo.folded()
    held = demo.preflight(PARTY, "ship", [cases[2]], details={"receiver": "ph-bund"})
    assert {reason["code"] for reason in held["reasons"]} == {"held"}
    assert demo.scan(PARTY, "release_hold", [cases[2]], details={"reason": "inside is dry"}).is_success
    assert demo.scan(PARTY, "destroy", [cases[3]], details={"reason": "crushed by a truck"}).is_success
    demo.folded()
    gone = demo.preflight(PARTY, "ship", [cases[3]], details={"receiver": "ph-bund"})
    assert "is-destroyed" in {reason["code"] for reason in gone["reasons"]}
    mine = demo.call(PARTY, "GET", "/epcis/events", params={"EQ_bizStep": "destroying"}).json()
    assert len(mine["epcisBody"]["queryResults"]["resultsBody"]["eventList"]) == 1
