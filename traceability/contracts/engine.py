"""From facts and contract versions to findings. PURE: no database, no clock; the same input gives the same findings.

A version judges what happened under it: a draft counts if the newest entry of its evidence lies in the span of log
indexes in which the version was active. A contract whose scope names the item goes before a general one of its kind.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal

from .draft import Draft
from .facts import HolderFacts, ShipmentFacts, ThingFacts
from .parameters import ParameterError, Parameters
from .templates import (
    clone,
    containment,
    double_dispense,
    expired_sale,
    movement_after_freeze,
    movement_after_recall,
    quantity_mismatch,
    temperature_freeze,
    temperature_hot,
)

Kind = Literal["thing", "holder", "despatch"]
Facts = ThingFacts | HolderFacts | ShipmentFacts


@dataclass(frozen=True)
class Template:
    """A rule that contracts give parameters to; `kind` says which facts it reads.

    `concerns`: whether it could find anything in facts as of any entry, whatever the parameters; asked once for all.
    """

    name: str
    kind: Kind
    parameters: type[Parameters]
    evaluate: Callable[..., Iterable[Draft]]
    concerns: Callable[[Any], bool] = lambda _: True


TEMPLATES: Mapping[str, Template] = {
    template.name: template
    for template in (
        Template("temperature-hot", "holder", temperature_hot.TemperatureHot, temperature_hot.evaluate),
        Template("temperature-freeze", "holder", temperature_freeze.TemperatureFreeze, temperature_freeze.evaluate),
        Template(
            "expired-sale", "thing", expired_sale.ExpiredSale, expired_sale.evaluate, concerns=expired_sale.concerns
        ),
        Template("clone", "thing", clone.Clone, clone.evaluate, concerns=clone.concerns),
        Template(
            "double-dispense",
            "thing",
            double_dispense.DoubleDispense,
            double_dispense.evaluate,
            concerns=double_dispense.concerns,
        ),
        Template("containment", "thing", containment.Containment, containment.evaluate, concerns=containment.concerns),
        Template("quantity-mismatch", "despatch", quantity_mismatch.QuantityMismatch, quantity_mismatch.evaluate),
        Template(
            "movement-after-recall",
            "thing",
            movement_after_recall.MovementAfterRecall,
            movement_after_recall.evaluate,
            concerns=movement_after_recall.concerns,
        ),
        Template(
            "movement-after-freeze",
            "thing",
            movement_after_freeze.MovementAfterFreeze,
            movement_after_freeze.evaluate,
            concerns=movement_after_recall.concerns,
        ),
    )
}


@dataclass(frozen=True)
class Version:
    """A contract version that is or was in force for indexes in [`active_from`, `active_to`); None = still."""

    contract: str
    number: int
    template: str
    parameters: Mapping[str, Any]
    items: frozenset[str]  # item ids in its scope; empty = all
    active_from: int
    active_to: int | None = None

    @property
    def name(self) -> str:
        return f"{self.contract}/{self.number}"

    @cached_property
    def typed(self) -> Parameters:
        """The parameters as the template reads them."""
        return check(self.template, self.parameters)

    def judges(self, index: int) -> bool:
        return self.active_from <= index and (self.active_to is None or index < self.active_to)


@dataclass(frozen=True)
class Judged:
    """A draft and the version that judged it."""

    draft: Draft
    by: Version


def check(template: str, parameters: Mapping[str, Any]) -> Parameters:
    """The typed parameters of a contract; ParameterError says what does not fit."""
    if template not in TEMPLATES:
        raise ParameterError("template", "unknown-template", f"must be one of {', '.join(sorted(TEMPLATES))}")
    return TEMPLATES[template].parameters.read(parameters)


def concerned(facts: Facts, versions: Sequence[Version]) -> list[Version]:
    """The versions that could find anything in facts as of any entry: all of a template, or none."""
    return [version for version in versions if TEMPLATES[version.template].concerns(facts)]


def evaluate(kind: Kind, facts: Facts, versions: Sequence[Version], *, ledger_time_ms: int) -> list[Judged]:
    """The findings on one subject by all versions; `facts` are effective as of the moment of judging."""
    found: list[Judged] = []
    timed = {"ledger_time_ms": ledger_time_ms} if kind == "despatch" else {}
    for version in versions:
        template = TEMPLATES[version.template]
        if template.kind != kind or (part := _scoped(facts, version, versions)) is None:
            continue
        found += [
            Judged(draft, version)
            for draft in template.evaluate(version.typed, part, **timed)
            if version.judges(draft.anchor)
        ]
    return _without_shadows(_once(found)) if found else []


def due_ms(facts: ShipmentFacts, versions: Sequence[Version]) -> list[int]:
    """The moments at which time alone may change the findings on a shipment."""
    found = []
    for version in versions:
        typed = version.typed
        if isinstance(typed, quantity_mismatch.QuantityMismatch) and facts.legs and version.judges(facts.legs_anchor):
            due = quantity_mismatch.due_ms(typed, facts)
            found += [] if due is None else [due]
    return sorted(set(found))


def _scoped(facts: Facts, version: Version, versions: Sequence[Version]) -> Facts | None:
    """The part of the facts that a version speaks about: its items, or those for which no version is special."""
    scoped = [rival for rival in versions if rival.items and rival.template == version.template]
    if not scoped and not isinstance(facts, HolderFacts):
        return facts
    newest = _newest(facts) if scoped else -1
    special = frozenset[str]().union(*(rival.items for rival in scoped if rival.judges(newest)))
    if isinstance(facts, ThingFacts):
        mine = facts.item in version.items if version.items else facts.item not in special
        return facts if mine else None
    if isinstance(facts, HolderFacts):
        limits = tuple(
            one for one in facts.limits if (one.item in version.items if version.items else one.item not in special)
        )
        return replace(facts, limits=limits) if limits else None
    return facts


def _newest(facts: Facts) -> int:
    parts = (
        facts.events
        if isinstance(facts, ThingFacts)
        else facts.chunks
        if isinstance(facts, HolderFacts)
        else facts.legs
    )
    return max((part.index for part in parts), default=-1)


def _once(found: Sequence[Judged]) -> list[Judged]:
    """Of several contracts that find the same thing, the gravest word; among equals the first by name."""
    best: dict[tuple[str, str], Judged] = {}
    for one in sorted(found, key=lambda one: (one.draft.severity, one.by.name)):
        best.setdefault((one.draft.rule, one.draft.discriminator), one)
    return [best[key] for key in sorted(best)]


def _without_shadows(found: Sequence[Judged]) -> list[Judged]:
    """One incident, one finding: sales that already show a clone are not reported as a double dispense as well."""
    cloned = {index for one in found if one.draft.rule == clone.RULE for index in one.draft.evidence}
    return [one for one in found if not (one.draft.rule == double_dispense.RULE and set(one.draft.evidence) <= cloned)]
