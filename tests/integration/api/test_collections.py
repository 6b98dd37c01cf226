"""The collections of what events name, their members, and the events of a member."""

from typing import Any
from urllib.parse import quote

import pytest

from tests.integration.api.test_capture import observed
from tests.integration.conftest import GTIN, House, pack
from traceability.epcis.vocabulary import BIZ_STEPS
from traceability.parties import services
from traceability.queries.collections import COLLECTIONS

OWN_STEP = "https://pharmacy.example/step"


@pytest.fixture
def stocked(house: House, writer: Any) -> House:
    """Five packs seen by the pharmacy, one in a step of its own."""
    house.capture("pharmacy", *(observed(writer, f"{number}") for number in range(1, 5)))
    house.capture("pharmacy", observed(writer, "5", bizStep=OWN_STEP))
    house.settle()
    return house


def members(house: House, party: str, path: str) -> list[str]:
    """All members of a collection, page by page."""
    found: list[str] = []
    url = f"/epcis/{path}"
    while url:
        answer = house.client(party).get(url)
        assert answer.status_code == 200, answer.content
        assert answer.json()["type"] == "Collection"
        found += answer.json()["member"]
        url = answer.get("Link", "").partition(">")[0].lstrip("<")
    return found


def test_the_top_level_lists_every_collection(house: House) -> None:
    assert set(COLLECTIONS) < set(house.client("maker").get("/epcis/").json()["member"])


@pytest.mark.parametrize("size", [1, 2, 30])
def test_things_and_places_are_those_of_events_that_the_party_sees(stocked: House, size: int) -> None:
    packs = [pack(f"{number}") for number in range(1, 6)]
    place = stocked.place("pharmacy")
    for party, seen in (("pharmacy", True), ("regulator", True), ("other", False)):
        assert members(stocked, party, f"epcs?perPage={size}") == (packs if seen else [])
        assert members(stocked, party, f"readPoints?perPage={size}") == ([place] if seen else [])


def test_identifiers_come_as_the_client_asks(stocked: House) -> None:
    services.add_company_prefix(party=stocked.parties["maker"], value="9521000")
    client = stocked.client("pharmacy")
    for wish, said, spelled in (
        ("Always_EPC_URN", "Always_EPC_URN", "urn:epc:id:sgtin:9521000.000100.1"),
        ("Never_Translates", "Always_GS1_Digital_Link", pack("1")),
    ):
        answer = client.get("/epcis/epcs?perPage=1", headers={"GS1-EPC-Format": wish})
        assert (answer["GS1-EPC-Format"], answer.json()["member"]) == (said, [spelled])
    (place,) = client.get("/epcis/readPoints", headers={"GS1-EPC-Format": "Always_EPC_URN"}).json()["member"]
    assert place.startswith("urn:epc:id:sgln:9521000.")
    assert client.get("/epcis/epcs", headers={"GS1-EPC-Format": "Mine"}).status_code == 400
    assert client.get("/epcis/bizSteps", headers={"GS1-EPC-Format": "Mine"}).status_code == 200


def test_steps_are_the_standards_and_own_ones_seen(stocked: House) -> None:
    assert members(stocked, "pharmacy", "bizSteps?perPage=7") == sorted({*BIZ_STEPS, OWN_STEP})
    assert members(stocked, "other", "bizSteps?perPage=7") == sorted(BIZ_STEPS)
    assert "TransformationEvent" in members(stocked, "other", "eventTypes")


@pytest.mark.parametrize(
    ("path", "count"),
    [
        ("bizSteps/stocking", 4),
        ("bizSteps/" + quote("https://ref.gs1.org/cbv/BizStep-stocking", safe=""), 4),
        ("bizSteps/urn:epcglobal:cbv:bizstep:stocking", 4),
        ("bizSteps/" + quote(OWN_STEP, safe=""), 1),
        ("epcs/" + quote(pack("3"), safe=""), 1),
        ("epcs/urn:epc:id:sgtin:9521000.000100.3", 1),
        (f"epcs/https://id.gs1.org/01/{GTIN}", 5),
        ("eventTypes/ObjectEvent", 5),
        ("dispositions/sellable_accessible", 5),
    ],
)
def test_a_member_and_its_events(stocked: House, path: str, count: int) -> None:
    client = stocked.client("pharmacy")
    assert client.get(f"/epcis/{path}").json()["member"] == ["events"]
    listed = client.get(f"/epcis/{path}/events").json()["epcisBody"]["queryResults"]["resultsBody"]["eventList"]
    assert len(listed) == count
    first = client.get(f"/epcis/{path}/events?perPage=1&MATCH_epc={pack('3')}|{pack('5')}")
    assert len(first.json()["epcisBody"]["queryResults"]["resultsBody"]["eventList"]) == 1


def test_pages_of_a_members_events_go_on(stocked: House) -> None:
    client, seen, url = stocked.client("pharmacy"), [], "/epcis/bizSteps/stocking/events?perPage=3"
    while url:
        answer = client.get(url)
        seen += [one["eventID"] for one in answer.json()["epcisBody"]["queryResults"]["resultsBody"]["eventList"]]
        url = answer.get("Link", "").partition(">")[0].lstrip("<")
    assert len(set(seen)) == len(seen) == 4


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("bizSteps/unheard_of", 404),
        ("epcs/urn:epc:id:sgtin:9521000.000100.999", 404),
        ("epcs/urn:epc:id:sgtin:x", 400),
        ("bizSteps/stocking/events?EQ_bizStep=shipping", 400),
        ("bizSteps/stocking/events?EQ_color=red", 400),
        ("bizSteps?EQ_bizStep=shipping", 400),
        ("bizSteps?perPage=0", 400),
        ("bizSteps?nextPageToken=x", 400),
    ],
)
def test_what_is_refused(stocked: House, path: str, status: int) -> None:
    answer = stocked.client("pharmacy").get(f"/epcis/{path}")
    assert (answer.status_code, answer["Content-Type"]) == (status, "application/problem+json")


def test_tokens_belong_to_one_collection_and_one_party(stocked: House) -> None:
    link = stocked.client("pharmacy").get("/epcis/epcs?perPage=2")["Link"]
    token = link.partition("nextPageToken=")[2].partition(">")[0]
    assert stocked.client("pharmacy").get(f"/epcis/epcs?nextPageToken={token}").status_code == 200
    assert stocked.client("pharmacy").get(f"/epcis/bizSteps?nextPageToken={token}").status_code == 400
    assert stocked.client("other").get(f"/epcis/epcs?nextPageToken={token}").status_code == 400
    deleted = stocked.client("pharmacy").delete(f"/epcis/nextPageToken/{token}")
    assert (deleted.status_code, deleted.json()["type"]) == (501, "epcisException:ImplementationException")


def test_every_address_answers_options(house: House) -> None:
    for kind in COLLECTIONS:
        for path in (kind, f"{kind}/x", f"{kind}/x/events", "nextPageToken/x"):
            answer = house.client("maker").options(f"/epcis/{path}")
            assert (answer.status_code, "GS1-EPCIS-Version" in answer) == (204, True)
