"""What is recorded of the goods of some exceptions; a fixed number of queries, and one per level of containers."""

from collections import defaultdict
from collections.abc import Collection, Sequence

from django.db.models import Q

from traceability.capture.models import EventEpc, EventPartner, PublishedEvent
from traceability.common import bulk
from traceability.custody import selectors as custody
from traceability.custody.matching import WINDOW_MS
from traceability.custody.models import Containment
from traceability.epcis.documents import document_uri
from traceability.parties import selectors as parties

from . import expected
from .arrival import Goods
from .models import ExceptionGoods, ExceptionItem

_PACKS = ("/01/", "urn:dosetrail:nmpa:")


def goods_of(items: Collection[ExceptionItem], rows: Sequence[ExceptionGoods]) -> dict[str, list[Goods]]:
    """The goods of each exception by its id; `rows` are those of all of them."""
    by_id = {item.id: item for item in items}
    around = _containers({row.epc for row in rows})
    despatches = _despatches(set(around).union(*around.values()) if around else set())
    states = custody.states({row.epc for row in rows})
    uris = parties.uris_of_many({item.party.uri for item in items})
    numbers = {item.id: (item.party_id, document_uri(item.despatch)) for item in items if item.despatch}
    lists = expected.listed_things(set(numbers.values()))
    found: dict[str, list[Goods]] = defaultdict(list)
    for row in rows:
        item, located = by_id[row.item_id], states.get(row.epc)
        state = located.item if located else None
        own = uris[item.party.uri]
        names = {row.epc, *around.get(row.epc, ())}
        listed = lists.get(numbers.get(item.id, ("", "")), {})
        told = [listed[name] for name in names if name in listed]
        found[item.id].append(
            Goods(
                is_pack=any(mark in row.epc for mark in _PACKS),
                is_recorded=state is not None,
                is_made=state is not None and (state.commissioned_index is not None or bool(state.lot)),
                is_sent=any(_is_to(one, own, item) for name in names for one in despatches.get(name, ())),
                is_listed=bool(told),
                is_vouched=any(told),
                is_here=located is not None and located.party in own and located.status != "shipped",
                status=located.status if located else "",
                lot=state.lot if state else "",
                expiry=state.expiry if state else "",
                printed_lot=row.lot,
                printed_expiry=row.expiry,
            )
        )
    return dict(found)


_Despatch = tuple[str, int, frozenset[str]]  # reporter, event time, destinations that it names


def _is_to(despatch: _Despatch, own: Collection[str], item: ExceptionItem) -> bool:
    reporter, time_ms, destinations = despatch
    is_recent = time_ms >= item.opened_ms - WINDOW_MS
    return is_recent and reporter != item.party.uri and (not destinations or bool(destinations & set(own)))


def _containers(epcs: Collection[str]) -> dict[str, set[str]]:
    """Whatever each thing ever lay in, at any depth."""
    found: dict[str, set[str]] = {epc: set() for epc in epcs}
    level: dict[str, set[str]] = {epc: {epc} for epc in epcs}
    for _ in range(custody.MAX_DEPTH):
        above: dict[str, set[str]] = defaultdict(set)
        for child, parent in bulk.among(Containment.objects.values_list("child", "parent"), "child", level):
            above[parent] |= {root for root in level[child] if parent not in found[root]}
        for parent, roots in above.items():
            for root in roots:
                found[root].add(parent)
        level = {parent: roots for parent, roots in above.items() if roots}
        if not level:
            break
    return found


def _despatches(things: Collection[str]) -> dict[str, list[_Despatch]]:
    """The effective despatches that name these things."""
    naming = EventEpc.objects.filter(role__in=["epc", "parent"]).values_list("event_index", "epc")
    links = list(bulk.among(naming, "epc", things))
    sent = PublishedEvent.objects.filter(biz_step__in=["shipping", "departing"], declaration_ms=None, voided_by=None)
    rows = {row.index: row for row in bulk.among(sent, "index", {index for index, _ in links})}
    destinations: dict[int, set[str]] = defaultdict(set)
    partners = EventPartner.objects.filter(
        Q(direction="destination") & Q(type__in=["owning_party", "possessing_party"])
    ).values_list("event_index", "value")
    for index, value in bulk.among(partners, "event_index", rows):
        destinations[index].add(value)
    found: dict[str, list[_Despatch]] = defaultdict(list)
    for index, epc in links:
        if index in rows:
            found[epc].append((rows[index].reporter, rows[index].event_time_ms, frozenset(destinations[index])))
    return found
