"""Clone: a serial commissioned twice, or seen in two places that one pack cannot have reached.

Rules DUP_COMMISSION and IMPOSSIBLE_TRAVEL of rules-and-coldchain.md, A2: all in integers.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise

from traceability.contracts.draft import Draft
from traceability.contracts.facts import Seen, ThingFacts
from traceability.contracts.geo import distance_m
from traceability.contracts.parameters import Parameters

RULE = "clone"


@dataclass(frozen=True)
class Clone(Parameters):
    """Fastest believable speed, distances too short to judge, and how far two clocks may be apart."""

    max_km_per_hour: int = field(default=900, metadata={"range": (1, 10_000)})
    min_distance_m: int = field(default=5_000, metadata={"range": (0, 20_000_000)})
    clock_skew_s: int = field(default=900, metadata={"range": (0, 86_400)})


def concerns(facts: ThingFacts) -> bool:
    """Whether it was seen in more than one place, or commissioned more than once."""
    return len({seen.point for seen in _located(facts)}) > 1 or len(_commissionings(facts)) > 1


def evaluate(parameters: Clone, facts: ThingFacts) -> Iterable[Draft]:
    """At most one finding per pack, with all the events that show it."""
    doubled = _commissioned_twice(facts)
    jumps = [(one, other) for one, other in pairwise(_located(facts)) if is_impossible(parameters, one, other)]
    events = {seen.index: seen for pair in [*jumps, *([doubled] if doubled else [])] for seen in pair}
    if not events:
        return
    first, second = doubled or jumps[0]
    if doubled:
        code, params = "clone-commissioned-twice", {}
    else:
        assert first.point is not None
        assert second.point is not None
        metres = distance_m(first.point, second.point)
        minutes = max(0, second.time_ms - first.time_ms) // 60_000
        code, params = "clone-impossible-travel", {"km": metres // 1000, "minutes": minutes}
    many = first.many and second.many
    yield Draft(
        rule=RULE,
        code=code,
        subject=facts.subject,
        severity="S1",
        certainty="certain",
        evidence=tuple(sorted(events)),
        parties=tuple(sorted({seen.reporter for seen in events.values()})),
        at_ms=second.time_ms,
        incident=f"{RULE}|{'|'.join(sorted([first.event_id, second.event_id])) if many else facts.subject}",
        params={**params, "first_place": first.place, "second_place": second.place, "lot": facts.lot},
    )


def is_impossible(parameters: Clone, one: Seen, other: Seen) -> bool:
    """Whether nothing can have travelled from `one` to the later `other` in time; metres, milliseconds, integers."""
    if one.point is None or other.point is None or one.point == other.point:
        return False
    metres = distance_m(one.point, other.point)
    if metres <= parameters.min_distance_m:
        return False
    allowed_ms = max(0, other.time_ms - one.time_ms) + 2 * parameters.clock_skew_s * 1000
    return metres * 3600 > parameters.max_km_per_hour * allowed_ms  # km/h = m per 3,600 ms


def _located(facts: ThingFacts) -> list[Seen]:
    """Where the thing itself was seen. A logger read out elsewhere says nothing about the place of the pack."""
    return [seen for seen in facts.events if seen.point is not None and seen.step != "sensor_reporting"]


def _commissionings(facts: ThingFacts) -> list[Seen]:
    return [seen for seen in facts.events if seen.step == "commissioning" and seen.action == "ADD"]


def _commissioned_twice(facts: ThingFacts) -> tuple[Seen, Seen] | None:
    """The first two commissionings of different content; the same content twice is a redelivery."""
    made = _commissionings(facts)
    return next(((made[0], other) for other in made[1:] if other.fingerprint != made[0].fingerprint), None)
