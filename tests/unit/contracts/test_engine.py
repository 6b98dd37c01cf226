"""Versions, scopes and shadows; parameters read strictly; lives on the log."""

from dataclasses import replace
from typing import Any

import pytest

from traceability.contracts import engine, lifecycle
from traceability.contracts.engine import TEMPLATES, Version
from traceability.contracts.facts import Seen, ThingFacts
from traceability.contracts.lifecycle import Life, LifecycleError, Proposal, State
from traceability.contracts.parameters import ParameterError

TWICE = ThingFacts(
    "pack",
    (Seen(5, "a", 0, "p", step="dispensing"), Seen(9, "b", 1_200_000, "p", step="dispensing")),
    item="glarvia",
)


def version(number: int = 1, *, start: int = 0, end: int | None = None, **members: Any) -> Version:
    values = {"contract": "c", "template": "double-dispense", "parameters": {}, "items": frozenset[str](), **members}
    return Version(number=number, active_from=start, active_to=end, **values)


def judges(*versions: Version) -> list[str]:
    return [one.by.name for one in engine.evaluate("thing", TWICE, versions, ledger_time_ms=0)]


@pytest.mark.parametrize(
    ("start", "end", "found"), [(0, None, 1), (9, None, 1), (10, None, 0), (0, 9, 0), (0, 10, 1), (6, None, 1)]
)
def test_the_newest_evidence_decides_who_judges(start: int, end: int | None, found: int) -> None:
    assert len(judges(version(start=start, end=end))) == found


def test_a_special_contract_goes_before_the_general_one_while_it_is_in_force() -> None:
    special = version(contract="special", items=frozenset({"glarvia"}))
    assert judges(version(), special) == ["special/1"]
    assert judges(version(), replace(special, active_to=3)) == ["c/1"]
    assert judges(version(), replace(special, items=frozenset({"other"}))) == ["c/1"]


def test_two_contracts_of_a_kind_find_a_thing_once() -> None:
    lenient = version(contract="lenient", parameters={"same_party_s": 3600})
    assert judges(lenient, version()) == ["c/1"]  # the gravest word


def test_a_clone_hides_the_double_dispense_it_shows_in() -> None:
    near, far = (31_230_400, 121_473_700), (43_825_600, 87_616_800)
    events = (replace(TWICE.events[0], point=near), replace(TWICE.events[1], point=far))
    both = [version(), version(contract="clone", template="clone")]
    found = engine.evaluate("thing", replace(TWICE, events=events), both, ledger_time_ms=0)
    assert [one.draft.rule for one in found] == ["clone"]
    later = (*events, Seen(11, "c", 10**9, "q", step="dispensing", point=far))
    found = engine.evaluate("thing", replace(TWICE, events=later), both, ledger_time_ms=0)
    assert [one.draft.rule for one in found] == ["clone", "double-dispense"]  # a third sale is another matter


@pytest.mark.parametrize("template", sorted(TEMPLATES))
def test_parameters_are_read_strictly(template: str) -> None:
    defaults = engine.check(template, {}).write()
    assert engine.check(template, defaults).write() == defaults
    name = next(iter(defaults))
    for values, code in (
        ({"no_such": 1}, "unknown-parameter"),
        ({name: "1"}, "wrong-type"),
        ({name: 1.0}, "wrong-type"),
        ({name: True}, "wrong-type"),
        ({name: -(10**9)}, "out-of-range"),
        ({name: 10**9}, "out-of-range"),
    ):
        with pytest.raises(ParameterError) as raised:
            engine.check(template, values)
        assert raised.value.code == code


def proposal(number: int = 1, **members: Any) -> Proposal:
    values = {"template": "clone", "parameters": {}, "items": (), "approvals": 1, "parties": ("reg",), **members}
    return Proposal(contract="c", version=number, **values)


def about(life: Life) -> dict[str, Any]:
    return {"version": life.proposal.version, "definition": life.proposal.definition}


def test_a_new_version_ends_the_one_before() -> None:
    first = lifecycle.propose([], proposal(), index=1, by="m")
    lifecycle.approve([first], about(first), index=2, by="reg", regulators={"reg"})
    second = lifecycle.propose([first], proposal(2), index=3, by="m")
    lifecycle.approve([first, second], about(second), index=4, by="reg", regulators={"reg"})
    assert (first.state, first.active_index, first.ended_index) == (State.SUPERSEDED, 2, 4)
    assert (second.state, second.active_index, second.ended_index) == (State.ACTIVE, 4, None)


def test_without_a_regulator_no_number_of_approvals_is_enough() -> None:
    life = lifecycle.propose([], proposal(approvals=2, parties=("a", "b", "reg")), index=1, by="m")
    for by in ("a", "b"):
        lifecycle.approve([life], about(life), index=2, by=by, regulators={"reg"})
    assert life.state is State.PROPOSED
    lifecycle.approve([life], about(life), index=3, by="reg", regulators={"reg"})
    assert life.state is State.ACTIVE


def test_the_same_party_counts_once() -> None:
    life = lifecycle.propose([], proposal(approvals=2, parties=("reg", "b")), index=1, by="m")
    for index in (2, 3):
        lifecycle.approve([life], about(life), index=index, by="reg", regulators={"reg"})
    assert life.state is State.PROPOSED


def test_a_revoked_version_stays_revoked() -> None:
    life = lifecycle.propose([], proposal(), index=1, by="m")
    lifecycle.revoke([life], about(life), index=2, by="reg", regulators={"reg"})
    with pytest.raises(LifecycleError) as raised:
        lifecycle.approve([life], about(life), index=3, by="reg", regulators={"reg"})
    assert raised.value.code == "state"


def test_the_definition_names_every_parameter() -> None:
    hashes = {
        proposal(**members).definition
        for members in ({}, {"items": ("x",)}, {"approvals": 2}, {"parameters": {"a": 1}})
    }
    assert len(hashes) == 4


@pytest.mark.parametrize(
    ("members", "code"),
    [
        ({"contract": ""}, "contract-name"),
        ({"contract": "a b"}, "contract-name"),
        ({"version": 0}, "version"),
        ({"version": True}, "version"),
        ({"policy": {"approvals": 2, "parties": ["a"]}}, "policy"),
        ({"policy": {"approvals": 0, "parties": ["a"]}}, "policy"),
        ({"policy": {}}, "malformed"),
        ({"items": [1]}, "scope"),
        ({"template": "none"}, "unknown-template"),
        ({"parameters": {"x": 1}}, "unknown-parameter"),
        ({"parameters": []}, "wrong-type"),
    ],
)
def test_a_malformed_proposal_is_refused(members: dict[str, Any], code: str) -> None:
    assert lifecycle.read_proposal(proposal().content()) == proposal()  # negative control
    with pytest.raises((LifecycleError, ParameterError)) as raised:
        lifecycle.read_proposal({**proposal().content(), **members})
    assert raised.value.code == code
