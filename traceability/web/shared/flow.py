"""A flow graph as SVG geometry: who passed how much to whom, left to right. Pure: names and numbers in, boxes out."""

from collections import Counter, defaultdict
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from unicodedata import east_asian_width

Key = Hashable
BOX_WIDTH, GAP, MARGIN, SPACE = 204, 92, 16, 20
BOX_HEIGHT = 66
MAX_STROKE, MIN_STROKE = 26, 2
MAX_TIER = 8  # boxes above each other; the smaller ones beyond are drawn as one
TITLE_WIDTH, BELOW_WIDTH = 22, 25  # half-width characters that a box has room for
THIN = 4  # packs: a flow of fewer is drawn no wider than if there were so many


@dataclass(frozen=True)
class Spot:
    """What a box stands for. `number` is that of its row in the table; `count` > 1: it stands for so many.

    `packs` that came by are known where it stands for one; for several it is the most of any, since some came by two.
    """

    key: Key
    title: str
    below: str
    packs: int
    now: int
    is_end: bool = False
    count: int = 1
    number: int = 0


@dataclass(frozen=True)
class Flow:
    """What went from one spot to another; `tone` says how well it is known."""

    source: Key
    target: Key
    packs: int
    tone: str


@dataclass(frozen=True)
class Box:
    """A spot in its place; coordinates of its upper left corner."""

    spot: Spot
    x: int
    y: int
    height: int

    @property
    def title(self) -> str:
        return shortened(self.spot.title)

    @property
    def below(self) -> str:
        return shortened(self.spot.below, BELOW_WIDTH)

    @property
    def text_x(self) -> int:
        return self.x + 12


@dataclass(frozen=True)
class Band:
    """A flow as a curve of some width."""

    flow: Flow
    path: str
    width: float
    x: float
    y: float  # of its label
    anchor: str  # start | end: on which side of it the label stands
    source: int  # numbers of the spots
    target: int


@dataclass(frozen=True)
class Graph:
    """What the template draws."""

    boxes: Sequence[Box]
    bands: Sequence[Band]
    width: int
    height: int
    box_width: int = BOX_WIDTH


@dataclass
class _Ports:
    """Where the next band meets a box on either side."""

    left: float = 0
    right: float = 0


def merged(spots: Sequence[Spot], flows: Sequence[Flow], others: str) -> tuple[list[Spot], list[Flow]]:
    """The same with at most MAX_TIER spots in a tier: the smallest beyond stand together, named by `others` ({n})."""
    tiers = _tiers(spots, flows)
    stands_for: dict[Key, Key] = {}
    found: list[Spot] = []
    for tier in sorted(set(tiers.values())):
        row = sorted((spot for spot in spots if tiers[spot.key] == tier), key=lambda spot: -spot.packs)
        kept, rest = (row, []) if len(row) <= MAX_TIER else (row[: MAX_TIER - 1], row[MAX_TIER - 1 :])
        found += kept
        stands_for |= {spot.key: spot.key for spot in kept}
        if rest:
            key = ("others", tier)
            stands_for |= {spot.key: key for spot in rest}
            packs, now = max(spot.packs for spot in rest), sum(spot.now for spot in rest)
            found.append(Spot(key, others.format(n=len(rest)), "", packs, now, count=len(rest)))
    return found, together(flows, stands_for)


def together(flows: Sequence[Flow], stands_for: Mapping[Any, Key]) -> list[Flow]:
    """Flows between what their ends stand for, one per pair and tone; what stays within one is left out."""
    packs: dict[tuple[Key, Key, str], int] = defaultdict(int)
    for flow in flows:
        source, target = stands_for[flow.source], stands_for[flow.target]
        if source != target:
            packs[source, target, flow.tone] += flow.packs
    return [Flow(source, target, number, tone) for (source, target, tone), number in packs.items()]


def draw(spots: Sequence[Spot], flows: Sequence[Flow]) -> Graph:
    """Boxes in columns, each after those that it was passed something by; what flows back goes round below."""
    numbered = [replace(spot, number=number) for number, spot in enumerate(spots)]
    tiers = _tiers(spots, flows)
    most = max(THIN, *(flow.packs for flow in flows), 0)
    widths = {flow: max(MIN_STROKE, MAX_STROKE * flow.packs / most) for flow in flows}
    columns = _ordered(numbered, flows, tiers)
    boxes: dict[Key, Box] = {}
    for tier, column in enumerate(columns):
        y = MARGIN
        for spot in column:
            needed = max(_side(widths, spot.key, into) for into in (True, False)) + 16
            boxes[spot.key] = Box(spot, MARGIN + tier * (BOX_WIDTH + GAP), y, max(BOX_HEIGHT, round(needed)))
            y += boxes[spot.key].height + SPACE
    bands = _bands(flows, widths, boxes)
    low = max((box.y + box.height for box in boxes.values()), default=0)
    round_below = any(_goes_back(flow, boxes) for flow in flows)
    return Graph(
        boxes=list(boxes.values()),
        bands=bands,
        width=2 * MARGIN + len(columns) * BOX_WIDTH + max(0, len(columns) - 1) * GAP,
        height=low + MARGIN + (60 if round_below else 0),
    )


def shortened(text: str, width: int = TITLE_WIDTH) -> str:
    """Text cut to a width in half-width characters; a Chinese character takes two."""
    used = 0
    for place, character in enumerate(text):
        used += 2 if east_asian_width(character) in "WF" else 1
        if used > width:
            return text[:place].rstrip() + "…"
    return text


def _tiers(spots: Sequence[Spot], flows: Sequence[Flow]) -> dict[Key, int]:
    """The column of each spot: behind all that pass something on to it and stand before it in the list."""
    order = {spot.key: place for place, spot in enumerate(spots)}
    into: dict[Key, list[Key]] = defaultdict(list)
    for flow in flows:
        if order[flow.source] < order[flow.target]:
            into[flow.target].append(flow.source)
    tiers: dict[Key, int] = {}
    for spot in spots:
        tiers[spot.key] = max((tiers[source] + 1 for source in into[spot.key]), default=0)
    return tiers


def _ordered(spots: Sequence[Spot], flows: Sequence[Flow], tiers: Mapping[Key, int]) -> list[list[Spot]]:
    """The spots of each column, each near those that pass something on to it; ends come last."""
    columns: list[list[Spot]] = [[] for _ in range(max(tiers.values(), default=-1) + 1)]
    for spot in spots:
        columns[tiers[spot.key]].append(spot)
    height: dict[Key, float] = {}
    for column in columns:
        middle = {}
        for place, spot in enumerate(column):
            sources = [height[flow.source] for flow in flows if flow.target == spot.key and flow.source in height]
            middle[spot.key] = (spot.is_end, sum(sources) / len(sources) if sources else place)
        column.sort(key=lambda spot: middle[spot.key])
        height |= {spot.key: place for place, spot in enumerate(column)}
    return columns


def _side(widths: Mapping[Flow, float], key: Key, into: bool) -> float:
    return sum(width + 4 for flow, width in widths.items() if (flow.target if into else flow.source) == key)


def _goes_back(flow: Flow, boxes: Mapping[Key, Box]) -> bool:
    return boxes[flow.target].x <= boxes[flow.source].x


def _bands(flows: Sequence[Flow], widths: Mapping[Flow, float], boxes: Mapping[Key, Box]) -> list[Band]:
    ports: dict[Key, _Ports] = defaultdict(_Ports)
    out, into = Counter(flow.source for flow in flows), Counter(flow.target for flow in flows)
    found = []
    for flow in sorted(flows, key=lambda one: (boxes[one.source].y, boxes[one.target].y)):
        source, target, width = boxes[flow.source], boxes[flow.target], widths[flow]
        start, end = ports[flow.source], ports[flow.target]
        y1, y2 = source.y + 8 + start.right + width / 2, target.y + 8 + end.left + width / 2
        start.right += width + 4
        end.left += width + 4
        x1, x2 = source.x + BOX_WIDTH, target.x
        bend, low = (x2 - x1) / 2, max(source.y + source.height, target.y + target.height) + 40
        label: tuple[float, float, str]  # where fewer bands meet
        if _goes_back(flow, boxes):
            path = f"M{x1} {y1:.1f}C{x1 + 60} {low},{x2 - 60} {low},{x2} {y2:.1f}"
            label = ((x1 + x2) / 2, low - 12, "end")
        else:
            path = f"M{x1} {y1:.1f}C{x1 + bend:.0f} {y1:.1f},{x2 - bend:.0f} {y2:.1f},{x2} {y2:.1f}"
            at_source = out[flow.source] < into[flow.target]
            label = (x1 + 8, y1 - width / 2 - 4, "start") if at_source else (x2 - 8, y2 - width / 2 - 4, "end")
        x, y, anchor = round(label[0], 1), round(label[1], 1), label[2]
        found.append(Band(flow, path, round(width, 1), x, y, anchor, source.spot.number, target.spot.number))
    return found
