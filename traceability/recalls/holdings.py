"""Who holds what of a lot, and where all of it went. PURE: groups of packs that stand alike go in, counts come out.

A lot of a million packs is some thousand groups: its cases, and its loose packs by place and event.
"""

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

_OPEN = {"active", "shipped"}  # whose status is that of the container around it
# Status of custody -> where a lot's balance counts it. What is stolen, or has no known status, is unknown.
CATEGORIES: Mapping[str, str] = {
    "active": "held",
    "partially_dispensed": "held",
    "shipped": "in_transit",
    "dispensed": "dispensed",
    "destroyed": "destroyed",
    "decommissioned": "destroyed",
    "sampled": "destroyed",
    "exported": "exported",
}


class Key(NamedTuple):
    """What packs have in common that stand alike. `aside`: their newest record sets them aside."""

    gtin: str
    lot: str
    container: str  # '' = loose
    status: str
    place: str
    party: str
    destination: str
    time_ms: int  # of their own newest record
    aside: bool
    made: bool  # commissioned on record


@dataclass(frozen=True)
class Group:
    """Packs of one key: how many, their newest log index, and the sum of these, which changes when others come in."""

    key: Key
    packs: int
    newest_index: int
    index_sum: int


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

    @property
    def category(self) -> str:
        return CATEGORIES.get(self.status, "unknown")


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
        rows = sorted([*one.group.key, one.group.packs, one.group.index_sum, one.moved_index] for one in self.groups)
        return hashlib.sha256(json.dumps(rows, separators=(",", ":")).encode()).hexdigest()

    def rows(self) -> list[list[object]]:
        """`places` as sorted JSON."""
        return [[*key, packs] for key, packs in sorted(self.places.items())]


@dataclass
class Balance:
    """Where all packs of a lot are. `commissioned` + `opening` = the sum of the others, always.

    `opening`: recorded by someone without ever having been commissioned on record (opening stock, unknown serials).
    """

    commissioned: int = 0
    opening: int = 0
    held: int = 0
    in_transit: int = 0
    dispensed: int = 0
    destroyed: int = 0  # and taken out of use, and sampled
    exported: int = 0
    unknown: int = 0

    @property
    def total(self) -> int:
        return self.commissioned + self.opening

    @property
    def accounted(self) -> int:
        return self.held + self.in_transit + self.dispensed + self.destroyed + self.exported + self.unknown


def placed(group: Group, outer: Outer | None) -> Placed:
    """Where a group is: at its container, unless it was recorded by itself later."""
    key = group.key
    if outer is None or outer.time_ms < key.time_ms:
        moved = -1 if key.aside else group.newest_index
        return Placed(group, key.status, key.place, key.party, key.destination, moved)
    status = outer.status if key.status in _OPEN else key.status
    return Placed(group, status, outer.place, outer.party, outer.destination, -1 if outer.aside else outer.index)


def balances(found: Iterable[Placed]) -> dict[tuple[str, str], Balance]:
    """The balance of each lot, by (GTIN, lot)."""
    result: dict[tuple[str, str], Balance] = defaultdict(Balance)
    for one in found:
        balance, packs = result[one.group.key.gtin, one.group.key.lot], one.group.packs
        source = "commissioned" if one.group.key.made else "opening"
        setattr(balance, source, getattr(balance, source) + packs)
        setattr(balance, one.category, getattr(balance, one.category) + packs)
    return dict(result)


def holdings(found: Iterable[Placed], names: Mapping[str, str]) -> dict[str, Holding]:
    """What each party answers for, by URI; each pack counts for one party.

    A pack on its way is the receiver's, or the sender's when nobody is registered under the destination. `names`: URIs
    of registered parties as events spell them -> their own URI.
    """
    result: dict[str, Holding] = defaultdict(Holding)
    for one in found:
        if one.category not in {"held", "in_transit", "dispensed"}:
            continue
        holder = names.get(one.party, one.party)
        if one.category == "in_transit":
            holder = names.get(one.destination, holder)
        mine = result[holder]
        if one.category == "dispensed":
            mine.supplied += one.group.packs
        else:
            mine.packs += one.group.packs
            mine.moved_index = max(mine.moved_index, one.moved_index)
        mine.groups.append(one)
        mine.places[one.group.key.gtin, one.group.key.lot, one.place, one.status] += one.group.packs
    return dict(result)
