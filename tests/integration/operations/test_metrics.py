"""/metrics: read from the database where that can be, shared by the processes of a machine where it cannot."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.db import DatabaseError
from django.test import Client
from prometheus_client.parser import text_string_to_metric_families

from ledger import api as ledger
from ledger import models
from tests.integration.api.test_capture import observed
from tests.integration.conftest import EXPIRY, GTIN, LOT, House, code
from tests.integration.scans.test_record import act
from traceability.alerts.models import Alert
from traceability.common.clock import now_ms
from traceability.contracts import services as contracts

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


def scraped() -> Samples:
    answer = Client().get("/metrics")
    assert answer.status_code == 200, answer.content
    return samples(answer.content.decode())


def samples(text: str) -> Samples:
    """The values by name and labels, as Prometheus' own parser reads them."""
    return {
        (one.name, frozenset(one.labels.items())): one.value
        for family in text_string_to_metric_families(text)
        for one in family.samples
    }


def value(found: Samples, name: str, **labels: str) -> float:
    return found[f"dosetrail_{name}", frozenset(labels.items())]


def test_the_facts_are_those_of_the_database(house: House, writer: Any) -> None:
    house.capture("maker", observed(writer, "1"))
    found = scraped()
    size = ledger.published_size()
    assert value(found, "log_entries") == value(found, "log_published_entries") == size
    assert (value(found, "log_final_entries"), value(found, "backlog_statements")) == (0, 1)
    assert value(found, "projection_position", projection="custody") == size
    assert value(found, "projection_lag_entries", projection="custody") == 0
    assert 0 <= value(found, "checkpoint_age_seconds") < 60
    assert value(found, "database_bytes") > 10_000
    assert value(found, "disk_free_bytes", folder="data") > 0
    assert value(found, "health_check", check="sequencer") == 0
    assert value(found, "health_check", check="database") == 1
    ledger.sequence_once()
    found = scraped()
    assert value(found, "log_published_entries") == size + 1
    assert value(found, "projection_lag_entries", projection="alerts") == 1


def test_open_alerts_by_severity(house: House) -> None:
    contracts.deploy_defaults()
    house.settle()
    act(house, "maker", "commission", [code("1")], details={"lot": LOT, "expiry": EXPIRY.isoformat()})
    for party in ("pharmacy", "other"):
        act(house, party, "dispense", [code("1")], override_reason="test")
    alert = Alert.objects.get()
    assert value(scraped(), "alerts_open", severity=alert.severity) == 1
    Alert.objects.update(state="resolved")
    assert {value(scraped(), "alerts_open", severity=one) for one in ("S1", "S2", "S3", "S4")} == {0}


def test_witnesses(house: House, settings: Any, tmp_path: Path) -> None:
    from tests.integration.operations.test_health import SIGNERS

    settings.LOG_POLICY_FILE = tmp_path / "policy"
    lines = [f"witness {name} {one.cosigner} http://127.0.0.1:9" for name, one in SIGNERS.items()]
    settings.LOG_POLICY_FILE.write_text("\n".join([f"log {ledger.vkey()}", *lines, "group q 2 a b c", "quorum q\n"]))
    for name, age_s in (("a", 10), ("b", 50)):
        models.WitnessContact.objects.create(witness=name, cosigned_ms=now_ms() - age_s * 1000, size=3)
    found = scraped()
    assert value(found, "quorum_age_seconds") == value(found, "witness_cosigned_age_seconds", witness="b") == 50
    assert value(found, "witness_cosigned_entries", witness="a") == 3
    assert ("dosetrail_witness_cosigned_age_seconds", frozenset({("witness", "c")})) not in found


def test_what_was_answered_is_counted(house: House, writer: Any, django_capture_on_commit_callbacks: Any) -> None:
    def counted(name: str, **labels: str) -> float:
        return scraped().get((f"dosetrail_{name}", frozenset(labels.items())), 0)

    names: tuple[tuple[str, dict[str, str]], ...] = (
        ("capture_events_total", {"outcome": "new"}),
        ("capture_events_total", {"outcome": "already_recorded"}),
        ("refusals_total", {"code": "json-not-json"}),
        ("scans_total", {"step": "commission", "verdict": "allow"}),
        ("http_requests_total", {"method": "POST", "route": "epcis/capture", "status": "400"}),
    )
    before = [counted(name, **labels) for name, labels in names]
    again = observed(writer, "1")
    with django_capture_on_commit_callbacks(execute=True):
        house.capture("maker", again, observed(writer, "2"))
        house.capture("maker", again)
        refused = house.client("maker").post("/epcis/capture", b"{", content_type="application/json")
        act(house, "maker", "commission", [code("1")], details={"lot": LOT, "expiry": EXPIRY.isoformat()})
    assert refused.json()["code"] == "json-not-json"
    after = [counted(name, **labels) for name, labels in names]
    grown = [round(new - old) for old, new in zip(before, after, strict=True)]
    assert grown[1:] == [1, 1, 1, 1]
    assert grown[0] >= 3


def test_labels_stay_few_whatever_strangers_ask_for(house: House) -> None:
    for number in range(5):
        Client().get(f"/nowhere/{number}")
        Client().generic(f"BREW{number}", f"/01/{GTIN}/21/{number}")
    text = Client().get("/metrics").content.decode()
    assert "BREW" not in text
    assert "nowhere" not in text
    assert GTIN not in text


def test_while_the_database_is_away_metrics_say_so(house: House, monkeypatch: Any) -> None:
    def broken() -> None:
        raise DatabaseError

    monkeypatch.setattr("ledger.api.log_standing", broken)
    found = scraped()
    assert value(found, "health_check", check="database") == 0
    assert ("dosetrail_log_entries", frozenset()) not in found


def test_they_are_for_operators(house: House, settings: Any, tmp_path: Path) -> None:
    assert Client().get("/metrics", REMOTE_ADDR="203.0.113.5").status_code == 404
    assert Client().get("/metrics", headers={"X-Forwarded-For": "127.0.0.1"}).status_code == 404
    settings.METRICS_TOKEN_FILE = tmp_path / "token"
    settings.METRICS_TOKEN_FILE.write_text("t" * 40)
    refused = Client().get("/metrics", REMOTE_ADDR="203.0.113.5", headers={"Authorization": "Bearer wrong"})
    assert (refused.status_code, refused.headers["WWW-Authenticate"]) == (401, 'Bearer realm="metrics"')
    token = {"Authorization": "Bearer " + "t" * 40}
    assert Client().get("/metrics", REMOTE_ADDR="203.0.113.5", headers=token).status_code == 200


COUNT = """
import sys
from traceability.common import metrics
for _ in range(int(sys.argv[1])):
    metrics.count_scan("dispense", "allow")
"""


@pytest.mark.parametrize("shared", [True, False])
def test_processes_of_a_machine_share_their_counts(tmp_path: Path, shared: bool) -> None:
    """Negative control: without the shared folder a scrape sees the counts of the process that answers alone."""
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "traceability.settings.test"}
    environment |= {"PROMETHEUS_MULTIPROC_DIR": str(tmp_path)} if shared else {}
    for number in (2, 3):
        subprocess.run([sys.executable, "-c", COUNT, str(number)], check=True, env=environment)
    show = (
        "from django import setup; setup(); from traceability.operations import metrics;"
        "from prometheus_client import generate_latest; print(generate_latest(metrics._counters()).decode())"
    )
    text = subprocess.run([sys.executable, "-c", show], check=True, env=environment, capture_output=True, text=True)
    key = ("dosetrail_scans_total", frozenset({("step", "dispense"), ("verdict", "allow")}))
    assert samples(text.stdout).get(key) == (5 if shared else None)
