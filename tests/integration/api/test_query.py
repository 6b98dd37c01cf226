"""Queries: the parameters that are promised, paging that is stable, and who may see what."""

import re
from typing import Any
from urllib.parse import quote

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import URLPattern, get_resolver

from tests.integration.api.test_capture import observed
from tests.integration.conftest import GTIN, House, pack
from traceability.capture.event_hashes import EVENT_HASHES
from traceability.capture.models import EventHash
from traceability.common import rebuilding
from traceability.common.clock import now_ms
from traceability.common.projection import digest
from traceability.exchange import channels
from traceability.exchange.models import Delivery
from traceability.simulation import events

NAMES = [f"{number}" for number in range(1, 8)]


@pytest.fixture
def chain(house: House, writer: Any) -> House:
    """A shipment from the maker to the wholesaler, and stock of the pharmacy."""
    common = {"at_ms": now_ms() - 60_000, "event_id": "urn:uuid:11111111-0000-4000-8000-000000000001"}
    shipped = events.ship(
        [pack("900")], sender=writer("maker"), receiver=writer("wholesaler"), despatch="urn:x:da:1", **common
    )
    house.capture("maker", shipped)
    house.capture("pharmacy", *(observed(writer, name) for name in NAMES))
    house.settle()
    return house


def listed(house: House, party: str, query: str = "") -> list[dict[str, Any]]:
    answer = house.client(party).get(f"/epcis/events{query}")
    assert answer.status_code == 200, answer.content
    found: list[dict[str, Any]] = answer.json()["epcisBody"]["queryResults"]["resultsBody"]["eventList"]
    return found


def test_a_party_reads_its_own_and_those_naming_it(chain: House) -> None:
    assert len(listed(chain, "pharmacy")) == len(NAMES)
    assert [event["bizStep"] for event in listed(chain, "wholesaler")] == ["shipping"]
    assert listed(chain, "other") == []
    assert len(listed(chain, "regulator")) == len(NAMES) + 1


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("?eventType=ObjectEvent", 8),
        ("?eventType=AggregationEvent", 0),
        ("?EQ_bizStep=shipping", 1),
        ("?EQ_bizStep=shipping%7Cstocking", 8),
        ("?EQ_bizStep=shipping&EQ_bizStep=stocking", 8),
        ("?EQ_bizStep=https://ref.gs1.org/cbv/BizStep-shipping", 1),
        ("?EQ_action=OBSERVE", 8),
        ("?EQ_disposition=in_transit", 1),
        (f"?MATCH_epc={pack('900')}", 1),
        (f"?MATCH_anyEPC={pack('3')}", 1),
        (f"?MATCH_anyEPC=https://id.gs1.org/01/{GTIN}", 8),
        ("?MATCH_epc=urn:epc:id:sgtin:9521000.000100.900", 1),
        ("?MATCH_parentID=https://id.gs1.org/00/395210000001001060", 0),
        ("?EQ_bizTransaction_desadv=urn:x:da:1", 1),
        ("?EQ_bizTransaction_po=urn:x:da:1", 0),
        ("?EQ_eventID=urn:uuid:11111111-0000-4000-8000-000000000001", 1),
        ("?GE_eventTime=2020-01-01T00:00:00Z&LT_eventTime=2021-01-01T00:00:00Z", 0),
        ("?GE_recordTime=2020-01-01T00:00:00.000%2B08:00", 8),
        (f"?MATCH_epcClass=https://id.gs1.org/01/{GTIN}/10/L1", 0),
        ("?perPage=3", 3),
    ],
)
def test_each_promised_parameter(chain: House, query: str, count: int) -> None:
    assert len(listed(chain, "regulator", query)) == count


@pytest.mark.parametrize(
    "query",
    ["?EQ_color=red", "?GE_eventTime=soon", "?perPage=0", "?orderBy=price", "?nextPageToken=x", "?EQ_action=PUT"],
)
def test_any_other_parameter_is_400(chain: House, query: str) -> None:
    answer = chain.client("regulator").get(f"/epcis/events{query}")
    assert (answer.status_code, answer.json()["code"]) == (400, "query-parameter")
    assert [error["parameter"] for error in answer.json()["errors"]] == [query[1:].partition("=")[0]]


def test_pages_carry_their_query_and_stand_still_under_writes(chain: House, writer: Any) -> None:
    client, seen = chain.client("pharmacy"), []
    url = "/epcis/events?EQ_bizStep=stocking&perPage=2&orderBy=eventTime&orderDirection=ASC"
    while url:
        answer = client.get(url)
        seen += [event["eventID"] for event in answer.json()["epcisBody"]["queryResults"]["resultsBody"]["eventList"]]
        link = answer.get("Link", "")
        url = link.partition(">")[0].lstrip("<")
        if len(seen) == 2:
            chain.capture("pharmacy", observed(writer, "50", eventTime="2020-01-01T00:00:00Z"))
            chain.settle()
            assert url.count("=") >= 1
            assert "EQ_bizStep" not in url
    assert len(seen) == len(set(seen)) == len(NAMES)


def test_an_event_by_id_with_its_declarations(chain: House, writer: Any) -> None:
    event = observed(writer, "1")
    declared = {**event, "errorDeclaration": {"declarationTime": "2026-10-01T00:00:00Z", "reason": "did_not_occur"}}
    chain.capture("pharmacy", declared)
    chain.settle()
    answer = chain.client("pharmacy").get(f"/epcis/events/{event['eventID']}").json()
    found = answer["epcisBody"]["queryResults"]["resultsBody"]["eventList"]
    assert ["errorDeclaration" in one for one in found] == [False, True]
    assert all("recordTime" in one for one in found)


def test_a_stranger_gets_404_for_every_resource_of_another(chain: House, writer: Any, settings: Any) -> None:
    """The negative control is the owner, who gets 200 for the same addresses."""
    own = {"bizStep": "https://pharmacy.example/step", "disposition": "https://pharmacy.example/state"}
    kind = {"type": "https://pharmacy.example/event"}
    job = chain.capture("pharmacy", observed(writer, "60", **own), observed(writer, "61", **kind)).json()["captureID"]
    chain.settle()
    readings = b"timestamp,temperature_c\n2026-01-01T00:00:00Z,5.0\n2026-01-01T00:10:00Z,5.1\n"
    uploaded = chain.client("pharmacy").post(
        "/api/v1/logger-files",
        {"file": SimpleUploadedFile("fridge.csv", readings), "site": chain.place("pharmacy"), "time_zone": "UTC"},
    )
    settings.OUTBOUND_LOOPBACK = True
    query = chain.post("pharmacy", "/epcis/queries", {"name": "q", "query": {}})["Location"]
    hook = {"dest": "http://127.0.0.1:9/", "stream": True}
    subscription = chain.post("pharmacy", f"{query}/subscriptions", hook)["Location"]
    paths = [
        f"/epcis/capture/{job}",
        f"/epcis/events/{observed(writer, '1')['eventID']}",
        f"/api/v1/logger-files/{uploaded.json()['sha256']}",
        "/epcis/bizSteps/https://pharmacy.example/step",
        "/epcis/dispositions/https://pharmacy.example/state",
        "/epcis/eventTypes/https://pharmacy.example/event",
        f"/epcis/epcs/{pack('60')}",
        f"/epcis/readPoints/{chain.place('pharmacy')}",
        f"/epcis/bizLocations/{chain.place('pharmacy')}",
        query,
        subscription,
    ]
    below = [f"{path}/events" for path in paths[3:-1]]
    paths.append(f"/api/v1/deliveries/{delivered(chain)}")
    assert [chain.client("pharmacy").get(path).status_code for path in paths + below] == [200] * len(paths + below)
    assert [chain.client("other").get(path).status_code for path in paths + below] == [404] * len(paths + below)
    original = chain.client("pharmacy").get(paths[2])
    assert (original.content, original["Content-Disposition"]) == (readings, 'attachment; filename="fridge.csv"')
    assert chain.client("regulator").get(paths[2]).content == readings
    # Each address that names one thing is among these, but for what anybody may read and for nothing at all.
    nowhere = {"/epcis/x", "/api/v1/x", "/epcis/nextPageToken/x"}
    products = {"/api/v1/products/x", "/api/v1/lots/x", "/api/v1/lots/x/x", "/api/v1/places/x"}  # test_products.py
    products |= {"/api/v1/products/x/links/x"}  # test_product_links.py
    notices = {"/api/v1/recalls/x", "/api/v1/exceptions/x"}  # recalls/test_api.py, exceptions/test_api.py
    lists = {"/api/v1/expected-lists/x", "/api/v1/expected-lists/x/comparison/x"}  # test_expected_lists.py
    named = {path for path in _api_paths() if path.endswith("/x")}
    assert len(named - nowhere - products - notices - lists) == len(paths)


def _api_paths() -> list[str]:
    """Every address of the two APIs, with placeholders filled in."""
    found = []
    for resolver in get_resolver().url_patterns:
        prefix = str(resolver.pattern)
        if prefix in {"epcis/", "api/v1/"}:
            for pattern in resolver.url_patterns:
                assert isinstance(pattern, URLPattern)
                found.append("/" + prefix + re.sub("<[^>]+>", "x", str(pattern.pattern)))
    return found


def delivered(house: House) -> str:
    """A delivery from the pharmacy to the wholesaler."""
    channel = channels.create(
        house.parties["pharmacy"], channels.Plan(house.parties["wholesaler"], "download", "json-2.0")
    )
    made = {"number": 1, "body": b"{}", "sha256": "", "size": 2, "events": 0, "created_ms": 0}
    return Delivery.objects.create(id="1", channel=channel, **made).id


def test_every_api_address_asks_who_is_there(db: None) -> None:
    assert len(_api_paths()) >= 8
    for path in _api_paths():
        for method in ("get", "post"):
            status = getattr(Client(), method)(path).status_code
            assert status in {401, 405}, (path, method, status)


def test_an_event_is_found_by_its_computed_hash_and_no_hash_that_a_party_gives_is_believed(
    house: House, writer: Any
) -> None:
    mine, lie = {"@context": [events.CONTEXT], **observed(writer, "1")}, "ni:///sha-256;" + "0" * 64 + "?ver=CBV2.0"
    answer = house.post("pharmacy", "/epcis/events", mine)
    name = answer["Dosetrail-Event-Hash"]
    theirs = {**mine, "eventID": lie}
    assert house.post("other", "/epcis/events", theirs)["Dosetrail-Event-Hash"] == name
    house.settle()
    for query in (f"?EQ_eventID={quote(name)}", f"?EQ_eventID={quote(name)}&EQ_bizStep=stocking"):
        assert [event["eventID"] for event in listed(house, "pharmacy", query)] == [mine["eventID"]]
        assert len(listed(house, "regulator", query)) == 2
    assert len(listed(house, "regulator", f"?EQ_eventID={quote(lie)}")) == 1  # as an eventID like any other
    single = house.client("other").get(f"/epcis/events/{quote(name, safe=':')}")
    assert [event["eventID"] for event in single.json()["epcisBody"]["queryResults"]["resultsBody"]["eventList"]] == [
        lie
    ]
    assert house.client("maker").get(f"/epcis/events/{quote(name, safe=':')}").status_code == 404
    before = digest(EventHash)
    list(rebuilding.rebuild([EVENT_HASHES]))
    assert digest(EventHash) == before
