"""The database has no room left: every door says so, nothing is half stored, and it goes on when there is room."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client

from ledger import api as ledger
from ledger import models as log_models
from ledger import monitor
from ledger.follower import Finding
from ledger.tlog import note
from ledger.witness import WitnessSigner
from tests.integration.conftest import EXPIRY, LOT, House, code, pack
from tests.integration.conftest import house as _house
from traceability.capture.models import CapturedEvent, CaptureJob
from traceability.coldchain.models import LoggerFile
from traceability.common.models import Document
from traceability.scans.models import ScanEvent

from .conftest import Portal

Enter = Callable[..., Portal]
SIGNER = WitnessSigner("regulator.example/w", b"\7" * 32)
ROWS = [CapturedEvent, CaptureJob, Document, ScanEvent, log_models.Submission, log_models.MonitorReport]


@pytest.fixture
def house(transactional_db: None) -> House:
    """As elsewhere, but really committed: a full database may end a whole transaction."""
    return _house.__wrapped__(None)  # type: ignore[attr-defined, no-any-return]


TABLES = [log_models.Submission._meta.db_table, "django_session"]


@contextmanager
def no_room() -> Iterator[None]:
    """An insertion needs a page more than there is: SQLite says full by itself, PostgreSQL's 53100 is raised for it."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(
                "CREATE FUNCTION no_room() RETURNS trigger LANGUAGE plpgsql AS"
                " $$ BEGIN RAISE EXCEPTION 'could not extend file' USING ERRCODE = '53100'; END $$"
            )
            does = "EXECUTE FUNCTION no_room()"
        else:
            cursor.execute("CREATE TABLE room (taken)")
            cursor.execute("PRAGMA max_page_count = 1")  # as few as there are
            does = "BEGIN INSERT INTO room VALUES (zeroblob(10000000)); END"
        for table in TABLES:
            cursor.execute(f"CREATE TRIGGER no_room_{table} BEFORE INSERT ON {table} {does}")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            if connection.vendor == "postgresql":
                cursor.execute("DROP FUNCTION no_room CASCADE")
            else:
                cursor.execute("PRAGMA max_page_count = 1000000")
                for table in TABLES:
                    cursor.execute(f"DROP TRIGGER no_room_{table}")
                cursor.execute("DROP TABLE room")


def _epcs() -> list[str]:
    return [pack(f"many-{number}") for number in range(5)]


def _event() -> dict[str, Any]:
    return {
        "@context": ["https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"],
        "type": "ObjectEvent",
        "eventTime": "2026-03-01T08:00:00.000Z",
        "eventTimeZoneOffset": "+00:00",
        "epcList": _epcs(),
        "action": "OBSERVE",
        "bizStep": "inspecting",
    }


def _readings() -> SimpleUploadedFile:
    rows = [f"2026-03-{day:02}T{hour:02}:{minute:02}:00Z,5.{minute % 10}"
            for day in range(1, 4) for hour in range(24) for minute in range(0, 60, 10)]  # fmt: skip
    return SimpleUploadedFile("TT-1.csv", ("timestamp,temperature_c\n" + "\n".join(rows) + "\n").encode())


def _document(house: House) -> Any:
    return house.capture("maker", _event())


def _one_event(house: House) -> Any:
    return house.post("maker", "/epcis/events", _event())


def _scan(house: House) -> Any:
    codes = [code(f"many-{number}") for number in range(5)]
    details = {"lot": LOT, "expiry": EXPIRY.isoformat()}
    body = {"step": "commission", "codes": codes, "place": house.place("maker"), "nonce": "n1", "details": details}
    return house.post("maker", "/api/v1/scans", body)


def _logger_file(house: House) -> Any:
    body = {"file": _readings(), "site": "maker-main", "time_zone": "UTC"}
    return house.client("maker").post("/api/v1/logger-files", body)


def _report(house: House) -> Any:
    """A witness' report is the one that comes in without a token; its door is the log's own."""
    seen = Finding("rollback", "in words", {"kept": "a" * 20_000, "seen": "b" * 20_000})
    signed = monitor.sign(seen, origin=note.parse_vkey(ledger.vkey()).name, signer=SIGNER, time_s=1_750_000_000)
    client = Client(raise_request_exception=False)
    return client.post("/log/reports", signed.encode(), content_type="text/plain")


def test_a_machine_gets_507_and_nothing_is_stored(house: House, settings: Any, tmp_path: Path) -> None:
    settings.LOG_POLICY_FILE = tmp_path / "policy"
    settings.LOG_POLICY_FILE.write_text(f"log {ledger.vkey()}\nwitness regulator {SIGNER.cosigner}\nquorum regulator\n")
    doors = [_document, _one_event, _scan, _logger_file, _report]
    before = [model.objects.count() for model in ROWS]
    with no_room():
        answers = [door(house) for door in doors]
    for answer in answers:
        assert answer.status_code == 507, answer.content
        assert answer["Content-Type"] == "application/problem+json"
        assert answer["Retry-After"] == "60"
        body = json.loads(answer.content)
        assert (body["status"], body["code"], body["type"]) == (507, "storage-full", "about:blank")
        assert "send it again" in body["detail"]
    assert [model.objects.count() for model in ROWS] == before
    assert not LoggerFile.objects.exclude(statement_hash="").exists()
    for door in doors:  # there is room again
        assert door(house).status_code in {201, 202, 409}  # the document holds the very event that comes after it
    house.settle()
    assert ledger.fsck() == []


def test_people_are_told_in_words_of_their_language(house: House, person: Enter) -> None:
    portal = person("maker")
    codes = [code(f"many-{number}") for number in range(5)]
    form, _ = portal.check("commission", codes)
    for language, words in (("en", "There is no room left"), ("zh-hans", "存储空间已满")):
        portal.client.cookies["django_language"] = language
        with no_room():
            step = portal.post("step/commission", form)
            upload = portal.post("logger", {"file": _readings(), "site": "maker-main"})
        for answer in (step, upload):
            assert answer.status_code == 507
            assert words in answer.content.decode()
        assert "many-3" in step.content.decode()  # what was typed is still there
    assert not ScanEvent.objects.exists()
    assert portal.post("step/commission", form).status_code == 302


def test_a_page_that_has_no_words_of_its_own_says_it_in_both_languages(house: House, person: Enter) -> None:
    """The session cannot be written: that happens when the view is through already."""
    person("maker")
    client = Client(raise_request_exception=False)
    credentials = {"username": "maker-operator", "password": "a-long-demo-password"}
    with no_room():
        page = client.post("/portal/sign-in", credentials)
    assert page.status_code == 507
    assert "There is no room left" in page.content.decode()
    assert "存储空间已满" in page.content.decode()
    assert client.post("/portal/sign-in", credentials).status_code == 302


def test_another_fault_stays_a_fault_of_ours(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Negative control: 507 is not what every failure is called."""
    monkeypatch.setattr("traceability.common.documents.keep", lambda signed: 1 / 0)
    client = Client(raise_request_exception=False, headers={"Authorization": f"Bearer {house.tokens['maker']}"})
    answer = client.post("/epcis/events", json.dumps(_event()), content_type="application/json")
    assert answer.status_code == 500
    assert "on our side" in answer.content.decode()
