"""What queries answer with is itself valid EPCIS, however identifiers are wished for, and says what is void."""

from typing import Any

import pytest

from tests.integration.api.test_capture import observed
from tests.integration.conftest import House
from tests.unit.epcis import samples
from traceability.epcis.epc_format import DIGITAL_LINK, EPC_URN, FORMATS, NEVER
from traceability.epcis.validation import validate_document
from traceability.parties import keys
from traceability.parties.models import PartyKey
from traceability.queries.void_marks import MEMBER

LATER = {"declarationTime": "2026-10-01T00:00:00Z", "reason": "did_not_occur"}


@pytest.fixture
def rich(house: House) -> House:
    """One rich event of each type, as others write them: URNs and links mixed, extensions, sensors."""
    answer = house.client("pharmacy").post(
        "/epcis/capture", samples.document(*samples.EVENTS.values()), content_type="application/json"
    )
    assert answer.status_code == 202, answer.content
    house.settle()
    return house


def asked(house: House, wish: str = "", party: str = "pharmacy") -> dict[str, Any]:
    headers = {"GS1-EPC-Format": wish} if wish else {}
    answer = house.client(party).get("/epcis/events?orderDirection=ASC", headers=headers)
    assert answer.status_code == 200, answer.content
    found: dict[str, Any] = answer.json()
    return found


def events_in(document: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = document["epcisBody"]["queryResults"]["resultsBody"]["eventList"]
    return found


@pytest.mark.parametrize("wish", ["", *FORMATS])
def test_every_answer_is_valid(rich: House, wish: str) -> None:
    document = asked(rich, wish)
    assert len(events_in(document)) == len(samples.EVENTS)
    assert validate_document(document) == []


def test_identifiers_are_spelled_as_wished(rich: House) -> None:
    sent = {event["type"]: event for event in samples.EVENTS.values()}
    by_wish = {wish: {event["type"]: event for event in events_in(asked(rich, wish))} for wish in ("", *FORMATS)}
    written = {kind: event["bizLocation"]["id"] for kind, event in sent.items() if "bizLocation" in event}
    assert any(uri.startswith("urn:epc:") for uri in written.values())
    for kind, uri in written.items():
        assert by_wish[NEVER][kind]["bizLocation"]["id"] == uri
        assert by_wish[DIGITAL_LINK][kind]["bizLocation"]["id"] == "https://id.gs1.org/414/4012345000054"
        assert by_wish[EPC_URN][kind]["bizLocation"]["id"] == "urn:epc:id:sgln:4012345.00005.0"
    assert by_wish[""] == by_wish[DIGITAL_LINK]
    # The company prefix of these packs is in no URN of the answer: where it ends cannot be told.
    assert by_wish[EPC_URN]["ObjectEvent"]["epcList"] == sent["ObjectEvent"]["epcList"]


def test_another_wish_is_400(rich: House) -> None:
    answer = rich.client("pharmacy").get("/epcis/events", headers={"GS1-EPC-Format": "Always_Barcode"})
    assert (answer.status_code, answer.json()["code"]) == (400, "epc-format")


def test_what_is_void_says_why(house: House, writer: Any) -> None:
    """The control is the event beside them, which counts and bears no mark."""
    declared, kept = observed(writer, "1"), observed(writer, "2")
    house.capture("pharmacy", declared, kept)
    house.capture("pharmacy", {**declared, "errorDeclaration": LATER})
    house.capture("other", observed(writer, "3"))
    house.settle()
    keys.revoke_key(key=PartyKey.objects.get(party=house.parties["other"]), bad_since_ms=0)
    house.settle()
    found = events_in(asked(house, party="regulator"))
    marks = {(event["eventID"], "errorDeclaration" in event): event.get(MEMBER) for event in found}
    assert marks == {
        (declared["eventID"], False): "declared",
        (declared["eventID"], True): None,
        (kept["eventID"], False): None,
        (observed(writer, "3")["eventID"], False): "key",
    }
    assert validate_document(asked(house)) == []
