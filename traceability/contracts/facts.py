"""What the rules look at: the timeline of a thing, the readings of a holder, both sides of a shipment. PURE.

Every fact carries the log index that brought it, and the index that voided it, so that `as_of(n)` gives what the log
held after entry n. A rule sees effective facts only. Times are milliseconds since 1970, temperatures milli-°C.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal

from traceability.coldchain.excursions import Reading

from .geo import Point


@dataclass(frozen=True)
class Seen:
    """An event as seen by one thing that it names. `many`: it names other packs too."""

    index: int
    event_id: str
    time_ms: int
    reporter: str = ""
    offset_minutes: int = 0
    type: str = "ObjectEvent"
    action: str = "OBSERVE"
    step: str = ""
    disposition: str = ""
    place: str = ""
    point: Point | None = None
    lot: str = ""
    expiry: str = ""  # ISO date as written, or ''
    is_return: bool = False
    many: bool = False
    fingerprint: str = ""  # of a commissioning's content, without its ID
    lots: frozenset[str] = frozenset()  # lot classes that move with it (its own, or those inside a container)
    voided_by: int | None = None

    @property
    def order(self) -> tuple[int, str]:
        return (self.time_ms, self.event_id)


@dataclass(frozen=True)
class Recalled:
    """A class-level event that recalls a lot (or ends its recall)."""

    index: int
    lot_class: str
    effective_ms: int
    reporter: str
    sets: bool = True
    voided_by: int | None = None


@dataclass(frozen=True)
class ThingFacts:
    """A pack or container. `expiries`: (index, ISO date) of its lot's logged versions; `item`, `gtin` may be ''."""

    subject: str
    events: tuple[Seen, ...]
    item: str = ""
    gtin: str = ""
    expiries: tuple[tuple[int, str], ...] = ()
    recalls: tuple[Recalled, ...] = ()

    def as_of(self, index: int) -> "ThingFacts":
        events = sorted((seen for seen in self.events if _counts(seen, index)), key=lambda seen: seen.order)
        recalls = tuple(recalled for recalled in self.recalls if _counts(recalled, index))
        return replace(self, events=tuple(events), recalls=recalls)

    def expiry_at(self, index: int) -> str:
        """The last valid day as the log knew it at an index: the lot's version, else what the pack's maker wrote."""
        known = [day for at, day in self.expiries if at <= index]
        return known[-1] if known else next((seen.expiry[:10] for seen in self.events if seen.expiry), "")

    @property
    def lot(self) -> str:
        return next((seen.lot for seen in self.events if seen.lot), "")


@dataclass(frozen=True)
class Limits:
    """A product's storage profile as the log held it."""

    item: str
    gtin: str
    profile: str
    low_mc: int
    high_mc: int
    low_s: int
    high_s: int
    freeze_sensitive: bool = False
    freeze_mc: int = -500
    freeze_s: int = 3600


@dataclass(frozen=True)
class Chunk:
    """Readings of one device from one event; without `readings` only the lowest and highest value are known."""

    index: int
    device: str
    reporter: str
    start_ms: int
    end_ms: int
    readings: tuple[Reading, ...] = ()
    min_mc: int | None = None
    max_mc: int | None = None


@dataclass(frozen=True)
class HolderFacts:
    """A container, place or pack with a logger; `limits` = of the products in it; `parties` = who else handled it."""

    subject: str
    chunks: tuple[Chunk, ...]
    limits: tuple[Limits, ...] = ()
    parties: tuple[str, ...] = ()
    is_place: bool = False

    def as_of(self, index: int) -> "HolderFacts":
        return replace(self, chunks=tuple(chunk for chunk in self.chunks if chunk.index <= index))


@dataclass(frozen=True)
class Leg:
    """A despatch, a receipt or the voiding of a despatch."""

    index: int
    event_id: str
    time_ms: int
    reporter: str
    step: str
    epcs: frozenset[str] = frozenset()
    quantities: Mapping[tuple[str, str], Decimal] = field(default_factory=dict)  # (class, unit) -> amount
    destination: str = ""
    voided_by: int | None = None


@dataclass(frozen=True)
class ShipmentFacts:
    """What travelled under one despatch advice; `inside` = what lay directly in each container when it left."""

    subject: str
    legs: tuple[Leg, ...]
    inside: Mapping[str, frozenset[str]] = field(default_factory=dict)
    gtins: frozenset[str] = frozenset()

    @property
    def legs_anchor(self) -> int:
        """The newest entry among the legs: what a finding on them would be judged by."""
        return max(leg.index for leg in self.legs)

    def as_of(self, index: int) -> "ShipmentFacts":
        legs = sorted((leg for leg in self.legs if _counts(leg, index)), key=lambda leg: (leg.time_ms, leg.event_id))
        return replace(self, legs=tuple(legs))


def _counts(fact: Seen | Recalled | Leg, index: int) -> bool:
    return fact.index <= index and (fact.voided_by is None or fact.voided_by > index)
