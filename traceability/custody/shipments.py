"""Reading shipments: both sides of one, receipts that belong to it by content, its events, how long its lane takes."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from django.db.models import (
    BigIntegerField,
    Case,
    CharField,
    Count,
    Exists,
    F,
    Func,
    IntegerField,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Sum,
    Value,
    When,
)
from django.db.models.functions import Coalesce

from traceability.capture.models import EventEpc, EventPartner, EventTransaction, PublishedEvent
from traceability.common import bulk
from traceability.parties import selectors as parties

from . import matching, selectors, sides
from .matching import Despatch, Match, Receipt
from .models import Containment, ItemState, Shipment
from .sides import Line, Lot

MAX_LOOKED_INTO = 20_000  # things inside despatched containers that are looked for among receipts, per question
LANE = 20  # earlier shipments of the same sender and receiver that say how long a lane takes
LANE_MIN = 3
_NOW = 2**62  # later than every moment: what has not ended
Root = tuple[int, str]  # the number of a shipment among those asked for, and a thing of it
_ARRIVALS = ("receiving", "accepting")
_DOCUMENTS = ("desadv", "po")


@dataclass(frozen=True)
class Lane:
    """How long earlier shipments between the same two took, milliseconds."""

    shipments: int
    median_ms: int
    longest_ms: int


def lines(row: Shipment, matches: Iterable[Match] = (), told: Mapping[str, Lot] | None = None) -> list[Line]:
    """Both sides of a shipment; `matches` are receipts that belong to it by content.

    `told`: GTIN and lot of packs of which nothing is recorded.
    """
    return lines_of([(row, set[str]().union(*(one.things for one in matches)))], told)[0]


def lines_of(
    rows: Sequence[tuple[Shipment, Collection[str]]], told: Mapping[str, Lot] | None = None
) -> list[list[Line]]:
    """Both sides of many shipments, each with the things that were received by content; no row per pack is read.

    A fixed number of queries, and per level of containers.
    """
    moments = [row.shipped_ms if row.shipped_ms is not None else row.received_ms for row, _ in rows]
    sent = [set(row.despatched) for row, _ in rows]
    got = [
        set(row.received) | set(more) if at_ms is not None else set[str]()
        for (row, more), at_ms in zip(rows, moments, strict=True)
    ]
    counts = _counts([(n, epc) for n in range(len(rows)) for epc in sent[n] | got[n]], moments, told)
    besides = [received - despatched for despatched, received in zip(sent, got, strict=True)]
    # What lay in a container that only the receipt names is asked from below: what was despatched has few containers.
    open_lines = [sent[n] if besides[n] and sent[n] - got[n] else set[str]() for n in range(len(rows))]
    above = _above([(n, epc) for n in range(len(rows)) for epc in besides[n] | open_lines[n]], moments)
    inside: dict[Root, set[str]] = defaultdict(set)
    for (n, epc), containers in above.items():
        for container in containers:
            if epc in open_lines[n] and container in besides[n]:
                inside[n, container].add(epc)
    return [
        sides.lines(
            sent[n],
            got[n],
            sides.Known(
                counts={epc: counts[n, epc] for epc in sent[n] | got[n]},
                above={epc: above[n, epc] for epc in besides[n]},
                inside={epc: inside[n, epc] for epc in besides[n] if (n, epc) in inside},
            ),
        )
        for n in range(len(rows))
    ]


def absent(row: Shipment, found: Iterable[Line]) -> dict[str, list[str]]:
    """What was not received of each thing of which a part was: the outermost cases and packs, by the thing."""
    at_ms = row.shipped_ms if row.shipped_ms is not None else row.received_ms
    partial = [line for line in found if line.state == sides.State.PART]
    got = {part for line in partial for part in line.parts}
    opened = set[str]().union(*_above([(0, epc) for epc in got], [at_ms]).values()) if got else set()
    missing: dict[str, list[str]] = {line.epc: [] for line in partial}
    level = {line.epc: line.epc for line in partial}  # a container that was opened -> the thing that it lies in
    for _ in range(selectors.MAX_DEPTH):
        below = dict[str, str]()
        for parent, children in selectors.contents_by_container(level, at_ms=at_ms).items():
            for child in children:
                if child in opened:
                    below[child] = level[parent]
                elif child not in got:
                    missing[level[parent]].append(child)
        if not below:
            break
        level = below
    return missing


def by_content(rows: Collection[Shipment]) -> dict[str, list[Match]]:
    """Receipts under no number, or another, that took in what shipments still await; by the shipment's number.

    What was received under a shipment's own number stays so. A fixed number of queries, and per level of containers.
    """
    awaiting = [row for row in rows if row.shipped_index is not None and row.status in {"open", "partial"}]
    goods = {row.despatch: set(row.despatched) - set(row.received) for row in awaiting}
    named = _receipts_of(set().union(*goods.values()) if goods else set())
    if not named:
        return {}
    senders = parties.uris_of_many({row.sender for row in awaiting})
    despatches = [
        Despatch(
            key=row.despatch,
            senders=senders.get(row.sender, frozenset({row.sender})) - {""},
            receivers=frozenset({row.receiver} - {""}),
            goods=frozenset(goods[row.despatch]),
            time_ms=row.shipped_ms or 0,
        )
        for row in awaiting
    ]
    return matching.match(despatches, _receipts(named))


def sources(row: Shipment) -> list[Shipment]:
    """The shipments whose goods, by content, were received under this number that no despatch names."""
    if row.shipped_index is not None or not row.received:
        return []
    around = _above([(0, epc) for epc in row.received], [row.received_ms or 0])
    things = set(row.received).union(*around.values())
    sent = PublishedEvent.objects.filter(biz_step__in=["shipping", "departing"], declaration_ms=None, voided_by=None)
    naming = set(bulk.among(EventEpc.objects.values_list("event_index", flat=True), "epc", things))
    despatched = set(bulk.among(sent.values_list("index", flat=True), "index", naming))
    numbers = EventTransaction.objects.filter(type__in=_DOCUMENTS).values_list("value", flat=True)
    found = list(bulk.among(Shipment.objects.all(), "despatch", set(bulk.among(numbers, "event_index", despatched))))
    own = set(EventTransaction.objects.filter(value=row.despatch).values_list("event_index", flat=True))
    matches = by_content(found)
    return [one for one in found if any(match.index in own for match in matches.get(one.despatch, ()))]


def events(row: Shipment, by_content: Iterable[int] = ()) -> QuerySet[PublishedEvent]:
    """The events that name the shipment's number, and those of these log indexes; void ones included."""
    linked = EventTransaction.objects.filter(value=row.despatch, type__in=_DOCUMENTS).values("event_index")
    wanted = Q(index__in=linked) | Q(index__in=list(by_content))
    return PublishedEvent.objects.filter(wanted).order_by("event_time_ms", "event_id", "index")


def things_of(rows: QuerySet[Shipment]) -> int:
    """How many things both sides of these shipments name; none of them is read."""
    found = rows.aggregate(sent=Sum(Length("despatched")), got=Sum(Length("received")))
    return (found["sent"] or 0) + (found["got"] or 0)


class Length(Func):
    """The length of a JSON list, counted by the database."""

    function = "json_array_length"
    output_field = IntegerField()

    def as_postgresql(self, compiler: Any, connection: Any, **more: Any) -> Any:
        return self.as_sql(compiler, connection, function="jsonb_array_length", **more)


def lane(row: Shipment) -> Lane | None:
    """How long the last shipments from the same sender to the same receiver took; None while there are too few."""
    earlier = Shipment.objects.filter(sender=row.sender, receiver=row.receiver, status="received")
    earlier = earlier.exclude(despatch=row.despatch).exclude(Q(shipped_ms=None) | Q(received_ms=None))
    times = earlier.order_by("-shipped_ms").values_list("shipped_ms", "received_ms")[:LANE]
    took = [received - shipped for shipped, received in times if shipped is not None and received is not None]
    return Lane(len(took), int(median(took)), max(took)) if len(took) >= LANE_MIN else None


def packs_in(epcs: Collection[str]) -> dict[str, Counter[Lot]]:
    """How many packs of which lot lie in each container now, at any depth; empty where nothing is known inside."""
    found = _counts([(0, epc) for epc in epcs], [None])
    return {
        epc: Counter({lot: n for lot, n in counted.items() if lot != ("", "")}) for (_, epc), counted in found.items()
    }


def lay_in(roots: Collection[Root], moments: Sequence[int], told: Q) -> dict[Root, Counter[Lot]]:
    """`packs_in` at the moments of the roots, by the stays of which `told` is true; empty where nothing is known."""
    found = _counts(roots, moments, stays=told)
    return {root: Counter({lot: n for lot, n in counted.items() if lot != ("", "")}) for root, counted in found.items()}


def _counts(
    roots: Collection[Root],
    moments: Sequence[int | None],
    told: Mapping[str, Lot] | None = None,
    stays: Q = Q(),  # noqa: B008 (never changed)
) -> dict[Root, Counter[Lot]]:
    """How many packs of which lot lay in each thing at its shipment's moment (None: lie there now).

    1 for a thing in which nothing is known. No row per pack is read; two queries per level of containers.
    """
    stays_then = _Stays(moments, stays)
    found: dict[Root, Counter[Lot]] = {root: Counter() for root in roots}
    level: dict[str, set[Root]] = _by_thing(roots)
    opened = set[tuple[Root, str]]()
    holding = stays_then.rows.filter(parent=OuterRef("child"))
    item = ItemState.objects.filter(epc=OuterRef("child"))
    packs = stays_then.rows.filter(~Exists(holding)).annotate(gtin=_text(item, "gtin"), lot=_text(item, "lot"))
    counted = packs.values_list("parent", "gtin", "lot", "starts", "ends").annotate(packs=Count("child")).order_by()
    holders = stays_then.rows.filter(Exists(holding)).values_list("parent", "child", "starts", "ends")
    for _ in range(selectors.MAX_DEPTH):
        for parent, gtin, lot, starts, ends, number in bulk.among(counted, "parent", level):
            for root in stays_then.at(level[parent], starts, ends):
                opened.add((root, parent))
                found[root][gtin, lot] += number
        below: dict[str, set[Root]] = defaultdict(set)
        for parent, child, starts, ends in bulk.among(holders, "parent", level):
            for root in stays_then.at(level[parent], starts, ends):
                opened.add((root, parent))
                below[child].add(root)
        empty = [(root, epc) for epc, lying in level.items() for root in lying if (root, epc) not in opened]
        items = selectors.items({epc for _root, epc in empty})
        for root, epc in empty:
            row = items.get(epc)
            found[root][(row.gtin, row.lot) if row else (told or {}).get(epc, ("", ""))] += 1
        if not below:
            break
        level = below
    return found


class _Stays:
    """The stays in containers that count for some shipment, each shipment at its own moment.

    `starts` and `ends` are told apart only as far as the moments do, so that what was packed at once is one group.
    """

    def __init__(self, moments: Sequence[int | None], which: Q = Q()) -> None:  # noqa: B008 (never changed)
        self._moments = [_NOW if one is None else one for one in moments]
        first, last = min(self._moments, default=_NOW), max(self._moments, default=_NOW)
        stays = Containment.objects.filter(which, Q(to_ms=None) | Q(to_ms__gt=first), from_ms__lte=last)
        self.rows = stays.annotate(
            starts=Case(When(from_ms__lte=first, then=Value(0)), default=F("from_ms"), output_field=BigIntegerField()),
            ends=Case(When(to_ms__gt=last, then=Value(None)), default=F("to_ms"), output_field=BigIntegerField()),
        )

    def at(self, roots: Iterable[Root], starts: int, ends: int | None) -> list[Root]:
        """Those of the things for whose shipment such a stay counts."""
        return [
            root
            for root in roots
            if starts <= self._moments[root[0]] and (ends is None or ends > self._moments[root[0]])
        ]


def _by_thing(roots: Iterable[Root]) -> dict[str, set[Root]]:
    found: dict[str, set[Root]] = defaultdict(set)
    for root in roots:
        found[root[1]].add(root)
    return found


def _text(item: QuerySet[ItemState], name: str) -> Coalesce:
    return Coalesce(Subquery(item.values(name)[:1]), Value(""), output_field=CharField())


def _above(roots: Collection[Root], moments: Sequence[int | None]) -> dict[Root, list[str]]:
    """The containers around each thing at its shipment's moment, innermost first; one query per level."""
    paths: dict[Root, list[str]] = {root: [] for root in roots}
    frontier, stays = _by_thing(roots), _Stays(moments)
    around = stays.rows.values_list("child", "parent", "starts", "ends")
    for _ in range(selectors.MAX_DEPTH):
        above: dict[str, set[Root]] = defaultdict(set)
        for child, parent, starts, ends in bulk.among(around, "child", frontier):
            for root in stays.at(frontier[child], starts, ends):
                if parent != root[1] and parent not in paths[root]:
                    paths[root].append(parent)
                    above[parent].add(root)
        if not above:
            break
        frontier = above
    return paths


def _receipts_of(things: Collection[str]) -> dict[int, dict[str, frozenset[str]]]:
    """Receiving events that name these things, or what lies in those that none names: the things, with what is around.

    What has left its container since is not looked for there.
    """
    arrivals = PublishedEvent.objects.filter(biz_step__in=_ARRIVALS, declaration_ms=None, voided_by=None)
    naming = EventEpc.objects.filter(role__in=["epc", "parent"]).values_list("event_index", "epc")
    found: dict[int, dict[str, frozenset[str]]] = defaultdict(dict)
    around: dict[str, frozenset[str]] = {thing: frozenset([thing]) for thing in things}
    level, looked_into = set(things), 0
    while level:
        links = list(bulk.among(naming, "epc", level))
        received = set(bulk.among(arrivals.values_list("index", flat=True), "index", {index for index, _ in links}))
        for index, epc in links:
            if index in received:
                found[index][epc] = around[epc]
        level -= {epc for index, epc in links if index in received}
        contents = Containment.objects.values_list("parent", "child")
        below: dict[str, frozenset[str]] = {}
        for parent, child in bulk.among(contents, "parent", level):
            if child not in around and looked_into < MAX_LOOKED_INTO:
                looked_into += child not in below
                below[child] = below.get(child, frozenset([child])) | around[parent]
        around |= below
        level = set(below)
    return found


def _receipts(named: dict[int, dict[str, frozenset[str]]]) -> list[Receipt]:
    """These receipts, without what they took in under the number of the despatch that names it."""
    rows = list(bulk.among(PublishedEvent.objects.all(), "index", named))
    uris = parties.uris_of_many({row.reporter for row in rows})
    partners = EventPartner.objects.filter(direction="source", type__in=["owning_party", "possessing_party"])
    senders = dict(bulk.among(partners.values_list("event_index", "value"), "event_index", named))
    documents: dict[int, set[str]] = defaultdict(set)
    linked = EventTransaction.objects.filter(type__in=_DOCUMENTS).values_list("event_index", "value")
    for index, value in bulk.among(linked, "event_index", named):
        documents[index].add(value)
    others = set().union(*documents.values()) if documents else set()
    despatched = {row.despatch: set(row.despatched) for row in bulk.among(Shipment.objects.all(), "despatch", others)}
    found = []
    for row in rows:
        own = set().union(*(despatched.get(number, set()) for number in documents[row.index]))
        goods = {thing: around for thing, around in named[row.index].items() if not around & own}
        if goods:
            reporters = uris.get(row.reporter, frozenset([row.reporter]))
            found.append(Receipt(row.index, reporters, senders.get(row.index, ""), goods, row.event_time_ms))
    return found
