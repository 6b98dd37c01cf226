"""The readings of containers, places and packs, with the limits of what is in them."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from django.db.models import Min
from django.db.models.functions import Substr

from traceability.capture import standing
from traceability.capture.models import EventEpc, EventPartner, PublishedEvent, VoidSpan
from traceability.capture.spans import Spans
from traceability.coldchain import chunks as codec
from traceability.coldchain.models import ReadingChunk
from traceability.common import bulk
from traceability.contracts.facts import Chunk, HolderFacts, Limits, counts
from traceability.custody.histories import ContentsAsOf
from traceability.gs1.epc import NMPA_PREFIX

from .reference import Reference, item_lookup

_CONTAINER = "https://id.gs1.org/00/"
# How a pack's name begins, and how many digits after it name the product.
_PRODUCTS = (("https://id.gs1.org/01/", 14), (NMPA_PREFIX, 7))


def gather(moments: Mapping[str, Collection[int]], *, end: int) -> dict[str, HolderFacts]:
    """The facts about each holder from entries up to log index `end`, as they were at each entry that asks."""
    readings = _chunks(moments, end)
    places = {holder for holder in readings if _is_place(holder)}
    contents = ContentsAsOf(readings.keys() - places)
    stock = _stock(places, end)
    handlers = _handlers(readings, end)
    asked = {
        (holder, index): _span(known)
        for holder, chunks in readings.items()
        for index in moments[holder]
        if (known := HolderFacts(holder, tuple(chunks)).as_of(index).chunks)
    }
    products: dict[tuple[str, int], frozenset[str]] = {}
    for (holder, index), (start_ms, end_ms) in asked.items():
        if holder in places:
            found = {item_lookup(one.epc) for one in stock[holder] if counts(one, index)}
        else:
            found = set(map(item_lookup, contents.all_within(holder, start_ms, end_ms, as_of=index)))
        products[holder, index] = frozenset({item_lookup(holder), *found} - {""})
    limits = _Limits(frozenset[str]().union(*products.values()))
    states: dict[str, dict[int, tuple[tuple[Limits, ...], tuple[str, ...]]]] = defaultdict(dict)
    for (holder, index), (_, end_ms) in asked.items():
        parties = {one.party for one in handlers[holder] if counts(one, index) and one.time_ms <= end_ms}
        states[holder][index] = limits.at(products[holder, index], index), tuple(sorted(parties - {""}))
    return {
        holder: HolderFacts(holder, tuple(readings.get(holder, ())), is_place=holder in places, states=states[holder])
        for holder in moments
    }


@dataclass(frozen=True)
class _Known:
    """What an event says of a holder: a thing that stood there, or a party that had to do with it."""

    index: int
    void: Spans
    time_ms: int
    epc: str = ""
    party: str = ""


def _is_place(holder: str) -> bool:
    return not item_lookup(holder) and not holder.startswith(_CONTAINER)


def _chunks(holders: Collection[str], end: int) -> dict[str, list[Chunk]]:
    found: dict[str, list[Chunk]] = defaultdict(list)
    rows = ReadingChunk.objects.filter(event_index__lte=end).order_by("event_index", "key")
    read = list(bulk.among(rows, "holder", holders))
    void = standing.spans({row.event_index for row in read})
    for row in read:
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
                void=void.get(row.event_index, ()),
            )
        )
    return found


def _span(chunks: Collection[Chunk]) -> tuple[int, int]:
    return min(one.start_ms for one in chunks), max(one.end_ms for one in chunks)


def _stock(places: Iterable[str], end: int) -> dict[str, list[_Known]]:
    """What events up to `end` show at each place: the first of each product; of events that were ever void each."""
    found: dict[str, list[_Known]] = {}
    for place in sorted(places):
        events = PublishedEvent.objects.filter(biz_location=place, index__lte=end, declaration_ms__isnull=True)
        ever_void = VoidSpan.objects.values("event_index")
        shown = EventEpc.objects.filter(event_index__in=events.exclude(index__in=ever_void).values("index"))
        found[place] = [
            _Known(first, (), 0, epc=product)
            for prefix, digits in _PRODUCTS
            for product, first in shown.filter(epc__startswith=prefix)
            .annotate(product=Substr("epc", 1, len(prefix) + digits))
            .values("product")
            .annotate(first=Min("event_index"))
            .values_list("product", "first")
        ]
        void = standing.spans(list(events.filter(index__in=ever_void).values_list("index", flat=True)))
        named = EventEpc.objects.values_list("event_index", "epc")
        found[place] += [
            _Known(index, void[index], 0, epc=epc) for index, epc in bulk.among(named, "event_index", list(void))
        ]
    return found


class _Limits:
    """The storage limits of products, as master data had them at an index; asked for once."""

    def __init__(self, lookups: Collection[str]) -> None:
        self._reference = Reference(lookups)
        self._reference.load_profiles()
        self._known: dict[tuple[frozenset[str], int], tuple[Limits, ...]] = {}

    def at(self, lookups: frozenset[str], index: int) -> tuple[Limits, ...]:
        key = (lookups, index)
        if key not in self._known:
            items = sorted({self._reference.subject(lookup, index) for lookup in lookups} - {""})
            found = [self._reference.limits(item, index) for item in items]
            self._known[key] = tuple(limits for limits in found if limits is not None)
        return self._known[key]


def _handlers(holders: Collection[str], end: int) -> dict[str, list[_Known]]:
    """Who despatched a container or was to receive it: the alert concerns them as well as whoever read the logger."""
    links = EventEpc.objects.filter(event_index__lte=end, role="epc").values_list("epc", "event_index")
    by_index: dict[int, set[str]] = defaultdict(set)
    for epc, index in bulk.among(links, "epc", holders):
        by_index[index].add(epc)
    shipped = PublishedEvent.objects.filter(biz_step="shipping", declaration_ms__isnull=True)
    rows = {row.index: row for row in bulk.among(shipped, "index", list(by_index))}
    void = standing.spans(list(rows))
    named = EventPartner.objects.filter(direction="destination", type="owning_party")
    parties = [(row.index, row.reporter) for row in rows.values()]
    parties += bulk.among(named.values_list("event_index", "value"), "event_index", list(rows))
    found: dict[str, list[_Known]] = defaultdict(list)
    for index, party in parties:
        row = rows[index]
        for epc in by_index[index]:
            found[epc].append(_Known(index, void.get(index, ()), row.event_time_ms, party=party))
    return found
