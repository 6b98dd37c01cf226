"""One id and one line for each request; an event followed through the logs by its statement hash; nothing private."""

import asyncio
import json
import logging
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as current_settings
from django.test import Client

from ledger import api as ledger
from tests.integration.api.test_capture import observed
from tests.integration.conftest import EXPIRY, GTIN, LOT, House, code, pack
from tests.integration.operations.conftest import Lines
from tests.integration.scans.test_record import PASSWORD, act
from traceability.alerts import stream
from traceability.alerts.models import Alert
from traceability.common import log_lines
from traceability.contracts import services as contracts
from traceability.parties import services as parties

LOOK_UPS = (
    f"/01/{GTIN}/21/SERIAL1?17=300131",
    f"/01/{GTIN}/10/{LOT}/21/SERIAL1",
    "/01/nonsense/SERIAL1",
    "/c/81234567890123456789",
    f"/evidence/01/{GTIN}/21/SERIAL1",
    f"/nowhere/{GTIN}/SERIAL1",
    f"/look-up?code=(01){GTIN}(21)SERIAL1",
)


def test_each_request_has_one_line_and_its_id_comes_back(house: House, lines: Lines) -> None:
    answer = house.client("maker").get("/epcis/events?EQ_eventID=SERIAL1", headers={"X-Request-Id": "shop-till.0001"})
    assert answer.headers["X-Request-Id"] == "shop-till.0001"
    (line,) = lines.said("request")
    assert line["request_id"] == "shop-till.0001"
    assert (line["method"], line["status"], line["client"]) == ("GET", 200, "127.0.0.0/24")
    assert line["party"] == house.parties["maker"].uri
    assert line["route"].startswith("epcis/events")
    assert line["duration_ms"] >= 0
    assert "SERIAL1" not in lines.text


def test_an_id_that_is_not_sane_is_replaced(house: House, lines: Lines) -> None:
    answer = Client().get("/", headers={"X-Request-Id": "x\ty" * 5})
    assert len(answer.headers["X-Request-Id"]) == 16
    assert lines.said("request")[0]["request_id"] == answer.headers["X-Request-Id"]


def test_a_problem_carries_the_id_and_the_line_its_code(house: House, lines: Lines) -> None:
    answer = house.client("maker").post("/epcis/capture", b"{", content_type="application/json")
    assert answer.status_code == 400
    problem = answer.json()
    assert problem["requestId"] == answer.headers["X-Request-Id"]
    (line,) = lines.said("request")
    assert (line["request_id"], line["code"], line["status"]) == (problem["requestId"], problem["code"], 400)


@pytest.mark.parametrize("path", ["/epcis/events", "/portal/sign-in"])
def test_a_fault_of_ours_is_one_line_with_its_traceback(
    house: House, lines: Lines, monkeypatch: Any, path: str
) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError("broken\nbeyond repair")

    monkeypatch.setattr("traceability.api.bodies.read", broken)
    monkeypatch.setattr("traceability.web.portal.sign_in.SignIn.get", broken)
    client = house.client("maker")
    client.raise_request_exception = False
    answer = client.post(path, b"{}", content_type="application/json") if "epcis" in path else client.get(path)
    assert answer.status_code == 500
    name = answer.headers["X-Request-Id"]
    assert name in answer.content.decode()
    failed = [line for line in map(json.loads, lines.text.splitlines()) if "exception" in line]
    assert [line["request_id"] for line in failed] == [name]
    assert failed[0]["exception"].endswith("RuntimeError: broken\nbeyond repair")
    assert lines.said("request")[0]["status"] == 500


def test_a_patient_s_look_up_leaves_no_code_behind(house: House, lines: Lines) -> None:
    for path in LOOK_UPS:
        Client().get(path, REMOTE_ADDR="203.0.113.77")
    assert len(lines.said("request")) == len(LOOK_UPS)
    assert {line["client"] for line in lines.said("request")} == {"203.0.113.0/24"}
    for private in ("SERIAL1", GTIN, "8123456789", "203.0.113.77"):
        assert private not in lines.text
    assert any("(?P<link>" in line["route"] for line in lines.said("request"))


def test_without_the_filter_django_names_the_pack(house: House, lines: Lines, monkeypatch: Any) -> None:
    """Negative control: the framework's own line of a page that is not there holds its path."""
    logging.getLogger("django.request").setLevel(logging.WARNING)
    try:
        Client().get(f"/nowhere/{GTIN}/SERIAL1")
        assert lines.said("Not Found: ")
        assert "SERIAL1" not in lines.text
        monkeypatch.setattr(log_lines.RoutesNotPaths, "filter", lambda self, record: True)
        Client().get(f"/nowhere/{GTIN}/SERIAL1")
    finally:
        logging.getLogger("django.request").setLevel(logging.ERROR)
    assert "SERIAL1" in lines.text


def test_no_secret_is_logged(house: House, lines: Lines) -> None:
    parties.add_member(party=house.parties["pharmacy"], username="mei", password=PASSWORD, role="operator")
    client = Client(headers={"Authorization": f"Bearer {house.tokens['maker']}"})
    client.post("/portal/sign-in", {"username": "mei", "password": PASSWORD})
    client.post("/portal/sign-in", {"username": "mei", "password": PASSWORD + "wrong"})
    client.get("/portal/")
    house.post("maker", "/api/v1/scans", {"step": "commission", "codes": [code("SERIAL1")], "place": "no"})
    assert len(lines.said("request")) == 4
    for secret in (*house.tokens.values(), PASSWORD, "mei", "SERIAL1", client.cookies["sessionid"].value):
        assert secret not in lines.text
    assert house.parties["pharmacy"].uri in lines.text


def test_behind_a_proxy_the_address_is_what_the_proxy_saw(house: House, lines: Lines, settings: Any) -> None:
    settings.CLIENT_ADDRESS_HEADER = "HTTP_X_FORWARDED_FOR"
    for sent, network in (
        ("10.9.9.9, 198.51.100.7", "198.51.100.0/24"),  # what the caller claims stands before it
        ("2001:db8:aa:bb::1", "2001:db8:aa::/48"),
        ("::ffff:198.51.100.7", "198.51.100.0/24"),
        ("nonsense\nx", ""),
    ):
        Client().get("/", headers={"X-Forwarded-For": sent})
        assert lines.said("request")[-1]["client"] == network


def test_an_event_is_followed_from_its_receipt_to_its_alert(
    house: House, lines: Lines, django_capture_on_commit_callbacks: Any
) -> None:
    contracts.deploy_defaults()
    house.settle()
    details = {"lot": LOT, "expiry": EXPIRY.isoformat()}
    with django_capture_on_commit_callbacks(execute=True):
        act(house, "maker", "commission", [code("1")], details=details)
        sold = [act(house, party, "dispense", [code("1")], override_reason="test") for party in ("pharmacy", "other")]
    alert = Alert.objects.get(subject=pack("1"))
    (name,) = sold[1].statement_hashes
    index = ledger.positions([name])[name].index

    (accepted,) = [line for line in lines.said("accepted") if name in line["statements"]]
    assert accepted["party"] == house.parties["other"].uri
    (sequenced,) = [line for line in lines.said("sequenced") if name in line["statements"]]
    assert sequenced["first"] + sequenced["statements"].index(name) == index
    folds = [line["projection"] for line in lines.said("folded") if line["first"] <= index <= line["last"]]
    assert folds == [
        "master-data",
        "event-index",
        "custody",
        "audience",
        "cold-chain",
        "findings",
        "alerts",
        "event-hashes",
    ]
    raised = [line for line in lines.said("alert") if index in line["evidence"]]
    assert raised[-1]["alert"] == alert.id
    assert raised[-1]["rule"] == alert.rule
    assert pack("1") not in lines.text


def test_a_capture_job_s_line_names_job_request_and_statements(
    house: House, lines: Lines, writer: Any, django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        answer = house.capture("maker", observed(writer, "1"), observed(writer, "2")).json()
    (line,) = lines.said("accepted")
    assert (line["job"], line["statements"]) == (answer["captureID"], answer["receipt"]["statements"])


def test_celery_keeps_our_handlers_and_names_its_task(lines: Lines) -> None:
    from traceability.celery import app

    before = list(logging.getLogger().handlers)
    app.log.already_setup = False
    app.log.setup_logging_subsystem("INFO")
    assert logging.getLogger().handlers == before

    @app.task(name="tests.say")
    def say() -> None:
        logging.getLogger("somewhere").info("inside a task")

    say.apply(task_id="t-1")
    (line,) = lines.said("inside a task")
    assert (line["task"], line["task_id"]) == ("tests.say", "t-1")
    del app.tasks["tests.say"]


def test_both_sizes_write_through_the_same_formatter() -> None:
    handler = current_settings.LOGGING["handlers"]["console"]
    assert handler["formatter"] == "plain"
    production = (Path(current_settings.BASE_DIR) / "traceability/settings/production.py").read_text()
    assert '"DOSETRAIL_LOG_FORMAT", "json"' in production


@pytest.mark.parametrize(("path", "status"), [("/stream/alerts", 401), ("/stream/SERIAL1", 404)])
def test_the_event_stream_has_its_line_too(transactional_db: None, lines: Lines, path: str, status: int) -> None:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        return {"type": "http.disconnect"}

    scope = {
        "type": "http", "method": "GET", "path": path, "client": ("203.0.113.77", 5),
        "headers": [(b"x-request-id", b"shop-till.0001")],
    }  # fmt: skip
    asyncio.run(stream.application(scope, receive, send))
    (line,) = lines.said("request")
    assert (line["request_id"], line["status"], line["client"]) == ("shop-till.0001", status, "203.0.113.0/24")
    assert (b"x-request-id", b"shop-till.0001") in sent[0]["headers"]
    assert "SERIAL1" not in lines.text
