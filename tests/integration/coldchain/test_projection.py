"""COLD_CHAIN: from published events to chunks per holder, and back out again when an event is declared void."""

import json
from typing import Any

from traceability.coldchain import selectors, services
from traceability.coldchain.models import ReadingChunk
from traceability.coldchain.projection import COLD_CHAIN
from traceability.common import projection
from traceability.common.models import Document

from .conftest import CASE, PACK, SSCC, House, csv, event, ms

AT = "2026-03-01T08:00"


def sensed(*reports: dict[str, Any], at: str = AT, metadata: dict[str, Any] | None = None, **members: Any) -> dict:
    element: dict[str, Any] = {"sensorReport": [{"type": "Temperature", "uom": "CEL", **report} for report in reports]}
    if metadata:
        element["sensorMetadata"] = metadata
    members.setdefault("epcList", [SSCC])
    return event("ObjectEvent", at, step="sensor_reporting", action="OBSERVE", sensorElementList=[element], **members)


def test_values_in_the_event_itself(house: House) -> None:
    house.report(
        sensed(
            {"value": 5.1},
            {"value": 46.4, "uom": "FAH", "time": "2026-03-01T07:00:00Z"},
            {"value": 278.15, "uom": "KEL", "time": "2026-03-01T07:30:00Z"},
            {"value": 61, "uom": "A93", "type": "RelativeHumidity"},
        )
    )
    assert selectors.readings(SSCC) == [(ms("2026-03-01T07:00"), 8000), (ms("2026-03-01T07:30"), 5000), (ms(AT), 5100)]


def test_each_object_is_a_holder(house: House) -> None:
    house.report(sensed({"value": 5}, epcList=[SSCC, CASE], readPoint={"id": house.site.uri}))
    assert selectors.readings(SSCC) == selectors.readings(CASE) == [(ms(AT), 5000)]
    assert selectors.readings(house.site.uri) == []


def test_without_an_object_it_is_the_place(house: House) -> None:
    house.report(sensed({"value": 5}, epcList=[], readPoint={"id": house.site.uri}))
    assert selectors.readings(house.site.uri) == [(ms(AT), 5000)]


def test_a_lot_is_a_holder(house: House) -> None:
    lot = "https://id.gs1.org/01/09521101530001/10/L1"
    house.report(sensed({"value": 5}, epcList=[], quantityList=[{"epcClass": lot}]))
    assert selectors.readings(lot) == [(ms(AT), 5000)]


def test_of_an_aggregation_it_is_the_container(house: House) -> None:
    packed = event(
        "AggregationEvent",
        AT,
        step="packing",
        action="ADD",
        parentID=SSCC,
        childEPCs=[PACK],
        sensorElementList=[{"sensorReport": [{"type": "Temperature", "uom": "CEL", "value": 5}]}],
    )
    house.report(packed)
    assert selectors.readings(SSCC) == [(ms(AT), 5000)]
    assert selectors.readings(PACK) == []


def test_two_loggers_stay_apart(house: House) -> None:
    for number, value in enumerate((5, 9)):
        house.report(sensed({"value": value}, metadata={"deviceID": f"urn:dosetrail:device:x:{number}"}))
    assert selectors.series(SSCC) == {
        "urn:dosetrail:device:x:0": [(ms(AT), 5000)],
        "urn:dosetrail:device:x:1": [(ms(AT), 9000)],
    }
    assert selectors.readings(SSCC) == [(ms(AT), 5000), (ms(AT), 9000)]


def test_two_values_of_one_moment_are_both_kept(house: House) -> None:
    house.report(sensed({"value": 5}, {"value": 9}))
    assert selectors.readings(SSCC) == [(ms(AT), 5000), (ms(AT), 9000)]


def test_events_without_temperatures_add_nothing(house: House) -> None:
    house.report(event("ObjectEvent", AT, step="storing", action="OBSERVE", epcList=[PACK]))
    assert not ReadingChunk.objects.exists()


def declared_void(original: dict, event_id: str) -> dict:
    return {
        **original,
        "eventID": event_id,
        "errorDeclaration": {"declarationTime": "2026-03-02T00:00:00.000Z", "reason": "did_not_occur"},
    }


def test_a_voided_events_readings_drop_out(house: House) -> None:
    kept, wrong = sensed({"value": 5}), sensed({"value": 30}, at="2026-03-01T09:00")
    house.report(kept)
    (accepted,) = house.report(wrong)
    assert [value for _, value in selectors.readings(SSCC)] == [5000, 30000]
    house.report(declared_void(wrong, accepted.event_id))
    assert selectors.readings(SSCC) == [(ms(AT), 5000)]


def test_somebody_elses_declaration_has_no_effect(house: House) -> None:
    """Negative control of the one above."""
    wrong = sensed({"value": 30})
    (accepted,) = house.report(wrong)
    house.report(declared_void(wrong, accepted.event_id), by=house.other)
    assert selectors.readings(SSCC) == [(ms(AT), 30000)]


def test_a_void_of_a_logger_file(house: House) -> None:
    file = services.upload(
        content=csv((AT, "5.0")), filename="a.csv", party=house.maker, holder_epc=SSCC, time_zone="UTC"
    )
    house.publish()
    assert len(selectors.readings(SSCC)) == 1
    body = json.loads(bytes(Document.objects.get(statement_hash=file.statement_hash).body))
    house.report(declared_void(body, file.event_id))
    assert selectors.readings(SSCC) == []


def test_a_rebuild_gives_the_same_bytes(house: House) -> None:
    wrong = sensed({"value": 30}, at="2026-03-01T09:00")
    (accepted,) = house.report(wrong)
    rows = [
        (f"2026-03-01T{hour:02d}:{minute:02d}", f"{5 + hour / 10:.1f}")
        for hour in range(20)
        for minute in range(0, 60, 2)
    ]
    services.upload(content=csv(*rows), filename="a.csv", party=house.maker, holder_epc=SSCC)
    house.report(declared_void(wrong, accepted.event_id))
    before, count = projection.digest(ReadingChunk), ReadingChunk.objects.count()
    assert count == 4  # the void one as well: what was held before the declaration stays known
    for batch in (1, 500):
        projection.reset(COLD_CHAIN)
        assert not ReadingChunk.objects.exists()
        while projection.advance(COLD_CHAIN, limit=batch):
            pass
        assert projection.digest(ReadingChunk) == before
    ReadingChunk.objects.filter(max_mc__isnull=False).update(max_mc=0)  # negative control
    assert projection.digest(ReadingChunk) != before
