"""The demo world: every planted incident is found, nothing else is; the log stands up to a recount."""

import os
import subprocess
import sys
from collections import Counter

import httpx
import pytest

from tests.e2e.conftest import ROOT, DemoHouse

pytestmark = pytest.mark.xdist_group("demo")  # the same house, before the others work in it

RULE_OF = {
    "warm_truck": "temperature-hot",
    "frozen_box": "temperature-freeze",
    "cloned_serial": "clone",
    "expired_sale": "expired-sale",
    "short_delivery": "quantity-mismatch",
    "moved_after_recall": "movement-after-recall",
    "double_dispense": "double-dispense",
}


def test_every_planted_incident_is_found_and_nothing_else(any_world: DemoHouse) -> None:
    planted = {(RULE_OF[one["kind"]], one["subject"]) for one in any_world.world["incidents"]}
    found = {
        (_contract(judged_by), subject)
        for judged_by, subject in any_world.rows(
            "select judged_by, subject from contracts_finding where retracted_index is null"
        )
    }
    assert len(planted) == 7
    assert found == planted
    assert any_world.rows("select count(*) from alerts_alert") == [(len(planted),)]


def test_the_size_of_the_world(any_world: DemoHouse) -> None:
    roles = Counter(party["role"] for party in any_world.world["parties"].values())
    assert roles == {"regulator": 1, "manufacturer": 3, "distributor": 4, "hospital": 6, "pharmacy": 12}
    assert sum(lot["packs"] for lot in any_world.world["lots"]) == 5000
    assert len(any_world.world["stock"]) == 25


def test_samples_show_what_they_are_samples_of(any_world: DemoHouse) -> None:
    words = {
        "good": "Registered, not yet sold",
        "cold_chain_break": "Temperature problem under review",
        "frozen": "Temperature problem under review",
        "expired": "Expired",
        "cloned": "Possible copy",
        "recalled": "Recalled",
        "double_dispensed": "Possible copy",
    }
    for case, path in any_world.world["samples"].items():
        page = httpx.get(any_world.base_url + path, follow_redirects=True).text
        assert words[case] in page, case


def test_recounting_the_log_and_rebuilding_the_folds_changes_nothing(any_world: DemoHouse) -> None:
    environment = {**os.environ, "DOSETRAIL_DATA_DIR": str(any_world.folder)}
    environment["DJANGO_SETTINGS_MODULE"] = "traceability.settings.embedded"
    for command in (["fsck"], ["rebuild", "--check"]):
        done = subprocess.run(
            [sys.executable, "manage.py", *command],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr


def _contract(judged_by: str) -> str:
    return judged_by.rpartition("/")[0]
