"""Named queries over HTTP: kept per party, refused by the engine's own words, and read in pages."""

from typing import Any

import pytest
from jsonschema import Draft202012Validator

from tests.integration.api.test_capture import observed
from tests.integration.api.test_query import chain, listed
from tests.integration.conftest import House
from traceability.api.schema import inspector
from traceability.queries import event_query

__all__ = ["chain"]

STOCKING = {"name": "stocking", "query": {"EQ_bizStep": ["stocking"], "eventType": "ObjectEvent"}}


def events_of(answer: Any) -> list[dict[str, Any]]:
    assert answer.status_code == 200, answer.content
    found: list[dict[str, Any]] = answer.json()["epcisBody"]["queryResults"]["resultsBody"]["eventList"]
    return found


def test_a_query_is_kept_found_and_dropped(chain: House) -> None:
    made = chain.post("pharmacy", "/epcis/queries", STOCKING)
    assert (made.status_code, made["Location"]) == (201, "/epcis/queries/stocking")
    client = chain.client("pharmacy")
    found = client.get(made["Location"]).json()
    assert {name: found[name] for name in STOCKING} == STOCKING
    assert [one["name"] for one in client.get("/epcis/queries").json()] == ["stocking"]
    answer = client.get(made["Location"] + "/events")
    assert [one["bizStep"] for one in events_of(answer)] == ["stocking"] * 7
    assert answer.json()["epcisBody"]["queryResults"]["queryName"] == "stocking"
    assert chain.post("pharmacy", "/epcis/queries", STOCKING).status_code == 409
    assert client.delete(made["Location"]).status_code == 204
    assert client.get(made["Location"]).status_code == 404
    assert client.get(made["Location"]).json()["title"] == "NoSuchNameException"


def test_a_name_is_its_party_s_own(chain: House) -> None:
    chain.post("pharmacy", "/epcis/queries", STOCKING)
    for method in ("get", "delete"):
        assert getattr(chain.client("other"), method)("/epcis/queries/stocking").status_code == 404
    assert chain.client("other").get("/epcis/queries/stocking/events").status_code == 404
    assert chain.client("other").get("/epcis/queries").json() == []
    assert chain.post("other", "/epcis/queries", STOCKING).status_code == 201
    assert events_of(chain.client("other").get("/epcis/queries/stocking/events")) == []


def test_any_name_that_an_address_can_carry(house: House) -> None:
    name = "Lieferungen 今天?#&%"
    made = house.post("pharmacy", "/epcis/queries", {"name": name, "query": {}})
    assert made.status_code == 201
    assert house.client("pharmacy").get(made["Location"]).json()["name"] == name


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/name"),
        ({"name": "", "query": {}}, "/name"),
        ({"name": "a/b", "query": {}}, "/name"),
        ({"name": "..", "query": {}}, "/name"),
        ({"name": "x" * 129, "query": {}}, "/name"),
        ({"name": 5, "query": {}}, "/name"),
        ({"name": "a"}, "/query"),
        ({"name": "a", "query": []}, "/query"),
        ({"name": "a", "query": {}, "colour": 1}, "/colour"),
    ],
)
def test_what_is_no_named_query_is_said(house: House, body: Any, pointer: str) -> None:
    answer = house.post("pharmacy", "/epcis/queries", body)
    assert (answer.status_code, answer.json()["title"]) == (400, "QueryValidationException")
    assert [one["pointer"] for one in answer.json()["errors"]] == [pointer]


@pytest.mark.parametrize(
    "query", [{"EQ_color": "red"}, {"GE_eventTime": "soon"}, {"perPage": 0}, {"EQ_action": ["PUT"]}, {"eventType": {}}]
)
def test_the_engine_s_own_errors(house: House, query: Any) -> None:
    answer = house.post("pharmacy", "/epcis/queries", {"name": "a", "query": query})
    assert answer.status_code == 400
    assert [one["parameter"] for one in answer.json()["errors"]] == list(query)
    assert house.client("pharmacy").get("/epcis/queries").json() == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("eventType", [-1.5, 0.0]),
        ("eventType", [""]),
        ("EQ_bizTransaction_po", 3.5e15),
        ("EQ_chemicalSubstance", ""),
        ("EQ_bizStep", True),
        ("EQ_readPoint", "urn:the dock"),
        ("EQ_source_location", "x:["),
        ("EQ_percRank", [3e26]),
        ("LE_percRank", 1.2e21),
        ("LE_percRank", "50"),
        ("LE_percRank", [50]),
        ("GE_eventTime", ["2026-03-01T12:00:00Z"]),
        ("EQ_booleanValue", 1),
        ("EXISTS_errorDeclaration", "true"),
        ("perPage", "2"),
    ],
)
def test_a_kept_query_has_the_standard_s_types(house: House, name: str, value: Any) -> None:
    """What the description of the API does not have is refused, so that every query is answered as it describes."""
    answer = house.post("pharmacy", "/epcis/queries", {"name": "a", "query": {name: value}})
    assert (answer.status_code, answer.json()["errors"][0]["parameter"]) == (400, name)
    event_query.parse({name: value})  # one that was kept before is still read
    assert not described(name, value)


def test_a_kept_query_of_every_type(house: House) -> None:
    query = {
        "eventType": "ObjectEvent", "EQ_bizTransaction_po": ["1"], "EQ_percRank": [50, 2.5], "LE_percRank": 50.5,
        "EQ_booleanValue": [True, "false"], "perPage": 2, "EXISTS_errorDeclaration": "",
        "MATCH_epc": ["urn:epc:idpat:sgtin:9521000.*.*"], "EQ_value_CEL": 8, f"EQ_{EX}farm": 5,
    }  # fmt: skip
    assert house.post("pharmacy", "/epcis/queries", {"name": "a", "query": query}).status_code == 201
    assert all(described(name, value) for name, value in query.items())


def described(name: str, value: Any) -> bool:
    """Whether the description of the API has such a parameter."""
    api = {"components": {"schemas": inspector.COMPONENTS}, "$ref": "#/components/schemas/QueryParameters"}
    return Draft202012Validator(api).is_valid({name: value})


EX = "https://ns.example.com/epcis/"


@pytest.mark.parametrize("declared", ["in the query", "in the header"])
def test_a_query_declares_its_prefixes(chain: House, writer: Any, declared: str) -> None:
    """In its `@context`, as the standard's query-schema.json has it, or in GS1-Extensions: kept either way."""
    chain.capture("pharmacy", observed(writer, "8", **{f"{EX}farm": "A"}))
    chain.settle()
    query: dict[str, Any] = {"EQ_example:farm": ["A"], "EXISTS_errorDeclaration": False}
    headers = {}
    if declared == "in the query":
        schema = "https://ref.gs1.org/standards/epcis/2.0.0/query-schema.json"
        query["@context"] = [schema, {"example": EX}]
    else:
        headers["GS1-Extensions"] = f"example={EX}"
    client = chain.client("pharmacy")
    body = {"name": "farms", "query": query}
    assert client.post("/epcis/queries", body, "application/json", headers=headers).status_code == 201
    assert len(events_of(client.get("/epcis/queries/farms/events"))) == 1
    kept = client.get("/epcis/queries/farms").json()["query"]
    assert (kept["@context"][-1], kept["EQ_example:farm"]) == ({"example": EX}, ["A"])


@pytest.mark.parametrize("value", [None, 1, True, ""])
def test_what_only_asks_whether_something_is_there(chain: House, value: Any) -> None:
    """query-schema.json has an integer or null for these; the text of the standard gives their value no meaning."""
    query = {"EXISTS_sensorElementList": value}
    assert chain.post("pharmacy", "/epcis/queries", {"name": "sensed", "query": query}).status_code == 201
    assert events_of(chain.client("pharmacy").get("/epcis/queries/sensed/events")) == []


@pytest.mark.parametrize("context", [5, [["x"]], {"a b": "https://x.example/"}, {"a": 1}])
def test_what_is_no_context_of_a_query(house: House, context: Any) -> None:
    answer = house.post("pharmacy", "/epcis/queries", {"name": "a", "query": {"@context": context}})
    assert (answer.status_code, answer.json()["errors"][0]["parameter"]) == (400, "@context")
    assert house.client("pharmacy").get("/epcis/events?@context=x").status_code == 400


def test_results_are_narrowed_and_paged(chain: House) -> None:
    query = {"EQ_bizStep": "stocking", "perPage": 2, "orderDirection": "ASC"}
    chain.post("pharmacy", "/epcis/queries", {"name": "q", "query": query})
    client, url, seen = chain.client("pharmacy"), "/epcis/queries/q/events", []
    while url:
        answer = client.get(url)
        seen += [one["eventID"] for one in events_of(answer)]
        url = answer.get("Link", "").partition(">")[0].lstrip("<")
    assert len(set(seen)) == len(seen) == 7
    one = listed(chain, "pharmacy")[0]["eventID"]
    assert [event["eventID"] for event in events_of(client.get(f"/epcis/queries/q/events?EQ_eventID={one}"))] == [one]
    assert client.get("/epcis/queries/q/events?EQ_color=red").status_code == 400


def test_the_list_is_paged(house: House) -> None:
    for number in range(5):
        house.post("pharmacy", "/epcis/queries", {"name": f"q{number}", "query": {}})
    client, url, names = house.client("pharmacy"), "/epcis/queries?perPage=2", []
    while url:
        answer = client.get(url)
        names += [one["name"] for one in answer.json()]
        url = answer.get("Link", "").partition(">")[0].lstrip("<")
    assert names == [f"q{number}" for number in range(5)]
    token = client.get("/epcis/queries?perPage=2")["Link"].partition(">")[0].partition("Token=")[2]
    for party, path in (("other", "/epcis/queries"), ("pharmacy", "/epcis/capture")):
        assert house.client(party).get(f"{path}?nextPageToken={token}").status_code == 400
    assert client.get("/epcis/queries?perPage=x").status_code == 400
    assert client.get("/epcis/queries?x=1").status_code == 400


def test_the_next_page_is_found_whatever_the_query_s_name_and_form(chain: House) -> None:
    made = chain.post("pharmacy", "/epcis/queries", {"name": "50%25 von #1?", "query": {"perPage": 3}})
    client, url, seen = chain.client("pharmacy"), made["Location"] + "/events", 0
    while url:
        answer = client.get(url, headers={"Accept": "application/xml"})
        assert (answer.status_code, answer["Content-Type"]) == (200, "application/xml; charset=utf-8"), answer.content
        seen += answer.content.count(b"<ObjectEvent")
        url = answer.get("Link", "").partition(">")[0].lstrip("<")
    assert seen == 7


def test_a_websocket_is_refused_in_words(house: House) -> None:
    house.post("pharmacy", "/epcis/queries", {"name": "q", "query": {}})
    client = house.client("pharmacy")
    for answer in (
        client.get("/epcis/queries/q/events?stream=true"),
        client.get("/epcis/queries/q/events", headers={"Upgrade": "websocket", "Connection": "Upgrade"}),
    ):
        assert (answer.status_code, answer.json()["title"]) == (501, "ImplementationException")


def test_a_nul_is_no_text(house: House) -> None:
    """PostgreSQL keeps none. A backslash before the same letters is a text like any other."""
    refused = house.post("pharmacy", "/epcis/queries", {"name": "q", "query": {"EQ_eventID": "urn:x:\0"}})
    assert (refused.status_code, refused.json()["code"]) == (400, "nul")
    taken = house.post("pharmacy", "/epcis/queries", {"name": "q", "query": {"EQ_eventID": "urn:x:\\u0000"}})
    assert taken.status_code == 201
