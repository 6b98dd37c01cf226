"""A witness' report about the log on its way to the inspector: entry, finding, alert, page."""

import json
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from ledger import api as ledger
from ledger import monitor
from ledger.follower import Finding as Seen
from ledger.tlog import note
from ledger.witness import WitnessSigner
from tests.integration.conftest import House
from traceability.alerts.models import Alert
from traceability.common import projection, rebuilding
from traceability.contracts import log_reports, wording
from traceability.contracts.models import Finding

from .test_pages import _signed_in

SIGNER = WitnessSigner("regulator.example/w", b"\7" * 32)


@pytest.fixture
def inspector(house: House, settings: Any, tmp_path: Path) -> Client:
    settings.LOG_POLICY_FILE = tmp_path / "policy"
    text = f"log {ledger.vkey()}\nwitness regulator {SIGNER.cosigner} http://127.0.0.1:9\nquorum regulator\n"
    settings.LOG_POLICY_FILE.write_text(text)
    return _signed_in(house, "regulator", "inspector")


def report(house: House, kind: str, **evidence: Any) -> None:
    origin = note.parse_vkey(ledger.vkey()).name
    signed = monitor.sign(Seen(kind, "in words", evidence), origin=origin, signer=SIGNER, time_s=1_750_000_000)
    answer = Client().post("/log/reports", signed.encode(), content_type="text/plain")
    assert answer.status_code == 201, answer.content
    house.settle()


def test_a_report_becomes_an_alert_with_its_evidence(house: House, inspector: Client) -> None:
    report(house, "rollback", kept="an older note", seen="a newer note")
    alert = Alert.objects.get()
    assert (alert.rule, alert.severity, alert.certainty, alert.state) == ("log", "S1", "possible", "new")
    page = inspector.get(f"/regulator/alerts/{alert.id}").content.decode()
    assert "The log went backwards" in page
    assert "regulator was shown a smaller log" in page
    link = f"/regulator/witness-reports/{alert.params['digest']}"
    assert link in page
    assert "an older note" in inspector.get(link).content.decode()
    assert inspector.get("/regulator/witness-reports/nothing").status_code == 404
    assert alert.id in inspector.get("/regulator/?rule=log").content.decode()


def test_the_health_page_shows_witnesses_and_reports(house: House, inspector: Client) -> None:
    before = inspector.get("/regulator/health").content.decode()
    assert "Not asked yet" in before
    assert "No report." in before
    report(house, "stale", seen="a note")
    page = inspector.get("/regulator/health").content.decode()
    assert "The log stands still" in page
    assert "in words" in page


def test_reports_of_one_kind_are_one_incident_and_a_rebuild_tells_the_same(house: House, inspector: Client) -> None:
    for number in range(3):
        report(house, "bad-entry", index=number, entry="00")
    report(house, "fork", kept="x", seen="y")
    assert sorted(Alert.objects.values_list("code", "count")) == [("log-bad-entry", 3), ("log-fork", 1)]
    folds = projection.all_projections()
    before = [projection.digest(model) for fold in folds for model in fold.models]
    list(rebuilding.rebuild())
    assert [projection.digest(model) for fold in folds for model in fold.models] == before


def test_only_the_operators_own_entry_counts(house: House) -> None:
    """Negative control of the issuer: the same words in a party's mouth are no finding."""
    body = {
        "witness": "w", "origin": "o", "kind": "fork", "digest": "d", "proven": True, "time": 1, "detail": "",
    }  # fmt: skip

    def keep(iss: str, **changes: Any) -> bool:
        payload = json.dumps(body | changes).encode()
        log_reports.keep([projection.LogEntry(9, "00", 1, "monitor-report", iss, b"", 0, payload, None)])
        return Finding.objects.exists()

    assert not keep("urn:dosetrail:party:maker")
    for wrong in ({"kind": "gossip"}, {"time": "1"}, {"proven": 1}, {"witness": None}):
        assert not keep(ledger.OPERATOR_URI, **wrong)
    assert keep(ledger.OPERATOR_URI)
    assert Finding.objects.get().certainty == "certain"


def test_every_kind_of_report_has_words() -> None:
    assert {f"log-{kind}" for kind in monitor.KINDS} == {code for code in wording._TEXTS if code.startswith("log-")}
    assert set(monitor.KINDS) == log_reports._GRAVE | set(log_reports._SEVERITIES)
