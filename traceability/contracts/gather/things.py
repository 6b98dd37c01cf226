"""The timelines of packs and containers."""

import hashlib
import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from django.db.models import Count

from traceability.capture import selectors as capture
from traceability.capture.models import EventEpc, EventPartner, EventTransaction
from traceability.capture.spans import Spans
from traceability.common import bulk
from traceability.contracts.facts import Alike, Namings, Seen, ThingFacts
from traceability.contracts.templates.expired_sale import SALES
from traceability.contracts.touched import Touched
from traceability.custody import opening
from traceability.custody.histories import ContentsAsOf, Histories, History, opening_stock
from traceability.gs1 import digital_link

from . import packings
from .event_rows import EventRow, EventRows
from .reference import Reference, item_lookup, place_lookup

_MOVES = SALES | {"shipping", "destroying", "decommissioning"}


def gather(touched: Touched, rows: EventRows) -> list[Alike]:
    """The facts about the things that a batch touches, from entries up to its last: once for those that are alike.

    A fixed number of bulk queries, and one or two per level of containers while a recall is on the log.
    """
    sharing = _sharing(touched)
    told = rows.told({index for _, history, _ in sharing for index, _ in history})
    destinations = _destinations(told)
    reference = Reference(
        {lookup for lookup, _, _ in sharing}
        | {place_lookup(_place(row)) for row in told.values()}
        | {f"party:{value}" for value in destinations.values()}
    )
    events = _Events(
        told,
        reference,
        void=rows.void(told),
        many=_naming_many(touched, told),
        returns=_returns(destinations, told, reference),
        doubled=_doubled([history for _, history, _ in sharing], told),
    )
    expiries: dict[tuple[str, str], Sequence[tuple[int, str]]] = {}  # one for all, filled below
    found = []
    for (lookup, history, also), names in sharing.items():
        facts = ThingFacts(
            subject=names[0],
            events=events.seen(history),
            names=events.names(lookup),
            expiries=expiries,
            recalls=touched.marks,
        )
        asking = {by for index, _ in history for by in touched.asking.get(index, ())}
        found.append(Alike(names, asking | also, lookup, history, facts))
    lots = _lots(one.facts for one in found)
    reference.load({f"lot:{item}:{lot}" for item, lot in lots})
    for item, lot in lots:
        versions = reference.versions(f"lot:{item}:{lot}")
        expiries[item, lot] = [(index, body["expiry_date"]) for index, body in versions]
    return list(_with_packings(list(_with_cargoes(found)) if touched.marks else found))


def _sharing(touched: Touched) -> dict[tuple[str, Namings, frozenset[int]], list[str]]:
    """The touched things that are alike, by what they are, what names them, and what else asks for them."""
    histories: dict[str, list[tuple[int, str]]] = defaultdict(list)
    things = set(touched.things)
    for index, named in touched.named.items():
        if index < touched.first:
            things |= {epc for _, epc in named}
            continue
        for role, epc in named:
            histories[epc].append((index, role))
    things |= histories.keys()
    earlier = EventEpc.objects.filter(event_index__lt=touched.first).values_list("epc", "event_index", "role")
    for epc, index, role in bulk.among(earlier, "epc", things):
        histories[epc].append((index, role))
    sharing: dict[tuple[str, Namings, frozenset[int]], list[str]] = defaultdict(list)
    for epc, history in histories.items():
        sharing[item_lookup(epc), tuple(sorted(history)), frozenset(touched.things.get(epc, ()))].append(epc)
    return sharing


class _Events:
    """What a row of the event index needs from other tables to become a `Seen`."""

    def __init__(
        self,
        rows: Mapping[int, EventRow],
        reference: Reference,
        *,
        void: Mapping[int, Spans],
        many: Collection[int],
        returns: Collection[int],
        doubled: Collection[int],
    ) -> None:
        self.reference, self.many, self.returns = reference, many, returns
        self.fingerprints = {index: _fingerprint(body) for index, body in capture.bodies(list(doubled)).items()}
        self.openings = opening_stock([row.index for row in rows.values() if row.biz_step == opening.STEP])
        self.void = void
        self._seen = {index: self._read(row) for index, row in rows.items()}
        self._names: dict[str, Mapping[int, tuple[str, str]]] = {}

    def names(self, lookup: str) -> Mapping[int, tuple[str, str]]:
        """Item and GTIN of a pack by the entry from which master data had them so; '' for what is unknown."""
        if lookup not in self._names:
            self._names[lookup] = {
                index: (
                    self.reference.subject(lookup, index).removeprefix("item:"),
                    _gtin(lookup, self.reference, index),
                )
                for index in (-1, *self.reference.changes(lookup))
            }
        return self._names[lookup]

    def seen(self, history: Namings) -> tuple[Seen, ...]:
        """The events of a history that say something of the goods, in order of the log."""
        indexes = dict(history)  # each once, also if it names the thing in two roles
        return tuple([self._seen[index] for index in indexes if index in self._seen])

    def _read(self, row: EventRow) -> Seen:
        place = _place(row)
        stock = self.openings.get(row.index, opening.Opening(row.lot, row.expiry))
        return Seen(
            index=row.index,
            event_id=row.event_id,
            time_ms=row.event_time_ms,
            reporter=row.reporter,
            offset_minutes=row.offset_minutes,
            type=row.event_type,
            action=row.action,
            step=row.biz_step,
            disposition=row.disposition,
            place=place,
            point=self.reference.point(place, row.index),
            lot=stock.lot,
            expiry=stock.expiry,
            is_return=row.index in self.returns or row.disposition == "returned",
            many=row.index in self.many,
            fingerprint=self.fingerprints.get(row.index, ""),
            void=self.void.get(row.index, ()),
        )


def _place(row: EventRow) -> str:
    """Where it happened: the read point says it, else the place where the goods are afterwards."""
    return row.read_point or row.biz_location


def _naming_many(touched: Touched, rows: Mapping[int, EventRow]) -> set[int]:
    """The events that name more than one pack or container, parents apart."""
    here = {index for index, named in touched.named.items() if sum(role != "parent" for role, _ in named) > 1}
    counted = EventEpc.objects.exclude(role="parent").values("event_index").annotate(named=Count("epc"))
    many = counted.filter(named__gt=1).values_list("event_index", flat=True)
    return here | set(bulk.among(many, "event_index", rows.keys() - touched.asking.keys()))


def _destinations(rows: Mapping[int, EventRow]) -> dict[int, str]:
    shipped = [row.index for row in rows.values() if row.biz_step == "shipping"]
    partners = EventPartner.objects.filter(direction="destination", type="owning_party")
    return dict(bulk.among(partners.values_list("event_index", "value"), "event_index", shipped))


def _returns(destinations: Mapping[int, str], rows: Mapping[int, EventRow], reference: Reference) -> set[int]:
    """The despatches that go back: under a return authorisation, or to a manufacturer."""
    shipped = [row.index for row in rows.values() if row.biz_step == "shipping"]
    authorised = EventTransaction.objects.filter(type="rma").values_list("event_index", flat=True)
    back = {index for index, party in destinations.items() if "manufacturer" in reference.roles(party, index)}
    return back | set(bulk.among(authorised, "event_index", shipped))


def _doubled(histories: Iterable[Namings], rows: Mapping[int, EventRow]) -> set[int]:
    """Commissionings of things that have more than one: only their contents must be compared."""
    made = {index for index, row in rows.items() if row.biz_step == "commissioning" and row.action == "ADD"}
    mine = ({index for index, _ in history if index in made} for history in histories)
    return {index for found in mine if len(found) > 1 for index in found}


def _fingerprint(body: Mapping[str, object]) -> str:
    content = {name: value for name, value in body.items() if name not in {"eventID", "recordTime", "@context"}}
    return hashlib.sha256(json.dumps(content, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def _lots(found: Iterable[ThingFacts]) -> set[tuple[str, str]]:
    """The items and lots of things that were sold: their expiry may have been extended."""
    return {
        (item, seen.lot)
        for facts in found
        if any(seen.step in SALES for seen in facts.events)
        for item in {item for item, _ in facts.names.values()} - {""}
        for seen in facts.events
        if seen.lot
    }


class _Cargo:
    """The lot classes of what lay in containers when they moved, as the log held it at the entries that ask."""

    def __init__(self, containers: Collection[str]) -> None:
        self._contents = ContentsAsOf(containers)
        packs = {epc for epc in self._contents.things if item_lookup(epc)}
        self._reference = Reference(set(map(item_lookup, packs)))
        histories = Histories(packs, roles=("epc", "output"))
        self._known = {epc: (histories, history) for history, names in histories.sharing.items() for epc in names}
        self._lots: dict[tuple[History, int], str] = {}

    def of(self, container: str, seen: Seen, *, as_of: int) -> frozenset[str]:
        inside = self._contents.all_within(container, seen.time_ms, seen.time_ms, as_of=as_of)
        pairs = {(item_lookup(epc), self._lot(epc, as_of)) for epc in inside if epc in self._known}
        return frozenset(
            digital_link.lot_class(gtin, lot)
            for lookup, lot in pairs
            if lot and (gtin := _gtin(lookup, self._reference, seen.index))
        )

    def _lot(self, epc: str, as_of: int) -> str:
        histories, history = self._known[epc]
        if (history, as_of) not in self._lots:
            effective = histories.effective(history, as_of=as_of)
            self._lots[history, as_of] = next((fact.lot for fact in effective if fact.lot), "")
        return self._lots[history, as_of]


def _gtin(lookup: str, reference: Reference, index: int) -> str:
    """The GTIN that a pack's code names, or that its NMPA prefix stands for; '' for a container."""
    if lookup.startswith("gtin:"):
        return lookup.removeprefix("gtin:")
    body = reference.body(reference.subject(lookup, index), index)
    return (body.get("gtin") or "") if body else ""


def _with_cargoes(found: Sequence[Alike]) -> Iterator[Alike]:
    """Each container that moved for itself, with what moved in it; the others as they are."""
    moves = [[] if one.lookup else [seen for seen in one.facts.events if seen.step in _MOVES] for one in found]
    cargo = _Cargo([name for one, moved in zip(found, moves, strict=True) if moved for name in one.names])
    for one, moved in zip(found, moves, strict=True):
        if not moved:
            yield one
            continue
        for name in one.names:
            cargoes = {
                asking: {seen.index: cargo.of(name, seen, as_of=asking) for seen in moved if seen.index <= asking}
                for asking in one.moments
            }
            yield replace(one, names=[name], facts=replace(one.facts, subject=name, cargoes=cargoes))


def _with_packings(found: Sequence[Alike]) -> Iterator[Alike]:
    doubtful = packings.gather({one.names[0]: one.history for one in found})
    for one in found:
        mine = doubtful.get(one.names[0])
        yield replace(one, facts=replace(one.facts, packings=mine)) if mine else one
