"""Capture over HTTP: accepted, retried, refused; nothing is half stored."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from ledger import api as ledger
from tests.integration.conftest import House, Written, pack
from traceability.capture.models import CapturedEvent, CaptureJob, PublishedEvent
from traceability.common.clock import now_ms
from traceability.common.models import Document
from traceability.products.models import UnknownIdentifier
from traceability.simulation import events

MINUTE = 60_000


def observed(writer: Callable[[str], Written], serial: str, **changes: Any) -> dict[str, Any]:
    """A stocking event of the pharmacy."""
    event = events.observe(
        [pack(serial)],
        step="stocking",
        disposition="sellable_accessible",
        party=writer("pharmacy"),  # type: ignore[arg-type]
        at_ms=now_ms() - MINUTE,
        event_id=f"urn:uuid:00000000-0000-4000-8000-{int(serial):012d}",
    )
    return {**event, **changes}


def stored() -> tuple[int, int, int, int]:
    """Everything that a refused request must not have added to."""
    return CaptureJob.objects.count(), CapturedEvent.objects.count(), ledger.backlog(), Document.objects.count()


def test_a_document_becomes_a_job_that_finishes_when_published(house: House, writer: Any) -> None:
    answer = house.capture("pharmacy", observed(writer, "1"), observed(writer, "2"))
    assert answer.status_code == 202
    assert answer.json()["receipt"]["note"].startswith("dosetrail.submission-receipt/1\n")
    job = house.client("pharmacy").get(answer["Location"]).json()
    assert (job["running"], job["success"], job["events"]) == (True, True, 2)
    house.settle()
    assert house.client("pharmacy").get(answer["Location"]).json()["running"] is False
    assert PublishedEvent.objects.filter(biz_step="stocking").count() == 2


def test_the_same_body_again_is_the_first_job(house: House, writer: Any) -> None:
    first = house.capture("pharmacy", observed(writer, "1", eventTime="2026-01-01T00:00:00Z"))
    again = house.capture("pharmacy", observed(writer, "1", eventTime="2026-01-01T00:00:00Z"))
    assert first.json()["captureID"] == again.json()["captureID"]
    assert CapturedEvent.objects.count() == 1


def test_the_same_event_in_another_document_is_already_recorded(house: House, writer: Any) -> None:
    event = observed(writer, "1")
    house.capture("pharmacy", event)
    second = house.capture("pharmacy", event, observed(writer, "2"))
    job = house.client("pharmacy").get(second["Location"]).json()
    assert job["alreadyRecorded"] == 1
    assert CapturedEvent.objects.count() == 2


def test_an_event_without_id_gets_one_that_a_retry_gets_too(house: House, writer: Any) -> None:
    event = observed(writer, "1")
    del event["eventID"]
    event["@context"] = [events.CONTEXT]
    first = house.post("pharmacy", "/epcis/events", event)
    again = house.post("pharmacy", "/epcis/events", event)
    assert first.status_code == 201
    assert first["Dosetrail-State"] == "submitted"  # no sequencer runs beside this test
    assert len(first["Dosetrail-Statement-Hash"]) == 64
    assert first.json() == {**event, "eventID": first.json()["eventID"]}  # the event itself, as the standard has it
    assert again.status_code == 409
    assert again["Location"] == first["Location"]


def test_a_retry_with_the_same_idempotency_key_gets_the_first_answer(house: House, writer: Any) -> None:
    event = {"@context": [events.CONTEXT], **observed(writer, "1")}
    client = house.client("pharmacy")
    answers = [
        client.post(
            "/epcis/events", json.dumps(event), content_type="application/json", headers={"Idempotency-Key": key}
        )
        for key in ("k1", "k1", "k2")
    ]
    assert [answer.status_code for answer in answers] == [201, 201, 409]
    assert answers[0].json() == answers[1].json()


def test_same_id_with_other_content_is_refused_naming_the_event(house: House, writer: Any) -> None:
    house.capture("pharmacy", observed(writer, "1"))
    before = stored()
    answer = house.capture("pharmacy", observed(writer, "2"), observed(writer, "1", disposition="damaged"))
    assert answer.status_code == 409
    assert answer.json()["code"] == "event-id-reused"
    assert answer.json()["errors"][0]["event"] == 1
    assert stored() == before


def test_one_id_twice_in_a_document_with_other_content_is_409_too(house: House, writer: Any) -> None:
    answer = house.capture("pharmacy", observed(writer, "1"), observed(writer, "1", disposition="damaged"))
    assert (answer.status_code, answer.json()["type"]) == (409, "epcisException:ResourceAlreadyExistsException")
    assert answer.json()["errors"][0]["event"] == 1
    assert CapturedEvent.objects.count() == 0


@pytest.mark.parametrize(
    ("change", "code", "pointer"),
    [
        ({"bizStep": "transforming"}, "unknown-term", "bizStep"),
        ({"eventTime": "yesterday"}, "date-time", "eventTime"),
        ({"eventTime": "2126-01-01T00:00:00Z"}, "future-event", "eventTime"),
        ({"epcList": ["https://id.gs1.org/01/09521000001009/21/1"]}, "gs1-check-digit", "epcList/0"),
        ({"epcList": "one"}, "type", "epcList"),
        ({"colour": "red"}, "unknown-field", "colour"),
    ],
)
def test_bad_input_names_event_and_field_and_stores_nothing(
    house: House, writer: Any, change: dict[str, Any], code: str, pointer: str
) -> None:
    before = stored()
    answer = house.capture("pharmacy", observed(writer, "2"), observed(writer, "1", **change))
    problem = answer.json()
    assert (answer.status_code, answer["Content-Type"]) == (400, "application/problem+json")
    assert problem["code"] == code
    assert problem["errors"][0]["event"] == 1
    assert problem["errors"][0]["pointer"].endswith(pointer)
    assert stored() == before


def test_proceed_keeps_the_good_events_and_lists_the_bad(house: House, writer: Any) -> None:
    answer = house.capture(
        "pharmacy",
        observed(writer, "1"),
        observed(writer, "2", bizStep="transforming"),
        **{"GS1-Capture-Error-Behaviour": "proceed"},
    )
    assert answer.status_code == 202
    house.settle()
    job = house.client("pharmacy").get(answer["Location"]).json()
    assert (job["success"], len(job["errors"])) == (False, 1)
    assert PublishedEvent.objects.filter(biz_step="stocking").count() == 1


@pytest.mark.parametrize(
    ("body", "kind", "status", "code"),
    [
        (b"{", "application/json", 400, "json-not-json"),
        (b'{"type":"a","type":"b"}', "application/json", 400, "json-duplicate-member"),
        (b"[]", "application/json", 400, "type"),
        (b"<a/>", "application/xml", 400, "xml-root"),
        (b"{}", "text/plain", 415, "media-type"),
        (b"{}", "", 415, "media-type"),
        (b"{}", "application/json; charset=utf-16", 415, "charset"),
        (b"\xef\xbb\xbf\xef\xbb\xbf{}", "application/json", 400, "json-not-json"),
        (b"\xff{}", "application/json", 400, "json-not-utf8"),
    ],
)
def test_malformed_bodies(house: House, body: bytes, kind: str, status: int, code: str) -> None:
    before = stored()
    answer = house.client("pharmacy").post("/epcis/capture", body, content_type=kind)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert stored() == before


def test_an_oversized_body_is_413_with_the_limit(house: House, settings: Any) -> None:
    settings.CAPTURE_MAX_BYTES = settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 100
    answer = house.client("pharmacy").post("/epcis/capture", b"[" + b" " * 200 + b"]", content_type="application/json")
    assert answer.status_code == 413
    assert answer["GS1-EPCIS-Capture-File-Size-Limit"] == "100"


def test_a_full_queue_answers_503(house: House, writer: Any, settings: Any) -> None:
    settings.CAPTURE_MAX_BACKLOG = 0
    house.capture("pharmacy", observed(writer, "1"))
    answer = house.capture("pharmacy", observed(writer, "2"))
    assert answer.status_code == 503
    assert answer["Retry-After"] == "5"


@pytest.mark.parametrize("header", [{}, {"Authorization": "Bearer nobody"}, {"Authorization": "Basic x"}])
def test_without_a_valid_token_nothing_is_taken(house: House, client: Any, header: dict[str, str]) -> None:
    answer = client.post("/epcis/capture", b"{}", content_type="application/json", headers=header)
    assert answer.status_code == 401
    assert answer.json()["code"] == "not-authenticated"


def test_unknown_identifiers_are_recorded_and_listed_for_a_steward(house: House, writer: Any) -> None:
    strange = "https://id.gs1.org/01/04012345111118/21/1"
    assert house.capture("pharmacy", observed(writer, "1", epcList=[strange])).status_code == 202
    assert UnknownIdentifier.objects.get().value == "04012345111118"


def test_an_error_declaration_voids_only_its_own_party_s_event_in_either_order(house: House, writer: Any) -> None:
    first, second = observed(writer, "1"), observed(writer, "2")
    declaration = {"declarationTime": "2026-10-01T00:00:00Z", "reason": "did_not_occur"}
    house.capture("pharmacy", {**second, "errorDeclaration": declaration})  # comes before its original
    house.settle()
    house.capture("pharmacy", first, second)
    house.capture("other", {**first, "errorDeclaration": declaration})  # not theirs: no effect
    house.settle()
    voided = dict(PublishedEvent.objects.filter(declaration_ms=None).values_list("event_id", "voided_by"))
    assert voided[first["eventID"]] is None
    assert voided[second["eventID"]] is not None
    house.capture("regulator", {**first, "errorDeclaration": declaration})
    house.settle()
    assert PublishedEvent.objects.get(event_id=first["eventID"], declaration_ms=None).voided_by is not None
