"""A profile is read strictly: each rule spelled out, each of its type and range."""

import json
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from traceability.contracts.parameters import ParameterError
from traceability.scans import profile
from traceability.scans.common_steps import DESTROY, RELEASE_HOLD, STOCK, UNDO

CORE = (Path(profile.__file__).parent / "profiles" / "core.json").read_text()


def changed(**rules: Any) -> profile.Profile:
    body = json.loads(CORE)
    for name, value in rules.items():
        body["rules"][name]["value"] = value
    return profile.read(json.dumps(body))


def test_core_is_what_the_regulations_say() -> None:
    core = profile.read(CORE)
    assert core.name == "core/1"
    assert (core.rules.undo_days, core.rules.undo_same_place, core.rules.undo_recalled) == (10, True, False)
    assert core.sources.keys() == {rule.name for rule in fields(profile.Rules)}
    assert all(core.sources.values())
    assert all(rule.metadata["means"] for rule in fields(profile.Rules))


@pytest.mark.parametrize(
    ("change", "field"),
    [
        (lambda body: body.pop("version"), "profile"),
        (lambda body: body.update(more=1), "profile"),
        (lambda body: body.update(version=True), "version"),
        (lambda body: body.update(version=0), "version"),
        (lambda body: body.update(id="core/1"), "id"),
        (lambda body: body["rules"].pop("undo_days"), "rules"),
        (lambda body: body["rules"].update(undo_weeks={"value": 1, "source": ""}), "rules"),
        (lambda body: body["rules"].update(undo_days=10), "undo_days"),
        (lambda body: body["rules"]["undo_days"].update(value="10"), "undo_days"),
        (lambda body: body["rules"]["undo_days"].update(value=True), "undo_days"),
        (lambda body: body["rules"]["undo_days"].update(value=None), "undo_days"),
        (lambda body: body["rules"]["undo_days"].update(value=366), "undo_days"),
        (lambda body: body["rules"]["return_verified"].update(value=1), "return_verified"),
        (lambda body: body["rules"]["open_pack_days"].update(value=0), "open_pack_days"),
        (lambda body: body["rules"]["open_pack_days"].update(source=None), "open_pack_days"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(change: Any, field: str) -> None:
    body = json.loads(CORE)
    change(body)
    with pytest.raises(ParameterError) as refused:
        profile.read(json.dumps(body))
    assert refused.value.field == field


@pytest.mark.parametrize("text", ["", "[]", "null", '{"id": "core"'])
def test_what_is_no_profile_is_refused(text: str) -> None:
    with pytest.raises(ParameterError):
        profile.read(text)


def test_a_rule_changes_the_step() -> None:
    core, other = (
        profile.read(CORE).rules,
        changed(undo_recalled=True, return_dispensed_saleable=True, return_verified=False, destroy_witness=True).rules,
    )
    for step in (UNDO, RELEASE_HOLD, STOCK, DESTROY):
        assert profile.on(step, core) == step
    assert "recalled" not in profile.on(UNDO, other).stops_on
    assert profile.on(RELEASE_HOLD, other).stops_on == ("recalled", "frozen")
    assert profile.on(STOCK, other).stops_on == ("frozen",)
    assert profile.on(DESTROY, other).needs == ("reason", "witness")
