"""Movement after recall: a recalled lot shipped on (not returned), dispensed or sold (rule RECALL_VIOLATION).

Two orders decide: the event stands after the recall on the log, and its own time lies after the recall took effect. An
event that happened before the recall and was reported late breaks nothing.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from traceability.contracts.draft import Draft
from traceability.contracts.facts import Recalled, Seen, ThingFacts
from traceability.contracts.parameters import MAX_SECONDS, Parameters

from .expired_sale import SALES

RULE = "movement-after-recall"


@dataclass(frozen=True)
class MovementAfterRecall(Parameters):
    """`grace_s` after the recall took effect still passes (class I: none)."""

    grace_s: int = field(default=0, metadata={"range": (0, MAX_SECONDS)})


def concerns(facts: ThingFacts) -> bool:
    """Whether anything was recalled or frozen."""
    return bool(facts.recalls)


def evaluate(parameters: MovementAfterRecall, facts: ThingFacts) -> Iterable[Draft]:
    """One finding per thing and lot, on the first movement after the recall."""
    found: set[str] = set()
    for seen in facts.events:
        if not (seen.step in SALES or (seen.step == "shipping" and not seen.is_return)):
            continue
        for lot in sorted(facts.lots_in(seen) - found):
            recalled = in_force(facts.recalls, lot, seen)
            if recalled is None or seen.time_ms <= recalled.effective_ms + parameters.grace_s * 1000:
                continue
            found.add(lot)
            yield Draft(
                rule=RULE,
                code=f"{RULE}-shipped" if seen.step == "shipping" else f"{RULE}-sold",
                subject=facts.subject,
                severity="S1",
                certainty="certain",
                evidence=tuple(sorted((recalled.index, seen.index))),
                parties=tuple(sorted({recalled.reporter, seen.reporter})),
                at_ms=seen.time_ms,
                incident=f"{RULE}|{seen.event_id if seen.many else facts.subject}",
                discriminator=lot,
                params={"lot_class": lot, "recalled_ms": recalled.effective_ms, "place": seen.place},
            )


def in_force(recalls: Iterable[Recalled], lot: str, seen: Seen, *, what: str = "recall") -> Recalled | None:
    """The recall (or freeze) of a lot, or its whole product, that the log held when `seen` was entered."""
    product = lot.partition("/10/")[0]
    known = [one for one in recalls if one.what == what and one.lot_class in {lot, product} and one.index < seen.index]
    newest = max(known, key=lambda one: one.index, default=None)
    return newest if newest is not None and newest.sets else None
