"""A pharmacy's day: a delivery comes in, packs are handed out, a return is taken; a second sale becomes an alert."""

import pytest

from tests.e2e.conftest import DemoHouse

pytestmark = pytest.mark.xdist_group("demo")  # one house for the four days

PARTY, SUPPLIER = "ph-bund", "eastport"


def test_a_day_at_the_counter(demo: DemoHouse) -> None:
    pallet = demo.world["stock"][SUPPLIER]["sscc"]
    case = demo.rows(f"select min(child) from custody_containment where parent = '{pallet}' and to_ms is null")[0][0]
    packs = [
        row[0] for row in demo.rows(f"select child from custody_containment where parent = '{case}' and to_ms is null")
    ]
    assert demo.scan(SUPPLIER, "unpack", [pallet]).is_success
    demo.folded()
    assert demo.scan(SUPPLIER, "ship", [case], details={"receiver": PARTY, "despatch": "EP-1"}).is_success
    demo.folded()
    receipt = {"sender": SUPPLIER, "despatch": "urn:dosetrail:document:EP-1"}
    assert demo.preflight(PARTY, "receive", [case], details=receipt)["verdict"] == "allow"
    assert demo.scan(PARTY, "receive", [case], details=receipt, nonce="till-1").is_success
    demo.folded()
    assert demo.scan(PARTY, "unpack", [case]).is_success
    demo.folded()

    sold = demo.scan(PARTY, "dispense", packs[:1], nonce="till-2")
    assert demo.scan(PARTY, "dispense", packs[:1], nonce="till-2").json()["eventIDs"] == sold.json()["eventIDs"]
    demo.folded()
    assert demo.scan(PARTY, "return_in", packs[:1]).is_success
    demo.folded()

    assert demo.scan(PARTY, "dispense", packs[1:2]).is_success
    demo.folded()
    alerts = demo.rows("select count(*) from alerts_alert")[0][0]
    assert demo.scan("ph-garden", "dispense", packs[1:2], override_reason="scanner says no, pack is here").is_success
    demo.until(lambda: demo.rows("select count(*) from alerts_alert")[0][0] > alerts)
