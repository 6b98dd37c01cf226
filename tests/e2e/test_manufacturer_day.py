"""A manufacturer's day: packs are made, packed, released, shipped; a lot is recalled and can move no more."""

from datetime import UTC, date, datetime

import pytest

from tests.e2e.conftest import DemoHouse

pytestmark = pytest.mark.xdist_group("demo")  # one house for the four days

PARTY, ITEM, LOT = "lingnan", "statoril", "DAY01"


def test_a_day_at_the_factory(demo: DemoHouse) -> None:
    gtin = demo.world["products"][ITEM]["gtin"]
    expiry = date(2031, 6, 30)
    codes = [f"]d201{gtin}17{expiry:%y%m%d}10{LOT}\x1d21DAY{number:04d}" for number in range(25)]
    case, lot = "00395219999000000017", f"(01){gtin}(10){LOT}"
    details = {"lot": LOT, "expiry": expiry.isoformat()}

    assert demo.scan(PARTY, "commission", codes, details=details).status_code == 201
    demo.folded()
    assert demo.preflight(PARTY, "commission", codes[:1], details=details)["verdict"] == "stop"  # they exist now
    assert demo.scan(PARTY, "pack", codes, details={"container": case}).status_code == 201
    assert demo.scan(PARTY, "release", [lot], details={"report": "COA-DAY01", "reason": "results in order"}).is_success
    demo.folded()
    shipped = demo.scan(PARTY, "ship", [case], details={"receiver": "pearl", "despatch": "DAY-1"})
    assert shipped.status_code == 201
    demo.folded()
    assert demo.scan(
        "pearl", "receive", [case], details={"sender": PARTY, "despatch": "urn:dosetrail:document:DAY-1"}
    ).is_success
    demo.folded()

    # The maker's own system recalls it; in the portal two people sign (tests/e2e/portal).
    recall = {
        "@context": ["https://ref.gs1.org/standards/epcis/epcis-context.jsonld"],
        "type": "ObjectEvent",
        "action": "OBSERVE",
        "eventTime": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "eventTimeZoneOffset": "+00:00",
        "bizStep": "holding",
        "quantityList": [{"epcClass": f"https://id.gs1.org/01/{gtin}/10/{LOT}"}],
        "persistentDisposition": {"set": ["recalled"]},
    }
    assert demo.call(PARTY, "POST", "/epcis/events", json=recall).is_success
    demo.folded()
    stopped = demo.preflight("pearl", "ship", codes[:1], details={"receiver": "ph-bund"})
    assert "recalled" in {reason["code"] for reason in stopped["reasons"]}
    page = demo.call(PARTY, "GET", f"/01/{gtin}/21/DAY0000").text
    assert "Recalled" in page
