"""Who holds what of a lot. PURE: groups of packs that share their history go in, counts per party come out.

A lot of a million packs is some thousand groups: its cases, and its loose packs by what happened to them.
"""

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from traceability.custody.lot_count import ENDED

_OPEN = {"active", "shipped"}  # whose status is that of the container around it
# Status of custody -> what its holder has to do with the pack; others are gone.
_PARTS: Mapping[str, str] = {
    "active": "held",
    "partially_dispensed": "held",
    "shipped": "in_transit",
    "dispensed": "dispensed",
}


@dataclass(frozen=True)
class Group:
    """Packs of a lot with one history (custody.histories.digest): the same events name them, so one fate."""

    gtin: str
    lot: str
    history: str
    container: str  # '' = loose
    status: str
    place: str
    party: str
    destination: str
    time_ms: int  # of their own newest record
    index: int  # its log index
    aside: bool  # whether it sets them aside
    packs: int


@dataclass(frozen=True)
class Outer:
    """What decides where the packs in a container are: the newest record about it and the containers around it."""

    status: str
    place: str
    party: str
    destination: str
    time_ms: int
    index: int
    aside: bool


@dataclass(frozen=True)
class Placed:
    """A group with its containers taken into account (custody.selectors.Located)."""

    group: Group
    status: str
    place: str
    party: str
    destination: str
    moved_index: int  # -1 = the newest record sets it aside


@dataclass
class Holding:
    """What one party answers for. `places`: (GTIN, lot, place, status) -> packs, those that it supplied included."""

    packs: int = 0
    supplied: int = 0
    moved_index: int = -1
    places: Counter[tuple[str, str, str, str]] = field(default_factory=Counter)
    groups: list[Placed] = field(default_factory=list)

    @property
    def digest(self) -> str:
        """SHA-256 (hex) of the groups it was counted from: another one when packs come, go or are recorded anew."""
        rows = sorted(
            [one.group.gtin, one.group.lot, one.group.history, one.group.packs, one.place, one.status, one.moved_index]
            for one in self.groups
        )
        return hashlib.sha256(json.dumps(rows, separators=(",", ":")).encode()).hexdigest()

    def rows(self) -> list[list[object]]:
        """`places` as sorted JSON."""
        return [[*key, packs] for key, packs in sorted(self.places.items())]


def part_of(status: str) -> str:
    """held | in_transit | dispensed, '' = it is gone, or nobody knows where."""
    return _PARTS.get(status, "")


def placed(group: Group, outer: Outer | None) -> Placed:
    """Where a group is: at its container, unless it was recorded by itself later or has ended."""
    if outer is None or outer.time_ms < group.time_ms or group.status in ENDED:
        moved = -1 if group.aside else group.index
        return Placed(group, group.status, group.place, group.party, group.destination, moved)
    status = outer.status if group.status in _OPEN else group.status
    return Placed(group, status, outer.place, outer.party, outer.destination, -1 if outer.aside else outer.index)


def holdings(found: Iterable[Placed], names: Mapping[str, str]) -> dict[str, Holding]:
    """What each party answers for, by URI; each pack counts for one party.

    A pack on its way is the receiver's, or the sender's when nobody is registered under the destination. `names`: URIs
    of registered parties as events spell them -> their own URI.
    """
    result: dict[str, Holding] = defaultdict(Holding)
    for one in found:
        part = part_of(one.status)
        if not part:
            continue
        holder = names.get(one.party, one.party)
        if part == "in_transit":
            holder = names.get(one.destination, holder)
        mine = result[holder]
        if part == "dispensed":
            mine.supplied += one.group.packs
        else:
            mine.packs += one.group.packs
            mine.moved_index = max(mine.moved_index, one.moved_index)
        mine.groups.append(one)
        mine.places[one.group.gtin, one.group.lot, one.place, one.status] += one.group.packs
    return dict(result)
