"""The regulator's pages: what an inspector sees and does, and that nobody else gets in."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from ledger import api as ledger
from tests.integration.conftest import EXPIRY, GTIN, LOT, House, code, pack
from tests.integration.recalls.conftest import published
from tests.integration.scans.test_record import PASSWORD, act
from traceability.alerts.models import Alert, AlertTransition
from traceability.common import projection
from traceability.contracts import services as contracts
from traceability.parties import services as parties
from traceability.web.regulator.words import FOLDS

PAGES = ["", "trace", "recalls", "exceptions", "contracts", "unknown", "health"]


@pytest.fixture
def inspector(house: House) -> Client:
    return _signed_in(house, "regulator", "inspector")


@pytest.fixture
def alert(house: House) -> Alert:
    """A pack handed out at two pharmacies far apart at once: one incident, found by two rules."""
    contracts.deploy_defaults()
    house.settle()
    act(house, "maker", "commission", [code("1")], details={"lot": LOT, "expiry": EXPIRY.isoformat()})
    for party in ("pharmacy", "other"):
        act(house, party, "dispense", [code("1")], override_reason="test")
    return Alert.objects.get(subject=pack("1"))


def _signed_in(house: House, party: str, role: str) -> Client:
    parties.add_member(party=house.parties[party], username=f"{party}-{role}", password=PASSWORD, role=role)
    client = Client()
    assert client.login(username=f"{party}-{role}", password=PASSWORD)
    return client


@pytest.mark.parametrize("page", PAGES)
def test_only_inspectors_get_in(house: House, inspector: Client, page: str) -> None:
    stranger = _signed_in(house, "pharmacy", "operator")
    path = f"/regulator/{page}"
    assert [client.get(path).status_code for client in (inspector, stranger, Client())] == [200, 403, 302]


def test_the_list_is_filtered_by_its_address(house: House, inspector: Client, alert: Alert) -> None:
    page = inspector.get("/regulator/").content.decode()
    assert alert.id in page
    assert f"(01){GTIN}(21)1" in page
    assert '<option value="wholesaler">Wholesaler</option>' in page
    assert alert.id in inspector.get(f"/regulator/?rule={alert.rule}&party=other").content.decode()
    for query in ("?rule=expired-sale", "?severity=S4", "?state=resolved", "?party=maker", "?party=nobody"):
        assert alert.id not in inspector.get(f"/regulator/{query}").content.decode(), query


def test_an_alert_is_worked_on_step_by_step(house: House, inspector: Client, alert: Alert) -> None:
    path = f"/regulator/alerts/{alert.id}"
    refused = inspector.post(path, {"action": "acknowledge", "version": "0", "comment": " "})
    assert (refused.status_code, AlertTransition.objects.count()) == (400, 0)
    assert inspector.post(path, {"action": "acknowledge", "version": "0", "comment": "on it"}).status_code == 302
    late = inspector.post(path, {"action": "acknowledge", "version": "0", "comment": "me too"})
    assert late.status_code == 409
    done = {"action": "resolve", "version": "1", "comment": "till error", "cause": "user-error"}
    assert inspector.post(path, done | {"cause": ""}).status_code == 400
    assert inspector.post(path, done).status_code == 302
    house.settle()
    alert.refresh_from_db()
    assert alert.state == "resolved"
    page = inspector.get(path).content.decode()
    assert "till error" in page
    assert "Mistake of a person" in page
    assert 'value="acknowledge"' not in page


def test_the_evidence_holds_without_our_server(house: House, inspector: Client, alert: Alert, tmp_path: Path) -> None:
    bundle = inspector.get(f"/regulator/alerts/{alert.id}/evidence.json")
    file = tmp_path / "evidence.json"
    file.write_bytes(bundle.content)
    command = [sys.executable, "-m", "ledger.verify", str(file), "--vkey", ledger.vkey()]
    assert subprocess.run(command, check=False, capture_output=True).returncode == 0
    forged = json.loads(bundle.content)
    forged["entries"][0]["claims"][0]["claim"] = forged["entries"][0]["claims"][0]["claim"].replace('"', '"x', 1)
    file.write_text(json.dumps(forged))
    assert subprocess.run(command, check=False, capture_output=True).returncode != 0


def test_a_stranger_s_guess_is_404(house: House, inspector: Client) -> None:
    assert inspector.get("/regulator/alerts/nothing").status_code == 404


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (code("1"), ["Commissioned", "Dispensed", "Seen in two places", "Glarvia"]),
        (pack("1"), ["Commissioned"]),
        (f"(01){GTIN}(10){LOT}", ["Where the packs are", "Dispensed", "Glarvia"]),
        ("hello", ["This names nothing that can be traced."]),
        (pack("none"), ["Nothing is recorded of this code.", "It may be misread"]),
        (f"(01){GTIN[:-1]}0(21)1", ["This code cannot be read.", "check digit"]),
    ],
)
def test_tracing_a_code(house: House, inspector: Client, alert: Alert, asked: str, words: list[str]) -> None:
    page = inspector.get("/regulator/trace", {"code": asked}).content.decode()
    for word in words:
        assert word in page


def test_the_list_costs_the_same_however_long_it_is(house: House, inspector: Client, alert: Alert) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            page = inspector.get("/regulator/").content.decode()
        assert "Glarvia" in page
        return len(captured)

    one = queries()
    for number in range(20):
        Alert.objects.create(
            **{
                field.attname: getattr(alert, field.attname)
                for field in Alert._meta.concrete_fields
                if field.attname not in {"id", "incident", "gtin", "subject"}
            },
            gtin=f"{number:014d}",  # of which master data knows nothing
            subject=f"https://id.gs1.org/01/{number:014d}/21/{number}",
            id=f"{number:024d}",
            incident=f"{number:064d}",
        )
    assert queries() == one


def test_recalls_contracts_unknown_codes_and_health(house: House, inspector: Client, alert: Alert, writer: Any) -> None:
    from tests.integration.api.test_capture import observed

    published(house)
    house.capture("pharmacy", observed(writer, "7", epcList=["https://id.gs1.org/01/04012345111118/21/1"]))
    house.settle()
    assert LOT in inspector.get("/regulator/recalls").content.decode()
    assert "double-dispense" in inspector.get("/regulator/contracts").content.decode()
    assert "04012345111118" in inspector.get("/regulator/unknown").content.decode()
    assert str(ledger.published_size()) in inspector.get("/regulator/health").content.decode()


def test_the_pages_speak_chinese(house: House, inspector: Client, alert: Alert) -> None:
    inspector.cookies["django_language"] = "zh-hans"
    for page in [*PAGES, f"alerts/{alert.id}"]:
        text = inspector.get(f"/regulator/{page}").content.decode()
        assert '<html lang="zh-Hans"' in text
        assert "追溯" in text


def test_every_fold_is_called_something_in_both_languages(inspector: Client) -> None:
    names = {one.name for one in projection.all_projections()}
    assert set(FOLDS) == names
    page = inspector.get("/regulator/health", headers={"Accept-Language": "zh-Hans"}).content.decode()
    assert "谁可查看什么" in page
