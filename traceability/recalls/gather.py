"""The packs of recalled lots out of custody: in groups for counting, one by one only for who holds them."""

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Max, Min

from traceability.custody import lot_packs
from traceability.custody import selectors as custody
from traceability.custody.models import ItemState
from traceability.custody.selectors import Located
from traceability.parties import selectors as parties

from .holdings import Group, Holding, Outer, Placed, holdings, part_of, placed

Lots = Collection[tuple[str, str]]
# Equal for all packs of one history, so the least is each one's.
_SHARED = ("container", "status", "place", "destination", "last_time_ms", "last_index")


@dataclass(frozen=True)
class Pack:
    """A pack as its holder finds it: `container` is the outermost one that it lies in, '' = loose."""

    epc: str
    gtin: str
    lot: str
    container: str
    status: str
    place: str


def held(lots: Lots) -> dict[str, Holding]:
    """What each party answers for of some lots, by URI; a query per lot, and some per level of containers."""
    groups = [group for gtin, lot in sorted(set(lots)) for group in _groups(gtin, lot)]
    outers = _outers({group.container for group in groups} - {""})
    found = [placed(group, outers.get(group.container)) for group in groups]
    return holdings(found, _own_uris(found))


@dataclass(frozen=True)
class Packs:
    """How many packs there are, and each of them: by lot and container, then the loose ones; read as they are asked."""

    total: int
    each: Iterator[Pack]


@dataclass(frozen=True)
class Standing:
    """What a party has to set aside, counted: how many packs, and a digest of how they stand (docs/formats.md)."""

    packs: int
    digest: str


# Where a holder looks for packs: the outermost container ('' = loose), the place, and how they stand.
Spot = tuple[str, str, str]


def spots(lots: Lots, holder: str) -> dict[Spot, Counter[str]]:
    """The packs that a party answers for, counted by spot and lot number; none is read, but of unknown lots."""
    is_its = _held_by(holder)
    found: dict[Spot, Counter[str]] = defaultdict(Counter)
    for gtin, lot in sorted(set(lots)):
        for _inner, one, number in lot_packs.counted(gtin, lot, is_its):
            found[_spot(one)][lot] += number
    return dict(found)


def _spot(one: Located) -> Spot:
    return one.path[-1] if one.path else "", one.place, one.status


def packs(lots: Lots, holder: str, among: Collection[Spot] | None = None) -> Packs:
    """The very packs that a party answers for, everywhere or at these spots; of others none is read."""
    held_by = _held_by(holder)

    def is_its(one: Located) -> bool:
        return held_by(one) and (among is None or _spot(one) in among)

    found = [(gtin, lot, lot_packs.packs_of_lot(gtin, lot, is_its)) for gtin, lot in sorted(set(lots))]
    each = (
        Pack(epc, gtin, lot, one.path[-1] if one.path else "", one.status, one.place)
        for gtin, lot, mine in found
        for epc, one in mine.each
    )
    return Packs(sum(mine.total for _, _, mine in found), each)


def standing(lots: Lots, holder: str) -> Standing:
    """The packs that a party has to set aside, those that it dispensed left out; none is read, but of unknown lots."""
    is_its = _held_by(holder)
    counts: Counter[tuple[str, str, str, str, str]] = Counter()
    for gtin, lot in sorted(set(lots)):
        for container, one, number in lot_packs.counted(gtin, lot, is_its):
            if part_of(one.status) != "dispensed":
                counts[gtin, lot, container, one.place, one.status] += number
    return Standing(counts.total(), standing_digest(counts))


def standing_digest(counts: Mapping[tuple[str, str, str, str, str], int]) -> str:
    """SHA-256 (hex) of [GTIN, lot, container, place, status, packs], sorted, as JSON without spaces."""
    rows = [[*key, number] for key, number in sorted(counts.items())]
    return hashlib.sha256(json.dumps(rows, separators=(",", ":"), ensure_ascii=False).encode()).hexdigest()


def _held_by(holder: str) -> Callable[[Located], bool]:
    party = parties.party_by_uri(holder)
    own = set(parties.uris_of(party)) if party else {holder}
    registered: dict[str, bool] = {}

    def is_its(one: Located) -> bool:
        part, destination = part_of(one.status), one.holder.destination
        if part == "in_transit":
            if destination not in registered:
                registered[destination] = parties.party_by_uri(destination) is not None
            return destination in own or (one.party in own and not registered[destination])
        return bool(part) and one.party in own

    return is_its


def lots_of(gtin: str) -> list[str]:
    """The lots of a product that have packs on record."""
    return sorted(ItemState.objects.filter(gtin=gtin).values_list("lot", flat=True).distinct())


def _groups(gtin: str, lot: str) -> Iterable[Group]:
    rows = ItemState.objects.filter(gtin=gtin, lot=lot).values("party", "history").order_by()  # as an index has them
    shared_by_all = {f"one_{name}": Min(name) for name in _SHARED}
    counted: Iterable[Any] = rows.annotate(packs=Count("epc"), held=Max("held_index"), **shared_by_all)
    for row in counted:
        shared = {name: row[f"one_{name}"] for name in _SHARED}
        time_ms, index = shared.pop("last_time_ms"), shared.pop("last_index")
        yield Group(
            gtin=gtin, lot=lot, party=row["party"], history=row["history"], time_ms=time_ms, index=index,
            aside=row["held"] == index, packs=row["packs"], **shared,
        )  # fmt: skip


def _outers(boxes: Collection[str]) -> dict[str, Outer]:
    return {
        box: Outer(
            status=one.status,
            place=one.place,
            party=one.party,
            destination=one.holder.destination,
            time_ms=one.holder.last_time_ms,
            index=one.holder.last_index,
            aside=one.holder.held_index == one.holder.last_index,
        )
        for box, one in custody.states(boxes).items()
    }


def _own_uris(found: Iterable[Placed]) -> dict[str, str]:
    """Registered parties by the URIs that events name them with, as their own URIs."""
    uris = {uri for one in found for uri in (one.party, one.destination)} - {""}
    return {uri: party.uri for uri, party in parties.parties_by_uri(uris).items()}
