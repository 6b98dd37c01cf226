"""Who had a thing in hand, as the log tells it in the order of its entries. Pure; the rule is ADR 9.

Custody here is stricter than in `custody/`: a statement moves a thing only if it comes from who had it, or from whom it
was shipped to. Otherwise anybody could open a thing's history by claiming to have received it.
"""

from bisect import insort
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

MAX_DEPTH = 8
_TAKES_BACK = frozenset({"receiving", "accepting", "void_shipping"})

# The URIs under which events name a party, as the log knew it at an index.
Aliases = Callable[[str, int], frozenset[str]]


@dataclass(frozen=True)
class Seen:
    """An event as the walk reads it; things are named by a representative of those that share their history."""

    index: int
    time_ms: int
    reporter: str
    step: str
    action: str
    is_grouping: bool  # an aggregation or association
    epcs: frozenset[str] = frozenset()
    parent: str = ""
    children: frozenset[str] = frozenset()
    is_emptying: bool = False  # a DELETE that names no child
    inputs: frozenset[str] = frozenset()
    outputs: frozenset[str] = frozenset()
    destinations: frozenset[str] = frozenset()

    @cached_property
    def things(self) -> frozenset[str]:
        return self.epcs | self.children | self.inputs | self.outputs | ({self.parent} if self.parent else set())


@dataclass
class Hold:
    """A party had a thing in hand from a moment on; `end_ms` None = still. A shipped hold ends with the shipping."""

    party: str
    start_ms: int
    handed: bool  # handed over by who had it; else the first on the log to name the thing, which opens no pedigree
    end_ms: int | None = None
    shipped_by: int | None = None  # index of the shipping
    offer: frozenset[str] | None = None  # to whom it was shipped; empty: to nobody named, the first to record it has it
    named: frozenset[str] = frozenset()  # others that the shipping to this party named: they may take it from its hands

    def covers(self, at_ms: int) -> bool:
        return self.end_ms is None or at_ms < self.end_ms


@dataclass
class Stay:
    """A thing was inside a container; `to_ms` None = still."""

    parent: str
    from_ms: int
    party: str  # who put it in
    handed: bool  # whether the thing had been handed over to that party
    to_ms: int | None = None


@dataclass
class Thing:
    """What the walk knows of a thing."""

    holds: list[Hold] = field(default_factory=list)  # by start
    stays: list[Stay] = field(default_factory=list)  # by start
    members: set[str] = field(default_factory=set)  # whatever was ever inside
    made: set[str] = field(default_factory=set)  # whatever was made of it
    events: list[Seen] = field(default_factory=list)  # that name it, or empty it out of a container
    state: "State | None" = None  # once asked for, until something changes
    shared: dict[Hashable, Any] = field(default_factory=dict)  # by what lay in it, until it or one around it changes


class State(NamedTuple):
    """Whatever `pedigree` reads of a thing."""

    events: Hashable
    holds: Hashable
    stays: Hashable


class Walk:
    """Takes events in log order; after each, `things` says who had what, and `changed` names what that concerns."""

    def __init__(self, aliases: Aliases) -> None:
        self.things: dict[str, Thing] = defaultdict(Thing)
        self.changed: set[str] = set()
        self._aliases = aliases
        self._claims: dict[int, Seen] = {}  # not believed so far, by index
        self._done: set[tuple[int, str, str]] = set()

    def see(self, event: Seen) -> None:
        """Take the next event; claims that waited for it are believed now."""
        for thing in event.things:
            self.things[thing].events.append(event)
        for thing in event.inputs:
            self.things[thing].made |= event.outputs
        self.changed = set(event.things)
        self._believe(event)
        while any(self._believe(claim) for _, claim in sorted(self._claims.items())):
            pass
        for thing in self.changed:
            self.things[thing].state = None
        for thing in self.inside(thing for thing in self.changed if self.things[thing].members):
            self.things[thing].shared.clear()

    def at(self, thing: str, at_ms: int, depth: int = 0) -> tuple[Hold | None, str]:
        """Who had it last at a moment, and through what: the thing itself, or the container that it was in."""
        own = None
        for hold in self.things[thing].holds:
            if hold.start_ms > at_ms:
                break
            own = hold
        stay = self.stay(thing, at_ms)
        if stay and depth < MAX_DEPTH and (own is None or own.start_ms <= stay.from_ms):
            found, via = self.at(stay.parent, at_ms, depth + 1)
            if found:
                return found, via
        return own, thing

    def has(self, party: str, thing: str, at_ms: int) -> bool:
        """Whether the party had the thing in hand at a moment."""
        hold, _ = self.at(thing, at_ms)
        return hold is not None and hold.party == party and hold.covers(at_ms)

    def is_handed(self, thing: str, hold: Hold, via: str, at_ms: int) -> bool:
        """Whether a thing was handed over to who had it at a moment: by itself, or later with its container."""
        stay = self.stay(thing, at_ms)
        if via == thing or stay is None:
            return hold.handed
        return stay.handed or stay.party != hold.party

    def stay(self, thing: str, at_ms: int) -> Stay | None:
        for stay in self.things[thing].stays:
            if stay.from_ms <= at_ms and (stay.to_ms is None or at_ms < stay.to_ms):
                return stay
        return None

    def shared(self, thing: str) -> dict[Hashable, Any]:
        """Where to keep what holds for all that had the same way as a thing: with the one container that it was in."""
        stays = self.things[thing].stays
        return self.things[stays[0].parent].shared if len(stays) == 1 else {}

    def inside(self, things: Iterable[str]) -> set[str]:
        """These things, whatever was ever inside, and what was made of them."""
        found: set[str] = set()
        level = set(things)
        while level:
            found |= level
            known = [self.things[thing] for thing in level]
            level = set[str]().union(*[one.members | one.made for one in known]) - found
        return found

    def distinct(self, things: Iterable[str]) -> list[str]:
        """One for each state among these things: a closed case's packs share theirs, though they part ways later."""
        return list({self.state(thing): thing for thing in things}.values())

    def state(self, thing: str) -> State:
        """Equal for things that show the same to the same parties."""
        known = self.things[thing]
        if known.state is None:
            known.state = State(
                tuple([(event.index, thing in event.outputs) for event in known.events]),
                tuple([(one.party, one.handed, one.start_ms, one.end_ms, one.shipped_by) for one in known.holds]),
                tuple([(one.parent, one.from_ms, one.to_ms, one.party, one.handed) for one in known.stays]),
            )
        return known.state

    def _believe(self, event: Seen) -> bool:
        """Apply what is credible of an event; whether that was news. It stops being a claim when all of it is."""
        before = len(self._done)
        outermost_first = sorted(event.things, key=lambda thing: (self._depth(thing, event.time_ms), thing))
        everything = self._each("claim", outermost_first, event, self._claim)
        if event.is_grouping and event.parent:
            everything &= self._move(event)
        if everything and not event.is_emptying:  # what was inside may turn out later
            self._claims.pop(event.index, None)
        else:
            self._claims[event.index] = event
        return len(self._done) > before

    def _move(self, event: Seen) -> bool:
        """Put things in or take them out, as far as that is credible; whether it is for all of them."""
        if event.action == "ADD":
            return self._each("move", sorted(event.children), event, self._enter)
        if event.action == "DELETE":
            inside = self.things[event.parent].members if event.is_emptying else event.children
            return self._each("move", sorted(inside), event, self._leave)
        return True  # OBSERVE

    def _each(self, part: str, things: Sequence[str], event: Seen, act: Callable[[str, Seen], bool]) -> bool:
        """Apply a part of an event to each thing that it has not been applied to; whether it now is to all."""
        everything = True
        for thing in things:
            key = (event.index, part, thing)
            if key in self._done:
                continue
            if act(thing, event):
                self._done.add(key)
                self.changed.add(thing)
            else:
                everything = False
        return everything

    def _depth(self, thing: str, at_ms: int) -> int:
        depth = 0
        while depth < MAX_DEPTH and (stay := self.stay(thing, at_ms)):
            thing, depth = stay.parent, depth + 1
        return depth

    def _claim(self, thing: str, event: Seen) -> bool:
        """What the event says of who has the thing; False while it is a mere claim."""
        if event.step == "sensor_reporting":
            return True  # a logger read out, by whomever, puts nothing into anyone's hands
        hold, via = self.at(thing, event.time_ms)
        if hold is None:
            hold, via = self._open(thing, Hold(event.reporter, event.time_ms, handed=False)), thing
        if hold.party == event.reporter:
            if event.step == "shipping":
                self._ship(thing, event, hold, via)
            elif event.step in _TAKES_BACK and not hold.covers(event.time_ms):
                self._take_back(thing, event, hold, via)
            return True
        if not self._may_take(event, hold):
            return False
        taken = self._take(thing, event, hold, via)
        if event.step == "shipping":
            self._ship(thing, event, taken, thing)
        return True

    def _may_take(self, event: Seen, hold: Hold) -> bool:
        names = self._aliases(event.reporter, event.index)
        if hold.covers(event.time_ms):
            return bool(names & hold.named)
        return hold.offer is not None and (not hold.offer or bool(names & hold.offer))

    def _take(self, thing: str, event: Seen, hold: Hold, via: str) -> Hold:
        names = self._aliases(event.reporter, event.index)
        named = (hold.named if hold.covers(event.time_ms) else hold.offer or frozenset()) - names
        if via != thing:
            self._step_out(thing, event.time_ms)
        elif hold.covers(event.time_ms):
            hold.end_ms = event.time_ms
        elif not hold.offer:
            hold.offer = None  # shipped to nobody named: the first on the log has it
        return self._open(thing, Hold(event.reporter, event.time_ms, handed=True, named=named))

    def _ship(self, thing: str, event: Seen, hold: Hold, via: str) -> None:
        if hold.shipped_by == event.index or (hold.shipped_by is not None and hold.covers(event.time_ms)):
            return  # with its container, or it had gone another way already by an earlier entry
        if via != thing:
            handed = self.is_handed(thing, hold, via, event.time_ms)
            self._step_out(thing, event.time_ms)
            hold = self._open(thing, Hold(hold.party, event.time_ms, handed=handed))
        hold.end_ms, hold.shipped_by, hold.offer = event.time_ms, event.index, event.destinations

    def _take_back(self, thing: str, event: Seen, hold: Hold, via: str) -> None:
        handed = self.is_handed(thing, hold, via, event.time_ms)
        if via == thing:
            hold.offer = None
        else:
            self._step_out(thing, event.time_ms)
        self._open(thing, Hold(hold.party, event.time_ms, handed=handed))

    def _enter(self, thing: str, event: Seen) -> bool:
        at_ms, container = event.time_ms, event.parent
        if not (self.has(event.reporter, thing, at_ms) and self.has(event.reporter, container, at_ms)):
            return False
        if thing in self._around(container, at_ms):
            return True  # nothing lies inside itself
        known = self.things[thing]
        stay = self.stay(thing, at_ms)
        if stay and stay.parent == container:
            return True
        hold, via = self.at(thing, at_ms)
        handed = hold is not None and self.is_handed(thing, hold, via, at_ms)
        self._step_out(thing, at_ms)
        later = [stay.from_ms for stay in known.stays if stay.from_ms > at_ms]
        later += [hold.start_ms for hold in known.holds if hold.start_ms > at_ms]
        new = Stay(container, at_ms, event.reporter, handed, to_ms=min(later, default=None))
        insort(known.stays, new, key=lambda stay: stay.from_ms)
        self.things[container].members.add(thing)
        return True

    def _leave(self, thing: str, event: Seen) -> bool:
        stay = self.stay(thing, event.time_ms)
        if stay is None or stay.parent != event.parent or not self.has(event.reporter, thing, event.time_ms):
            return False
        hold, via = self.at(thing, event.time_ms)
        if hold:
            handed = self.is_handed(thing, hold, via, event.time_ms)
            self._step_out(thing, event.time_ms)
            self._open(thing, Hold(hold.party, event.time_ms, handed=handed, named=hold.named))
        if event.is_emptying:
            self.things[thing].events.append(event)
        return True

    def _around(self, thing: str, at_ms: int) -> set[str]:
        found = {thing}
        while (stay := self.stay(thing, at_ms)) and stay.parent not in found:
            thing = stay.parent
            found.add(thing)
        return found

    def _step_out(self, thing: str, at_ms: int) -> None:
        if stay := self.stay(thing, at_ms):
            stay.to_ms = at_ms

    def _open(self, thing: str, hold: Hold) -> Hold:
        """Let a party have a thing, until what an earlier entry says of a later moment."""
        known = self.things[thing]
        later = [other.start_ms for other in known.holds if other.start_ms > hold.start_ms]
        hold.end_ms = min(later, default=None)
        insort(known.holds, hold, key=lambda other: other.start_ms)
        self.changed.add(thing)
        return hold
