"""Custody as a projection: whatever keys a batch of entries names are folded anew from the event index.

Per batch and table one read, one delete and one insert (in chunks of what a statement takes), whatever the keys.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import fields, replace
from typing import TYPE_CHECKING

from django.db.models import BooleanField, Count, ExpressionWrapper, Model, Q

from traceability.capture import standing
from traceability.capture.models import EventClass, EventEpc, EventTransaction
from traceability.common import bulk
from traceability.common.projection import LogEntry, Projection
from traceability.epcis.documents import printed
from traceability.gs1.epc import NMPA_PREFIX, is_place

from . import fold, histories, lot_count
from .authority import Authority, Items
from .fold import Fact
from .histories import Histories, emptying
from .lot_count import Standing
from .models import Containment, ItemState, LotCount, LotStatus, PlaceStatus, Shipment

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

# A shipment is known by its despatch advice, or by its order where no advice was sent.
_ADVICE, _ORDER = "desadv", "po"
_LOT_STEPS = {"holding", "inspecting"}
_IS_MADE = ExpressionWrapper(Q(commissioned_index__isnull=False), BooleanField())
_STANDING = ("gtin", "lot", "container", "status", "place", "party", "destination")


def _apply(entries: Sequence[LogEntry]) -> None:
    indexes = {entry.index for entry in entries if entry.kind == "event"}
    indexes |= {index for index, _ in standing.turned([entry.index for entry in entries])}
    if not indexes:
        return
    named = set(bulk.among(EventEpc.objects.values_list("epc", flat=True), "event_index", indexes))
    places = {epc for epc in named if is_place(epc)}
    _fold_items(named - places | _children_of_emptied(indexes))
    _fold_places(places)
    _fold_shipments(
        set(
            bulk.among(
                EventTransaction.objects.filter(type__in=[_ADVICE, _ORDER]).values_list("value", flat=True),
                "event_index",
                indexes,
            )
        )
    )
    _fold_lots(set(bulk.among(EventClass.objects.values_list("epc_class", flat=True), "event_index", indexes)))


def _children_of_emptied(indexes: Collection[int]) -> set[str]:
    """Things that were in a container which an event empties without naming them."""
    parents = bulk.among(
        EventEpc.objects.filter(role="parent").values_list("epc", flat=True), "event_index", emptying(indexes)
    )
    return set(bulk.among(Containment.objects.values_list("child", flat=True), "parent", set(parents)))


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
    rows = ItemState.objects.exclude(gtin="").exclude(lot="").order_by()
    rows = rows.annotate(made=_IS_MADE).values_list(*_STANDING, "last_time_ms", "made").annotate(packs=Count("*"))
    for *stood, packs in bulk.among(rows, "epc", epcs):
        change[lot_count.standing(*stood)] -= packs
    changed = {one.key: one for one, packs in change.items() if packs}
    held = dict(bulk.among(LotCount.objects.values_list("key", "packs"), "key", changed))
    totals = {key: held.get(key, 0) + change[one] for key, one in changed.items()}
    rows_now = [(key, *changed[key], packs) for key, packs in totals.items() if packs]
    _replace(LotCount, changed, ("key", *Standing._fields, "packs"), rows_now)


def _fold_shipments(documents: Collection[str]) -> None:
    """Shipments under these despatch advices, and under these orders where an event names no advice."""
    links = list(
        bulk.among(
            EventTransaction.objects.filter(type__in=[_ADVICE, _ORDER]).values_list("value", "event_index", "type"),
            "value",
            documents,
        )
    )
    indexes = {index for _, index, _ in links}
    advised = set(
        bulk.among(
            EventTransaction.objects.filter(type=_ADVICE).values_list("event_index", flat=True), "event_index", indexes
        )
    )
    facts = _effective(indexes)
    epcs: dict[int, set[str]] = defaultdict(set)
    for index, epc in bulk.among(
        EventEpc.objects.filter(role__in=["epc", "parent"]).values_list("event_index", "epc"), "event_index", indexes
    ):
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
    bulk.delete(Shipment, "despatch", documents)
    Shipment.objects.bulk_create(rows, batch_size=bulk.CHUNK // 15)


def _effective(indexes: Collection[int]) -> dict[int, Fact]:
    return {index: fact for index, fact in histories.facts(indexes, {}).items() if fact.counts()}


def _shipment_row(document: str, trip: fold.Trip) -> Shipment | None:
    """None for a document that other steps name (an order on a commissioning): it is no shipment."""
    if trip.shipped_index is None and trip.received_index is None and not trip.voided:
        return None
    return Shipment(
        despatch=document,
        number=printed(document),
        status=trip.status,
        despatched=sorted(trip.despatched),
        received=sorted(trip.received),
        sender=trip.sender,
        receiver=trip.receiver,
        receiver_party=trip.receiver_party,
        shipped_ms=trip.shipped_ms,
        received_ms=trip.received_ms,
        shipped_index=trip.shipped_index,
        received_index=trip.received_index,
    )


def _fold_lots(classes: Collection[str]) -> None:
    """Lots (GTIN and lot) and whole products (GTIN): both can be recalled."""
    links = list(bulk.among(EventClass.objects.values_list("epc_class", "event_index"), "epc_class", classes))
    facts = _effective({index for _, index in links})
    telling = {index: fact for index, fact in facts.items() if _speaks_of_the_lot(fact)}
    for index in histories.drills([index for index, fact in telling.items() if _recalls(fact)]):
        del telling[index]
    authority = Authority(classes, telling.values())
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
    links = list(bulk.among(EventEpc.objects.values_list("epc", "event_index"), "epc", places))
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
