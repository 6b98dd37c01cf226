"""A trace: the ways of many things laid over each other, as nodes, legs and steps with numbers of packs. Pure."""

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, overload

from .entries import Entry, Sayings
from .lines import FOREVER, Book, Inside, Line, line, shape
from .way import EVIDENCE, INFERRED, Node, Step, Way, walked

_TELLING = {"epc", "output"}  # roles in which an event says of a thing what lot it is of
BACK, ON, BOTH = "back", "on", "both"
DIRECTIONS = (BACK, ON, BOTH)


@dataclass(frozen=True)
class Window:
    """A stretch of event time, both ends included."""

    start_ms: int = -FOREVER
    end_ms: int = FOREVER


ALWAYS = Window()


@dataclass(frozen=True)
class Group:
    """Things that the same events name: one of them, how many they are, and since when they are of interest.

    They count as far as they lay in one of `roots` during its window, or always where there are none.
    """

    name: str
    things: int
    roots: Mapping[str, Window] = field(default_factory=dict)
    lot: str | None = None  # only as far as the events say that they are of this lot


@dataclass
class NodeSum:
    """How many packs came by a node, and how many of them are there now."""

    node: Node
    packs: int = 0
    now: int = 0
    first_ms: int = FOREVER
    last_ms: int = -FOREVER


@dataclass
class Leg:
    """What went from one node to another, or happened at one; `packs` counts each pack once."""

    source: Node | None  # None where it came up
    target: Node
    kind: str
    packs: int = 0
    evidence: dict[str, int] = field(default_factory=dict)  # packs by how well the leg is known
    first_ms: int = FOREVER
    last_ms: int = -FOREVER
    events: set[int] = field(default_factory=set)  # log indexes

    @property
    def weakest(self) -> str:
        return max(self.evidence, key=EVIDENCE.index)


@dataclass(frozen=True)
class TracedStep:
    """A step that `packs` packs share."""

    step: Step
    packs: int


class _Row(NamedTuple):
    """A step as it is kept; rows sort in the order of steps, and no two are alike before `packs`."""

    time_ms: int
    event_id: str
    log_index: int
    container: str
    kind: str
    evidence: str
    why: str
    node: Node
    packs: int
    entry: Entry


class Steps(Sequence[TracedStep]):
    """The steps in order. A large lot has many and few are looked at: they are sorted and made when they are."""

    def __init__(self, rows: list[_Row], sayings: Sayings) -> None:
        self._rows, self._sayings, self._is_sorted = rows, sayings, False

    def __len__(self) -> int:
        return len(self._rows)

    @overload
    def __getitem__(self, place: int) -> TracedStep: ...
    @overload
    def __getitem__(self, place: slice) -> list[TracedStep]: ...
    def __getitem__(self, place: int | slice) -> TracedStep | list[TracedStep]:
        if not self._is_sorted:
            self._rows.sort()
            self._is_sorted = True
        found = self._rows[place]
        return [self._made(row) for row in found] if isinstance(found, list) else self._made(found)

    def __repr__(self) -> str:
        return repr(self[:])

    @property
    def events(self) -> dict[int, str]:
        """Who reported each event of the steps, by log index."""
        facts = self._sayings.facts
        return {row.log_index: facts[row.entry.said].reporter for row in self._rows}

    def of_kind(self, kind: str) -> set[int]:
        """The log indexes of the steps of a kind."""
        return {row.log_index for row in self._rows if row.kind == kind}

    def _made(self, row: _Row) -> TracedStep:
        fact = self._sayings.fact(row.entry)
        return TracedStep(Step(fact, row.kind, row.evidence, row.why, row.container, row.node), row.packs)


@dataclass(frozen=True)
class Trace:
    """What became of some things. `packs` counts those that hold nothing themselves."""

    nodes: Sequence[NodeSum]
    legs: Sequence[Leg]
    steps: Steps
    packs: int

    @property
    def events(self) -> dict[int, str]:
        """Who reported each event that the trace rests on, by log index."""
        return self.steps.events


def trace(groups: Iterable[Group], book: Book, *, direction: str = BOTH) -> Trace:
    """The ways of these groups, up to their windows' end (back), from their beginning on, or both.

    A container of which the contents are among the groups counts as no pack of its own. Lines of one shape are walked
    once: a lot's cases that went the same way, by other events at other times.
    """
    result = _Sum(book.sayings)
    for one in _shapes(groups, book, direction):
        result.add(one)
    return result.done()


def rests_on(groups: Iterable[Group], book: Book, *, direction: str = BOTH) -> set[int]:
    """The log indexes of the events that `trace` would rest on."""
    return {index for one in _shapes(groups, book, direction) for place, _ in one.steps for index in one.indexes(place)}


def _shapes(groups: Iterable[Group], book: Book, direction: str) -> Iterable["_Shape"]:
    found = [(group, told, window) for group in groups if (told := _line(group, book))
             and (window := _window(group, told))]  # fmt: skip
    holding = {stay.container for _, told, _ in found for stay in told.inside}
    shapes: dict[Hashable, _Shape] = {}
    for group, told, window in found:
        kept = _kept(told, window, direction)
        key = (shape(told, book), kept)
        one = shapes.get(key)
        if one is None:
            one = shapes[key] = _Shape(walked(told, book), told, kept)
        one.members.append(_Member(group.name, told.entries, 0 if group.name in holding else group.things))
    return shapes.values()


def is_traced(group: Group, book: Book) -> bool:
    """Whether a group is of what is asked about: of its lot, in one of its roots during its window."""
    told = _line(group, book)
    return told is not None and _window(group, told) is not None


class _Member(NamedTuple):
    name: str
    entries: Sequence[Entry]
    packs: int


class _Shape:
    """Lines of one shape; steps and moves tell of events by their places in the line."""

    def __init__(self, one: Way, told: Line, kept: tuple[bool, ...] | None) -> None:
        place = {entry.log_index: number for number, entry in enumerate(told.entries)}
        steps = [(place[step.fact.index], step) for step in one.steps]
        moves = [(tuple(place[fact.index] for fact in move.facts), move) for move in one.moves]
        self.members: list[_Member] = []
        self.steps = [(place, step) for place, step in steps if kept is None or kept[place]]
        self.moves = [(places, move) for places, move in moves if kept is None or kept[places[-1]]]
        self.last: Node | None = None
        if self.moves:
            self.last = self.moves[-1][1].target if self.moves[-1][1] is not one.moves[-1] else one.at

    def indexes(self, place: int) -> Iterator[int]:
        """The log indexes of the members' events at a place of their lines."""
        return (member.entries[place].log_index for member in self.members)


def _kept(told: Line, window: Window, direction: str) -> tuple[bool, ...] | None:
    """Which events of a line are of interest, None = all."""
    start = window.start_ms if direction == ON else -FOREVER
    end = window.end_ms if direction == BACK else FOREVER
    if (start, end) == (-FOREVER, FOREVER):
        return None
    return tuple([start <= entry.time_ms <= end for entry in told.entries])


def _line(group: Group, book: Book) -> Line | None:
    found = line(group.name, book)
    if not found.entries:
        return None
    return found if group.lot is None or group.lot == _lot(group.name, book) else None


def _lot(thing: str, book: Book) -> str:
    """The lot that its own events say first, '' = none."""
    for entry in book.of(thing):
        if entry.role in _TELLING and (lot := book.sayings.facts[entry.said].lot):
            return lot
    return ""


def _window(group: Group, one: Line) -> Window | None:
    """The time that is of interest: while it lay in a root, or the root's own if it is one."""
    if not group.roots:
        return ALWAYS
    if group.name in group.roots:
        return group.roots[group.name]
    lay = [shared for stay in one.inside if (shared := _shared(stay, group.roots.get(stay.container))) is not None]
    return Window(min(part.start_ms for part in lay), max(part.end_ms for part in lay)) if lay else None


def _shared(stay: Inside, window: Window | None) -> Window | None:
    if window is None or stay.from_ms > window.end_ms or stay.to_ms <= window.start_ms:
        return None
    if window == ALWAYS:
        return Window(stay.from_ms, stay.to_ms)
    return Window(max(stay.from_ms, window.start_ms), min(stay.to_ms, window.end_ms))


class _Sum:
    def __init__(self, sayings: Sayings) -> None:
        self._sayings = sayings
        self._nodes: dict[Node, NodeSum] = {}
        self._legs: dict[tuple[Node | None, Node, str], Leg] = {}
        # By what a step says, and event and container; with the packs of all members that share it.
        self._steps: dict[tuple[str, str, str, Node], dict[tuple[int, str], list[Any]]] = {}
        self._own: set[tuple[int, str]] = set()  # (event, container) of containers whose contents count for them
        self._packs = 0

    def add(self, one: _Shape) -> None:
        packs = sum(member.packs for member in one.members)
        self._packs += packs
        columns = list(zip(*(member.entries for member in one.members), strict=True))  # by place, an entry per member
        times = [[entry.time_ms for entry in column] for column in columns]
        spans = [(min(column), max(column)) for column in times]
        self._add_legs(one, packs, columns, spans)
        self._add_nodes(one, packs, spans)
        for place, step in one.steps:
            self._add_steps(step, columns[place], one.members)

    def _add_legs(self, one: _Shape, packs: int, columns: "Sequence[_Column]", spans: "Sequence[_Span]") -> None:
        known: dict[tuple[Node | None, Node, str], str] = {}
        for places, move in one.moves:
            key = (move.source, move.target, move.kind)
            leg = self._legs.setdefault(key, Leg(*key))
            for place in places:
                leg.events.update([entry.log_index for entry in columns[place]])
            leg.first_ms = min(leg.first_ms, spans[places[0]][0])
            leg.last_ms = max(leg.last_ms, spans[places[-1]][1])
            known[key] = max(move.evidence, known.get(key, move.evidence), key=EVIDENCE.index)
        for key, evidence in known.items():
            leg = self._legs[key]
            leg.packs += packs
            leg.evidence[evidence] = leg.evidence.get(evidence, 0) + packs

    def _add_nodes(self, one: _Shape, packs: int, spans: "Sequence[_Span]") -> None:
        seen: dict[Node, set[int]] = {}
        for places, move in one.moves:
            if move.source is not None:
                seen.setdefault(move.source, set()).add(places[0])
            seen.setdefault(move.target, set()).add(places[-1])
        if one.last is not None:  # where it was before what is of interest began, if something was told of it later
            seen.setdefault(one.last, {one.moves[-1][0][-1]})
        for node, at in seen.items():
            row = self._nodes.setdefault(node, NodeSum(node))
            row.packs += packs
            row.first_ms = min(row.first_ms, *(spans[place][0] for place in at))
            row.last_ms = max(row.last_ms, *(spans[place][1] for place in at))
        if one.last is not None:
            self._nodes[one.last].now += packs

    def _add_steps(self, step: Step, column: "_Column", members: Iterable[_Member]) -> None:
        alike = self._steps.setdefault((step.kind, step.evidence, step.why, step.node), {})
        for entry, (name, _, packs) in zip(column, members, strict=True):
            key = (entry.log_index, entry.container)
            told = alike.get(key)
            if told is None:
                alike[key] = [entry, packs]
            else:
                told[1] += packs
            if not packs and not entry.container:
                self._own.add((entry.log_index, name))

    def done(self) -> Trace:
        legs = [leg for leg in self._legs.values() if leg.packs or not self._packs]
        linked = {node for leg in legs for node in (leg.source, leg.target)}
        nodes = [row for node, row in self._nodes.items() if node in linked]
        return Trace(
            nodes=sorted(nodes, key=lambda row: (row.first_ms, row.node)),
            legs=sorted(legs, key=lambda leg: (leg.first_ms, leg.source or Node(), leg.target, leg.kind)),
            steps=Steps(self._merged(), self._sayings),
            packs=self._packs,
        )

    def _merged(self) -> list[_Row]:
        """The steps; what a container's own event says of its contents is told once, as the container's own."""
        inside: dict[int, int] = {}
        if self._own:
            for key, alike in self._steps.items():
                if key[1] == INFERRED:
                    for told in [told for told in alike if told in self._own]:
                        inside[told[0]] = inside.get(told[0], 0) + alike.pop(told)[1]
        return [
            tuple.__new__(  # `_Row(…)` at half its cost
                _Row,
                (
                    one.time_ms, one.event_id, index, container, *key,
                    packs if packs or container else inside.get(index, 0), one,
                ),
            )
            for key, alike in self._steps.items()
            for (index, container), (one, packs) in alike.items()
        ]  # fmt: skip


_Column = Sequence[Entry]
_Span = tuple[int, int]  # the first time and the last
