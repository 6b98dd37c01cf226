"""Order, limits and pages of an answer; what they promise while events come in."""

from typing import Any

import pytest

from tests.integration.api.test_capture import observed
from tests.integration.conftest import House, pack
from traceability.queries import tokens

EX = "https://ns.example.com/epcis/"
FARMS = [("1", 3), ("2", 10), ("3", 2.5), ("4", None), ("5", 10)]


@pytest.fixture
def farms(house: House, writer: Any) -> House:
    """Five events, four with a number of someone's own."""
    context = ["https://ref.gs1.org/standards/epcis/epcis-context.jsonld", {"example": EX}]
    for serial, count in FARMS:
        own = {} if count is None else {"example:count": count}
        time = f"2026-01-0{serial}T00:00:00Z"
        house.capture("pharmacy", observed(writer, serial, **{"@context": context, "eventTime": time, **own}))
    house.settle()
    return house


def events_in(answer: Any) -> list[dict[str, Any]]:
    assert answer.status_code == 200, answer.content
    found: list[dict[str, Any]] = answer.json()["epcisBody"]["queryResults"]["resultsBody"]["eventList"]
    return found


def pages(house: House, query: str, between: Any = None, **headers: str) -> list[str]:
    """The serials in the answer, in order, over all its pages."""
    found: list[str] = []
    url = f"/epcis/events?{query}"
    while url:
        answer = house.client("pharmacy").get(url, headers=headers)
        assert answer.status_code == 200, answer.content
        events = answer.json()["epcisBody"]["queryResults"]["resultsBody"]["eventList"]
        found += [event["epcList"][0].rpartition("/")[2] for event in events]
        url = answer.get("Link", "").partition(">")[0].lstrip("<")
        if between and url:
            between()
    return found


@pytest.mark.parametrize("size", [1, 2, 30])
@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ("", "54321"),
        ("orderDirection=ASC", "12345"),
        ("orderBy=recordTime", "54321"),
        ("orderBy=recordTime&orderDirection=ASC", "12345"),
        (f"orderBy={EX}count", "52134"),
        (f"orderBy={EX}count&orderDirection=ASC", "43125"),
        ("orderBy=example:count", "52134"),
        ("eventCountLimit=3", "543"),
        ("maxEventCount=5", "54321"),
        ("EQ_bizStep=shipping|stocking|storing", "54321"),
        ("eventType=ObjectEvent|AggregationEvent&EQ_bizStep=stocking|storing&orderDirection=ASC", "12345"),
    ],
)
def test_order_and_limits_hold_over_pages(farms: House, order: str, expected: str, size: int) -> None:
    declared = {"GS1-Extensions": f"example={EX}, other=https://other.example/"}
    assert "".join(pages(farms, f"{order}&perPage={size}", **declared)) == expected


@pytest.mark.parametrize("direction", ["ASC", "DESC"])
@pytest.mark.parametrize("by", ["eventTime", "recordTime"])
def test_pages_stand_still_while_events_come_in(farms: House, writer: Any, by: str, direction: str) -> None:
    """What comes in between, before and behind the place reached, is in no page; a new query has it."""
    numbers = iter(range(50, 90))

    def between() -> None:
        early = observed(writer, f"{next(numbers)}", eventTime="2020-01-01T00:00:00Z")
        late = observed(writer, f"{next(numbers)}", eventTime="2026-06-01T00:00:00Z")
        farms.capture("pharmacy", early, late)
        farms.settle()

    query = f"orderBy={by}&orderDirection={direction}&perPage=2"
    assert "".join(pages(farms, query, between)) == ("12345" if direction == "ASC" else "54321")
    assert len(pages(farms, query)) == 9


def test_more_than_maxEventCount_is_refused(farms: House) -> None:
    answer = farms.client("pharmacy").get("/epcis/events?maxEventCount=4")
    assert (answer.status_code, answer.json()["type"]) == (413, "epcisException:QueryTooLargeException")


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("eventCountLimit=3&maxEventCount=3", "maxEventCount"),
        ("eventCountLimit=0", "eventCountLimit"),
        ("maxEventCount=many", "maxEventCount"),
        ("GE_quantity=many", "GE_quantity"),
        ("EQ_example:count=3", "EQ_example:count"),
        ("EXISTS_errorDeclaration=perhaps", "EXISTS_errorDeclaration"),
        ("MATCH_anyEPC=urn:epc:idpat:sgtin:*.1.2", "MATCH_anyEPC"),
        ("orderBy=example:count", "orderBy"),
        ("orderDirection=UP", "orderDirection"),
        ("EQ_readPoint=nowhere", "EQ_readPoint"),
        ("HASATTR_color=red", "HASATTR_color"),
        ("GT_eventTime=2026-01-01T00:00:00Z", "GT_eventTime"),
        ("EQ_cbvmda:lotNumber=1&EQ_urn:epcglobal:cbv:mda:lotNumber=1", "EQ_urn:epcglobal:cbv:mda:lotNumber"),
    ],
)
def test_each_fault_names_its_parameter(farms: House, query: str, parameter: str) -> None:
    answer = farms.client("pharmacy").get(f"/epcis/events?{query}")
    assert (answer.status_code, answer.json()["type"]) == (400, "epcisException:QueryParameterException")
    assert [error["parameter"] for error in answer.json()["errors"]] == [parameter]


def test_a_token_is_its_partys_own_and_runs_out(farms: House, monkeypatch: pytest.MonkeyPatch) -> None:
    link = farms.client("pharmacy").get("/epcis/events?perPage=2&EQ_action=OBSERVE")["Link"]
    url = link.partition(">")[0].lstrip("<")
    assert url.count("=") - url.partition("nextPageToken=")[2].count("=") == 1  # nothing but the token
    assert farms.client("pharmacy").get(url).status_code == 200
    assert farms.client("pharmacy").get(f"{url}&EQ_action=OBSERVE&perPage=2").status_code == 200
    assert farms.client("pharmacy").get(f"{url}&EQ_action=ADD").status_code == 400
    for party in ("other", "regulator"):
        assert farms.client(party).get(url).status_code == 400
    monkeypatch.setattr(tokens, "SECONDS", -1)
    assert farms.client("pharmacy").get(url).json()["errors"][0]["parameter"] == "nextPageToken"


def test_how_much_a_page_holds_is_not_what_is_asked(farms: House) -> None:
    """A client may ask for more than a page ever holds, and for another size on its way through the pages."""
    client = farms.client("pharmacy")
    assert len(events_in(client.get("/epcis/events?perPage=1000000"))) == 5
    link = client.get("/epcis/events?perPage=2")["Link"].partition(">")[0].lstrip("<")
    assert len(events_in(client.get(f"{link}&perPage=1000000"))) == 3
    one = client.get(f"{link}&perPage=1")
    assert len(events_in(one)) == 1
    assert len(events_in(client.get(one["Link"].partition(">")[0].lstrip("<")))) == 1
    for path in ("epcs", "capture", "queries"):
        assert client.get(f"/epcis/{path}?perPage=1000000").status_code == 200


def test_a_list_of_numbers_is_any_of_them(farms: House, writer: Any) -> None:
    item = pack("1").partition("/21/")[0]
    for number, amount in enumerate((5, 7, 9), 60):
        farms.capture("pharmacy", observed(writer, str(number), quantityList=[{"epcClass": item, "quantity": amount}]))
    farms.settle()
    for query, found in (("EQ_quantity=5|9", 2), ("EQ_quantity=7.0", 1), ("EQ_quantity=5|8", 1)):
        assert len(events_in(farms.client("pharmacy").get(f"/epcis/events?{query}"))) == found
    assert farms.client("pharmacy").get("/epcis/events?GE_quantity=5|9").status_code == 400


def test_a_document_is_found_by_any_spelling_of_its_number(farms: House, writer: Any) -> None:
    """We answer an EPC URN as Digital Link unless asked otherwise: who asks with what we answered must find it."""
    urn, link = "urn:epc:id:gdti:0614141.00001.1618034", "https://id.gs1.org/253/06141410000121618034"
    for number, written in ((70, urn), (71, link)):
        bought = [{"type": "po", "bizTransaction": written}]
        farms.capture("pharmacy", observed(writer, str(number), bizTransactionList=bought))
    farms.settle()
    for asked in (urn, link):
        assert len(events_in(farms.client("pharmacy").get(f"/epcis/events?EQ_bizTransaction_po={asked}"))) == 2


def test_an_address_beyond_measure_is_414(farms: House) -> None:
    answer = farms.client("pharmacy").get("/epcis/events?EQ_eventID=" + "x" * 70_000)
    assert (answer.status_code, answer.json()["type"]) == (414, "epcisException:URITooLongException")


def test_every_answer_takes_the_same_few_queries(farms: House, django_assert_max_num_queries: Any) -> None:
    client = farms.client("pharmacy")
    for query in (
        "",
        "MATCH_anyEPC=https://id.gs1.org/01/09521000001008",
        f"GE_{EX}count=1&EQ_action=OBSERVE&perPage=2",
    ):
        with django_assert_max_num_queries(12):
            assert client.get(f"/epcis/events?{query}").status_code == 200
