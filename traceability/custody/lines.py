"""The line of a thing: the events that tell its way, its own and its containers' while it was inside. Pure."""

from bisect import bisect_left
from collections.abc import Hashable, Mapping, Sequence
from typing import NamedTuple

from . import fold
from .entries import Entry, Sayings, carried
from .fold import Fact, Stay

MAX_DEPTH = 8
FOREVER = 1 << 62
_MOVES = {"child", "emptied"}  # roles of what is put in and taken out


# Tuples, not dataclasses: a lot has tens of thousands of each.
class Inside(NamedTuple):
    """A stay in a container `depth` levels up, clipped to the time in which the thing was really inside."""

    container: str
    depth: int
    from_ms: int
    to_ms: int
    end_index: int | None  # the event that ended the stay of what lay directly in the container

    def covers(self, at_ms: int) -> bool:
        return self.from_ms <= at_ms < self.to_ms


class Line(NamedTuple):
    """What a thing's way is told by: the events in order, each once, and the stays in containers."""

    entries: Sequence[Entry]
    inside: Sequence[Inside]


class Around(NamedTuple):
    """What things share that were in the same containers at the same times: the stays, and the containers' events."""

    inside: Sequence[Inside]
    entries: dict[int, Entry]  # by log index
    names: frozenset[str]  # of the containers


_NOTHING = Around((), {}, frozenset())


class Book:
    """The entries that count, by thing and in order; who acted where, and whom a destination names.

    `actors` gives the party of a place, `parties` the own URI of a party that events name otherwise.
    """

    def __init__(
        self,
        pages: Mapping[str, Sequence[Entry]],
        sayings: Sayings,
        *,
        actors: Mapping[str, str],
        parties: Mapping[str, str],
    ) -> None:
        self.sayings = sayings
        self._pages, self._actors, self._parties = pages, actors, parties
        self._stays: dict[tuple[Entry, ...], Sequence[Stay]] = {}
        self._around: dict[tuple[Entry, ...], Around] = {}
        self._carried: dict[tuple[str, int], list[Entry]] = {}

    def of(self, thing: str) -> Sequence[Entry]:
        """The entries that concern a thing: not the emptying of a container that it had left before (`fold.own`)."""
        page = self._pages.get(thing, ())
        if "emptied" not in [entry.role for entry in page]:
            return page
        ended = {stay.to_index for stay in self.stays(thing)}
        return [entry for entry in page if entry.role != "emptied" or entry.log_index in ended]

    def stays(self, thing: str) -> Sequence[Stay]:
        """Its stays directly in containers."""
        return self._stays_by(self._moves(thing))

    def around(self, thing: str) -> Around:
        """The containers that it was in, at any depth, and their events meanwhile, each once: of the nearest one.

        Worked out once for things that the same events put in and took out: those of a case that were sold one by one.
        """
        moves = self._moves(thing)
        if not moves:
            return _NOTHING
        found = self._around.get(moves)
        if found is None:
            found = self._around[moves] = self._read_around(moves, "")
        # Events may say that a thing lies in what lies in itself: it is its own container at no depth.
        return self._read_around(moves, thing) if thing in found.names else found

    def _moves(self, thing: str) -> tuple[Entry, ...]:
        return tuple([entry for entry in self._pages.get(thing, ()) if entry.role in _MOVES])

    def _stays_by(self, moves: tuple[Entry, ...]) -> Sequence[Stay]:
        found = self._stays.get(moves)
        if found is None:
            found = self._stays[moves] = fold.stays(map(self.sayings.fact, moves))
        return found

    def _read_around(self, moves: tuple[Entry, ...], thing: str) -> Around:
        inside = self._inside(self._stays_by(moves), thing)
        entries: dict[int, Entry] = {}
        for container, depth, from_ms, to_ms, end_index in inside:
            known = self._carried_by(container, depth)
            for entry in known[bisect_left(known, (from_ms,)) : bisect_left(known, (to_ms,))]:
                if entry.role != "parent" or entry.log_index != end_index:  # which is the opening of that stay
                    entries.setdefault(entry.log_index, entry)
        return Around(inside, entries, frozenset([stay.container for stay in inside]))

    def _carried_by(self, container: str, depth: int) -> list[Entry]:
        """What a container's own events are in the lines of what is in it."""
        known = self._carried.get((container, depth))
        if known is None:
            facts = self.sayings.facts
            page = [one for one in self.of(container) if one.role != "parent" or _opens(facts[one.said])]
            known = self._carried[container, depth] = carried(page, container, depth)
        return known

    def _inside(self, stays: Sequence[Stay], thing: str) -> list[Inside]:
        """These stays, and those of their containers, at any depth, each clipped to those of what it follows from."""
        found: list[Inside] = []
        level: list[tuple[Sequence[Stay], int, int, tuple[str, ...]]] = [(stays, -FOREVER, FOREVER, (thing,))]
        for depth in range(1, MAX_DEPTH + 1):
            above = []
            for within, from_ms, to_ms, passed in level:
                for stay in within:
                    start, end = max(stay.from_ms, from_ms), min(_end_ms(stay), to_ms)
                    if start < end and stay.parent not in passed:
                        found.append(Inside(stay.parent, depth, start, end, stay.to_index))
                        if further := self.stays(stay.parent):
                            above.append((further, start, end, (*passed, stay.parent)))
            if not above:
                break
            level = above
        return found

    def actor(self, fact: Fact) -> str:
        """Who acted: whose place it was, as far as that is registered, else who recorded it."""
        return self._actors.get(fact.place, fact.reporter)

    def destination(self, fact: Fact) -> str:
        """The party that a shipping names, by its own URI where it is registered."""
        return self._parties.get(fact.destination, fact.destination)


def line(thing: str, book: Book) -> Line:
    """The thing's own events and its containers' while it was inside, each event once, as the nearest to the thing."""
    around = book.around(thing)
    own = {entry.log_index: entry for entry in reversed(book.of(thing))}  # in the first of its roles
    return Line(sorted((around.entries | own).values()), around.inside)


def shape(told: Line, book: Book) -> Hashable:
    """What lines have in common whose ways differ in nothing but the events, their times and the containers' names."""
    times, _, _, _, containers, parents, depths, said = zip(*told.entries, strict=True)
    number = _Numbers({"": 0}).__getitem__
    stays = tuple(
        [
            (number(stay.container), stay.depth, bisect_left(times, stay.from_ms), bisect_left(times, stay.to_ms))
            for stay in told.inside
        ]
    )
    characters = tuple(map(book.sayings.characters.__getitem__, said))
    return stays, characters, depths, tuple(map(number, containers)), tuple(map(number, parents))


class _Numbers(dict[str, int]):
    """Numbers of names, in the order in which they are asked for."""

    def __missing__(self, name: str) -> int:
        self[name] = found = len(self)
        return found


def _opens(fact: Fact) -> bool:
    """Whether a container is opened."""
    return fact.action == "DELETE" and fact.type != "TransactionEvent"


def _end_ms(stay: Stay) -> int:
    return FOREVER if stay.to_ms is None else stay.to_ms
