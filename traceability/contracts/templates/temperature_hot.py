"""Too warm: a holder's readings above the limit for so long, with a certain and a possible bound."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from traceability.contracts.draft import Draft
from traceability.contracts.facts import HolderFacts
from traceability.contracts.parameters import MAX_SECONDS, Parameters

from .temperature import Judging, Line, findings, relevant


@dataclass(frozen=True)
class TemperatureHot(Parameters):
    """`limit_mc`, `limit_s` None = of the product's storage profile. `max_gap_s` None = three sampling intervals."""

    limit_mc: int | None = field(default=None, metadata={"range": (-100_000, 100_000)})
    limit_s: int | None = field(default=None, metadata={"range": (0, MAX_SECONDS)})
    strict: bool = field(default=True, metadata={"kind": bool})
    max_gap_s: int | None = field(default=None, metadata={"range": (1, MAX_SECONDS)})
    group_s: int = field(default=86_400, metadata={"range": (0, MAX_SECONDS)})


def evaluate(parameters: TemperatureHot, facts: HolderFacts) -> Iterable[Draft]:
    """One finding per incident above the limit."""
    lines = [
        Line(
            code="temperature-hot",
            side="above",
            limit_mc=limits.high_mc if parameters.limit_mc is None else parameters.limit_mc,
            limit_s=limits.high_s if parameters.limit_s is None else parameters.limit_s,
            item=limits.item,
            profile=limits.profile,
            strict=parameters.strict,
        )
        for limits in relevant(facts)
    ]
    return findings(facts, lines, Judging(parameters.max_gap_s, parameters.group_s))
