"""One thing's way: where it was after each event of its line, and how well that is known. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from .fold import Fact
from .lines import Book, Inside, Line, line

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


@dataclass(frozen=True)
class Way:
    """The whole way of a thing; `at` is where it was after the last event."""

    steps: Sequence[Step]
    moves: Sequence[Move]
    inside: Sequence[Inside]
    at: Node | None


def way(thing: str, book: Book) -> Way:
    """The way of a thing as far as the book tells it."""
    return walked(line(thing, book), book)


def walked(told: Line, book: Book) -> Way:
    """The way that a line of events tells."""
    walk = _Walk(book, told.inside)
    for entry in told.entries:
        walk.take(book.sayings.fact(entry), entry.container, entry.depth)
    return walk.done()


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
