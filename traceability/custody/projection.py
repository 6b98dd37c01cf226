"""Custody as a projection: whatever keys a batch of entries names are folded anew from the event index.

Per batch and table one read, one delete and one insert (in chunks of what a statement takes), whatever the keys.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import fields, replace
from typing import TYPE_CHECKING

from django.db.models import Model

from traceability.capture import standing
from traceability.capture.models import EventClass, EventEpc, EventTransaction
from traceability.common import bulk
from traceability.common.projection import LogEntry, Projection
from traceability.epcis import event as epcis_event
from traceability.epcis.documents import printed
from traceability.gs1.epc import NMPA_PREFIX, is_place

from . import fold, histories, lot_count
from .authority import Authority, Items
from .fold import Fact
from .histories import Histories, emptying, ever_put_into
from .lot_count import Standing
from .models import Containment, ItemState, LotCount, LotStatus, PlaceStatus, Shipment

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

# A shipment is known by its despatch advice, or by its order where no advice was sent.
_ADVICE, _ORDER = _PAPERS = "desadv", "po"
_ON_PAPER = bulk.Select(
    EventTransaction.objects.filter(type__in=_PAPERS).values_list("value", "event_index", "type"), "value"
)
_PAPERS_OF = bulk.Select(
    EventTransaction.objects.filter(type__in=_PAPERS).values_list("event_index", "value", "type"), "event_index"
)
_NAMED_BY = bulk.Select(EventEpc.objects.values_list("epc", flat=True), "event_index")
_NAMING = bulk.Select(EventEpc.objects.values_list("epc", "event_index"), "epc")
_PARENTS_OF = bulk.Select(EventEpc.objects.filter(role="parent").values_list("epc", flat=True), "event_index")
_ENTIRE = bulk.Select(
    EventEpc.objects.filter(role__in=["epc", "parent"]).values_list("event_index", "epc"), "event_index"
)
_CLASSES_OF = bulk.Select(EventClass.objects.values_list("epc_class", flat=True), "event_index")
_OF_CLASS = bulk.Select(EventClass.objects.values_list("epc_class", "event_index"), "epc_class")
_COUNTED = bulk.Select(LotCount.objects.values_list("key", "packs"), "key")
_LOT_STEPS = {"holding", "inspecting"}
_STOOD = bulk.Select(
    ItemState.objects.filter(gtin__gt="", lot__gt="").values_list(
        "gtin", "lot", "container", "status", "place", "party", "destination", "last_time_ms", "commissioned_index"
    ),
    "epc",
)


def _apply(entries: Sequence[LogEntry]) -> None:
    views = {entry.index: entry.read(epcis_event.read) for entry in standing.events(entries)}
    turned = {index for index, _ in standing.turned([entry.index for entry in entries])} - views.keys()
    if not views and not turned:
        return
    named = {epc for view in views.values() for _, epc in view.epcs} | set(_NAMED_BY(turned))
    places = {epc for epc in named if is_place(epc)}
    deletes = {index for index, view in views.items() if view.action == "DELETE"}
    _fold_items(named - places | _children_of_emptied(turned | deletes))
    _fold_places(places)
    papers = {name for view in views.values() for kind, name in view.biz_transactions if kind in _PAPERS}
    _fold_shipments(papers | {name for _, name, _ in _PAPERS_OF(turned)})
    classes = {name for view in views.values() for _, name, *_ in view.classes}
    _fold_lots(classes | set(_CLASSES_OF(turned)))


def _children_of_emptied(indexes: Collection[int]) -> set[str]:
    """Things that events put into a container which one of these empties without naming them.

    Whether they were in it: their history names the emptying either way, and must not depend on what is read together.
    """
    return set[str]().union(*ever_put_into(set(_PARENTS_OF(emptying(indexes)))).values())


def _fold_items(epcs: Collection[str]) -> None:
    """Fold each history once: the packs of a case share theirs, and only their names differ."""
    items = Items(epc for epc in epcs if epc.startswith(NMPA_PREFIX))  # a GTIN stands in the name of the others
    states, stays = [], []
    counts: Counter[Standing] = Counter()
    for history, facts, sharing in Histories(epcs):
        newest = max(fact.index for fact in facts)
        item, inside = fold.item(facts), fold.stays(facts)
        container = inside[-1].parent if inside and inside[-1].to_ms is None else ""
        gtins = {epc: items.gtin(epc, newest) for epc in sharing}
        state = (container, history, *vars(item).values())
        states += [(epc, gtin, *state) for epc, gtin in gtins.items()]
        stays += [(epc, *stay) for stay in inside for epc in sharing]
        for gtin, packs in Counter(gtins.values()).items():
            counts[_standing(gtin, container, item)] += packs
    _recount(epcs, counts)
    _replace(ItemState, epcs, ("epc", "gtin", "container", "history", *_names(fold.Item)), states)
    _replace(Containment, epcs, ("child", *fold.Stay._fields), stays)


def _standing(gtin: str, container: str, item: fold.Item) -> Standing:
    made = item.commissioned_index is not None
    where = (item.place, item.party, item.destination)
    return lot_count.standing(gtin, item.lot, container, item.status, *where, item.last_time_ms, made)


def _recount(epcs: Collection[str], counts: Counter[Standing]) -> None:
    """Count these things as they stand now, no longer as they stood; called while `ItemState` tells how that was."""
    change = Counter({one: packs for one, packs in counts.items() if one.gtin and one.lot})
    for (*stood, commissioned_index), packs in Counter(_STOOD(epcs)).items():
        change[lot_count.standing(*[*stood, commissioned_index is not None])] -= packs
    changed = {one.key: one for one, packs in change.items() if packs}
    held = dict(_COUNTED(changed))
    totals = {key: held.get(key, 0) + change[one] for key, one in changed.items()}
    rows_now = [(key, *changed[key], packs) for key, packs in totals.items() if packs]
    _replace(LotCount, changed, ("key", *Standing._fields, "packs"), rows_now)


def _fold_shipments(documents: Collection[str]) -> None:
    """Shipments under these despatch advices, and under these orders where an event names no advice."""
    links = list(_ON_PAPER(documents))
    indexes = {index for _, index, _ in links}
    advised = {index for index, _, kind in _PAPERS_OF(indexes) if kind == _ADVICE}
    facts = _effective(indexes)
    epcs: dict[int, set[str]] = defaultdict(set)
    for index, epc in _ENTIRE(indexes):
        epcs[index].add(epc)
    found: dict[str, dict[int, Fact]] = defaultdict(dict)
    for document, index, kind in links:
        if index in facts and (kind == _ADVICE or index not in advised):
            found[document][index] = facts[index]
    rows = []
    for document, legs in found.items():
        ordered = sorted(legs.values(), key=lambda fact: fact.order)
        row = _shipment_row(document, fold.trip([(fact, frozenset(epcs[fact.index])) for fact in ordered]))
        if row is not None:
            rows.append(row)
    _replace(Shipment, documents, _SHIPMENT, rows)


def _effective(indexes: Collection[int]) -> dict[int, Fact]:
    return {index: fact for index, fact in histories.facts(indexes, {}).items() if fact.counts()}


_SHIPMENT = (
    "despatch", "number", "status", "despatched", "received", "sender", "receiver", "receiver_party", "shipped_ms",
    "received_ms", "shipped_index", "received_index",
)  # fmt: skip


def _shipment_row(document: str, trip: fold.Trip) -> bulk.Row | None:
    """None for a document that other steps name (an order on a commissioning): it is no shipment."""
    if trip.shipped_index is None and trip.received_index is None and not trip.voided:
        return None
    return (
        document,
        printed(document),
        trip.status,
        json.dumps(sorted(trip.despatched)),
        json.dumps(sorted(trip.received)),
        trip.sender,
        trip.receiver,
        trip.receiver_party,
        trip.shipped_ms,
        trip.received_ms,
        trip.shipped_index,
        trip.received_index,
    )


def _fold_lots(classes: Collection[str]) -> None:
    """Lots (GTIN and lot) and whole products (GTIN): both can be recalled."""
    links = list(_OF_CLASS(classes))
    facts = _effective({index for _, index in links})
    telling = {index: fact for index, fact in facts.items() if _speaks_of_the_lot(fact)}
    for index in histories.drills([index for index, fact in telling.items() if _recalls(fact)]):
        del telling[index]
    authority = Authority(classes if telling else (), telling.values())
    by_class: dict[str, dict[int, Fact]] = defaultdict(dict)
    for name, index in links:
        if index in telling:
            by_class[name][index] = replace(telling[index], authority=authority.of(telling[index], name))
    rows = []
    for name, found in by_class.items():
        state = fold.lot(sorted(found.values(), key=lambda fact: fact.order))
        if state != fold.LotFacts():
            rows.append((name, *vars(state).values()))
    _replace(LotStatus, classes, ("lot_class", *_names(fold.LotFacts)), rows)


def _fold_places(places: Collection[str]) -> None:
    """Places that events are about, parts of a place for themselves."""
    if not places:
        return
    links = list(_NAMING(places))
    facts = _effective({index for _, index in links})
    authority = Authority((), facts.values())
    by_place: dict[str, list[Fact]] = defaultdict(list)
    for place, index in links:
        if index in facts:
            by_place[place].append(replace(facts[index], authority=authority.of(facts[index], place)))
    states = {
        place: fold.place(sorted(found, key=lambda fact: fact.order)).frozen_index for place, found in by_place.items()
    }
    rows = [(place, index) for place, index in states.items() if index is not None]
    _replace(PlaceStatus, places, ("place", "frozen_index"), rows)


def _speaks_of_the_lot(fact: Fact) -> bool:
    return _recalls(fact) or fact.step in _LOT_STEPS


def _recalls(fact: Fact) -> bool:
    """Whether the event recalls, or ends a recall."""
    return "recalled" in fact.persistent_set | fact.persistent_unset


def _replace(model: type[Model], keys: Collection[str], columns: Sequence[str], rows: Iterable[bulk.Row]) -> None:
    """New rows in the place of all those that had one of the keys; the first column is the key."""
    bulk.delete(model, columns[0], keys)
    bulk.insert(model, columns, rows)


def _names(kind: "type[DataclassInstance]") -> list[str]:
    return [field.name for field in fields(kind)]


CUSTODY = Projection(
    name="custody",
    models=(ItemState, LotCount, Containment, Shipment, LotStatus, PlaceStatus),
    apply=_apply,
    version=2,  # a shipment called back after it has arrived moves nothing
)
