"""Whatever capture accepts, no fold stops at it: one strange event must not silence the judgement of all others."""

from contextlib import suppress
from datetime import date
from typing import Any

import pytest

from tests.integration.conftest import EXPIRY, GTIN, LOT, pack
from traceability.capture import services as capture
from traceability.contracts.models import Finding
from traceability.custody import opening
from traceability.epcis import values
from traceability.epcis.context import DEFAULT_CONTEXT

from .conftest import DAY, LOT_CLASS, START, Watched

CONTEXT = [DEFAULT_CONTEXT, {"dosetrail": opening.NAMESPACE}]
PACK = pack("1")


def taken(watched: Watched, party: str, *events: dict[str, Any]) -> None:
    """Capture what is accepted, and fold it: `settle` raises where a fold stops."""
    for event in events:
        with suppress(capture.CaptureError):
            capture.accept_events([event], reporter=watched.house.parties[party])
        watched.house.settle()


def sold_twice(watched: Watched) -> bool:
    """Whether another pack that is sold in two places is still found."""
    other = pack("other")
    taken(watched, "maker", watched.commission("maker", START, [other]))
    for place, party in enumerate(("pharmacy", "other")):
        taken(watched, party, watched.event(party, START + (5 + 4 * place) * DAY, step="dispensing", epcs=[other]))
    return Finding.objects.filter(subject=other).exists()


def _ilmd(lot: str, expiry: str) -> dict[str, str]:
    return {"cbvmda:lotNumber": lot, "cbvmda:itemExpirationDate": expiry}


@pytest.mark.parametrize("expiry", ["soon", "2026-02-30", "2030-1-1", "20260101", "2026-01"])
def test_an_expiry_that_is_no_date(watched: Watched, expiry: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Refused at the door; and with the door open, as for entries of another validator, unknown."""
    made = watched.commission("maker", START, [PACK], ilmd=_ilmd("ZZ", expiry))
    with pytest.raises(capture.CaptureError, match="itemExpirationDate"):
        capture.accept_events([made], reporter=watched.house.parties["maker"])
    monkeypatch.setattr("traceability.epcis.shapes._MASTER_ATTRIBUTES", {})
    taken(watched, "maker", made)
    taken(watched, "pharmacy", watched.event("pharmacy", START + DAY, step="dispensing", epcs=[PACK]))
    assert sold_twice(watched)
    for path in (f"/01/{GTIN}/21/1", f"/01/{GTIN}/10/ZZ/21/1?17=260101", f"/evidence/01/{GTIN}/21/1"):
        assert watched.house.client("maker").get(path).status_code == 200


@pytest.mark.parametrize("expiry", ["9999-12-31", "0001-01-01", "2026-01-01T23:30:00-05:00", "2026-01-01Z"])
def test_an_expiry_far_off_or_with_more_behind_it(watched: Watched, expiry: str) -> None:
    assert date.fromisoformat(expiry[:10])
    made = watched.commission("maker", START, [PACK], ilmd=_ilmd("ZZ", expiry))
    taken(watched, "maker", made)
    taken(watched, "pharmacy", watched.event("pharmacy", START + DAY, step="dispensing", epcs=[PACK]))
    assert sold_twice(watched)


@pytest.mark.parametrize("lot", ["x" * values.MAX_LOT, "批号 7", "a/b?c#d", "%2F"])
def test_a_lot_number_that_gs1_does_not_allow(watched: Watched, lot: str) -> None:
    """Also with a recall on the log: then every lot that moves is named."""
    taken(watched, "maker", watched.recall("maker", START), watched.commission(
        "maker", START, [PACK], ilmd={"cbvmda:lotNumber": lot, "cbvmda:itemExpirationDate": EXPIRY.isoformat()}
    ))  # fmt: skip
    taken(watched, "pharmacy", watched.event("pharmacy", START + DAY, step="dispensing", epcs=[PACK]))
    assert sold_twice(watched)
    whole_product = watched.event(
        "maker", START, step="holding", quantityList=[{"epcClass": LOT_CLASS.partition("/10/")[0]}],
        persistentDisposition={"set": ["recalled"]},
    )  # fmt: skip
    taken(watched, "maker", whole_product)
    taken(watched, "other", watched.event("other", START + 2 * DAY, step="dispensing", epcs=[PACK]))
    assert ("movement-after-recall", "movement-after-recall-sold", PACK) in watched.found()


@pytest.mark.parametrize(
    "report",
    [
        {"type": "Temperature", "value": 1e14, "uom": "CEL"},
        {"type": "Temperature", "value": -1e300, "uom": "FAH"},
        {"type": "Temperature", "minValue": 1e21, "maxValue": -9e15, "meanValue": 5e-324, "uom": "KEL"},
        {"type": "Temperature", "uom": "CEL", "stringValue": "x"},
        {"exception": "ALARM_CONDITION"},
        {"type": "gs1:Temperature", "value": 30, "uom": "ZZZ", "time": "1900-01-01T00:00:00Z"},
        {"type": "Temperature", "value": 30, "uom": "CEL", "time": "9998-12-31T23:59:59-14:00"},
    ],
)
def test_strange_sensor_values(watched: Watched, report: dict[str, Any]) -> None:
    metadata = {"startTime": "1900-01-01T00:00:00Z", "endTime": "9998-01-01T00:00:00Z", "deviceID": "urn:x:1"}
    elements = [{"sensorMetadata": metadata, "sensorReport": [report, report]}, {"sensorReport": [report]}]
    taken(watched, "maker", watched.commission("maker", START, [PACK], sensorElementList=elements))
    assert sold_twice(watched)
    assert watched.house.client("maker").get(f"/01/{GTIN}/10/{LOT}/21/1?17=300131").status_code == 200


@pytest.mark.parametrize("value", [5, "x", [], {"a": 1}, ["x"], {"reason": 1, "against": 7}, "x" * 400, "a\0b"])
def test_our_own_members_with_strange_values(watched: Watched, value: Any) -> None:
    names = ("override", "openingStock", "member", "quantityLeft", "scanned", "reason", "drill")
    strange = {f"dosetrail:{name}": value for name in names} | {"@context": CONTEXT}
    for step in ("stock_taking", "dispensing", "shipping", "holding"):
        taken(watched, "maker", {**watched.event("maker", START + DAY, step=step, epcs=[PACK]), **strange})
    for member in ("lotNumber", "itemExpirationDate"):
        stock = watched.event("maker", START + DAY, step="stock_taking", epcs=[PACK])
        taken(watched, "maker", {**stock, "@context": CONTEXT, "dosetrail:openingStock": {member: value}})
    assert sold_twice(watched)


def test_odd_shapes(watched: Watched) -> None:
    place, sscc = watched.house.place("maker"), "https://id.gs1.org/00/095210000000000014"
    desadv = [{"type": "desadv", "bizTransaction": "urn:x:1"}]
    product = f"https://id.gs1.org/01/{GTIN}"

    def event(step: str = "storing", **members: Any) -> dict[str, Any]:
        return watched.event("maker", START + DAY, step=step, **members)

    odd = [
        event(kind="https://example.com/MyEvent"),
        event("shipping", kind="https://example.com/MyEvent", parentID=PACK, childEPCs=[PACK], inputEPCList=[PACK]),
        event("shipping", epcs=[], bizTransactionList=desadv * 3),
        {**event("receiving", epcs=[], bizTransactionList=desadv), "bizLocation": {"id": "urn:x:nowhere"}},
        event("shipping", epcs=[PACK], sourceList=[{"type": "owning_party", "source": f"urn:x:{n}"} for n in "ab"]),
        event(kind="TransformationEvent", inputEPCList=[PACK], outputEPCList=[PACK]),
        event(kind="AssociationEvent", action="ADD", parentID=place, childEPCs=[PACK, place]),
        event(kind="AggregationEvent", action="ADD", parentID=sscc, childEPCs=[PACK]),
        event(kind="AggregationEvent", action="ADD", parentID=PACK, childEPCs=[sscc]),
        event(kind="AggregationEvent", action="DELETE", parentID=PACK),
        event(kind="AggregationEvent", action="OBSERVE", childQuantityList=[{"epcClass": product, "quantity": 0}]),
        event(kind="TransactionEvent", action="DELETE", bizTransactionList=[{"bizTransaction": "urn:x:1"}]),
        event("holding", persistentDisposition={"set": ["recalled"], "unset": ["recalled"]},
              quantityList=[{"epcClass": "urn:x:class"}, {"epcClass": product}]),
        event(epcs=["urn:dosetrail:nmpa:81234567890123456789", "https://x.example", "ex:foo"]),
        {**event("dispensing", epcs=[PACK]), "readPoint": {"id": "urn:x:nowhere"}, "eventTimeZoneOffset": "-13:59"},
        event("dispensing", epcs=[sscc, product, f"{product}/10/{LOT}"], disposition="partially_dispensed"),
    ]  # fmt: skip
    taken(watched, "maker", *odd)
    assert sold_twice(watched)
