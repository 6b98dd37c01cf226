"""What clients of the EPCIS interface meet at its edges: retries, pages, odd names, odd numbers."""

import io
import json
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.signals import request_started
from django.db import close_old_connections
from django.test import RequestFactory

from tests.integration.api.test_capture import observed
from tests.integration.conftest import House, pack, written
from traceability.capture.models import CapturedEvent, CaptureJob
from traceability.common.clock import now_ms
from traceability.epcis.context import DEFAULT_CONTEXT
from traceability.wsgi import application

VOID = {"declarationTime": "2026-03-02T12:00:00Z", "reason": "did_not_occur"}
PROCEED = {"GS1-Capture-Error-Behaviour": "proceed"}


def bare(writer: Any, serial: str = "1", **members: Any) -> dict[str, Any]:
    return {"@context": [DEFAULT_CONTEXT], **observed(writer, serial, **members)}


def posted(house: House, event: dict[str, Any], **headers: str) -> Any:
    client = house.client("pharmacy")
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return client.post("/epcis/events", json.dumps(event), content_type="application/json", headers=named)


def test_a_declaration_sent_again_under_its_key_is_answered_again(house: House, writer: Any) -> None:
    event = bare(writer)
    assert posted(house, event).status_code == 201
    answers = [posted(house, {**event, "errorDeclaration": VOID}, Idempotency_Key="k") for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].json() == answers[1].json()
    assert posted(house, {**event, "errorDeclaration": VOID}).status_code == 409  # without the key it is no retry


def test_an_event_without_id_is_taken_back_by_the_same_without_id(house: House, writer: Any) -> None:
    """A declaration repeats the event, an eventID only where that had one: most documents of EPCIS 1.2 have none."""
    event = bare(writer)
    del event["eventID"]
    made, other = posted(house, event), posted(house, {**event, "epcList": [pack("2")]})
    declared = posted(house, {**event, "errorDeclaration": VOID})
    assert [answer.status_code for answer in (made, other, declared)] == [201, 201, 201]
    assert made["Location"] == declared["Location"] != other["Location"]
    assert posted(house, {**event, "errorDeclaration": VOID}).status_code == 409  # the same again
    house.settle()
    client = house.client("pharmacy")
    for answer, marks in ((made, ["declared", None]), (other, [None])):
        found = client.get(answer["Location"]).json()["epcisBody"]["queryResults"]["resultsBody"]["eventList"]
        assert [one.get("urn:dosetrail:epcis:void") for one in found] == marks


def test_a_document_may_come_in_chunks(house: House, writer: Any, settings: Any) -> None:
    """Programs that write as they send name no length; Django alone would see an empty body."""
    document = json.dumps(written.document([observed(writer, "1")], 0)).encode()

    def sent() -> str:
        named = {"Authorization": f"Bearer {house.tokens['pharmacy']}", "Transfer-Encoding": "chunked"}
        factory = RequestFactory(headers=named)
        environ = factory.post("/epcis/capture", document, content_type="application/json").environ
        del environ["CONTENT_LENGTH"]
        found: list[str] = []
        list(
            application(
                {**environ, "wsgi.input": io.BytesIO(document), "wsgi.input_terminated": True},
                lambda status, *_: found.append(status),
            )
        )
        return found[0][:3]

    request_started.disconnect(close_old_connections)  # as Django's own client does: the test holds the connection
    try:
        assert sent() == "202"
        settings.CAPTURE_MAX_BYTES = len(document)
        assert sent() == "413"
    finally:
        request_started.connect(close_old_connections)


def test_a_prefix_may_be_declared_beside_the_event(house: House, writer: Any) -> None:
    event = bare(writer, **{"theirs:farm": "A"})
    assert posted(house, event).json()["errors"][0]["code"] == "prefix-undeclared"
    made = posted(house, event, GS1_Extensions="theirs=https://theirs.example/, unused=https://unused.example/")
    assert made.status_code == 201
    house.settle()
    found = house.client("pharmacy").get("/epcis/events?EQ_https://theirs.example/farm=A").json()
    (kept,) = found["epcisBody"]["queryResults"]["resultsBody"]["eventList"]
    assert kept["@context"] == [DEFAULT_CONTEXT, {"theirs": "https://theirs.example/"}]
    assert made.json() == {name: value for name, value in kept.items() if name != "recordTime"}


def test_a_key_stands_for_one_event(house: House, writer: Any) -> None:
    assert posted(house, bare(writer, "1"), Idempotency_Key="k").status_code == 201
    other = posted(house, bare(writer, "2"), Idempotency_Key="k")
    assert (other.status_code, other.json()["code"]) == (409, "idempotency-key-reused")
    assert CapturedEvent.objects.count() == 1


def test_an_event_id_and_a_declaration_do_not_run_together(house: House, writer: Any) -> None:
    time = VOID["declarationTime"]
    both = (
        observed(writer, "1", eventID="urn:x:a", errorDeclaration=VOID),
        observed(writer, "1", eventID=f"urn:x:a{time}"),
    )
    assert house.capture("pharmacy", *both).status_code == 202
    assert CapturedEvent.objects.count() == 2


@pytest.mark.parametrize("event_id", ["https://example.com/e?id=1", "https://example.com/e#1", "urn:x:a%2Fb"])
def test_the_location_leads_to_the_event(house: House, writer: Any, event_id: str) -> None:
    location = posted(house, bare(writer, eventID=event_id))["Location"]
    house.settle()
    assert house.client("pharmacy").get(location).status_code == 200
    assert house.client("pharmacy").get("/epcis/events/" + quote(event_id, safe="")).status_code == 200


@pytest.mark.parametrize(
    "number", ["1e-9999999999999999999", "0e-99999999999999999999", "1e99999999999999999999", "1e20"]
)
@pytest.mark.parametrize("door", ["/epcis/events", "/epcis/capture", "/api/v1/scans", "/api/v1/statements"])
def test_a_number_that_no_machine_holds(house: House, door: str, number: str) -> None:
    body = '{"https://example.com/x": ' + number + "}"
    answer = house.client("pharmacy").post(door, body, content_type="application/json")
    assert (answer.status_code, answer.json()["code"]) == (400, "json-number")


@pytest.mark.parametrize("term", ["cbv:BizStep-nonsense", "cbv:BizStep-transforming", "cbv:Disp-active"])
def test_a_word_that_claims_to_be_of_the_standard(house: House, writer: Any, term: str) -> None:
    assert house.capture("pharmacy", observed(writer, "1", bizStep=term)).status_code == 400
    assert house.capture("pharmacy", observed(writer, "1", bizStep="cbv:BizStep-inspecting")).status_code == 202


@pytest.mark.parametrize("prefix", ["gs1:", "https://gs1.org/voc/", "https://ref.gs1.org/voc/"])
def test_a_measurement_that_is_misspelt(house: House, writer: Any, prefix: str) -> None:
    def sensed(word: str) -> Any:
        report = {"type": prefix + word, "value": 30.0, "uom": "CEL"}
        return house.capture("pharmacy", observed(writer, "1", sensorElementList=[{"sensorReport": [report]}]))

    assert (sensed("Temprature").status_code, sensed("Temperature").status_code) == (400, 202)


@pytest.mark.parametrize("source", ["party/acme", "partners/gtin/x1", "warehouse/00/1"])
def test_a_private_web_address_is_no_digital_link(house: House, writer: Any, source: str) -> None:
    named = [{"type": "owning_party", "source": f"https://example.com/{source}"}]
    assert house.capture("pharmacy", observed(writer, "1", sourceList=named)).status_code == 202
    wrong = [{"type": "owning_party", "source": "https://example.com/414/9521000000011"}]  # its check digit is wrong
    assert house.capture("pharmacy", observed(writer, "1", sourceList=wrong)).status_code == 400


@pytest.mark.parametrize(("ahead_s", "code"), [(240, None), (360, "future-event")])
def test_clocks_may_differ_by_five_minutes(house: House, writer: Any, ahead_s: int, code: str | None) -> None:
    at = datetime.fromtimestamp(now_ms() / 1000 + ahead_s, UTC).isoformat(timespec="milliseconds")
    answer = house.capture("pharmacy", observed(writer, "1", eventTime=at))
    assert (answer.status_code, answer.json().get("code")) == ((400, code) if code else (202, None))
    assert CapturedEvent.objects.count() == (0 if code else 1)


def test_nothing_is_declared_void_in_the_future(house: House, writer: Any) -> None:
    declared = observed(writer, "1", errorDeclaration={**VOID, "declarationTime": "2090-03-02T12:00:00Z"})
    (error,) = house.capture("pharmacy", declared).json()["errors"]
    assert (error["pointer"], error["code"]) == ("/errorDeclaration/declarationTime", "future-event")


def test_all_jobs_are_listed_page_by_page(house: House, writer: Any) -> None:
    client = house.client("pharmacy")
    wanted = {house.capture("pharmacy", observed(writer, str(n))).json()["captureID"] for n in range(7)}
    found, url, pages = [], "/epcis/capture?perPage=3", 0
    while url:
        answer = client.get(url)
        found += [job["captureID"] for job in answer.json()]
        url = answer["Link"].split("<")[1].split(">")[0] if answer.has_header("Link") else ""
        pages += 1
    assert (len(found), set(found), pages) == (7, wanted, 3)
    assert client.get("/epcis/capture?perPage=0").status_code == 400
    assert client.get("/epcis/capture?x=1").status_code == 400
    assert house.client("other").get("/epcis/capture").json() == []


@pytest.mark.django_db
def test_the_list_of_jobs_costs_the_same_however_long_it_is(
    house: House, writer: Any, django_assert_max_num_queries: Any
) -> None:
    for number in range(12):
        house.capture("pharmacy", observed(writer, str(number)))
    with django_assert_max_num_queries(8):
        assert len(house.client("pharmacy").get("/epcis/capture").json()) == 12


def test_a_token_of_one_list_is_none_of_the_other(house: House, writer: Any) -> None:
    house.capture("pharmacy", *(observed(writer, str(number)) for number in range(3)))
    house.settle()
    client = house.client("pharmacy")
    link = client.get("/epcis/events?perPage=1&EQ_action=OBSERVE")["Link"].split("<")[1].split(">")[0]
    query = link.partition("?")[2]
    assert client.get(link).status_code == 200
    assert client.get(f"{link}&EQ_action=OBSERVE").status_code == 200  # the query it goes on with
    for wrong in (f"{link}&EQ_action=ADD", f"{link}&nonsense=1", f"/epcis/capture?{query}"):
        assert client.get(wrong).status_code == 400, wrong


@pytest.mark.parametrize("query", ["perPage=" + "1" * 5000, "perPage=10&perPage=abc", "perPage=1|2", "perPage=٣"])
def test_a_page_size_stands_once_as_a_number(house: House, query: str) -> None:
    assert house.client("pharmacy").get(f"/epcis/events?{query}").status_code == 400


@pytest.mark.parametrize(
    "path",
    [
        "/epcis/events?EQ_eventID=%00",
        "/epcis/events?EQ_bizTransaction_po=%00",
        "/epcis/capture/%00",
        "/epcis/events/%00",
        "/api/v1/logger-files/%00",
        "/01/09521000001008/21/%00",
    ],
)
def test_a_nul_in_an_address_names_nothing(house: House, path: str) -> None:
    answer = house.client("pharmacy").get(path)
    assert (answer.status_code, answer["Content-Type"]) == (400, "application/problem+json")


def test_a_nul_in_a_member_name_is_told_under_proceed(house: House, writer: Any) -> None:
    answer = house.capture("pharmacy", observed(writer, "1", **{"a\0b": 1}), **PROCEED)
    assert answer.status_code == 202
    assert "�" in CaptureJob.objects.get().errors[0]["pointer"]


def test_errors_beyond_those_shown_are_counted(house: House, writer: Any) -> None:
    house.capture("pharmacy", *(observed(writer, str(n), bizStep="nonsense") for n in range(210)), **PROCEED)
    errors = CaptureJob.objects.get().errors
    assert (len(errors), errors[-1]["code"], errors[-1]["message"]) == (
        201,
        "more",
        "and 10 more faults",
    )


@pytest.mark.parametrize("path", ["/epcis/nothing", "/epcis/capture/x/y", "/api/v1/nothing"])
@pytest.mark.parametrize("method", ["get", "post", "delete"])
def test_addresses_that_lead_nowhere_say_so_to_machines(house: House, path: str, method: str) -> None:
    answer = getattr(house.client("pharmacy"), method)(path)
    assert (answer.status_code, answer["Content-Type"]) == (404, "application/problem+json")
    assert pack("1") not in answer.content.decode()


@pytest.mark.parametrize("zone", ["Z", ""])
def test_a_logger_file_with_times_in_the_year_one(house: House, zone: str) -> None:
    readings = f"timestamp,temperature_c\n0001-01-01T00:00:00{zone},5.0\n0001-01-01T00:10:00{zone},5.1\n".encode()
    upload = {"file": SimpleUploadedFile("year1.csv", readings), "site": house.place("pharmacy"), "time_zone": "UTC"}
    answer = house.client("pharmacy").post("/api/v1/logger-files", upload)
    assert (answer.status_code, answer["Content-Type"]) == (400, "application/problem+json")
    assert CapturedEvent.objects.count() == 0
