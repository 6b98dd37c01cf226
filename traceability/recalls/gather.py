"""The packs of recalled lots out of custody: in groups for counting, one by one only for who holds them."""

import hashlib
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from django.db.models import BooleanField, Count, ExpressionWrapper, F, Max, OuterRef, Q, QuerySet, Subquery, Sum, Value
from django.db.models.functions import Coalesce

from traceability.common import bulk
from traceability.custody import selectors as custody
from traceability.custody.models import Containment, ItemState
from traceability.parties import selectors as parties

from .holdings import Balance, Group, Holding, Key, Outer, Placed, balances, holdings, placed

Lots = Collection[tuple[str, str]]
_COLUMNS = ("gtin", "lot", "box", "status", "place", "party", "destination", "last_time_ms", "aside", "made")
_BOX = Coalesce(
    Subquery(Containment.objects.filter(child=OuterRef("epc"), to_ms=None).values("parent")[:1]), Value("")
)  # fmt: skip
_ASIDE = ExpressionWrapper(Q(held_index__isnull=False, held_index=F("last_index")), BooleanField())
_MADE = ExpressionWrapper(Q(commissioned_index__isnull=False), BooleanField())


@dataclass(frozen=True)
class Pack:
    """A pack as its holder finds it: `container` is the outermost one that it lies in, '' = loose."""

    epc: str
    gtin: str
    lot: str
    container: str
    status: str
    place: str


@dataclass(frozen=True)
class Scope:
    """Where all packs of some lots are, by lot and by who answers for them."""

    balances: dict[tuple[str, str], Balance]
    holdings: dict[str, Holding]


def scope(lots: Lots) -> Scope:
    """Count the packs of some lots; queries by lot and by level of containers, whatever the number of packs."""
    found = _placed(lots)
    return Scope(balances(found), holdings(found, _own_uris(found)))


def holding(lots: Lots, holder: str) -> Holding:
    """What one party answers for."""
    return scope(lots).holdings.get(holder, Holding())


def packs(found: Holding) -> Iterator[Pack]:
    """The very packs of a holding, in order of lot and EPC; read anew, so what moved since is left out."""
    matched = {one.group.key: one for one in found.groups}
    boxes = {key.container for key in matched} - {""}
    outermost = {box: located.path[-1] if located.path else box for box, located in custody.states(boxes).items()}
    rows = []
    for epc, *columns in _candidates(matched, boxes):
        key = Key(*columns)
        one = matched.get(key)
        if one is not None:
            container = outermost.get(key.container, key.container)
            rows.append(Pack(epc, key.gtin, key.lot, container, one.status, one.place))
    return iter(sorted(rows, key=lambda pack: (pack.gtin, pack.lot, pack.epc)))


def list_digest(epcs: Iterable[str]) -> str:
    """SHA-256 (hex) of EPCs, sorted, one a line: what an acknowledgement says it answers."""
    return hashlib.sha256("".join(f"{epc}\n" for epc in sorted(epcs)).encode()).hexdigest()


def lots_of(gtin: str) -> list[str]:
    """The lots of a product that have packs on record."""
    return sorted(ItemState.objects.filter(gtin=gtin).values_list("lot", flat=True).distinct())


def _placed(lots: Lots) -> list[Placed]:
    groups = [
        Group(Key(*key), count, newest, total)
        for gtin, lot in sorted(set(lots))
        for *key, count, newest, total in _rows(gtin, lot)
        .values_list(*_COLUMNS)
        .annotate(Count("epc"), Max("last_index"), Sum("last_index"))
        .order_by()
    ]
    outers = _outers({group.key.container for group in groups} - {""})
    return [placed(group, outers.get(group.key.container)) for group in groups]


def _rows(gtin: str, lot: str) -> QuerySet[ItemState]:
    return ItemState.objects.filter(gtin=gtin, lot=lot).annotate(box=_BOX, aside=_ASIDE, made=_MADE)


def _outers(boxes: Collection[str]) -> dict[str, Outer]:
    return {
        box: Outer(
            status=one.status,
            place=one.place,
            party=one.party,
            destination=one.holder.destination,
            time_ms=one.holder.last_time_ms,
            index=one.holder.last_index,
            aside=one.holder.held_index is not None and one.holder.held_index == one.holder.last_index,
        )
        for box, one in custody.states(boxes).items()
    }


def _own_uris(found: Iterable[Placed]) -> dict[str, str]:
    """Registered parties by the URIs that events name them with, as their own URIs."""
    uris = {uri for one in found for uri in (one.party, one.destination)} - {""}
    return {uri: party.uri for uri, party in parties.parties_by_uri(uris).items()}


def _candidates(matched: Collection[Key], boxes: Collection[str]) -> Iterator[Any]:
    """EPC and key of packs that may be of these groups: in their containers, and loose ones of their parties."""
    children = set(
        bulk.among(Containment.objects.filter(to_ms=None).values_list("child", flat=True), "parent", boxes)
    )  # fmt: skip
    by_lot: dict[tuple[str, str], set[str]] = defaultdict(set)
    for key in matched:
        if not key.container:
            by_lot[key.gtin, key.lot].add(key.party)
    for gtin, lot in {(key.gtin, key.lot) for key in matched}:
        rows = _rows(gtin, lot).values_list("epc", *_COLUMNS)
        yield from bulk.among(rows, "epc", children)
        yield from bulk.among(rows.filter(**{"box": ""}), "party", by_lot[gtin, lot])
