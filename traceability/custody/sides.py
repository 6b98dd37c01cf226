"""Both sides of a shipment, line by line: what was despatched, what was received of it, what came besides. Pure."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

Lot = tuple[str, str]  # GTIN and lot number, '' where not recorded
PARTIAL_MS = 86_400_000  # the rest of a part delivery may follow for so long; then goods are missing


class State(StrEnum):
    """Where a line of a shipment stands."""

    AWAITED = "awaited"
    RECEIVED = "received"
    PART = "part"
    SURPLUS = "surplus"


class Standing(StrEnum):
    """Where a whole shipment stands."""

    TRANSIT = "transit"
    PARTIAL = "partial"
    SHORT = "short"
    OVER = "over"
    RECEIVED = "received"
    VOID = "void"  # called back before anything was received
    VOID_RECEIVED = "void_received"  # called back although goods had been received
    UNSENT = "unsent"  # received under a number that no despatch names
    EXPECTED = "expected"  # only a list of the receiver speaks of it, and nothing came


@dataclass(frozen=True)
class Line:
    """A thing that the despatch names, or one that came besides; packs are counted by lot."""

    epc: str
    state: State
    expected: Mapping[Lot, int]
    received: Mapping[Lot, int]
    parts: tuple[str, ...] = ()  # what was received of it, where that is not the whole

    @property
    def missing(self) -> int:
        return sum((Counter(self.expected) - Counter(self.received)).values())

    @property
    def surplus(self) -> int:
        return sum((Counter(self.received) - Counter(self.expected)).values())


@dataclass(frozen=True)
class Known:
    """What is recorded of the things of a shipment, as they lay when they left."""

    counts: Mapping[str, Mapping[Lot, int]]  # packs in each thing that either side names (itself, if nothing is inside)
    above: Mapping[str, Sequence[str]]  # the containers around what only the receipt names, innermost first
    inside: Mapping[str, Collection[str]]  # what lay in it, at any depth


def lines(despatched: Collection[str], received: Collection[str], known: Known) -> list[Line]:
    """A line per thing despatched, and one per thing that came besides; those that differ come first."""
    sent, got = set(despatched), set(received)
    parts: dict[str, set[str]] = {}
    surplus: dict[str, Counter[Lot]] = {}
    whole = sent & got
    for epc in sorted(got - sent):
        around = [container for container in known.above.get(epc, ()) if container in sent]
        covered = sent & set(known.inside.get(epc, ()))
        if around:
            parts.setdefault(around[0], set()).add(epc)
        elif covered:
            whole |= covered
            besides = Counter(known.counts[epc])
            for one in covered:
                besides -= Counter(known.counts[one])
            if besides:
                surplus[epc] = besides
        elif not any(container in got for container in known.above.get(epc, ())):
            surplus[epc] = Counter(known.counts[epc])
    found = [_line(epc, epc in whole, parts.get(epc, set()), known) for epc in sorted(sent)]
    found += [Line(epc, State.SURPLUS, {}, counted) for epc, counted in surplus.items()]
    order = [State.PART, State.SURPLUS, State.AWAITED, State.RECEIVED]
    return sorted(found, key=lambda line: order.index(line.state))


def _line(epc: str, is_whole: bool, parts: Collection[str], known: Known) -> Line:
    expected = known.counts[epc]
    if is_whole:
        return Line(epc, State.RECEIVED, expected, expected)
    outermost = [part for part in sorted(parts) if not set(known.above.get(part, ())) & set(parts)]
    received = sum((Counter(known.counts[part]) for part in outermost), Counter[Lot]())
    if not received:
        return Line(epc, State.AWAITED, expected, {})
    state = State.RECEIVED if received == Counter(expected) else State.PART
    return Line(epc, state, expected, received, tuple(outermost))


def by_lot(found: Collection[Line]) -> dict[Lot, tuple[int, int]]:
    """Packs expected and received of each lot."""
    expected, received = Counter[Lot](), Counter[Lot]()
    for line in found:
        expected.update(line.expected)
        received.update(line.received)
    return {lot: (expected[lot], received[lot]) for lot in sorted(expected | received)}


@dataclass(frozen=True)
class Totals:
    """Whether anything of a shipment was received, is missing, came besides."""

    arrived: bool
    missing: bool
    surplus: bool


def totals(found: Collection[Line]) -> Totals:
    """What its lines say together."""
    return Totals(
        arrived=any(line.received for line in found),
        missing=any(line.missing for line in found),
        surplus=any(line.surplus for line in found),
    )


def standing(found: Totals, *, is_void: bool, is_sent: bool, received_ms: int | None, now_ms: int) -> Standing:
    """Where the shipment stands now. `received_ms`: of the newest receipt."""
    if is_void:
        return Standing.VOID_RECEIVED if found.arrived else Standing.VOID
    if not is_sent:
        return Standing.UNSENT
    if not found.arrived:
        return Standing.TRANSIT
    if found.missing:
        is_late = received_ms is not None and now_ms - received_ms >= PARTIAL_MS
        return Standing.SHORT if is_late else Standing.PARTIAL
    return Standing.OVER if found.surplus else Standing.RECEIVED
