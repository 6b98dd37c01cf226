"""The packs of recalled lots out of custody: in groups for counting, one by one only for who holds them."""

import hashlib
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from django.db.models import Count, Max, Min

from traceability.common import bulk
from traceability.custody import selectors as custody
from traceability.custody.models import ItemState
from traceability.parties import selectors as parties

from .holdings import Group, Holding, Outer, Placed, holdings, placed

Lots = Collection[tuple[str, str]]
# Equal for all packs of one history, so the least is each one's.
_SHARED = ("container", "status", "place", "party", "destination", "last_time_ms", "last_index")


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


def packs(found: Holding) -> list[Pack]:
    """The very packs of a holding, in order of lot and EPC; read anew, so what moved since is left out."""
    matched = {(one.group.gtin, one.group.lot, one.group.history): one for one in found.groups}
    boxes = custody.states({one.group.container for one in found.groups} - {""})
    outermost = {box: located.path[-1] if located.path else box for box, located in boxes.items()}
    result = []
    for gtin, lot in {key[:2] for key in matched}:
        rows = ItemState.objects.filter(gtin=gtin, lot=lot).values_list("epc", "history")
        histories = {key[2] for key in matched if key[:2] == (gtin, lot)}
        for epc, history in bulk.among(rows, "history", histories):
            one = matched[gtin, lot, history]
            inside = one.group.container
            result.append(Pack(epc, gtin, lot, outermost.get(inside, inside), one.status, one.place))
    return sorted(result, key=lambda pack: (pack.gtin, pack.lot, pack.epc))


def list_digest(epcs: Iterable[str]) -> str:
    """SHA-256 (hex) of EPCs, sorted, one a line: what an acknowledgement says it answers."""
    return hashlib.sha256("".join(f"{epc}\n" for epc in sorted(epcs)).encode()).hexdigest()


def lots_of(gtin: str) -> list[str]:
    """The lots of a product that have packs on record."""
    return sorted(ItemState.objects.filter(gtin=gtin).values_list("lot", flat=True).distinct())


def _groups(gtin: str, lot: str) -> Iterable[Group]:
    rows = ItemState.objects.filter(gtin=gtin, lot=lot).values("history").order_by()
    shared_by_all = {f"one_{name}": Min(name) for name in _SHARED}
    for row in rows.annotate(packs=Count("epc"), held=Max("held_index"), **shared_by_all):
        shared = {name: row[f"one_{name}"] for name in _SHARED}
        time_ms, index = shared.pop("last_time_ms"), shared.pop("last_index")
        yield Group(
            gtin=gtin, lot=lot, history=row["history"], time_ms=time_ms, index=index, aside=row["held"] == index,
            packs=row["packs"], **shared,
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
