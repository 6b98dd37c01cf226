"""The packs of a lot counted by how they stand. Pure."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

# A thing whose own events ended its life stays where that happened, wherever its container goes.
ENDED = frozenset({"dispensed", "destroyed", "decommissioned", "sampled", "stolen", "exported"})


class Standing(NamedTuple):
    """What packs have in common that are counted as one; fields as of `ItemState`."""

    gtin: str
    lot: str
    container: str  # '' also for what has ended
    status: str
    place: str
    party: str
    destination: str
    seen_ms: int  # when it was last recorded by itself, if it lies in a container: that may have moved since
    is_commissioned: bool

    @property
    def key(self) -> str:
        """SHA-256 of it."""
        return hashlib.sha256(json.dumps(self, separators=(",", ":")).encode()).hexdigest()


def standing(
    gtin: str, lot: str, container: str, status: str, place: str, party: str, destination: str, seen_ms: int,
    is_commissioned: bool,
) -> Standing:  # fmt: skip
    """How a pack stands, without what no longer matters of one that lies in nothing or has ended."""
    inside = "" if status in ENDED else container
    return Standing(gtin, lot, inside, status, place, party, destination, seen_ms if inside else 0, is_commissioned)


# Where a status stands in the balance of a lot; any other is unknown.
_PARTS = {
    "active": "held",
    "partially_dispensed": "held",
    "shipped": "in_transit",
    "dispensed": "dispensed",
    "destroyed": "destroyed",
    "decommissioned": "destroyed",
    "sampled": "destroyed",
    "exported": "exported",
}


@dataclass(frozen=True)
class Balance:
    """All packs of a lot: commissioned + opening = held + in_transit + dispensed + destroyed + exported + unknown."""

    commissioned: int = 0
    opening: int = 0  # recorded first by somebody else than a commissioning: opening stock
    held: int = 0
    in_transit: int = 0
    dispensed: int = 0
    destroyed: int = 0  # decommissioned and taken as samples, too
    exported: int = 0
    unknown: int = 0  # stolen


def balance(counts: Iterable[tuple[str, bool, int]]) -> Balance:
    """The balance of (status, whether commissioned, packs)."""
    parts: Counter[str] = Counter()
    for status, is_commissioned, packs in counts:
        parts["commissioned" if is_commissioned else "opening"] += packs
        parts[_PARTS.get(status, "unknown")] += packs
    return Balance(**parts)
