"""Custody as a projection: whatever keys a batch of entries names are folded anew from the event index."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence

from traceability.capture.models import EventClass, EventEpc, EventPartner, EventTransaction, PublishedEvent
from traceability.common import masterdata
from traceability.common.models import MasterVersion
from traceability.common.projection import LogEntry, Projection

from . import fold
from .fold import Fact
from .models import Containment, ItemState, LotStatus, Shipment

# SQLite takes at most so many values in one IN list without a fuss.
CHUNK = 900


def _apply(entries: Sequence[LogEntry]) -> None:
    indexes = touched_events([entry.index for entry in entries if entry.kind == "event"])
    if not indexes:
        return
    epcs = set(_in_chunks(EventEpc.objects.values_list("epc", flat=True), "event_index", indexes))
    _fold_items(epcs | _children_of_emptied(indexes))
    _fold_shipments(
        set(
            _in_chunks(
                EventTransaction.objects.filter(type="desadv").values_list("value", flat=True), "event_index", indexes
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
            PublishedEvent.objects.filter(event_type="AggregationEvent", action="DELETE").values_list(
                "index", flat=True
            ),
            "index",
            indexes,
        )
    )
    named = _in_chunks(
        EventEpc.objects.filter(role="child").values_list("event_index", flat=True), "event_index", deletes
    )
    return deletes - set(named)


def _fold_items(epcs: Collection[str]) -> None:
    facts = facts_of(epcs)
    _replace(ItemState, "epc", epcs, (_item_row(epc, found) for epc, found in facts.items() if found))
    _replace(Containment, "child", epcs, (row for epc, found in facts.items() for row in _stay_rows(epc, found)))


def facts_of(epcs: Collection[str]) -> dict[str, list[Fact]]:
    """Each thing's effective facts in order, emptied containers included."""
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
    for epc, index, role in links:
        if role == "child":
            by_epc[epc] |= {(other, "emptied") for other in emptied.get(parents.get(index, ""), ())}
    for parent, indexes in emptied.items():
        parents |= dict.fromkeys(indexes, parent)
    events = _effective({index for pairs in by_epc.values() for index, _ in pairs}, parents)
    return {
        epc: sorted(
            (_with_role(events[index], role) for index, role in pairs if index in events),
            key=lambda fact: (fact.time_ms, fact.event_id, fact.index),
        )
        for epc, pairs in by_epc.items()
    }


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
    rows = _in_chunks(
        PublishedEvent.objects.filter(declaration_ms__isnull=True, voided_by__isnull=True), "index", indexes
    )
    return {row.index: _fact(row, parents.get(row.index, ""), destinations.get(row.index, "")) for row in rows}


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


def _with_role(fact: Fact, role: str) -> Fact:
    return Fact(**{**fact.__dict__, "role": role})


def _item_row(epc: str, facts: Sequence[Fact]) -> ItemState:
    state = fold.item(facts)
    gtin = epc.removeprefix("https://id.gs1.org/01/").split("/")[0] if "/01/" in epc else ""
    return ItemState(epc=epc, gtin=gtin[:14], **state.__dict__)


def _stay_rows(epc: str, facts: Sequence[Fact]) -> Iterator[Containment]:
    inside = [fact for fact in facts if fact.role in {"child", "emptied"}]
    for stay in fold.stays(inside):
        yield Containment(child=epc, **stay.__dict__)


def _fold_shipments(despatches: Collection[str]) -> None:
    links = list(
        _in_chunks(
            EventTransaction.objects.filter(type="desadv").values_list("value", "event_index"), "value", despatches
        )
    )
    indexes = {index for _, index in links}
    facts = _effective(indexes, {})
    epcs: dict[int, set[str]] = defaultdict(set)
    for index, epc in _in_chunks(
        EventEpc.objects.filter(role__in=["epc", "parent"]).values_list("event_index", "epc"), "event_index", indexes
    ):
        epcs[index].add(epc)
    by_despatch: dict[str, list[Fact]] = defaultdict(list)
    for despatch, index in links:
        if index in facts:
            by_despatch[despatch].append(facts[index])
    rows = []
    for despatch, found in by_despatch.items():
        found.sort(key=lambda fact: (fact.time_ms, fact.event_id, fact.index))
        trip = fold.trip([(fact, frozenset(epcs[fact.index])) for fact in found])
        rows.append(
            Shipment(
                despatch=despatch,
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
        )
    _replace(Shipment, "despatch", despatches, rows)


def _fold_lots(classes: Collection[str]) -> None:
    lots = {name for name in classes if "/10/" in name}
    links = list(_in_chunks(EventClass.objects.values_list("epc_class", "event_index"), "epc_class", lots))
    facts = _effective({index for _, index in links}, {})
    by_lot: dict[str, dict[int, Fact]] = defaultdict(dict)
    for lot, index in links:
        if index in facts and _has_authority(facts[index], lot):
            by_lot[lot][index] = facts[index]
    rows = [
        LotStatus(
            lot_class=lot,
            **fold.lot(sorted(found.values(), key=lambda fact: (fact.time_ms, fact.event_id, fact.index))).__dict__,
        )
        for lot, found in by_lot.items()
    ]
    _replace(LotStatus, "lot_class", lots, rows)


def _has_authority(fact: Fact, lot_class: str) -> bool:
    """A recall counts when a regulator or the item's maker reports it, as the log knew them at its index."""
    if not (fact.persistent_set | fact.persistent_unset) & {"recalled"}:
        return True
    party = fact.reporter.rpartition(":")[2]
    version = masterdata.at(f"party:{party}", fact.index)
    if version is not None and "regulator" in version["roles"]:
        return True
    gtin = lot_class.removeprefix("https://id.gs1.org/01/").split("/")[0]
    items = MasterVersion.objects.filter(subject__startswith="item:", index__lte=fact.index).order_by("index")
    makers = {item.body["gtin"]: item.body["manufacturer"] for item in items}
    return makers.get(gtin) == party


def _replace(model: type, key: str, values: Collection[str], rows: Iterable[object]) -> None:
    for chunk in _chunks(values):
        model.objects.filter(**{f"{key}__in": chunk}).delete()  # type: ignore[attr-defined]
    model.objects.bulk_create(rows, batch_size=CHUNK)  # type: ignore[attr-defined]


def _in_chunks(rows: object, column: str, values: Collection[object]) -> Iterator:  # type: ignore[type-arg]
    for chunk in _chunks(values):
        yield from rows.filter(**{f"{column}__in": chunk})  # type: ignore[attr-defined]


def _chunks(values: Collection[object]) -> Iterator[list[object]]:
    ordered = sorted(values)  # type: ignore[type-var]
    for start in range(0, len(ordered), CHUNK):
        yield ordered[start : start + CHUNK]


CUSTODY = Projection(
    name="custody",
    models=(ItemState, Containment, Shipment, LotStatus),
    apply=_apply,
)
