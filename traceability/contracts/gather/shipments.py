"""Both sides of each despatch advice, and what lay in the containers that travelled."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

from traceability.capture.models import EventClass, EventEpc, EventPartner, EventTransaction
from traceability.common import bulk
from traceability.contracts.facts import Leg, ShipmentFacts
from traceability.custody.histories import ContentsAsOf

from .event_rows import EventRows

_DESPATCHES = {"shipping", "departing"}
_STEPS = _DESPATCHES | {"receiving", "accepting", "void_shipping"}


def gather(moments: Mapping[str, Collection[int]], rows: EventRows, *, end: int) -> dict[str, ShipmentFacts]:
    """The facts about each despatch advice from entries up to log index `end`, as they were at each that asks."""
    links = EventTransaction.objects.filter(type="desadv", event_index__lte=end).values_list("value", "event_index")
    by_despatch: dict[str, set[int]] = defaultdict(set)
    for despatch, index in bulk.among(links, "value", moments):
        by_despatch[despatch].add(index)
    legs = _legs({index for indexes in by_despatch.values() for index in indexes}, rows)
    found = {
        despatch: ShipmentFacts(despatch, tuple(legs[i] for i in sorted(by_despatch[despatch]) if i in legs))
        for despatch in moments
    }
    differing = {
        (despatch, index): known
        for despatch, facts in found.items()
        for index in moments[despatch]
        if _differs(known := facts.as_of(index).legs)
    }
    contents = ContentsAsOf({epc for known in differing.values() for leg in known for epc in leg.epcs})
    insides: dict[str, dict[int, Mapping[str, frozenset[str]]]] = defaultdict(dict)
    for (despatch, index), known in differing.items():
        insides[despatch][index] = _inside(known, contents, index)
    for despatch, asking in moments.items():
        insides[despatch] = {index: insides[despatch].get(index, {}) for index in asking}
    return {despatch: replace(facts, insides=insides[despatch]) for despatch, facts in found.items()}


def _legs(indexes: Collection[int], rows: EventRows) -> dict[int, Leg]:
    epcs: dict[int, set[str]] = defaultdict(set)
    named = EventEpc.objects.filter(role__in=["epc", "parent"]).values_list("event_index", "epc")
    for index, epc in bulk.among(named, "event_index", indexes):
        epcs[index].add(epc)
    quantities: dict[int, dict[tuple[str, str], Decimal]] = defaultdict(dict)
    classes = EventClass.objects.filter(role="quantity").exclude(quantity="")
    for row in bulk.among(classes, "event_index", indexes):
        key = (row.epc_class, row.uom)
        quantities[row.event_index][key] = quantities[row.event_index].get(key, Decimal(0)) + Decimal(row.quantity)
    partners = EventPartner.objects.filter(direction="destination", type="owning_party")
    destinations = dict(bulk.among(partners.values_list("event_index", "value"), "event_index", indexes))
    events = [row for row in rows.told(indexes).values() if row.biz_step in _STEPS]
    void = rows.void(indexes)
    return {
        row.index: Leg(
            index=row.index,
            event_id=row.event_id,
            time_ms=row.event_time_ms,
            reporter=row.reporter,
            step=row.biz_step,
            epcs=frozenset(epcs[row.index]),
            quantities=quantities[row.index],
            destination=destinations.get(row.index, ""),
            void=void.get(row.index, ()),
        )
        for row in events
    }


def _differs(legs: Sequence[Leg]) -> bool:
    """Whether the two sides name different things, so that the containers' contents must be looked at."""
    sent = frozenset[str]().union(*(leg.epcs for leg in legs if leg.step in _DESPATCHES))
    got = frozenset[str]().union(*(leg.epcs for leg in legs if leg.step in {"receiving", "accepting"}))
    return bool(sent) and bool(got) and (sent != got or any(leg.step == "void_shipping" for leg in legs))


def _inside(legs: Sequence[Leg], contents: ContentsAsOf, index: int) -> dict[str, frozenset[str]]:
    """What lay directly in each of the containers when they left."""
    left_ms = min(leg.time_ms for leg in legs if leg.step in _DESPATCHES)
    found: dict[str, frozenset[str]] = {}
    level = frozenset[str]().union(*(leg.epcs for leg in legs))
    while level:
        found |= {epc: within for epc in level if (within := contents.within(epc, left_ms, left_ms, as_of=index))}
        level = frozenset[str]().union(*(found.get(epc, frozenset()) for epc in level)) - found.keys()
    return found
