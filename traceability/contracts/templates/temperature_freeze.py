"""Too cold: a freeze-sensitive product at or below its freezing limit, or any product below its lowest, for so long.

Freezing has no budget: a finding asks for quarantine and a test, never for release (rules-and-coldchain.md, D1.3).
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from traceability.contracts.draft import Draft
from traceability.contracts.facts import HolderFacts, Limits
from traceability.contracts.parameters import MAX_SECONDS, Parameters

from .temperature import Judging, Line, findings, relevant


@dataclass(frozen=True)
class TemperatureFreeze(Parameters):
    """The freezing limit; None = of the product's storage profile, whose lowest temperature then counts as well.

    The freezing limit itself counts as frozen unless `strict` (WHO PQS: inclusive).
    """

    limit_mc: int | None = field(default=None, metadata={"range": (-100_000, 100_000)})
    limit_s: int | None = field(default=None, metadata={"range": (0, MAX_SECONDS)})
    strict: bool = field(default=False, metadata={"kind": bool})
    max_gap_s: int | None = field(default=None, metadata={"range": (1, MAX_SECONDS)})
    group_s: int = field(default=86_400, metadata={"range": (0, MAX_SECONDS)})


def evaluate(parameters: TemperatureFreeze, facts: HolderFacts) -> Iterable[Draft]:
    """One finding per incident below the limit."""
    judging = Judging(parameters.max_gap_s, parameters.group_s)
    lines = [line for limits in relevant(facts) for line in _lines(parameters, limits)]
    return findings(facts, lines, judging)


def _lines(parameters: TemperatureFreeze, limits: Limits) -> Iterable[Line]:
    explicit = parameters.limit_mc is not None
    if limits.freeze_sensitive or explicit:
        yield Line(
            code="temperature-freeze",
            side="below",
            limit_mc=limits.freeze_mc if parameters.limit_mc is None else parameters.limit_mc,
            limit_s=limits.freeze_s if parameters.limit_s is None else parameters.limit_s,
            strict=parameters.strict,
            rank=1,
            item=limits.item,
            profile=limits.profile,
        )
    if not explicit:
        yield Line(
            code="temperature-cold",
            side="below",
            limit_mc=limits.low_mc,
            limit_s=limits.low_s,
            item=limits.item,
            profile=limits.profile,
        )
