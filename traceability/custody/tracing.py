"""A trace: the ways of many things laid over each other, as nodes, legs and steps with numbers of packs. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from .fold import Fact
from .way import EVIDENCE, FOREVER, INFERRED, Book, Inside, Move, Node, Step, Way, way

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


@dataclass(frozen=True)
class Trace:
    """What became of some things. `packs` counts those that hold nothing themselves."""

    nodes: Sequence[NodeSum]
    legs: Sequence[Leg]
    steps: Sequence[TracedStep]
    packs: int

    @property
    def events(self) -> dict[int, str]:
        """Who reported each event that the trace rests on, by log index."""
        return {one.step.fact.index: one.step.fact.reporter for one in self.steps}


def trace(groups: Iterable[Group], book: Book, *, direction: str = BOTH) -> Trace:
    """The ways of these groups, up to their windows' end (back), from their beginning on, or both.

    A container of which the contents are among the groups counts as no pack of its own.
    """
    found = [(group, one, window) for group in groups if (one := _way(group, book)) and (window := _window(group, one))]
    holding = {stay.container for _, one, _ in found for stay in one.inside}
    result = _Sum()
    for group, one, window in found:
        result.add(group.name, one, 0 if group.name in holding else group.things, window, direction)
    return result.done()


def _way(group: Group, book: Book) -> Way | None:
    found = way(group.name, book)
    if not found.steps:
        return None
    if group.lot is not None and group.lot != next((fact.lot for fact in book.of(group.name) if _tells_lot(fact)), ""):
        return None
    return found


def _tells_lot(fact: Fact) -> bool:
    return fact.role in {"epc", "output"} and fact.lot != ""


def _window(group: Group, one: Way) -> Window | None:
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


def _order(one: TracedStep) -> tuple[object, ...]:
    step = one.step
    return (*step.fact.order, step.container, step.kind, step.evidence, step.why, step.node)


class _Sum:
    def __init__(self) -> None:
        self._nodes: dict[Node, NodeSum] = {}
        self._legs: dict[tuple[Node | None, Node, str], Leg] = {}
        self._steps: dict[tuple[object, ...], TracedStep] = {}
        self._own: set[tuple[int, str]] = set()  # (event, container) of containers whose contents count for them
        self._packs = 0

    def add(self, name: str, one: Way, packs: int, window: Window, direction: str) -> None:
        start = window.start_ms if direction == ON else -FOREVER
        end = window.end_ms if direction == BACK else FOREVER
        moves = [move for move in one.moves if start <= move.facts[-1].time_ms <= end]
        self._packs += packs
        self._add_legs(moves, packs)
        self._add_nodes(moves, packs)
        if moves:
            last = moves[-1].target if moves[-1] is not one.moves[-1] else one.at or moves[-1].target
            self._nodes[last].now += packs
        for step in one.steps:
            if start <= step.fact.time_ms <= end:
                self._add_step(step, packs)
                if not packs and not step.container:
                    self._own.add((step.fact.index, name))

    def _add_legs(self, moves: Sequence[Move], packs: int) -> None:
        known: dict[tuple[Node | None, Node, str], str] = {}
        for move in moves:
            key = (move.source, move.target, move.kind)
            leg = self._legs.setdefault(key, Leg(*key))
            leg.events.update(fact.index for fact in move.facts)
            leg.first_ms = min(leg.first_ms, move.facts[0].time_ms)
            leg.last_ms = max(leg.last_ms, move.facts[-1].time_ms)
            known[key] = max(move.evidence, known.get(key, move.evidence), key=EVIDENCE.index)
        for key, evidence in known.items():
            leg = self._legs[key]
            leg.packs += packs
            leg.evidence[evidence] = leg.evidence.get(evidence, 0) + packs

    def _add_nodes(self, moves: Sequence[Move], packs: int) -> None:
        times: dict[Node, list[int]] = {}
        for move in moves:
            if move.source is not None:
                times.setdefault(move.source, []).append(move.facts[0].time_ms)
            times.setdefault(move.target, []).append(move.facts[-1].time_ms)
        for node, found in times.items():
            row = self._nodes.setdefault(node, NodeSum(node))
            row.packs += packs
            row.first_ms, row.last_ms = min(row.first_ms, *found), max(row.last_ms, *found)

    def _add_step(self, step: Step, packs: int) -> None:
        key = (step.fact.index, step.kind, step.evidence, step.why, step.node, step.container)
        before = self._steps.get(key)
        self._steps[key] = TracedStep(step, packs) if before is None else replace(before, packs=before.packs + packs)

    def done(self) -> Trace:
        legs = [leg for leg in self._legs.values() if leg.packs or not self._packs]
        linked = {node for leg in legs for node in (leg.source, leg.target)}
        nodes = [row for node, row in self._nodes.items() if node in linked]
        return Trace(
            nodes=sorted(nodes, key=lambda row: (row.first_ms, row.node)),
            legs=sorted(legs, key=lambda leg: (leg.first_ms, leg.source or Node(), leg.target, leg.kind)),
            steps=sorted(self._merged(), key=_order),
            packs=self._packs,
        )

    def _merged(self) -> list[TracedStep]:
        """The steps; what a container's own event says of its contents is told once, as the container's own."""
        inside: dict[tuple[int, str], int] = {}
        kept: list[TracedStep] = []
        for one in self._steps.values():
            key = (one.step.fact.index, one.step.container)
            if one.step.evidence == INFERRED and key in self._own:
                inside[key] = inside.get(key, 0) + one.packs
            else:
                kept.append(one)
        counted = {index: packs for (index, _), packs in inside.items()}
        return [
            replace(one, packs=counted[one.step.fact.index])
            if not one.packs and one.step.fact.index in counted and not one.step.container
            else one
            for one in kept
        ]
