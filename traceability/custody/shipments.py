"""Reading shipments: both sides of one, receipts that belong to it by content, its events, how long its lane takes."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from statistics import median

from django.db.models import CharField, Count, Exists, OuterRef, Q, QuerySet, Subquery, Value
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
    received = set(row.received).union(*(one.things for one in matches))
    at_ms = row.shipped_ms if row.shipped_ms is not None else row.received_ms
    if at_ms is None:
        return sides.lines(row.despatched, [], sides.Known(_counts(row.despatched, row.shipped_ms, told), {}, {}))
    besides = received - set(row.despatched)
    known = sides.Known(
        counts=_counts({*row.despatched, *received}, at_ms, told),
        above=_above(besides, at_ms),
        inside=selectors.inside(besides, at_ms=at_ms) if set(row.despatched) - received else {},
    )
    return sides.lines(row.despatched, received, known)


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
    around = _above(row.received, row.received_ms or 0)
    things = set(row.received).union(*around.values())
    sent = PublishedEvent.objects.filter(biz_step__in=["shipping", "departing"], declaration_ms=None, voided_by=None)
    naming = set(bulk.among(EventEpc.objects.values_list("event_index", flat=True), "epc", things))
    despatched = set(bulk.among(sent.values_list("index", flat=True), "index", naming))
    numbers = EventTransaction.objects.filter(type__in=_DOCUMENTS).values_list("value", flat=True)
    found = list(bulk.among(Shipment.objects.all(), "despatch", set(bulk.among(numbers, "event_index", despatched))))
    own = set(EventTransaction.objects.filter(value=row.despatch).values_list("event_index", flat=True))
    matches = by_content(found)
    return [one for one in found if any(match.index in own for match in matches.get(one.despatch, ()))]


def events(row: Shipment, matches: Iterable[Match] = ()) -> QuerySet[PublishedEvent]:
    """The events that name the shipment's number, and those that belong to it by content; void ones included."""
    linked = EventTransaction.objects.filter(value=row.despatch, type__in=_DOCUMENTS).values("event_index")
    wanted = Q(index__in=linked) | Q(index__in=[one.index for one in matches])
    return PublishedEvent.objects.filter(wanted).order_by("event_time_ms", "event_id", "index")


def lane(row: Shipment) -> Lane | None:
    """How long the last shipments from the same sender to the same receiver took; None while there are too few."""
    earlier = Shipment.objects.filter(sender=row.sender, receiver=row.receiver, status="received")
    earlier = earlier.exclude(despatch=row.despatch).exclude(Q(shipped_ms=None) | Q(received_ms=None))
    times = earlier.order_by("-shipped_ms").values_list("shipped_ms", "received_ms")[:LANE]
    took = [received - shipped for shipped, received in times if shipped is not None and received is not None]
    return Lane(len(took), int(median(took)), max(took)) if len(took) >= LANE_MIN else None


def _counts(epcs: Collection[str], at_ms: int | None, told: Mapping[str, Lot] | None = None) -> dict[str, Counter[Lot]]:
    """How many packs of which lot lay in each thing; 1 for a thing in which nothing is known. No row per pack is read.

    Two queries per level of containers.
    """
    found: dict[str, Counter[Lot]] = {epc: Counter() for epc in epcs}
    level: dict[str, set[str]] = {epc: {epc} for epc in epcs}
    held = set[str]()
    moment = Q(to_ms=None) if at_ms is None else Q(from_ms__lte=at_ms) & (Q(to_ms=None) | Q(to_ms__gt=at_ms))
    stays = Containment.objects.filter(moment)
    holding = stays.filter(parent=OuterRef("child"))
    item = ItemState.objects.filter(epc=OuterRef("child"))
    packs = stays.filter(~Exists(holding)).annotate(gtin=_text(item, "gtin"), lot=_text(item, "lot"))
    counted = packs.values_list("parent", "gtin", "lot").annotate(packs=Count("child")).order_by()
    for _ in range(selectors.MAX_DEPTH):
        for parent, gtin, lot, number in bulk.among(counted, "parent", level):
            held.add(parent)
            for root in level[parent]:
                found[root][gtin, lot] += number
        below: dict[str, set[str]] = defaultdict(set)
        for parent, child in bulk.among(stays.filter(Exists(holding)).values_list("parent", "child"), "parent", level):
            held.add(parent)
            below[child] |= level[parent]
        if not below:
            break
        level = below
    alone = set(epcs) - held
    items = selectors.items(alone)
    for epc in alone:
        row = items.get(epc)
        found[epc][(row.gtin, row.lot) if row else (told or {}).get(epc, ("", ""))] = 1
    return found


def _text(item: QuerySet[ItemState], name: str) -> Coalesce:
    return Coalesce(Subquery(item.values(name)[:1]), Value(""), output_field=CharField())


def _above(epcs: Collection[str], at_ms: int) -> dict[str, list[str]]:
    """The containers around each thing at a moment, innermost first; one query per level."""
    paths: dict[str, list[str]] = {epc: [] for epc in epcs}
    frontier = {epc: epc for epc in epcs}
    moment = Q(from_ms__lte=at_ms) & (Q(to_ms=None) | Q(to_ms__gt=at_ms))
    stays = Containment.objects.filter(moment).values_list("child", "parent")
    for _ in range(selectors.MAX_DEPTH):
        up = dict(bulk.among(stays, "child", set(frontier.values())))
        above = {epc: up[top] for epc, top in frontier.items() if top in up}
        frontier = {epc: parent for epc, parent in above.items() if parent != epc and parent not in paths[epc]}
        if not frontier:
            break
        for epc, parent in frontier.items():
            paths[epc].append(parent)
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
