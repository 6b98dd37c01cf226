"""Which events a party that had a thing in hand sees of its history, along the walk of custody. Pure; ADR 9."""

from collections.abc import Iterator

from .custody_walk import MAX_DEPTH, Walk


def pedigrees(walk: Walk, thing: str) -> Iterator[tuple[str, list[int]]]:
    """Each party with the events (indexes) that it sees of a thing's pedigree as it stands; doubles are possible."""
    found = _limits(walk, thing)
    if not found:
        return
    upstream = list(_upstream(walk, thing, None, frozenset()))
    for party, limit in found.items():
        yield party, [index for index, at_ms in upstream if limit is None or at_ms <= limit]


def _limits(walk: Walk, thing: str) -> dict[str, int | None]:
    """Up to which event time each party to whom a thing was handed over sees its pedigree; None = it has it still."""
    state, shared = walk.state(thing), walk.shared(thing)
    key = (state.holds, state.stays)
    if key in shared:
        known: dict[str, int | None] = shared[key]
        return known
    found = shared[key] = {}
    for party, handed, until in _periods(walk, thing, 0, None, 0):
        if handed:
            before = found.get(party, 0)
            found[party] = None if until is None or before is None else max(before, until)
    return found


def _periods(walk: Walk, thing: str, low: int, high: int | None, depth: int) -> Iterator[tuple[str, bool, int | None]]:
    """Who had a thing within [low, high), whether handed over, and the last moment of that; through containers too."""
    known = walk.things[thing]
    for place, hold in enumerate(known.holds):
        start = hold.start_ms
        ends = [other.start_ms - 1 for other in known.holds[place + 1 :] if other.start_ms > start]
        ends += [stay.from_ms - 1 for stay in known.stays if stay.from_ms >= start]
        if high is not None:
            ends.append(high - 1)
        if hold.end_ms is not None:
            ends.append(hold.end_ms if hold.shipped_by is not None else hold.end_ms - 1)
        until = min(ends) if ends else None
        if (high is None or start < high) and (until is None or (until >= start and until >= low)):
            yield hold.party, hold.handed, until
    if depth == MAX_DEPTH:
        return
    for stay in known.stays:
        start, end = max(low, stay.from_ms), _earlier(stay.to_ms, high)
        if end is None or start < end:
            for party, _, until in _periods_around(walk, stay.parent, start, end, depth + 1):
                yield party, stay.handed or party != stay.party, until


def _periods_around(
    walk: Walk, container: str, low: int, high: int | None, depth: int
) -> list[tuple[str, bool, int | None]]:
    """`_periods` of a container, worked out once for all that was put in, and taken out, together."""
    shared, key = walk.things[container].shared, (low, high, depth)
    if key not in shared:
        shared[key] = list(_periods(walk, container, low, high, depth))
    found: list[tuple[str, bool, int | None]] = shared[key]
    return found


def _earlier(one: int | None, other: int | None) -> int | None:
    if one is None or other is None:
        return other if one is None else one
    return min(one, other)


def _upstream(walk: Walk, thing: str, limit: int | None, seen: frozenset[str]) -> Iterator[tuple[int, int]]:
    """(event index, the moment from which it belongs to the thing's pedigree) for the thing and what it is made of."""
    for event in walk.things[thing].events:
        if limit is not None and event.time_ms > limit:
            continue
        yield event.index, event.time_ms
        if event.outputs and thing in event.outputs and walk.has(event.reporter, thing, event.time_ms):
            for source in sorted(event.inputs - seen):
                if walk.has(event.reporter, source, event.time_ms):
                    made = _upstream(walk, source, event.time_ms, seen | {thing})
                    yield from ((index, event.time_ms) for index, _ in made)
    key, shared = walk.state(thing).stays, walk.shared(thing)
    if key not in shared:
        shared[key] = list(_moves(walk, thing, 0, None, 0))
    yield from (move for move in shared[key] if limit is None or move[1] <= limit)


def _moves(walk: Walk, thing: str, low: int, high: int | None, depth: int) -> Iterator[tuple[int, int]]:
    """The moves (event index, time) of a thing's containers, at any depth, while it was inside."""
    if depth == MAX_DEPTH:
        return
    for stay in walk.things[thing].stays:
        start, end = max(low, stay.from_ms), _earlier(stay.to_ms, high)
        if end is not None and start >= end:
            continue
        for event in walk.things[stay.parent].events:
            named = stay.parent in event.epcs or stay.parent in event.children
            if named and start <= event.time_ms and (end is None or event.time_ms < end):
                yield event.index, event.time_ms
        yield from _moves(walk, stay.parent, start, end, depth + 1)
