"""Custody as a projection: whatever keys a batch of entries names are folded anew from the event index.

Per batch and table one read, one delete and one insert (in chunks of what a statement takes), whatever the keys.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any

from django.db.models import Model, QuerySet

from traceability.capture import selectors as captured
from traceability.capture.models import EventClass, EventEpc, EventPartner, EventTransaction, PublishedEvent
from traceability.common import bulk
from traceability.common.projection import LogEntry, Projection
from traceability.gs1.epc import NMPA_PREFIX

from . import fold, opening
from .authority import Authority, Items
from .fold import Fact
from .models import Containment, ItemState, LotStatus, Shipment

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

# SQLite takes 32,766 values in a statement and PostgreSQL 65,535.
CHUNK = 5_000
# A shipment is known by its despatch advice, or by its order where no advice was sent.
_ADVICE, _ORDER = "desadv", "po"
_LOT_STEPS = {"holding", "inspecting"}


def _apply(entries: Sequence[LogEntry]) -> None:
    indexes = touched_events([entry.index for entry in entries if entry.kind == "event"])
    if not indexes:
        return
    epcs = set(_in_chunks(EventEpc.objects.values_list("epc", flat=True), "event_index", indexes))
    _fold_items(epcs | _children_of_emptied(indexes))
    _fold_shipments(
        set(
            _in_chunks(
                EventTransaction.objects.filter(type__in=[_ADVICE, _ORDER]).values_list("value", flat=True),
                "event_index",
                indexes,
            )
        )
    )
    _fold_lots(set(_in_chunks(EventClass.objects.values_list("epc_class", flat=True), "event_index", indexes)))


def touched_events(indexes: Sequence[int]) -> set[int]:
    """The batch's events, and for each error declaration the events of the ID that it speaks of."""
    declared = _in_chunks(
        PublishedEvent.objects.filter(declaration_ms__isnull=False).values_list("event_id", flat=True), "index", indexes
    )
    voided = _in_chunks(PublishedEvent.objects.values_list("index", flat=True), "event_id", set(declared))
    return set(indexes) | set(voided)


def _children_of_emptied(indexes: Collection[int]) -> set[str]:
    """Things that were in a container which an event empties without naming them."""
    parents = _in_chunks(
        EventEpc.objects.filter(role="parent").values_list("epc", flat=True), "event_index", _emptying(indexes)
    )
    return set(_in_chunks(Containment.objects.values_list("child", flat=True), "parent", set(parents)))


def _emptying(indexes: Collection[int]) -> set[int]:
    """Of these events, the aggregation DELETEs that name no child: they empty the whole container."""
    deletes = set(
        _in_chunks(
            PublishedEvent.objects.filter(
                event_type__in=["AggregationEvent", "AssociationEvent"], action="DELETE"
            ).values_list("index", flat=True),
            "index",
            indexes,
        )
    )
    named = _in_chunks(
        EventEpc.objects.filter(role="child").values_list("event_index", flat=True), "event_index", deletes
    )
    return deletes - set(named)


def _fold_items(epcs: Collection[str]) -> None:
    """Fold each history once: the packs of a case share theirs, and only their names differ."""
    items = Items(epc for epc in epcs if epc.startswith(NMPA_PREFIX))  # a GTIN stands in the name of the others
    states, stays = [], []
    for facts, sharing in histories(epcs):
        newest = max(fact.index for fact in facts)
        state = tuple(vars(fold.item(facts)).values())
        states += [(epc, items.gtin(epc, newest), *state) for epc in sharing]
        stays += [(epc, *vars(stay).values()) for stay in fold.stays(facts) for epc in sharing]
    _replace(ItemState, epcs, ("epc", "gtin", *_names(fold.Item)), states)
    _replace(Containment, epcs, ("child", *_names(fold.Stay)), stays)


def histories(epcs: Collection[str]) -> Iterator[tuple[list[Fact], list[str]]]:
    """The effective facts of things in order, emptyings of their containers included, with the things they concern."""
    links = list(_in_chunks(EventEpc.objects.values_list("epc", "event_index", "role"), "epc", epcs))
    parents = dict(
        _in_chunks(
            EventEpc.objects.filter(role="parent").values_list("event_index", "epc"),
            "event_index",
            {index for _, index, role in links if role == "child"},
        )
    )
    by_epc: dict[str, set[tuple[int, str]]] = defaultdict(set)
    for epc, index, role in links:
        by_epc[epc].add((index, role))
    emptied = _emptied_by_parent(set(parents.values()))
    if emptied:
        for epc, index, role in links:
            if role == "child":
                by_epc[epc] |= {(other, "emptied") for other in emptied.get(parents.get(index, ""), ())}
    for parent, indexes in emptied.items():
        parents |= dict.fromkeys(indexes, parent)
    events = _effective({index for pairs in by_epc.values() for index, _ in pairs}, parents)
    sharing: dict[frozenset[tuple[int, str]], list[str]] = defaultdict(list)
    for epc, pairs in by_epc.items():
        sharing[frozenset(pairs)].append(epc)
    seen = {
        (index, role): replace(events[index], role=role)
        for index, role in frozenset().union(*sharing)
        if index in events
    }
    for history, names in sharing.items():
        facts = [seen[pair] for pair in history if pair in seen]
        if facts := fold.own(sorted(facts, key=lambda fact: (*fact.order, fact.role))):
            yield facts, names


def _emptied_by_parent(parents: Collection[str]) -> dict[str, set[int]]:
    links = list(_in_chunks(EventEpc.objects.filter(role="parent").values_list("epc", "event_index"), "epc", parents))
    emptying = _emptying({index for _, index in links})
    found: dict[str, set[int]] = defaultdict(set)
    for parent, index in links:
        if index in emptying:
            found[parent].add(index)
    return found


def _effective(indexes: Collection[int], parents: dict[int, str]) -> dict[int, Fact]:
    """The effective events among `indexes` as facts without a role."""
    destinations = dict(
        _in_chunks(
            EventPartner.objects.filter(direction="destination", type__in=["owning_party", "possessing_party"])
            .order_by("-position")
            .values_list("event_index", "value"),
            "event_index",
            indexes,
        )
    )
    rows = list(
        _in_chunks(PublishedEvent.objects.filter(declaration_ms__isnull=True, voided_by__isnull=True), "index", indexes)
    )
    facts = {row.index: _fact(row, parents.get(row.index, ""), destinations.get(row.index, "")) for row in rows}
    return facts | _openings([row.index for row in rows if row.biz_step == opening.STEP], facts)


def _openings(indexes: Collection[int], facts: dict[int, Fact]) -> dict[int, Fact]:
    """Those stock takings that are opening stock, with what their bodies say of lot and expiry."""
    found = {}
    for chunk in _chunks(indexes):
        for index, body in captured.bodies(chunk).items():
            if stock := opening.read(body):
                found[index] = replace(facts[index], is_opening=True, lot=stock.lot, expiry=stock.expiry)
    return found


def _fact(row: PublishedEvent, parent: str, destination: str) -> Fact:
    return Fact(
        index=row.index,
        time_ms=row.event_time_ms,
        event_id=row.event_id,
        role="",
        type=row.event_type,
        action=row.action,
        step=row.biz_step,
        disposition=row.disposition,
        place=row.biz_location or row.read_point,
        reporter=row.reporter,
        offset_minutes=row.offset_minutes,
        lot=row.lot,
        expiry=row.expiry,
        persistent_set=frozenset(row.persistent_set.split()),
        persistent_unset=frozenset(row.persistent_unset.split()),
        parent=parent,
        destination=destination,
    )


def _fold_shipments(documents: Collection[str]) -> None:
    """Shipments under these despatch advices, and under these orders where an event names no advice."""
    links = list(
        _in_chunks(
            EventTransaction.objects.filter(type__in=[_ADVICE, _ORDER]).values_list("value", "event_index", "type"),
            "value",
            documents,
        )
    )
    indexes = {index for _, index, _ in links}
    advised = set(
        _in_chunks(
            EventTransaction.objects.filter(type=_ADVICE).values_list("event_index", flat=True), "event_index", indexes
        )
    )
    facts = _effective(indexes, {})
    epcs: dict[int, set[str]] = defaultdict(set)
    for index, epc in _in_chunks(
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
    _delete(Shipment, "despatch", documents)
    Shipment.objects.bulk_create(rows, batch_size=CHUNK // 15)


def _shipment_row(document: str, trip: fold.Trip) -> Shipment | None:
    """None for a document that other steps name (an order on a commissioning): it is no shipment."""
    if trip.shipped_index is None and trip.received_index is None and not trip.voided:
        return None
    return Shipment(
        despatch=document,
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
    links = list(_in_chunks(EventClass.objects.values_list("epc_class", "event_index"), "epc_class", classes))
    facts = _effective({index for _, index in links}, {})
    telling = {index: fact for index, fact in facts.items() if _speaks_of_the_lot(fact)}
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


def _speaks_of_the_lot(fact: Fact) -> bool:
    return "recalled" in fact.persistent_set | fact.persistent_unset or fact.step in _LOT_STEPS


def _replace(model: type[Model], keys: Collection[str], columns: Sequence[str], rows: Iterable[bulk.Row]) -> None:
    """New rows in the place of all those that had one of the keys; the first column is the key."""
    _delete(model, columns[0], keys)
    bulk.insert(model, columns, rows)


def _names(kind: "type[DataclassInstance]") -> list[str]:
    return [field.name for field in fields(kind)]


def _delete(model: type[Model], key: str, values: Collection[str]) -> None:
    for chunk in _chunks(values):
        model._default_manager.filter(**{f"{key}__in": chunk}).delete()


def _in_chunks(rows: QuerySet[Any, Any], column: str, values: Collection[Any]) -> Iterator[Any]:
    for chunk in _chunks(values):
        yield from rows.filter(**{f"{column}__in": chunk})


def _chunks(values: Collection[Any]) -> Iterator[list[Any]]:
    ordered = sorted(values)
    for start in range(0, len(ordered), CHUNK):
        yield ordered[start : start + CHUNK]


CUSTODY = Projection(
    name="custody",
    models=(ItemState, Containment, Shipment, LotStatus),
    apply=_apply,
)
