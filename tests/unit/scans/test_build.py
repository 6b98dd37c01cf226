"""Every step of every role becomes events that our own validator takes, also of a party held to CBV."""

from datetime import date
from typing import Any

import pytest

from traceability.custody import opening
from traceability.epcis import document, validation
from traceability.epcis import event as epcis_event
from traceability.gs1 import scan
from traceability.scans import build
from traceability.scans.steps import Shape, Step
from traceability.scans.tables import TABLES

GTIN, LOT, EXPIRY = "09521000001008", "L1", date(2030, 1, 31)
CASE = "https://id.gs1.org/00/395210000001001060"
PLACE = "https://id.gs1.org/414/9521000000018"
STEPS = {step.id: step for table in TABLES for step in table.steps if step.is_recorded}
DETAILS = {
    "lot": LOT,
    "expiry": EXPIRY.isoformat(),
    "container": CASE,
    "receiver": "urn:dosetrail:party:pharmacy",
    "sender": "urn:dosetrail:party:maker",
    "despatch": "DA 1",
    "rma": "RMA-7",
    "ward": "https://id.gs1.org/414/9521000000025",
    "country": "NL",
    "report": "COA-1",
    "reason": "because",
    "quantity_left": "12",
}


def pack(serial: str, lot: str = LOT) -> scan.ScannedCode:
    return scan.parse(f"]d201{GTIN}17{EXPIRY:%y%m%d}10{lot}\x1d21{serial}", today=date(2026, 1, 1))


def epc(serial: str) -> str:
    return f"https://id.gs1.org/01/{GTIN}/21/{serial}"


def act(step: Step, **more: Any) -> build.Act:
    codes = [scan.parse(f"(01){GTIN}(10){LOT}")] if step.shape is Shape.LOT else [pack("1"), pack("2")]
    needed = {name: DETAILS[name] for name in (*step.needs, *step.optional)}
    plain = {
        "step": step, "time_ms": 1_780_000_000_123, "offset_minutes": 480, "place": PLACE,
        "own_uri": "urn:dosetrail:party:maker", "codes": codes, "opened": {CASE: [epc("1"), epc("2")]},
        "details": needed, "extensions": {"dosetrail:member": "m-1"},
    }  # fmt: skip
    return build.Act(**{**plain, **more})


def dispensed(*serials: str) -> dict[str, Any]:
    (event,) = build.events(act(STEPS["dispense"], codes=[pack(serial) for serial in serials]))
    return document.bare({**event, "eventID": "urn:uuid:11111111-0000-4000-8000-000000000001"})


@pytest.mark.parametrize("step", STEPS.values(), ids=STEPS)
def test_a_steps_events_are_valid(step: Step) -> None:
    original = dispensed("1", "2", "3") if step.shape is Shape.UNDO else None
    events = build.events(act(step, original=original, corrective_id="urn:uuid:22222222-0000-4000-8000-000000000002"))
    assert events
    for event in events:
        assert validation.validate_event(event, cbv_compliant=True) == []
        view = epcis_event.read({"eventID": "urn:uuid:33333333-0000-4000-8000-000000000003", **event})
        if step.shape is not Shape.DELIVERY:
            assert (view.event_time_ms, view.offset_minutes, view.read_point) == (1_780_000_000_123, 480, PLACE)
        if step.shape not in {Shape.UNDO, Shape.DELIVERY}:
            assert (view.biz_step, view.disposition) == (step.biz_step, step.disposition)
            assert event["dosetrail:member"] == "m-1"


@pytest.mark.parametrize(
    ("step", "place", "words"),
    [
        ("receive_and_supply", PLACE, ("dispensing", "dispensed")),
        ("receive_to_ward", DETAILS["ward"], ("stocking", "sellable_accessible")),
    ],
)
def test_a_delivery_is_two_events_one_moment_apart(step: str, place: str, words: tuple[str, str]) -> None:
    first, then = build.events(act(STEPS[step]))
    read = [epcis_event.read({"eventID": f"urn:uuid:{n}", **event}) for n, event in enumerate((first, then))]
    assert [one.event_time_ms for one in read] == [1_780_000_000_122, 1_780_000_000_123]
    assert (read[0].biz_step, read[0].read_point) == ("receiving", PLACE)
    assert (read[1].biz_step, read[1].disposition, read[1].biz_location) == (*words, place)
    assert first["epcList"] == then["epcList"]
    assert "bizTransactionList" in first
    assert "bizTransactionList" not in then


def test_the_bytes_of_a_scan_are_kept_separators_and_all() -> None:
    (event,) = build.events(act(STEPS["dispense"], codes=[pack("1")]))
    assert event["dosetrail:scanned"] == [f"]d201{GTIN}17300131{'10' + LOT}\x1d211"]


def test_one_thing_scanned_twice_is_named_once() -> None:
    (event,) = build.events(act(STEPS["dispense"], codes=[pack("1"), pack("1")]))
    assert event["epcList"] == [epc("1")]
    assert len(event["dosetrail:scanned"]) == 2


def test_commissioning_carries_lot_and_expiry_in_cbv_terms() -> None:
    (event,) = build.events(act(STEPS["commission"]))
    assert event["ilmd"] == {"cbvmda:lotNumber": LOT, "cbvmda:itemExpirationDate": "2030-01-31"}
    assert (event["type"], event["action"]) == ("ObjectEvent", "ADD")


def test_opening_stock_is_one_event_per_lot() -> None:
    case = scan.parse(f"(00){CASE[-18:]}")
    codes = [pack("1"), pack("2", lot="L2"), pack("3"), case]
    events = build.events(act(STEPS["opening_stock"], codes=codes, details={}))
    assert [(opening.read(event), len(event["epcList"])) for event in events] == [
        (opening.Opening(LOT, "2030-01-31"), 2),
        (opening.Opening("L2", "2030-01-31"), 1),
        (opening.Opening(), 1),
    ]
    assert all("ilmd" not in event and event["action"] == "OBSERVE" for event in events)


def test_a_container_of_unknown_content_is_emptied_by_naming_none() -> None:
    (event,) = build.events(act(STEPS["unpack"], opened={CASE: []}))
    assert "childEPCs" not in event
    assert validation.validate_event(event, cbv_compliant=True) == []


def test_undoing_the_only_pack_declares_that_it_did_not_occur() -> None:
    original = dispensed("1")
    (declared,) = build.events(act(STEPS["undo"], codes=[pack("1")], original=original))
    declaration = declared.pop("errorDeclaration")
    assert (declaration["reason"], declaration["dosetrail:reason"]) == ("did_not_occur", "because")
    assert "correctiveEventIDs" not in declaration
    assert declared == original  # nothing else of it may change: it is known by its content


def test_undoing_one_of_several_keeps_what_is_true_of_the_others() -> None:
    original = dispensed("1", "2", "3")
    corrective_id = "urn:uuid:22222222-0000-4000-8000-000000000002"
    declared, corrective = build.events(
        act(STEPS["undo"], codes=[pack("2")], original=original, corrective_id=corrective_id)
    )
    assert declared["errorDeclaration"]["reason"] == "incorrect_data"
    assert declared["errorDeclaration"]["correctiveEventIDs"] == [corrective_id]
    assert corrective["epcList"] == [epc("1"), epc("3")]
    assert (corrective["eventID"], corrective["eventTime"]) == (corrective_id, original["eventTime"])
    assert "errorDeclaration" not in corrective


def test_undoing_an_event_of_another_system_binds_our_prefix() -> None:
    original = {**dispensed("1"), "@context": "https://ref.gs1.org/standards/epcis/epcis-context.jsonld"}
    own = {name: value for name, value in original.items() if not name.startswith("dosetrail:")}
    (declared,) = build.events(act(STEPS["undo"], codes=[pack("1")], original=own))
    assert validation.validate_event(declared, cbv_compliant=True) == []


def test_there_must_be_something_to_undo() -> None:
    with pytest.raises(ValueError, match="nothing to undo"):
        build.events(act(STEPS["undo"]))
