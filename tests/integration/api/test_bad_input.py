"""What no honest system sends: a 4xx problem document with a stable code and the field, and nothing half stored."""

import json
from typing import Any

import pytest

from tests.integration.api.test_capture import observed, stored
from tests.integration.conftest import House, pack
from traceability.capture.models import PublishedEvent
from traceability.epcis.context import DEFAULT_CONTEXT
from traceability.parties import selectors, services
from traceability.products.models import UnknownIdentifier
from traceability.scans.models import ScanEvent
from traceability.simulation import events as written

LONG = "x" * 3000
ODD: list[tuple[str, dict[str, Any]]] = [
    ("/eventID", {"eventID": f"urn:x:{LONG}"}),
    ("/eventID", {"eventID": "urn:x:a\0b"}),
    ("/eventID", {"eventID": ""}),
    ("/eventID", {"eventID": 7}),
    ("/eventTime", {"eventTime": "yesterday"}),
    ("/eventTime", {"eventTime": "2026-02-30T00:00:00Z"}),
    ("/eventTime", {"eventTime": "9999-12-31T23:59:59Z"}),
    ("/eventTime", {"eventTime": "0001-01-01T00:00:00+14:00"}),
    ("/eventTime", {"eventTime": None}),
    ("/eventTimeZoneOffset", {"eventTimeZoneOffset": "+25:00"}),
    ("/action", {"action": "MAYBE"}),
    ("/bizStep", {"bizStep": "selling_on_the_side"}),
    ("/bizStep", {"bizStep": f"https://example.com/{LONG}"}),
    ("/bizStep", {"bizStep": "https://example.com/a\0b"}),
    ("/disposition", {"disposition": ["in_progress"]}),
    ("/epcList", {"epcList": "https://id.gs1.org/01/09521000001008/21/1"}),
    ("/epcList/0", {"epcList": ["https://id.gs1.org/01/09521000001009/21/1"]}),  # check digit
    ("/epcList/0", {"epcList": ["https://id.gs1.org/01/09521000001008/21/123456789012345678901"]}),
    ("/epcList/0", {"epcList": [f"urn:x:{LONG}"]}),
    ("/epcList/0", {"epcList": ["urn:x:a\0b"]}),
    ("/epcList/0", {"epcList": [{"epc": 1}]}),
    ("/readPoint", {"readPoint": "urn:epc:id:sgln:0614141.00777.0"}),
    ("/readPoint/id", {"readPoint": {"id": f"urn:x:{LONG}"}}),
    ("/bizLocation/id", {"bizLocation": {"id": "urn:epc:id:sgln:0614141.00777"}}),
    ("/bizTransactionList/0/bizTransaction", {"bizTransactionList": [{"type": "po", "bizTransaction": LONG}]}),
    ("/bizTransactionList/0/type", {"bizTransactionList": [{"type": "wish", "bizTransaction": "urn:x:1"}]}),
    ("/sourceList/0/type", {"sourceList": [{"type": "friend", "source": "urn:x:1"}]}),
    ("/quantityList/0/quantity", {"quantityList": [{"epcClass": "urn:x:1", "quantity": "many"}]}),
    ("/quantityList/0/quantity", {"quantityList": [{"epcClass": "urn:x:1", "quantity": -1}]}),
    ("/quantityList/0/quantity", {"quantityList": [{"epcClass": "urn:x:1", "quantity": 1e300}]}),
    ("/ilmd/cbvmda:lotNumber", {"action": "ADD", "ilmd": {"cbvmda:lotNumber": LONG}}),
    ("/ilmd/cbvmda:lotNumber", {"action": "ADD", "ilmd": {"cbvmda:lotNumber": 7}}),
    ("/ilmd/cbvmda:itemExpirationDate", {"action": "ADD", "ilmd": {"cbvmda:itemExpirationDate": ["2030-01-01"]}}),
    ("/persistentDisposition/set", {"persistentDisposition": {"set": [f"urn:x:{n}" for n in range(11)]}}),
    ("/type", {"type": "WishEvent"}),
    ("/type", {"type": ["ObjectEvent"]}),
    ("/surprise", {"surprise": 1}),
    ("/persistentDisposition/set/0", {"persistentDisposition": {"set": ["loved"]}}),
    ("/errorDeclaration/declarationTime", {"errorDeclaration": {"reason": "did_not_occur"}}),
    ("/sensorElementList/0", {"sensorElementList": ["warm"]}),
    ("/ilmd", {"ilmd": {"cbvmda:lotNumber": "A"}}),  # ilmd needs action ADD
]  # fmt: skip


@pytest.mark.parametrize(("field", "changes"), ODD)
@pytest.mark.parametrize("door", ["capture", "events"])
def test_an_odd_value_is_named(house: House, writer: Any, door: str, field: str, changes: dict[str, Any]) -> None:
    before = stored()
    event = observed(writer, "1", **changes)
    if door == "capture":
        answer = house.capture("pharmacy", observed(writer, "2"), event)
    else:
        answer = house.post("pharmacy", "/epcis/events", {"@context": [DEFAULT_CONTEXT], **event})
    assert (answer.status_code, answer["Content-Type"]) == (400, "application/problem+json"), answer.content
    found = [(error["event"], error["pointer"].rpartition("/eventList/1")[2]) for error in answer.json()["errors"]]
    place = 1 if door == "capture" else 0
    assert any(event == place and pointer.startswith(field) for event, pointer in found), answer.content
    assert stored() == before


BODIES = {
    "no json": b"{",
    "not utf-8": b'{"a": "\xff"}',
    "half a surrogate": rb'{"a": "\ud800"}',
    "a member twice": b'{"type": "EPCISDocument", "type": "EPCISDocument"}',
    "not a number": b'{"a": NaN}',
    "a number that is no double": b'{"a": 0.1000000000000000055511151231257827}',
    "a large integer": b'{"a": 9007199254740993}',
    "very deep": b'{"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "an array": b"[]",
    "a text": b'"hello"',
    "nothing": b" ",
}


DOORS = ["/epcis/capture", "/epcis/events", "/api/v1/scans", "/api/v1/preflight", "/api/v1/statements"]


@pytest.mark.parametrize("name", BODIES)
@pytest.mark.parametrize("path", DOORS)
def test_a_body_that_is_no_such_document(house: House, path: str, name: str) -> None:
    before = (*stored(), ScanEvent.objects.count())
    answer = house.client("pharmacy").post(path, BODIES[name], content_type="application/json")
    assert (answer.status_code, answer["Content-Type"]) == (400, "application/problem+json"), answer.content
    assert answer.json()["code"]
    assert (*stored(), ScanEvent.objects.count()) == before


CALLS: list[tuple[str, str, dict[str, Any]]] = [
    ("step", "/step", {"step": 7}),
    ("unknown-step", "/step", {"step": "fly"}),
    ("codes", "/codes", {"codes": "(01)09521000001008(21)1"}),
    ("codes", "/codes", {"codes": []}),
    ("codes", "/codes", {"codes": [1]}),
    ("code-check-digit", "/codes/1", {"codes": [pack("1"), "(01)09521000001009(21)1"]}),
    ("code-unreadable", "/codes/0", {"codes": [LONG]}),
    ("code-unreadable", "/codes/0", {"codes": ["(01)09521000001008(21)a\0b"]}),
    ("not-your-place", "/place", {"place": "https://id.gs1.org/414/9521000800031"}),
    ("place", "/place", {"place": None}),
    ("details", "/details", {"details": {"receiver": ["maker"]}}),
    ("details-missing", "/details/receiver", {"step": "ship"}),
    ("unknown-receiver", "/details/receiver", {"step": "ship", "details": {"receiver": "nobody"}}),
    ("nonce", "/nonce", {"nonce": LONG}),
    ("unknown-member", "/my~1wish", {"my/wish": 1}),
    ("container", "/details/container", {"step": "ship", "details": {"receiver": "maker", "container": pack("1")}}),
    ("lot", "/details/lot", {"step": "opening_stock", "details": {"lot": LONG[:21]}}),
    ("expiry", "/details/expiry", {"step": "opening_stock", "details": {"expiry": "soon"}}),
    ("one-code", "/codes", {"step": "undo", "codes": [pack("1"), pack("2")], "details": {"reason": "mistake"}}),
    ("quantity-left", "/details/quantity_left", {"step": "dispense_part", "details": {"quantity_left": "-1"}}),
]


@pytest.mark.parametrize(("code", "pointer", "changes"), CALLS)
def test_an_odd_scan_is_named(house: House, code: str, pointer: str, changes: dict[str, Any]) -> None:
    before = (*stored(), ScanEvent.objects.count())
    call = {"step": "receive", "codes": [pack("1")], "place": house.place("pharmacy")} | changes
    answer = house.post("pharmacy", "/api/v1/scans", call)
    assert 400 <= answer.status_code < 500, answer.content
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["code"] == code
    assert [(one["pointer"], one["code"]) for one in answer.json()["errors"]] == [(pointer, code)]
    assert (*stored(), ScanEvent.objects.count()) == before


def test_the_longest_event_that_is_accepted_passes_every_fold(house: House, writer: Any) -> None:
    """What the validator lets through must fit wherever it is kept; PostgreSQL's columns are strict."""
    uri, term = "https://example.com/" + "p" * 1004, "https://example.com/" + "t" * 236
    words = ["https://example.com/" + str(number) + "w" * 235 for number in range(10)]
    event = observed(
        writer,
        "1",
        eventID="urn:x:" + "e" * 506,
        action="ADD",
        bizStep=term,
        disposition=term,
        epcList=[uri],
        readPoint={"id": uri},
        bizLocation={"id": uri},
        bizTransactionList=[{"type": term, "bizTransaction": uri}, {"type": "desadv", "bizTransaction": uri}],
        sourceList=[{"type": term, "source": uri}],
        destinationList=[{"type": "owning_party", "destination": uri}],
        quantityList=[{"epcClass": uri, "quantity": amount, "uom": "KGM"} for amount in (1.2345678901234567e-9, 1e15)],
        persistentDisposition={"set": words, "unset": [term]},
        ilmd={"cbvmda:lotNumber": "L" * 64, "cbvmda:itemExpirationDate": "2030-01-31T" + "9" * 29},
        sensorElementList=[
            {
                "sensorMetadata": {"deviceID": term, "time": "2026-01-01T00:00:00Z"},
                "sensorReport": [{"type": "Temperature", "value": 5.5, "uom": "CEL", "deviceID": term}],
            }
        ],
    )  # fmt: skip
    declaration = {
        **event,
        "errorDeclaration": {"declarationTime": "2026-01-01T00:00:00.123456789012+08:00", "reason": term},
    }
    answer = house.capture("pharmacy", event, declaration)
    assert answer.status_code == 202, answer.content
    house.settle()
    assert PublishedEvent.objects.filter(event_id=event["eventID"]).count() == 2
    assert UnknownIdentifier.objects.exists() is False  # a place of one's own is no GLN


def test_a_token_that_was_revoked_opens_nothing(house: House, writer: Any) -> None:
    services.revoke_token(digest=selectors.token_digest(house.tokens["pharmacy"]))
    before = stored()
    answer = house.capture("pharmacy", observed(writer, "1"))
    assert (answer.status_code, answer.json()["code"]) == (401, "not-authenticated")
    assert stored() == before


def test_the_token_of_a_closed_party_opens_nothing(house: House, writer: Any) -> None:
    party = house.parties["pharmacy"]
    party.active = False
    services.save_party(party=party)
    before = stored()
    answer = house.capture("pharmacy", observed(writer, "1"))
    assert (answer.status_code, answer.json()["code"]) == (401, "not-authenticated")
    assert stored() == before


def test_the_good_one_among_these_is_taken(house: House, writer: Any) -> None:
    """The negative control: what all these tests change is accepted unchanged, at every door."""
    document = json.dumps(written.document([observed(writer, "1")], 0)).encode()
    client = house.client("pharmacy")
    assert client.post("/epcis/capture", document, content_type="application/json").status_code == 202
    event = {"@context": [DEFAULT_CONTEXT], **observed(writer, "2")}
    assert house.post("pharmacy", "/epcis/events", event).status_code == 201
    call = {"step": "receive", "codes": [pack("1")], "place": house.place("pharmacy")}
    assert house.post("pharmacy", "/api/v1/scans", call).status_code == 201
