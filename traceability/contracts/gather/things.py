"""The timelines of packs and containers."""

import hashlib
import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace

from django.db.models import Count

from traceability.capture import selectors as capture
from traceability.capture import standing
from traceability.capture.models import EventEpc, EventPartner, EventTransaction, PublishedEvent
from traceability.common import bulk
from traceability.contracts.facts import Recalled, Seen, ThingFacts
from traceability.contracts.templates.expired_sale import SALES
from traceability.custody import opening
from traceability.custody.histories import ContentsAsOf, Histories, History, opening_stock
from traceability.gs1 import digital_link

from . import packings, recalls
from .reference import Reference, item_lookup, place_lookup

_MOVES = SALES | {"shipping", "destroying", "decommissioning"}


def gather(moments: Mapping[str, Collection[int]], *, end: int) -> dict[str, ThingFacts]:
    """The facts about each thing from entries up to log index `end`, as they were at each that asks.

    A fixed number of bulk queries, and one or two per level of containers while a recall is on the log.
    """
    links, grouped = _links(moments, end)
    rows = _rows({index for indexes in links.values() for index in indexes})
    marks = recalls.known(end)
    reference = Reference(
        {item_lookup(epc) for epc in moments}
        | {place_lookup(_place(row)) for row in rows.values()}
        | {f"party:{value}" for value in _destinations(rows).values()}
    )
    events = _Events(rows, reference, _doubled(links, rows))
    alike: dict[tuple[str, frozenset[int]], list[str]] = defaultdict(list)  # packs that differ in their serials only
    for epc, indexes in links.items():
        alike[item_lookup(epc), frozenset(indexes)].append(epc)
    timelines = {
        names[0]: _facts(names[0], sorted(of & rows.keys()), events, marks) for (_, of), names in alike.items()
    }
    lots = _lots(timelines.values())
    reference.load({f"lot:{item}:{lot}" for item, lot in lots})
    expiries = {
        (item, lot): [(index, body["expiry_date"]) for index, body in reference.versions(f"lot:{item}:{lot}")]
        for item, lot in lots
    }
    found = {
        epc: replace(timelines[names[0]], subject=epc, expiries=expiries) for names in alike.values() for epc in names
    }
    if marks:
        found |= _with_cargoes(found, moments)
    for epc, mine in packings.gather(grouped).items():
        found[epc] = replace(found[epc], packings=mine)
    return found


class _Events:
    """What a row of the event index needs from other tables to become a `Seen`."""

    def __init__(self, rows: Mapping[int, PublishedEvent], reference: Reference, doubled: Collection[int]) -> None:
        self.rows, self.reference = rows, reference
        self.many = _naming_many(rows)
        self.returns = _returns(rows, reference)
        self.fingerprints = {index: _fingerprint(body) for index, body in capture.bodies(list(doubled)).items()}
        self.openings = opening_stock([row.index for row in rows.values() if row.biz_step == opening.STEP])
        self.void = standing.spans(list(rows))
        self._seen: dict[int, Seen] = {}
        self._names: dict[tuple[str, int], tuple[str, str]] = {}

    def name(self, epc: str, index: int) -> tuple[str, str]:
        """Item and GTIN of a pack as master data had them at an index; '' for what is unknown."""
        key = (item_lookup(epc), index)
        if key not in self._names:
            item = self.reference.subject(key[0], index).removeprefix("item:")
            self._names[key] = item, _gtin(key[0], self.reference, index)
        return self._names[key]

    def seen(self, index: int) -> Seen:
        if index not in self._seen:
            self._seen[index] = self._read(self.rows[index])
        return self._seen[index]

    def _read(self, row: PublishedEvent) -> Seen:
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


def _links(subjects: Collection[str], end: int) -> tuple[dict[str, set[int]], dict[str, set[tuple[int, str]]]]:
    """The events that name each thing, and those that group it with others, with its role there."""
    links: dict[str, set[int]] = defaultdict(set)
    grouped: dict[str, set[tuple[int, str]]] = defaultdict(set)
    rows = EventEpc.objects.filter(event_index__lte=end).values_list("epc", "event_index", "role")
    for epc, index, role in bulk.among(rows, "epc", subjects):
        links[epc].add(index)
        if role in {"parent", "child"}:
            grouped[epc].add((index, role))
    return links, grouped


def _rows(indexes: Collection[int]) -> dict[int, PublishedEvent]:
    found = bulk.among(PublishedEvent.objects.filter(declaration_ms__isnull=True), "index", indexes)
    return {row.index: row for row in found}


def _place(row: PublishedEvent) -> str:
    """Where it happened: the read point says it, else the place where the goods are afterwards."""
    return row.read_point or row.biz_location


def _naming_many(rows: Mapping[int, PublishedEvent]) -> set[int]:
    """The events that name more than one pack or container, parents apart."""
    counted = EventEpc.objects.exclude(role="parent").values("event_index").annotate(named=Count("epc"))
    return {row["event_index"] for row in bulk.among(counted, "event_index", list(rows)) if row["named"] > 1}


def _destinations(rows: Mapping[int, PublishedEvent]) -> dict[int, str]:
    shipped = [row.index for row in rows.values() if row.biz_step == "shipping"]
    partners = EventPartner.objects.filter(direction="destination", type="owning_party")
    return dict(bulk.among(partners.values_list("event_index", "value"), "event_index", shipped))


def _returns(rows: Mapping[int, PublishedEvent], reference: Reference) -> set[int]:
    """The despatches that go back: under a return authorisation, or to a manufacturer."""
    shipped = [row.index for row in rows.values() if row.biz_step == "shipping"]
    authorised = EventTransaction.objects.filter(type="rma").values_list("event_index", flat=True)
    back = {index for index, party in _destinations(rows).items() if "manufacturer" in reference.roles(party, index)}
    return back | set(bulk.among(authorised, "event_index", shipped))


def _doubled(links: Mapping[str, set[int]], rows: Mapping[int, PublishedEvent]) -> set[int]:
    """Commissionings of things that have more than one: only their contents must be compared."""
    made = {index for index, row in rows.items() if row.biz_step == "commissioning" and row.action == "ADD"}
    return {index for indexes in links.values() if len(indexes & made) > 1 for index in indexes & made}


def _fingerprint(body: Mapping[str, object]) -> str:
    content = {name: value for name, value in body.items() if name not in {"eventID", "recordTime", "@context"}}
    return hashlib.sha256(json.dumps(content, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def _facts(epc: str, indexes: Sequence[int], events: _Events, marks: Sequence[Recalled]) -> ThingFacts:
    return ThingFacts(
        subject=epc,
        events=tuple(map(events.seen, indexes)),
        names={index: events.name(epc, index) for index in indexes},
        recalls=tuple(marks),
    )


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


def _with_cargoes(
    found: Mapping[str, ThingFacts], moments: Mapping[str, Collection[int]]
) -> Iterable[tuple[str, ThingFacts]]:
    """The facts of containers that moved, with what moved in them."""
    moved = {
        epc: moves
        for epc, facts in found.items()
        if not item_lookup(epc) and (moves := [seen for seen in facts.events if seen.step in _MOVES])
    }
    cargo = _Cargo(moved)
    for epc, moves in moved.items():
        cargoes = {
            asking: {seen.index: cargo.of(epc, seen, as_of=asking) for seen in moves if seen.index <= asking}
            for asking in moments[epc]
        }
        yield epc, replace(found[epc], cargoes=cargoes)
