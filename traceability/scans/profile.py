"""A programme's profile: what dispensing, undo, returns and destruction are ruled by. Pure; read strictly from JSON."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

from traceability.contracts.parameters import ParameterError, Parameters

from .steps import Shape, Step

_YES_NO = {"kind": bool}


@dataclass(frozen=True)
class Rules(Parameters):
    """The rules that a profile sets, each with the meaning that docs/roles.md shows."""

    undo_days: int = field(
        metadata={"range": (0, 365), "means": "days within which a dispensing can be undone; 0: never"}
    )
    undo_same_place: bool = field(metadata=_YES_NO | {"means": "an undo is recorded where the dispensing was"})
    undo_recalled: bool = field(metadata=_YES_NO | {"means": "a dispensing can be undone after the lot was recalled"})
    double_scan_s: int = field(
        metadata={"range": (0, 86_400), "means": "a second dispensing within so many seconds is one scanned twice"}
    )
    return_dispensed_saleable: bool = field(
        metadata=_YES_NO | {"means": "what came back from a patient can be cleared and handed out again"}
    )
    return_verified: bool = field(
        metadata=_YES_NO | {"means": "a return is on hold until each pack or sealed case was verified by scan"}
    )
    destroy_witness: bool = field(metadata=_YES_NO | {"means": "destruction names a witness, another member"})
    open_pack_days: int | None = field(
        default=None, metadata={"range": (1, 3650), "means": "days for which an opened pack is dispensed from"}
    )


@dataclass(frozen=True)
class Profile:
    """A version of a profile; `sources` says of each rule where it comes from."""

    id: str
    version: int
    rules: Rules
    sources: Mapping[str, str]

    @property
    def name(self) -> str:
        """`core/1`, as events say it."""
        return f"{self.id}/{self.version}"


def read(text: str) -> Profile:
    """The profile in a JSON text; ParameterError names what is missing, unknown or of another type."""
    try:
        found = json.loads(text)
    except ValueError as error:
        raise ParameterError("profile", "not-json", str(error)) from error
    if not isinstance(found, dict) or found.keys() != {"id", "version", "rules"}:
        raise ParameterError("profile", "members", "a profile has id, version and rules")
    if not isinstance(found["id"], str) or not found["id"].replace("-", "").isalnum():
        raise ParameterError("id", "wrong-type", "must be letters, digits and dashes")
    if type(found["version"]) is not int or found["version"] < 1:
        raise ParameterError("version", "wrong-type", "must be a whole number from 1")
    values, sources = _rules(found["rules"])
    return Profile(found["id"], found["version"], Rules.read(values), sources)


def _rules(rules: Any) -> tuple[dict[str, Any], dict[str, str]]:
    """Every rule is spelled out, none taken for granted."""
    names = {item.name for item in fields(Rules)}
    if not isinstance(rules, dict) or rules.keys() != names:
        raise ParameterError("rules", "members", f"must be {', '.join(sorted(names))}")
    for name, rule in rules.items():
        if not isinstance(rule, dict) or rule.keys() != {"value", "source"} or not isinstance(rule["source"], str):
            raise ParameterError(name, "members", "a rule has value and source")
    return {name: rule["value"] for name, rule in rules.items()}, {name: rule["source"] for name, rule in rules.items()}


def on(step: Step, rules: Rules) -> Step:
    """The step as the rules have it: what it asks for, and what stops it."""
    stops = set(step.stops_on)
    if step.shape is Shape.UNDO and rules.undo_recalled:
        stops -= {"recalled"}
    if rules.return_dispensed_saleable:
        stops -= {"from-patient"}
    if not rules.return_verified:
        stops -= {"unverified"}
    needs = (*step.needs, "witness") if step.id == "destroy" and rules.destroy_witness else step.needs
    return replace(step, needs=needs, stops_on=tuple(word for word in step.stops_on if word in stops))
