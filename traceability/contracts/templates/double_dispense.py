"""Double dispense: one pack handed out twice without an undo or a return in between (rule DOUBLE_DISPENSE).

An undo is an error declaration: the voided sale is not among the facts.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from traceability.contracts.draft import Draft, Severity
from traceability.contracts.facts import Seen, ThingFacts
from traceability.contracts.parameters import Parameters

from .expired_sale import SALES

RULE = "double-dispense"
_RANK: tuple[Severity, ...] = ("S4", "S3", "S2", "S1")


@dataclass(frozen=True)
class DoubleDispense(Parameters):
    """A second sale by the same party within `same_party_s` is taken for a double scan."""

    same_party_s: int = field(default=600, metadata={"range": (0, 86_400)})


def concerns(facts: ThingFacts) -> bool:
    """Whether it was sold more than once."""
    return sum(seen.step in SALES for seen in facts.events) > 1


def evaluate(parameters: DoubleDispense, facts: ThingFacts) -> Iterable[Draft]:
    """At most one finding per pack: the gravest of its repeated sales."""
    pairs = [(first, again, *_judge(parameters, first, again)) for first, again in _repeated(facts)]
    if not pairs:
        return
    first, again, severity, code = max(pairs, key=lambda pair: _RANK.index(pair[2]))
    events = {seen.index: seen for one, other, _, _ in pairs for seen in (one, other)}
    many = first.many and again.many
    yield Draft(
        rule=RULE,
        code=code,
        subject=facts.subject,
        severity=severity,
        certainty="certain",
        evidence=tuple(sorted(events)),
        parties=tuple(sorted({seen.reporter for seen in events.values()})),
        at_ms=again.time_ms,
        incident=f"{RULE}|{'|'.join(sorted([first.event_id, again.event_id])) if many else facts.subject}",
        params={
            "minutes": (again.time_ms - first.time_ms) // 60_000,
            "first_place": first.place,
            "second_place": again.place,
            "lot": facts.lot,
        },
    )


def _judge(parameters: DoubleDispense, first: Seen, again: Seen) -> tuple[Severity, str]:
    if first.reporter != again.reporter:
        return "S2", "double-dispense-elsewhere"
    if again.time_ms - first.time_ms <= parameters.same_party_s * 1000:
        return "S4", "double-dispense-double-scan"
    return "S3", "double-dispense-same-party"


def _repeated(facts: ThingFacts) -> Iterable[tuple[Seen, Seen]]:
    """Each sale with the sale before it; a return starts anew, and parts of one pack may go out at one place."""
    last: Seen | None = None
    for seen in facts.events:
        if seen.step == "receiving" and seen.disposition == "returned":
            last = None
        elif seen.step in SALES:
            in_parts = last is not None and last.disposition == "partially_dispensed"
            if last is not None and not (in_parts and last.reporter == seen.reporter):
                yield last, seen
            last = seen
