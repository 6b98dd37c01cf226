"""The form of an answer: what the client takes decides, and what nobody can give it is 406."""

import io
from typing import Any

import pytest

from tests.integration.api.test_capture import observed
from tests.integration.conftest import House
from traceability.epcis import document as documents
from traceability.epcis.validation import validate_document
from traceability.epcis.xml.reader import open_document

JSON, LD_JSON, XML, TEXT_XML = "application/json", "application/ld+json", "application/xml", "text/xml"


@pytest.fixture
def kept(house: House, writer: Any) -> House:
    """Two events of the pharmacy."""
    house.capture("pharmacy", observed(writer, "1"), observed(writer, "2"))
    house.settle()
    return house


def ask(house: House, path: str = "/epcis/events", **headers: str) -> Any:
    return house.client("pharmacy").get(path, headers=headers)


def read(data: bytes) -> dict[str, Any]:
    """The XML document in its JSON form."""
    source = open_document(io.BytesIO(data))
    found = {**source.frame}
    found["epcisBody"]["queryResults"]["resultsBody"]["eventList"] = list(source.events())
    return found


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("", JSON),
        ("*/*", JSON),
        ("application/*", JSON),
        (JSON, JSON),
        (LD_JSON, LD_JSON),
        (XML, XML),
        (TEXT_XML, TEXT_XML),
        ("text/*", TEXT_XML),
        (f"{XML}, {JSON};q=0.5", XML),
        (f"{XML};q=0.5, {JSON}", JSON),
        (f"{JSON};q=0, */*;q=0.1", LD_JSON),
        (f"{XML}; charset=utf-8", XML),
        ("text/html, application/xhtml+xml, application/xml;q=0.9, */*;q=0.8", XML),
        ("text/html", None),
        (f"{JSON};q=0", None),
        ("image/png, text/plain", None),
        (f"{XML};q=yes", None),
    ],
)
def test_accept_decides(kept: House, accept: str, expected: str | None) -> None:
    answer = ask(kept, Accept=accept)
    if expected is None:
        assert (answer.status_code, answer.json()["type"]) == (406, "epcisException:NotAcceptableException")
        return
    assert answer.status_code == 200
    assert answer["Content-Type"].partition(";")[0] == expected
    assert "Accept" in answer["Vary"]


def test_xml_and_json_say_the_same(kept: House) -> None:
    found = read(ask(kept, Accept=XML).content)
    assert validate_document(found) == []
    assert documents.events(found) == documents.events(ask(kept).json())
    assert len(documents.events(found)) == 2
    assert found["schemaVersion"] == "2.0"


def test_pages_and_single_events_come_in_xml_too(kept: House) -> None:
    answer = ask(kept, "/epcis/events?perPage=1", Accept=XML)
    assert 'rel="next"' in answer["Link"]
    (event,) = documents.events(read(answer.content))
    single = ask(kept, f"/epcis/events/{event['eventID']}", Accept=XML)
    assert documents.events(read(single.content)) == [event]


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"Accept": XML, "GS1-EPCIS-Min": "1.2", "GS1-EPCIS-Max": "1.2"}, "1.2"),
        ({"Accept": XML, "GS1-EPCIS-Max": "1.2.0"}, "1.2"),
        ({"GS1-EPCIS-Max": "1.2"}, "1.2"),
        ({"Accept": XML, "GS1-EPCIS-Min": "1.2", "GS1-EPCIS-Max": "2.0.1"}, "2.0"),
        ({"Accept": XML, "GS1-EPCIS-Min": "2.0.0"}, "2.0"),
        ({"Accept": XML, "GS1-EPCIS-Version": "1.2"}, "1.2"),
        ({"Accept": XML, "GS1-EPCIS-Version": "1.2", "GS1-EPCIS-Max": "2.0"}, "2.0"),
        ({"Accept": XML, "GS1-EPCIS-Version": "1.2", "GS1-EPCIS-Min": "2.0"}, "2.0"),
        ({"Accept": XML, "GS1-EPCIS-Version": "2.0.0"}, "2.0"),
        ({"Accept": XML, "GS1-EPCIS-Version": "2"}, "2.0"),
        ({"Accept": JSON, "GS1-EPCIS-Max": "1.2"}, 406),
        ({"Accept": XML, "GS1-EPCIS-Min": "3.0"}, 406),
        ({"Accept": XML, "GS1-EPCIS-Max": "1.1"}, 406),
        ({"Accept": XML, "GS1-EPCIS-Max": "newest"}, 400),
    ],
)
def test_versions(kept: House, headers: dict[str, str], expected: str | int) -> None:
    answer = ask(kept, **headers)
    if isinstance(expected, int):
        assert answer.status_code == expected
        return
    assert answer["GS1-EPCIS-Version"] == f"{expected}.0"
    found = read(answer.content)
    assert found["schemaVersion"] == expected
    assert documents.events(found) == documents.events(ask(kept).json())


def test_words_of_cbv_as_the_client_wants_them(kept: House) -> None:
    for wish, word in (
        ("", b"urn:epcglobal:cbv:bizstep:stocking"),
        ("ALWAYS_URN", b"urn:epcglobal:cbv:bizstep:stocking"),
        ("Always_Web_URI", b"https://ref.gs1.org/cbv/BizStep-stocking"),
    ):
        headers = {"GS1-CBV-XML-Format": wish} if wish else {}
        assert word in ask(kept, Accept=XML, **headers).content
    assert ask(kept, Accept=XML, **{"GS1-CBV-XML-Format": "loud"}).json()["code"] == "cbv-xml-format"


def test_in_1_2_an_epc_is_a_urn_where_its_company_prefix_is_known(house: House, writer: Any) -> None:
    links = observed(writer, "1")
    urns = observed(writer, "2") | {"epcList": ["urn:epc:id:sgtin:9521000.000100.2"]}
    house.capture("pharmacy", links)
    house.settle()
    asked = {"Accept": XML, "GS1-EPCIS-Max": "1.2"}
    assert f"<epc>{links['epcList'][0]}</epc>".encode() in ask(house, **asked).content
    house.capture("pharmacy", urns)
    house.settle()
    assert b"<epc>urn:epc:id:sgtin:9521000.000100.1</epc>" in ask(house, **asked).content


def test_what_xml_cannot_carry_is_shown_as_its_picture(house: House, writer: Any) -> None:
    """JSON, asked for beside it, has the character itself."""
    event = observed(writer, "1") | {"https://ours.example/ns/bell": "\x07"}
    assert house.capture("pharmacy", event).status_code == 202
    house.settle()
    answer = ask(house, Accept=XML)
    assert answer.status_code == 200
    assert "\u2407" in answer.content.decode()
    assert "\\u0007" in ask(house).content.decode()


def test_what_has_one_form_is_not_given_in_another(kept: House, writer: Any) -> None:
    for path in ("/epcis/capture", "/epcis/"):
        assert ask(kept, path, Accept=XML).status_code == 406
        assert ask(kept, path, Accept=f"{XML}, {JSON};q=0.1").status_code == 200
    # What was sent is taken whatever its sender would like to read.
    assert kept.capture("pharmacy", observed(writer, "3"), Accept=XML).status_code == 202
