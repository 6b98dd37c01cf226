"""docs/roles.md, made from the step tables, so that it cannot differ from what the portal and the scan API do. Pure."""

from dataclasses import fields

from django.utils.translation import override

from .profile import Profile
from .steps import Shape, Step
from .tables import TABLES

_EVENTS = {
    Shape.COMMISSION: "ObjectEvent ADD",
    Shape.OBSERVE: "ObjectEvent OBSERVE",
    Shape.DELIVERY: "two ObjectEvents OBSERVE",
    Shape.DELETE: "ObjectEvent DELETE",
    Shape.PACK: "AggregationEvent ADD",
    Shape.UNPACK: "AggregationEvent DELETE",
    Shape.LOT: "ObjectEvent OBSERVE, class level",
    Shape.OPENING: "ObjectEvent OBSERVE with openingStock",
    Shape.UNDO: "the dispensing again, with errorDeclaration did_not_occur",
    Shape.NONE: "none",
}
_HEAD = """# What each role does

Made by `manage.py roles_doc` from the tables in `traceability/scans/`; the portal, the scan API and this page are one
source. `step` is the name in `POST /api/v1/scans`. Details in brackets are optional. A stop can be overridden with a
reason by a member with the quality role, where the last column does not say otherwise; the override becomes part of the
event, and what it leads to is a finding. The reasons that preflight gives are in `traceability/scans/reasons.py`.
"""
_PROFILE = """
## Profile `{name}`

The numbers behind these steps ([profiles](profiles.md)); the steps above are shown as they are under it.

| rule | means | value | source |
|---|---|---|---|
"""


def markdown(core: Profile) -> str:
    """The whole page, in English; `core` is the profile that ships."""
    with override("en"):
        return _HEAD + "".join(_table(table.role, table.steps) for table in TABLES) + _profile(core)


def _profile(core: Profile) -> str:
    rows = (
        (f"`{rule.name}`", rule.metadata["means"], _value(getattr(core.rules, rule.name)), core.sources[rule.name])
        for rule in fields(core.rules)
    )
    return _PROFILE.format(name=core.name) + "".join("| " + " | ".join(cells) + " |\n" for cells in rows)


def _value(value: bool | int | None) -> str:
    return "no limit" if value is None else {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)


def _table(role: str, steps: tuple[Step, ...]) -> str:
    head = (
        f"\n## {role.capitalize()}\n\n| step | what | event | bizStep / disposition | details | preflight stops | |\n"
    )
    return head + "|---|---|---|---|---|---|---|\n" + "".join(map(_row, steps))


def _row(step: Step) -> str:
    details = [*step.needs, *(f"[{name}]" for name in step.optional)]
    states = [] if step.shape in {Shape.COMMISSION, Shape.LOT} else [f"not {' or '.join(step.from_statuses)}"]
    stops = [] if step.shape is Shape.NONE else [*states, *step.stops_on]
    marks = (
        ("quality role", step.quality_only),
        ("password and reason", step.high_risk),
        ("no override", not step.is_overridable),
    )
    notes = [text for text, holds in marks if holds]
    words = " / ".join(
        word
        for word in (
            step.biz_step,
            step.disposition,
            *(f"set {p}" for p in step.persistent),
            *(f"unset {p}" for p in step.unset),
        )
        if word
    )
    words += f", then {' / '.join(step.then)}" if step.shape is Shape.DELIVERY else ""
    cells = (
        f"`{step.id}`",
        f"{step.label}: {step.hint}",
        _EVENTS[step.shape],
        words,
        ", ".join(details),
        ", ".join(stops),
        ", ".join(notes),
    )
    return "| " + " | ".join(cells) + " |\n"
