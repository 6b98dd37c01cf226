"""What the rules look at: the timeline of a thing, the readings of a holder, both sides of a shipment. PURE.

Every fact carries the log index that brought it, and the spans over which it was void; what other tables say comes as
it was at the entries that ask. So `as_of(n)` gives what the log held after entry n, whatever was read together with it.
A rule sees effective facts only. Times are milliseconds since 1970, temperatures milli-°C.
"""

from bisect import bisect_left
from collections.abc import Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from operator import attrgetter
from typing import Protocol, TypeVar

from traceability.capture.spans import Spans, stands
from traceability.coldchain.excursions import Reading
from traceability.custody.fold import Fact
from traceability.gs1 import digital_link

from .geo import Point

T = TypeVar("T")
_ORDER = attrgetter("time_ms", "event_id")

# The events that name a thing, as log index and the thing's role there.
Namings = tuple[tuple[int, str], ...]


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
    void: Spans = ()


@dataclass(frozen=True)
class Recalled:
    """An event that recalls a lot, or freezes a lot or a place (`what`), or ends that."""

    index: int
    lot_class: str
    effective_ms: int
    reporter: str
    sets: bool = True
    void: Spans = ()
    what: str = "recall"  # recall | freeze


@dataclass(frozen=True)
class ThingFacts:
    """A pack or container; `item` and `gtin` may be ''.

    `names`: item and GTIN by the entry from which master data had them so; those at its newest event count.
    `expiries`: by item and lot the logged versions (index, ISO date). `cargo`: by event the lot classes that lay in the
    container when it moved; `cargoes`: the same by the entry that asks. `packings`: by name, of the thing and of what
    it ever lay in, what put it into containers and took it out; empty where that cannot contradict itself.
    """

    subject: str
    events: tuple[Seen, ...]
    item: str = ""
    gtin: str = ""
    names: Mapping[int, tuple[str, str]] = field(default_factory=dict)
    expiries: Mapping[tuple[str, str], Sequence[tuple[int, str]]] = field(default_factory=dict)
    recalls: tuple[Recalled, ...] = ()
    cargo: Mapping[int, frozenset[str]] = field(default_factory=dict)
    cargoes: Mapping[int, Mapping[int, frozenset[str]]] = field(default_factory=dict)
    packings: Mapping[str, Sequence[Fact]] = field(default_factory=dict)

    def as_of(self, index: int) -> "ThingFacts":
        newest = max((seen.index for seen in self.events if seen.index <= index), default=index)
        item, gtin = _newest(self.names, newest, (self.item, self.gtin))
        return _with(
            self,
            events=tuple(sorted([seen for seen in self.events if counts(seen, index)], key=_ORDER)),
            recalls=tuple([recalled for recalled in self.recalls if counts(recalled, index)]),
            item=item,
            gtin=gtin,
            cargo=_newest(self.cargoes, index, self.cargo),
            packings={name: [fact for fact in found if fact.counts(index)] for name, found in self.packings.items()},
        )

    def called(self, subject: str) -> "ThingFacts":
        """The same facts about another thing that they are as true of."""
        packings = {subject if name == self.subject else name: found for name, found in self.packings.items()}
        return _with(self, subject=subject, packings=packings)

    def expiry_at(self, index: int) -> str:
        """The last valid day as the log knew it at an index: the lot's version, else what the pack's maker wrote."""
        known = [day for at, day in self.expiries.get((self.item, self.lot), ()) if at <= index]
        return _day(known[-1] if known else next((seen.expiry for seen in self.events if seen.expiry), ""))

    def lots_in(self, seen: Seen) -> frozenset[str]:
        """The lot classes that an event moves: the pack's own, or those of what lay in the container then."""
        if self.lot and self.gtin:
            return frozenset({digital_link.lot_class(self.gtin, self.lot)})
        return self.cargo.get(seen.index, frozenset())

    @property
    def lot(self) -> str:
        return next((seen.lot for seen in self.events if seen.lot), "")


@dataclass(frozen=True)
class Alike:
    """Things that differ in their names only: the same events name them, and the same entries ask for them.

    `history`: those events, in order. `facts`: of the first of `names`, as true of the others.
    """

    names: Sequence[str]
    moments: Collection[int]
    lookup: str
    history: Namings
    facts: ThingFacts

    def likeness(self, index: int) -> Hashable | None:
        """What is equal as of an entry for things of which the log then said the same; None for what may differ yet.

        That is a container's contents, and what things lay in.
        """
        if self.facts.cargoes or self.facts.packings:
            return None
        return self.lookup, self.history[: bisect_left(self.history, (index + 1,))], index


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
    void: Spans = ()


@dataclass(frozen=True)
class HolderFacts:
    """A container, place or pack with a logger; `limits` = of the products in it; `parties` = who else handled it.

    `states`: both, by the entry that asks.
    """

    subject: str
    chunks: tuple[Chunk, ...]
    limits: tuple[Limits, ...] = ()
    parties: tuple[str, ...] = ()
    is_place: bool = False
    states: Mapping[int, tuple[tuple[Limits, ...], tuple[str, ...]]] = field(default_factory=dict)

    def as_of(self, index: int) -> "HolderFacts":
        chunks = tuple(chunk for chunk in self.chunks if counts(chunk, index))
        limits, parties = _newest(self.states, index, (self.limits, self.parties))
        return _with(self, chunks=chunks, limits=limits, parties=parties)


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
    void: Spans = ()


@dataclass(frozen=True)
class ShipmentFacts:
    """What travelled under one despatch advice; `inside` = what lay directly in each container when it left.

    `insides`: the same, by the entry that asks.
    """

    subject: str
    legs: tuple[Leg, ...]
    inside: Mapping[str, frozenset[str]] = field(default_factory=dict)
    insides: Mapping[int, Mapping[str, frozenset[str]]] = field(default_factory=dict)

    @property
    def legs_anchor(self) -> int:
        """The newest entry among the legs: what a finding on them would be judged by."""
        return max(leg.index for leg in self.legs)

    def as_of(self, index: int) -> "ShipmentFacts":
        legs = sorted((leg for leg in self.legs if counts(leg, index)), key=_ORDER)
        return _with(self, legs=tuple(legs), inside=_newest(self.insides, index, self.inside))


def _day(text: str) -> str:
    """The ISO date at the start of a text, or '': what a pack's maker wrote may be unreadable, which is unknown."""
    try:
        return date.fromisoformat(text[:10]).isoformat()
    except ValueError:
        return ""


class Dated(Protocol):
    """What an entry brought, and perhaps another took back."""

    @property
    def index(self) -> int: ...

    @property
    def void(self) -> Spans: ...


def counts(fact: Dated, index: int) -> bool:
    """Whether the log held a fact as of an index."""
    return fact.index <= index and (not fact.void or stands(fact.void, index))


def _with(facts: T, **changed: object) -> T:
    """`replace` at a tenth of its cost: every subject has its facts anew at every entry that asks for it."""
    found = object.__new__(type(facts))
    vars(found).update(vars(facts), **changed)
    return found


def _newest(states: Mapping[int, T], index: int, default: T) -> T:
    """The state at the newest entry up to `index`."""
    return states[max(known)] if (known := [at for at in states if at <= index]) else default
