"""Both sides of each despatch advice, and what lay in the containers that travelled."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from decimal import Decimal

from traceability.capture.models import EventClass, EventEpc, EventPartner, EventTransaction, PublishedEvent
from traceability.contracts.facts import Leg, ShipmentFacts
from traceability.custody.models import Containment

from .reference import in_chunks

_MAX_DEPTH = 8
_STEPS = {"shipping", "departing", "receiving", "accepting", "void_shipping"}


def gather(subjects: Collection[str], *, end: int) -> dict[str, ShipmentFacts]:
    """The facts about each despatch advice from entries up to log index `end`."""
    links = EventTransaction.objects.filter(type="desadv", event_index__lte=end).values_list("value", "event_index")
    by_despatch: dict[str, set[int]] = defaultdict(set)
    for despatch, index in in_chunks(links, "value", subjects):
        by_despatch[despatch].add(index)
    legs = _legs({index for indexes in by_despatch.values() for index in indexes})
    found = {despatch: tuple(legs[i] for i in sorted(by_despatch[despatch]) if i in legs) for despatch in subjects}
    inside = _inside({despatch: own for despatch, own in found.items() if _differs(own)})
    return {despatch: ShipmentFacts(despatch, own, inside.get(despatch, {})) for despatch, own in found.items()}


def _legs(indexes: Collection[int]) -> dict[int, Leg]:
    epcs: dict[int, set[str]] = defaultdict(set)
    named = EventEpc.objects.filter(role__in=["epc", "parent"]).values_list("event_index", "epc")
    for index, epc in in_chunks(named, "event_index", indexes):
        epcs[index].add(epc)
    quantities: dict[int, dict[tuple[str, str], Decimal]] = defaultdict(dict)
    classes = EventClass.objects.filter(role="quantity").exclude(quantity="")
    for row in in_chunks(classes, "event_index", indexes):
        key = (row.epc_class, row.uom)
        quantities[row.event_index][key] = quantities[row.event_index].get(key, Decimal(0)) + Decimal(row.quantity)
    partners = EventPartner.objects.filter(direction="destination", type="owning_party")
    destinations = dict(in_chunks(partners.values_list("event_index", "value"), "event_index", indexes))
    events = PublishedEvent.objects.filter(declaration_ms__isnull=True, biz_step__in=_STEPS)
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
            voided_by=row.voided_by,
        )
        for row in in_chunks(events, "index", indexes)
    }


def _differs(legs: Sequence[Leg]) -> bool:
    """Whether the two sides name different things, so that the containers' contents must be looked at."""
    sent = frozenset[str]().union(*(leg.epcs for leg in legs if leg.step in {"shipping", "departing"}))
    got = frozenset[str]().union(*(leg.epcs for leg in legs if leg.step in {"receiving", "accepting"}))
    return bool(sent) and bool(got) and (sent != got or any(leg.voided_by is not None for leg in legs))


def _inside(shipments: Mapping[str, Sequence[Leg]]) -> dict[str, dict[str, frozenset[str]]]:
    """Per shipment what lay directly in each of its containers when it left; one query per level."""
    left = {
        despatch: min(leg.time_ms for leg in legs if leg.step in {"shipping", "departing"})
        for despatch, legs in shipments.items()
    }
    level: dict[str, set[str]] = defaultdict(set)  # thing -> shipments
    for despatch, legs in shipments.items():
        for epc in frozenset[str]().union(*(leg.epcs for leg in legs)):
            level[epc].add(despatch)
    found: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for _ in range(_MAX_DEPTH):
        below: dict[str, set[str]] = defaultdict(set)
        rows = Containment.objects.values_list("parent", "child", "from_ms", "to_ms")
        for parent, child, from_ms, to_ms in in_chunks(rows, "parent", list(level)):
            for despatch in level[parent]:
                if from_ms <= left[despatch] and (to_ms is None or to_ms > left[despatch]):
                    found[despatch][parent].add(child)
                    below[child].add(despatch)
        if not below:
            break
        level = below
    return {
        despatch: {parent: frozenset(children) for parent, children in contents.items()}
        for despatch, contents in found.items()
    }
