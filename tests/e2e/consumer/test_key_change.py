"""The log replaces its key: what the browser verifier accepts, and what a device that was here before says."""

import json
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ledger import api as ledger
from ledger.tlog import note
from tests.unit.web.world import World
from tests.vectors.rotation import generate

from .conftest import Visitor
from .test_verifier import JUDGE

pytestmark = pytest.mark.browser

Visit = Callable[..., Visitor]
VECTORS = json.loads(Path(generate.__file__).with_name("vectors.json").read_text())
# notes, vkey -> for each whether it verifies
CHECK = """async ([notes, vkey]) => {
  const { checkCheckpoint, policyOfVkey } = await import("/verify/policy.js");
  const trust = policyOfVkey(vkey);
  return Promise.all(notes.map((note) => checkCheckpoint(note, trust).then(() => true, () => false)));
}"""
# the log's entries as base64 -> the periods of its keys
FOLD = """async (entries) => {
  const { Keyring } = await import("/verify/keyring.js");
  const { fromBase64, toBase64 } = await import("/verify/bytes.js");
  const { parse } = await import("/verify/statement.js");
  const keyring = new Keyring();
  for (const [index, encoded] of entries.entries()) {
    const statement = parse(fromBase64(encoded));
    if (/^(genesis|key-|log-key)/.test(statement.kind)) await keyring.add(index, statement).catch(() => 0);
  }
  const until = (record) => (record.until === Infinity ? null : record.until);
  return keyring.logKeys.records.map((record) => [toBase64(record.key), record.from, until(record)]);
}"""


@pytest.mark.parametrize("pinned", ["old", "new"])
def test_the_browser_agrees_with_the_vectors(secure_page: Any, pinned: str) -> None:
    cases = VECTORS["bundles"]
    verdicts = secure_page.evaluate(JUDGE, [[case["bundle"] for case in cases], VECTORS["vkeys"][pinned]])
    wrong = [
        (case["name"], verdict)
        for case, verdict in zip(cases, verdicts, strict=True)
        if (verdict == "ok") != (pinned in case["accept"])
    ]
    assert wrong == []
    cases = VECTORS["checkpoints"]
    verdicts = secure_page.evaluate(CHECK, [[case["note"] for case in cases], VECTORS["vkeys"][pinned]])
    assert verdicts == [case["pinned"][pinned] for case in cases]


def test_the_browser_folds_the_same_keys(secure_page: Any) -> None:
    expected = [
        [b64encode(note.parse_vkey(period["vkey"]).public).decode(), period["from"], period["until"]]
        for period in VECTORS["periods"]
    ]
    assert secure_page.evaluate(FOLD, VECTORS["entries"]) == expected


def said(page: Any) -> str:
    return page.inner_text("#device-check [role=status]")


def retire(world: World) -> None:
    with pytest.raises(ledger.RotationError, match="run this again"):
        ledger.retire_log_key(0.0)
    world.publish()
    ledger.retire_log_key(0.0)


@pytest.mark.django_db(transaction=True)
def test_a_device_that_was_here_before_follows_the_key(world: World, visitor: Visit) -> None:
    visit = visitor()
    path = world.path("sold")
    visit.open(path, "checked")
    first = visit.page.evaluate("localStorage['dosetrail.logs']")
    new = ledger.rotate_log_key()
    world.publish()
    assert "contains everything" in said(visit.open(path, "checked"))  # both keys sign
    [log] = json.loads(visit.page.evaluate("localStorage['dosetrail.logs']")).values()
    assert new in log["vkeys"]
    assert "saw before" in said(visit.open(path, "checked"))
    retire(world)
    assert "contains everything" in said(visit.open(path, "checked"))
    keep = "(value) => { localStorage['dosetrail.logs'] = value; }"
    visit.page.evaluate(keep, first)  # a device that slept through all of it
    assert "names the new key itself" in said(visit.open(path, "checked"))
    [(origin, seen)] = json.loads(first).items()
    stranger = {origin: {**seen, "vkeys": [VECTORS["vkeys"]["old"]]}}
    other_past = {origin: {**seen, "rootText": "A" * 43 + "="}}
    for kept in (stranger, other_past):
        visit.page.evaluate(keep, json.dumps(kept))
        assert "went backwards" in said(visit.open(path, "backwards"))
    visit.page.evaluate(keep, first)
    visit.page.route("**/evidence/**", lambda route: route.fulfill(json=without(route.fetch().json(), "logKeys")))
    assert "went backwards" in said(visit.open(path, "backwards"))  # the server's word alone is no succession


def without(bundle: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in bundle.items() if key != name}
