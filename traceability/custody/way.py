"""One thing's way: where it was after each event, its own and its containers', and how well that is known. Pure."""

from bisect import bisect_left
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from . import fold
from .entries import Entry, Sayings, carried
from .fold import Fact, Stay

MAX_DEPTH = 8
FOREVER = 1 << 62

# How well a step is known, best first.
OBSERVED = "observed"  # the event names the thing, and who acted recorded it
REPORTED = "reported"  # it names the thing; another than who acted recorded it, or it is opening stock
INFERRED = "inferred"  # it names a container that the thing was in
UNKNOWN = "unknown"  # an edge before it is lost: see WHY
EVIDENCE = (OBSERVED, REPORTED, INFERRED, UNKNOWN)

# Why a step or leg is unknown.
ORIGIN = "origin"  # nothing is recorded of where it was before
UNSHIPPED = "unshipped"  # seen at another party, and no shipment of it is recorded
OPENED = "opened"  # its container was opened elsewhere, and it was not among what came out
APART = "apart"  # it was seen elsewhere than the container that it is said to be in
ENDED = "ended"  # recorded as gone before
WHY = (ORIGIN, UNSHIPPED, OPENED, APART, ENDED)

# What is left of a thing that nobody holds any more; `in_transit` is on its way to the node's party.
IN_TRANSIT, TRANSFORMED = "in_transit", "transformed"
_ENDS = {
    "destroying": "destroyed",
    "decommissioning": "decommissioned",
    "killing": "decommissioned",
    "sampling": "sampled",
    "dispensing": "dispensed",
    "retail_selling": "dispensed",
}
_MOVES = {"child", "emptied"}  # roles of what is put in and taken out
_FINAL = {"destroyed", "decommissioned", TRANSFORMED}
_ARRIVALS = {"receiving", "accepting", "void_shipping"}
# Seen on the road: the shipment is still under way afterwards.
_EN_ROUTE = {"arriving", "departing", "loading", "unloading", "transporting", "cross_docking", "staging_outbound"}


# Tuples, not dataclasses: a lot has tens of thousands of each.
class Node(NamedTuple):
    """A party at a place, or, with a `state`, what became of goods that nobody holds; '' = not known."""

    party: str = ""
    place: str = ""
    state: str = ""


class Step(NamedTuple):
    """An event of a thing's way, and the node where the thing was after it."""

    fact: Fact
    kind: str
    evidence: str
    why: str
    container: str  # whose event it is; '' = the thing's own
    node: Node


class Move(NamedTuple):
    """From where to where; the same node twice where something was done on the spot, no source where it came up."""

    source: Node | None
    target: Node
    kind: str
    evidence: str
    facts: tuple[Fact, ...]


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


@dataclass(frozen=True)
class Way:
    """The whole way of a thing; `at` is where it was after the last event."""

    steps: Sequence[Step]
    moves: Sequence[Move]
    inside: Sequence[Inside]
    at: Node | None


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


def way(thing: str, book: Book) -> Way:
    """The way of a thing as far as the book tells it."""
    return walked(line(thing, book), book)


def walked(told: Line, book: Book) -> Way:
    """The way that a line of events tells."""
    walk = _Walk(book, told.inside)
    for entry in told.entries:
        walk.take(book.sayings.fact(entry), entry.container, entry.depth)
    return walk.done()


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


class _Walk:
    """Where the thing is, event by event."""

    def __init__(self, book: Book, inside: Sequence[Inside]) -> None:
        self._book, self._inside = book, inside
        self._at: Node | None = None
        self._held: Node | None = None  # where it was last in somebody's hands
        self._sent: tuple[Fact, str] | None = None  # the shipping that it travels under, and its evidence
        self._ended_by = 0  # depth of what ended it
        self._packed_at: dict[str, Node] = {}  # by container
        self._opened: set[str] = set()  # containers opened without what the thing is in, elsewhere
        self._seen_at: dict[int, Node] = {}  # by depth, oldest sight first
        self._apart: int | None = None  # depth of what was seen elsewhere than its container
        self._steps: list[Step] = []
        self._moves: list[Move] = []

    def done(self) -> Way:
        at = self._at
        if at is not None and self._sent is not None:
            fact, evidence = self._sent
            at = Node(self._book.destination(fact), state=IN_TRANSIT)
            self._moves.append(Move(self._at, at, "shipping", evidence, (fact,)))
        return Way(self._steps, self._moves, self._inside, at)

    def take(self, fact: Fact, container: str, depth: int) -> None:
        node = self._node(fact)
        if container and fact.role == "parent":
            self._open(fact, container, node)
            return
        why = self._lost(fact, container, depth, node)
        evidence = self._evidence(fact, depth, why)
        if fact.step == "sensor_reporting" or self._is_too_late(fact):
            # A logger read out later, or by another, moves nothing; nor does what is called back after it has arrived.
            self._step(fact, evidence, why, container, node)
            return
        if not why and self._is_unshipped(fact, node):
            why, evidence = UNSHIPPED, UNKNOWN
        self._note(fact, depth, node)
        self._go(fact, evidence, depth, node)
        self._step(fact, evidence, why, container, node)

    def _is_too_late(self, fact: Fact) -> bool:
        """Whether a shipment is called back that has arrived, or that another has sent (`fold.item`)."""
        if fact.step != "void_shipping":
            return False
        return self._sent is None or self._book.actor(self._sent[0]) != self._book.actor(fact)

    def _node(self, fact: Fact) -> Node:
        party = self._book.actor(fact)
        if not fact.place and self._at is not None and self._at.party == party:
            return self._at._replace(state="")
        return Node(party, fact.place)

    def _open(self, fact: Fact, container: str, node: Node) -> None:
        if node == self._packed_at.get(container, node):
            return  # opened where it was packed: part of the packing
        self._opened.add(container)
        self._step(fact, UNKNOWN, OPENED, container, node)

    def _lost(self, fact: Fact, container: str, depth: int, node: Node) -> str:
        """Why it is not known that the thing was there, or ''."""
        if self._has_ended() and not self._may_follow_the_end(fact, depth):
            return ENDED
        if container in self._opened:
            return OPENED
        if self._apart is not None and depth > self._apart:
            if self._at is not None and node == self._at._replace(state=""):
                self._apart = None  # they met again
            else:
                return APART
        return ""

    def _evidence(self, fact: Fact, depth: int, why: str) -> str:
        if why:
            return UNKNOWN
        if depth or fact.role == "emptied":
            return INFERRED
        return REPORTED if fact.is_opening or self._book.actor(fact) != fact.reporter else OBSERVED

    def _is_unshipped(self, fact: Fact, node: Node) -> bool:
        at = self._at
        if at is None or self._sent is not None or self._has_ended() or fact.is_opening:
            return False
        return node.party != at.party and not _makes(fact)

    def _has_ended(self) -> bool:
        return self._at is not None and self._at.state != ""

    def _may_follow_the_end(self, fact: Fact, depth: int) -> bool:
        state = self._at.state if self._at else ""
        if state == "stolen":
            return "stolen" in fact.persistent_unset
        return state not in _FINAL and depth == 0 and fact.step in _ARRIVALS

    def _note(self, fact: Fact, depth: int, node: Node) -> None:
        """Keep what tells later whether thing and containers are still together."""
        if fact.role in {"child", "emptied"} and fact.parent:
            self._opened.discard(fact.parent)
            if self._apart is not None and depth <= self._apart:
                self._apart = None
            if fact.action == "ADD":
                self._packed_at[fact.parent] = node
                self._saw(depth + 1, node)
        elif self._inside:
            outer = [where for level, where in self._seen_at.items() if level > depth]
            if outer and outer[-1] != node and self._is_inside(fact, depth):
                self._apart = depth
        self._saw(depth, node)

    def _is_inside(self, fact: Fact, depth: int) -> bool:
        return any(stay.depth > depth and stay.covers(fact.time_ms) for stay in self._inside)

    def _saw(self, depth: int, node: Node) -> None:
        self._seen_at.pop(depth, None)
        self._seen_at[depth] = node

    def _go(self, fact: Fact, evidence: str, depth: int, node: Node) -> None:
        if self._at is None:
            self._begin(fact, evidence, node)
        elif self._has_ended() and not self._leaves_the_end(fact, depth):
            self._contradict(fact, depth, node)
            return
        elif self._sent is not None:
            self._arrive(fact, evidence, node, self._sent)
        elif node != self._at:
            self._move(node, _moving(fact, self._at, node), evidence, fact)
        if fact.step == "shipping" and fact.disposition != "exported":
            self._sent = (fact, evidence)
            return
        if state := _end_state(fact):
            self._ended_by = depth
            self._move(Node(state=state), kind(fact), evidence, fact)
        elif self._moves[-1].facts[-1] is not fact and self._at is not None:
            self._move(self._at, kind(fact), evidence, fact)

    def _begin(self, fact: Fact, evidence: str, node: Node) -> None:
        known = _makes(fact) or fact.is_opening or (fact.role == "parent" and fact.action == "ADD")
        self._move(node, kind(fact) if known else "first_seen", evidence if known else UNKNOWN, fact)

    def _contradict(self, fact: Fact, depth: int, node: Node) -> None:
        """Something is recorded of what was gone: shown where it was seen, while the thing stays gone."""
        if depth == 0:
            name = kind(fact) if node == self._held else "unexplained"
            self._moves.append(Move(self._held, node, name, UNKNOWN, (fact,)))

    def _leaves_the_end(self, fact: Fact, depth: int) -> bool:
        """What containers do brings nothing back; what is recorded of the thing itself does, unless it is gone."""
        if self._may_follow_the_end(fact, depth):
            return True
        state = self._at.state if self._at else ""
        return depth < self._ended_by or (depth == 0 and state not in _FINAL and fact.step == "shipping")

    def _arrive(self, fact: Fact, evidence: str, node: Node, sent: tuple[Fact, str]) -> None:
        shipping, known = sent
        if node == self._at:
            if fact.step in _ARRIVALS:
                self._sent = None
            return
        self._moves.append(Move(self._at, node, "shipping", weakest(known, evidence), (shipping, fact)))
        self._at = self._held = node
        if fact.step not in _EN_ROUTE:
            self._sent = None

    def _move(self, target: Node, name: str, evidence: str, fact: Fact) -> None:
        self._moves.append(Move(self._at, target, name, evidence, (fact,)))
        self._at = target
        if not target.state:
            self._held = target

    def _step(self, fact: Fact, evidence: str, why: str, container: str, node: Node) -> None:
        self._steps.append(Step(fact, kind(fact), evidence, why, container, node))


def kind(fact: Fact) -> str:
    """What an event does with a thing, in a word: a business step of CBV, or what stands in for it."""
    if fact.role in {"input", "output"}:
        return "transformation"
    if fact.is_opening:
        return "opening_stock"
    if _makes(fact):
        return "commissioning"
    if fact.role in {"child", "emptied", "parent"} and fact.type != "TransactionEvent":
        return {"ADD": "packing", "DELETE": "unpacking"}.get(fact.action, fact.step or fact.type)
    if fact.step == "shipping" and fact.disposition == "exported":
        return "exporting"
    return "stolen" if "stolen" in fact.persistent_set else fact.step or fact.type


def weakest(one: str, other: str) -> str:
    """The less well known of the two."""
    return max(one, other, key=EVIDENCE.index)


def _moving(fact: Fact, at: Node, node: Node) -> str:
    if at.state:
        return "returning"
    return "moving" if node.party == at.party else "unexplained"


def _makes(fact: Fact) -> bool:
    return fact.role == "output" or (fact.type == "ObjectEvent" and fact.action == "ADD")


def _end_state(fact: Fact) -> str:
    """What is left of a thing after an event that ends its way, '' for all others."""
    if fact.role == "input":
        return TRANSFORMED
    if "stolen" in fact.persistent_set:
        return "stolen"
    if fact.step == "shipping":
        return "exported" if fact.disposition == "exported" else ""
    if fact.type == "ObjectEvent" and fact.action == "DELETE" and fact.step not in _ENDS:
        return "destroyed" if fact.disposition == "destroyed" else "decommissioned"
    return "" if fact.disposition == "partially_dispensed" else _ENDS.get(fact.step, "")


def _end_ms(stay: Stay) -> int:
    return FOREVER if stay.to_ms is None else stay.to_ms
