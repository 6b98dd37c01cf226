"""The readings of containers, places and packs, with the limits of what is in them."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence

from traceability.capture.models import EventEpc, EventPartner, PublishedEvent
from traceability.coldchain import chunks as codec
from traceability.coldchain.models import ReadingChunk
from traceability.contracts.facts import Chunk, HolderFacts, Limits
from traceability.custody.models import Containment

from .reference import Reference, in_chunks, item_lookup

_MAX_DEPTH = 8
_CONTAINER = "https://id.gs1.org/00/"


def gather(subjects: Collection[str], *, end: int) -> dict[str, HolderFacts]:
    """The facts about each holder from entries up to log index `end`."""
    readings = _chunks(subjects, end)
    spans = {holder: (_start(found), max(one.end_ms for one in found)) for holder, found in readings.items()}
    products = {holder: {item_lookup(holder)} - {""} for holder in readings}
    places = {holder for holder in readings if not products[holder] and not holder.startswith(_CONTAINER)}
    _add_contents(products, {holder: span for holder, span in spans.items() if holder not in places})
    _add_stock(products, places, end)
    reference = Reference({lookup for found in products.values() for lookup in found})
    handlers = _handlers(spans, end)
    facts = {}
    for holder, found in readings.items():
        limits = _limits(products[holder], reference, max(one.index for one in found))
        facts[holder] = HolderFacts(
            holder, tuple(found), limits, tuple(sorted(handlers.get(holder, ()))), holder in places
        )
    return {holder: facts.get(holder) or HolderFacts(holder, ()) for holder in subjects}


def _chunks(holders: Collection[str], end: int) -> dict[str, list[Chunk]]:
    found: dict[str, list[Chunk]] = defaultdict(list)
    rows = ReadingChunk.objects.filter(event_index__lte=end).order_by("event_index", "key")
    for row in in_chunks(rows, "holder", holders):
        found[row.holder].append(
            Chunk(
                index=row.event_index,
                device=row.device or row.reporter,
                reporter=row.reporter,
                start_ms=row.start_ms,
                end_ms=row.end_ms,
                readings=tuple(codec.decode(bytes(row.data))) if row.count else (),
                min_mc=row.min_mc,
                max_mc=row.max_mc,
            )
        )
    return found


def _start(chunks: Sequence[Chunk]) -> int:
    return min(one.start_ms for one in chunks)


def _add_contents(products: dict[str, set[str]], spans: Mapping[str, tuple[int, int]]) -> None:
    """The products that lay in each container at some time of its readings; one query per level."""
    level = {holder: {holder} for holder in spans}  # thing -> holders that it was in
    for _ in range(_MAX_DEPTH):
        below: dict[str, set[str]] = defaultdict(set)
        rows = Containment.objects.values_list("parent", "child", "from_ms", "to_ms")
        for parent, child, from_ms, to_ms in in_chunks(rows, "parent", list(level)):
            for holder in level[parent]:
                start, end = spans[holder]
                if from_ms <= end and (to_ms is None or to_ms > start):
                    below[child].add(holder)
        if not below:
            break
        for child, holders in below.items():
            lookup = item_lookup(child)
            for holder in holders if lookup else ():
                products[holder].add(lookup)
        level = {child: holders for child, holders in below.items() if not item_lookup(child)}


def _add_stock(products: dict[str, set[str]], places: Collection[str], end: int) -> None:
    """The products that events up to `end` show at a place."""
    for place in sorted(places):
        there = PublishedEvent.objects.filter(biz_location=place, index__lte=end).values("index")
        epcs = EventEpc.objects.filter(event_index__in=there).values_list("epc", flat=True).distinct()
        products[place] |= {item_lookup(epc) for epc in epcs.iterator()} - {""}


def _limits(lookups: Collection[str], reference: Reference, index: int) -> tuple[Limits, ...]:
    items = sorted({reference.subject(lookup, index) for lookup in lookups} - {""})
    bodies = [reference.body(item, index) for item in items]
    reference.load({f"profile:{body['profile']}" for body in bodies if body})
    found = [reference.limits(item, index) for item in items]
    return tuple(limits for limits in found if limits is not None)


def _handlers(spans: Mapping[str, tuple[int, int]], end: int) -> dict[str, set[str]]:
    """Who despatched a container or was to receive it: the alert concerns them as well as whoever read the logger."""
    links = EventEpc.objects.filter(event_index__lte=end, role="epc").values_list("epc", "event_index")
    by_index: dict[int, set[str]] = defaultdict(set)
    for epc, index in in_chunks(links, "epc", list(spans)):
        by_index[index].add(epc)
    shipped = PublishedEvent.objects.filter(biz_step="shipping", declaration_ms__isnull=True)
    found: dict[str, set[str]] = defaultdict(set)
    indexes = []
    for index, reporter, time_ms in in_chunks(
        shipped.values_list("index", "reporter", "event_time_ms"), "index", list(by_index)
    ):
        for epc in by_index[index]:
            if time_ms <= spans[epc][1]:
                found[epc].add(reporter)
                indexes.append(index)
    named = EventPartner.objects.filter(direction="destination", type="owning_party")
    for index, value in in_chunks(named.values_list("event_index", "value"), "event_index", set(indexes)):
        for epc in by_index[index]:
            found[epc].add(value)
    return found
