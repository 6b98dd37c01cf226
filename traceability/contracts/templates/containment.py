"""Containment: what is packed anew while it still lies elsewhere, and what lies in itself. Both contradict the record.

Custody goes on by what was recorded last: the newer container holds the thing. Whoever packed wrongly declares it void.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from traceability.contracts.draft import Draft
from traceability.contracts.facts import ThingFacts
from traceability.contracts.parameters import Parameters
from traceability.custody import fold
from traceability.custody.fold import Fact, Stay

RULE = "containment"
MAX_DEPTH = 8
_FOREVER = 1 << 62
_Ring = tuple[tuple[str, Stay], ...]  # each thing on it, with its stay in the next; the last lies in the first


@dataclass(frozen=True)
class Containment(Parameters):
    """Taken out up to `clock_skew_s` after it was packed anew counts as taken out before: clocks differ."""

    clock_skew_s: int = field(default=900, metadata={"range": (0, 86_400)})


def concerns(facts: ThingFacts) -> bool:
    """Whether its packings may contradict each other."""
    return bool(facts.packings)


def evaluate(parameters: Containment, facts: ThingFacts) -> Iterable[Draft]:
    """One finding per packing that took a thing out of nothing, and one if it lies in itself."""
    own = facts.packings.get(facts.subject, ())
    for first, second in _packed_twice(parameters, own):
        yield Draft(
            rule=RULE,
            code=f"{RULE}-second",
            subject=facts.subject,
            severity="S3",
            certainty="certain",
            evidence=tuple(sorted((first.index, second.index))),
            parties=tuple(sorted({first.reporter, second.reporter})),
            at_ms=second.time_ms,
            incident=f"{RULE}|{first.event_id}|{second.event_id}",
            discriminator=f"{first.event_id}|{second.event_id}",
            params={"first_container": first.parent, "second_container": second.parent, "lot": facts.lot},
        )
    if ring := _ring(facts.subject, {name: fold.stays(found) for name, found in facts.packings.items()}):
        yield _lies_in_itself(facts, ring)


def _packed_twice(parameters: Containment, own: Sequence[Fact]) -> Iterable[tuple[Fact, Fact]]:
    """The packings (into the one, into the other) between which nobody took the thing out of the one."""
    by_index = {fact.index: fact for fact in own}
    for one, other in pairwise(fold.stays(own)):
        until_ms = other.from_ms + parameters.clock_skew_s * 1000
        is_taken_out = any(
            fact.action == "DELETE" and fact.parent == one.parent and other.from_ms <= fact.time_ms <= until_ms
            for fact in own
        )
        if one.to_index == other.from_index and not is_taken_out:
            yield by_index[one.from_index], by_index[other.from_index]


def _ring(thing: str, stays: Mapping[str, Sequence[Stay]]) -> _Ring:
    """The shortest way from a thing up into itself, all of it at one moment; () without."""
    level: list[tuple[_Ring, str, int, int]] = [((), thing, -_FOREVER, _FOREVER)]
    for _ in range(MAX_DEPTH):
        above = []
        for way, name, start_ms, end_ms in level:
            for stay in stays.get(name, ()):
                since, until = max(start_ms, stay.from_ms), min(end_ms, _FOREVER if stay.to_ms is None else stay.to_ms)
                if since >= until:
                    continue
                longer = (*way, (name, stay))
                if stay.parent == thing:
                    return longer
                if stay.parent not in {one for one, _ in longer}:
                    above.append((longer, stay.parent, since, until))
        level = above
    return ()


def _lies_in_itself(facts: ThingFacts, ring: _Ring) -> Draft:
    events = {stay.from_index: _packing(facts.packings[name], stay) for name, stay in ring}
    return Draft(
        rule=RULE,
        code=f"{RULE}-ring",
        subject=facts.subject,
        severity="S3",
        certainty="certain",
        evidence=tuple(sorted(events)),
        parties=tuple(sorted({fact.reporter for fact in events.values()})),
        at_ms=max(stay.from_ms for _, stay in ring),
        incident=f"{RULE}|{'|'.join(sorted(fact.event_id for fact in events.values()))}",
        params={"ring": [*(stay.parent for _, stay in ring)], "lot": facts.lot},
    )


def _packing(found: Sequence[Fact], stay: Stay) -> Fact:
    return next(fact for fact in found if fact.index == stay.from_index)
