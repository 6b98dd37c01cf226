"""The table of rules against the validator; and no rule, and no entry of its tables, can be switched off unnoticed."""

import ast
import inspect
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest

from traceability.epcis import document as documents
from traceability.epcis import envelope, rules, shapes, validation, values
from traceability.epcis.shapes import Shape
from traceability.epcis.validation import validate_document, validate_event

from . import samples
from .rule_table import DOCUMENT_RULES, RULES, Members, Rule, without_none
from .samples import CONTEXT

Found = list[tuple[int | None, str, str]]


def found(rule: Rule, members: Members) -> Found:
    """Index, pointer and code of each fault of the altered sample, which stands behind a good event."""
    read = samples.document(samples.event("AssociationEvent"), samples.event(rule.kind, **members))
    return [(one.event_index, one.pointer, one.code) for one in validate_document(read, cbv_compliant=rule.compliant)]


def wanted(rule: Rule) -> Found:
    return [(1, f"/epcisBody/eventList/1/{rule.field}".rstrip("/"), rule.code)]


def of_document(members: Members) -> Found:
    read = without_none(samples.document(**members))
    return [(one.event_index, one.pointer, one.code) for one in validate_document(read)]


@pytest.mark.parametrize("rule", RULES, ids=str)
def test_each_rule_lets_one_pass_and_refuses_the_other_for_that_alone(rule: Rule) -> None:
    assert found(rule, rule.good) == []
    assert found(rule, rule.bad) == wanted(rule)


@pytest.mark.parametrize("rule", [rule for rule in RULES if rule.compliant], ids=str)
def test_what_binds_compliant_parties_binds_no_other(rule: Rule) -> None:
    read = samples.document(samples.event(rule.kind, **rule.bad))
    assert validate_document(read) == []


@pytest.mark.parametrize(("sentence", "good", "bad", "pointer", "code"), DOCUMENT_RULES, ids=lambda one: str(one)[:60])
def test_each_rule_of_a_document(sentence: str, good: Members, bad: Members, pointer: str, code: str) -> None:
    assert of_document(good) == []
    assert [one[1:] for one in of_document(bad)] == [(pointer, code)], sentence


def test_a_bare_event_carries_the_context() -> None:
    good = samples.bare("AssociationEvent")
    assert validate_event(good) == []
    for context in (None, {"ours": "https://ours.example/ns/"}):
        faults = validate_event({**good, "@context": context} if context else samples.event("AssociationEvent"))
        assert [(one.event_index, one.pointer, one.code) for one in faults] == [(0, "/@context", "context-missing")]


def test_record_time_is_ignored() -> None:
    (kept,) = documents.events(samples.document(samples.event("AssociationEvent", recordTime="2020-01-01T00:00:00Z")))
    assert kept == {"@context": [CONTEXT], **samples.event("AssociationEvent")}


def _fault_places(module: ModuleType) -> set[tuple[str, int]]:
    """File and line of each call that notes a fault."""
    tree = ast.parse(inspect.getsource(module))
    return {
        (str(module.__file__), node.lineno)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("scope.add", "self._scope.add")
    }


def test_each_place_that_notes_a_fault_is_in_the_table(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that silencing one fails a row: each row wants exactly its fault."""
    reached: set[tuple[str, int]] = set()
    add = values.Scope.add

    def noted(scope: values.Scope, code: str, message: str) -> None:
        frame = sys._getframe(1)
        reached.add((frame.f_code.co_filename, frame.f_lineno))
        add(scope, code, message)

    monkeypatch.setattr(values.Scope, "add", noted)
    for rule in RULES:
        found(rule, rule.bad)
    for _, _, bad, _, _ in DOCUMENT_RULES:
        of_document(bad)
    places = set().union(*(_fault_places(one) for one in (rules, shapes, validation, values)))
    assert len(places) > 30
    assert sorted(places - reached) == []


def _shapes() -> Iterator[Shape]:
    """Every shape of events and of what stands around them, once."""
    todo: list[Any] = [shapes.EXTENDED, *shapes.EVENTS.values(), envelope.DOCUMENT, envelope.QUERY_DOCUMENT]
    todo += [one for module in (shapes, envelope) for one in vars(module).values() if isinstance(one, Shape)]
    seen: list[Shape] = []
    while todo:
        shape = todo.pop()
        if not any(shape is one for one in seen):
            seen.append(shape)
            todo += [check for check in shape.members.values() if isinstance(check, Shape)]
            yield shape


def _needed(shape: Shape) -> list[str]:
    return [name for name in shape.required if shape is not envelope.QUERY_DOCUMENT or name != "type"]


_SWITCHES = [
    *(
        (shape, name)
        for shape in _shapes()
        for name, check in shape.members.items()
        # The type of a standard event, and of a query document, chose the shape: there is no wrong one left.
        if check is not shapes.anything and (name != "type" or shape.name not in samples.EVENTS)
    ),
    *((shape, f"needs {name}") for shape in _shapes() for name in _needed(shape)),
    *((shape, "is closed") for shape in _shapes() if not shape.open),
    *((shape, "is open") for shape in _shapes() if shape.open),
]


def _is_noticed(what: str = "") -> bool:
    """Whether a row does not hold; those about `what` are looked at first."""
    name = what.removeprefix("needs ")
    events = sorted(RULES, key=lambda rule: not (name in rule.field or rule.code == "unknown-field"))
    around = sorted(DOCUMENT_RULES, key=lambda rule: name not in rule[3])
    return (
        any([one[1:] for one in of_document(rule[2])] != [rule[3:]] for rule in around)
        or any(found(rule, rule.bad) != wanted(rule) for rule in events)
        or any(of_document(rule[1]) for rule in around)
        or any(found(rule, rule.good) for rule in events)
    )


@pytest.mark.parametrize(("shape", "what"), _SWITCHES, ids=lambda one: getattr(one, "name", one))
def test_no_entry_of_the_tables_is_switched_off_unnoticed(
    monkeypatch: pytest.MonkeyPatch, shape: Shape, what: str
) -> None:
    if what.startswith("needs "):
        left = tuple(name for name in shape.required if name != what.removeprefix("needs "))
        monkeypatch.setitem(vars(shape), "required", left)
    elif what in ("is closed", "is open"):
        monkeypatch.setitem(vars(shape), "open", what == "is closed")
    else:
        monkeypatch.setitem(shape.members, what, shapes.anything)  # type: ignore[arg-type]
    assert _is_noticed(what)


def test_with_all_in_force_the_table_holds() -> None:
    """The control of the test above."""
    assert not _is_noticed()
