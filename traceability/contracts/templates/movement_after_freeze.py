"""Movement after freeze: goods of a frozen lot, or at a frozen place, shipped, dispensed, sold or destroyed.

A freeze keeps goods where they are, as evidence: a way back to the maker is a movement too. The two orders of
movement_after_recall decide.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from traceability.contracts.draft import Draft
from traceability.contracts.facts import Seen, ThingFacts
from traceability.contracts.parameters import MAX_SECONDS, Parameters
from traceability.gs1.epc import is_place, without_extension

from .expired_sale import SALES
from .movement_after_recall import in_force

RULE = "movement-after-freeze"
_MOVES = SALES | {"shipping", "destroying", "decommissioning"}


@dataclass(frozen=True)
class MovementAfterFreeze(Parameters):
    """`grace_s` after the freeze still passes, for what was on its way out of the door."""

    grace_s: int = field(default=0, metadata={"range": (0, MAX_SECONDS)})


def evaluate(parameters: MovementAfterFreeze, facts: ThingFacts) -> Iterable[Draft]:
    """One finding per thing and what was frozen, on the first movement after the freeze."""
    found: set[str] = set()
    for seen in facts.events:
        if seen.step not in _MOVES:
            continue
        for frozen in sorted(_frozen(facts, seen) - found):
            freeze = in_force(facts.recalls, frozen, seen, what="freeze")
            if freeze is None or seen.time_ms <= freeze.effective_ms + parameters.grace_s * 1000:
                continue
            found.add(frozen)
            yield Draft(
                rule=RULE,
                code=f"{RULE}-place" if is_place(frozen) else f"{RULE}-lot",
                subject=facts.subject,
                severity="S1",
                certainty="certain",
                evidence=tuple(sorted((freeze.index, seen.index))),
                parties=tuple(sorted({freeze.reporter, seen.reporter})),
                at_ms=seen.time_ms,
                incident=f"{RULE}|{seen.event_id if seen.many else facts.subject}",
                discriminator=frozen,
                params={"lot_class": frozen, "frozen_ms": freeze.effective_ms, "step": seen.step},
            )


def _frozen(facts: ThingFacts, seen: Seen) -> set[str]:
    """What a freeze could name that this movement breaks: the lots that move, and the place, whole or in part."""
    return {*facts.lots_in(seen), *({seen.place, without_extension(seen.place)} - {""})}
