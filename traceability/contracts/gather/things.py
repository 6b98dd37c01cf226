"""The timelines of packs and containers."""

import hashlib
import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence

from django.db.models import Count

from traceability.capture import selectors as capture
from traceability.capture.models import EventEpc, EventPartner, EventTransaction, PublishedEvent
from traceability.contracts.facts import Recalled, Seen, ThingFacts
from traceability.contracts.templates.expired_sale import SALES
from traceability.custody import selectors as custody
from traceability.custody.models import ItemState
from traceability.gs1 import digital_link

from . import recalls
from .reference import Reference, in_chunks, item_lookup, place_lookup

_MOVES = SALES | {"shipping"}


def gather(subjects: Collection[str], *, end: int) -> dict[str, ThingFacts]:
    """The facts about each thing from entries up to log index `end`; a fixed number of bulk queries."""
    links = _links(subjects, end)
    rows = _rows({index for indexes in links.values() for index in indexes})
    marks = recalls.known(end)
    reference = Reference(
        {item_lookup(epc) for epc in subjects}
        | {place_lookup(_place(row)) for row in rows.values()}
        | {f"party:{value}" for value in _destinations(rows).values()}
    )
    events = _Events(rows, reference, _doubled(links, rows))
    found = {}
    for epc, indexes in links.items():
        own = [rows[index] for index in sorted(indexes) if index in rows]
        found[epc] = _facts(epc, own, events, marks)
    _load_lots(found, reference)
    return {epc: _with_lots(facts, reference, marks) for epc, facts in found.items()}


class _Events:
    """What a row of the event index needs from other tables to become a `Seen`."""

    def __init__(self, rows: Mapping[int, PublishedEvent], reference: Reference, doubled: Collection[int]) -> None:
        self.reference = reference
        self.many = _naming_many(rows)
        self.returns = _returns(rows, reference)
        self.fingerprints = {index: _fingerprint(body) for index, body in capture.bodies(list(doubled)).items()}
        self._seen: dict[int, Seen] = {}

    def seen(self, row: PublishedEvent) -> Seen:
        if row.index not in self._seen:
            self._seen[row.index] = self._read(row)
        return self._seen[row.index]

    def _read(self, row: PublishedEvent) -> Seen:
        place = _place(row)
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
            lot=row.lot,
            expiry=row.expiry,
            is_return=row.index in self.returns or row.disposition == "returned",
            many=row.index in self.many,
            fingerprint=self.fingerprints.get(row.index, ""),
            voided_by=row.voided_by,
        )


def _links(subjects: Collection[str], end: int) -> dict[str, set[int]]:
    links: dict[str, set[int]] = defaultdict(set)
    rows = EventEpc.objects.filter(event_index__lte=end).values_list("epc", "event_index")
    for epc, index in in_chunks(rows, "epc", subjects):
        links[epc].add(index)
    return links


def _rows(indexes: Collection[int]) -> dict[int, PublishedEvent]:
    found = in_chunks(PublishedEvent.objects.filter(declaration_ms__isnull=True), "index", indexes)
    return {row.index: row for row in found}


def _place(row: PublishedEvent) -> str:
    """Where it happened: the read point says it, else the place where the goods are afterwards."""
    return row.read_point or row.biz_location


def _naming_many(rows: Mapping[int, PublishedEvent]) -> set[int]:
    """The events that name more than one pack or container, parents apart."""
    counted = EventEpc.objects.exclude(role="parent").values("event_index").annotate(named=Count("epc"))
    return {row["event_index"] for row in in_chunks(counted, "event_index", list(rows)) if row["named"] > 1}


def _destinations(rows: Mapping[int, PublishedEvent]) -> dict[int, str]:
    shipped = [row.index for row in rows.values() if row.biz_step == "shipping"]
    partners = EventPartner.objects.filter(direction="destination", type="owning_party")
    return dict(in_chunks(partners.values_list("event_index", "value"), "event_index", shipped))


def _returns(rows: Mapping[int, PublishedEvent], reference: Reference) -> set[int]:
    """The despatches that go back: under a return authorisation, or to a manufacturer."""
    shipped = [row.index for row in rows.values() if row.biz_step == "shipping"]
    authorised = EventTransaction.objects.filter(type="rma").values_list("event_index", flat=True)
    back = {index for index, party in _destinations(rows).items() if "manufacturer" in reference.roles(party, index)}
    return back | set(in_chunks(authorised, "event_index", shipped))


def _doubled(links: Mapping[str, set[int]], rows: Mapping[int, PublishedEvent]) -> set[int]:
    """Commissionings of things that have more than one: only their contents must be compared."""
    made = {index for index, row in rows.items() if row.biz_step == "commissioning" and row.action == "ADD"}
    return {index for indexes in links.values() if len(indexes & made) > 1 for index in indexes & made}


def _fingerprint(body: Mapping[str, object]) -> str:
    content = {name: value for name, value in body.items() if name not in {"eventID", "recordTime", "@context"}}
    return hashlib.sha256(json.dumps(content, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def _facts(epc: str, rows: Sequence[PublishedEvent], events: _Events, marks: Sequence[Recalled]) -> ThingFacts:
    newest = rows[-1].index if rows else 0
    subject = events.reference.subject(item_lookup(epc), newest)
    return ThingFacts(
        subject=epc,
        events=tuple(events.seen(row) for row in rows),
        item=subject.removeprefix("item:"),
        gtin=_gtin(item_lookup(epc), events.reference, newest),
        recalls=tuple(marks),
    )


def _gtin(lookup: str, reference: Reference, index: int) -> str:
    """The GTIN that a pack's code names, or that its NMPA prefix stands for; '' for a container."""
    if lookup.startswith("gtin:"):
        return lookup.removeprefix("gtin:")
    body = reference.body(reference.subject(lookup, index), index)
    return (body.get("gtin") or "") if body else ""


def _load_lots(found: Mapping[str, ThingFacts], reference: Reference) -> None:
    """Read the lots' versions of things that were sold: their expiry may have been extended."""
    reference.load(
        {
            f"lot:{facts.item}:{facts.lot}"
            for facts in found.values()
            if facts.item and facts.lot and any(seen.step in SALES for seen in facts.events)
        }
    )


def _with_lots(facts: ThingFacts, reference: Reference, marks: Sequence[Recalled]) -> ThingFacts:
    versions = reference.versions(f"lot:{facts.item}:{facts.lot}")
    expiries = tuple((index, body["expiry_date"]) for index, body in versions)
    events = facts.events
    if marks:
        events = tuple(_moving(seen, facts) if seen.step in _MOVES else seen for seen in events)
    return ThingFacts(facts.subject, events, facts.item, facts.gtin, expiries, facts.recalls)


def _moving(seen: Seen, facts: ThingFacts) -> Seen:
    """The event with the lot classes that move in it: the thing's own, or those of the packs inside."""
    if facts.lot and facts.gtin:
        lots = {digital_link.build(gtin=facts.gtin, lot=facts.lot)}
    else:
        lots = set(_lots_inside(facts.subject, seen))
    return Seen(**{**seen.__dict__, "lots": frozenset(lots)})


def _lots_inside(container: str, seen: Seen) -> Iterable[str]:
    """The lot classes of the packs in a container when it moved."""
    inside = custody.all_contents([container], at_ms=seen.time_ms)
    rows = ItemState.objects.exclude(lot="").values_list("epc", "lot")
    pairs = {(item_lookup(epc), lot) for epc, lot in in_chunks(rows, "epc", inside)}
    reference = Reference({lookup for lookup, _ in pairs})
    for lookup, lot in sorted(pairs):
        gtin = _gtin(lookup, reference, seen.index)
        if gtin:
            yield digital_link.build(gtin=gtin, lot=lot)
