"""What a key's own events make of it. Pure: facts in (event_time, event_id) order to rows."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Fact:
    """An effective event as seen by one thing it names; `role` is the thing's part in it."""

    index: int
    time_ms: int
    event_id: str
    role: str
    type: str
    action: str
    step: str
    disposition: str
    place: str
    reporter: str
    offset_minutes: int = 0
    lot: str = ""
    expiry: str = ""
    persistent_set: frozenset[str] = frozenset()
    persistent_unset: frozenset[str] = frozenset()
    parent: str = ""
    destination: str = ""


@dataclass
class Item:
    """The state of one thing after its facts."""

    status: str = "active"
    place: str = ""
    party: str = ""
    destination: str = ""
    lot: str = ""
    expiry: str = ""
    held_index: int | None = None
    commissioned_index: int | None = None
    known_since_ms: int = 0
    last_index: int = 0
    last_time_ms: int = 0


@dataclass(frozen=True)
class Stay:
    """A stay inside a parent; `to_ms` None = still."""

    parent: str
    from_ms: int
    from_index: int
    to_ms: int | None = None
    to_index: int | None = None


@dataclass
class LotFacts:
    """Recall, hold and release of a lot."""

    recalled_index: int | None = None
    recalled_ms: int | None = None
    recalled_by: str = ""
    held_index: int | None = None
    released_index: int | None = None


@dataclass
class Trip:
    """What one despatch advice covers."""

    sender: str = ""
    receiver: str = ""
    receiver_party: str = ""
    despatched: set[str] = field(default_factory=set)
    received: set[str] = field(default_factory=set)
    voided: bool = False
    shipped_ms: int | None = None
    received_ms: int | None = None
    shipped_index: int | None = None
    received_index: int | None = None

    @property
    def status(self) -> str:
        if self.voided:
            return "void"
        if not self.received:
            return "open"
        return "received" if self.despatched <= self.received else "partial"


# Steps that end a thing's life, and the status they leave.
_ENDS = {
    "destroying": "destroyed",
    "decommissioning": "decommissioned",
    "killing": "decommissioned",
    "sampling": "sampled",
}


def item(facts: Sequence[Fact]) -> Item:
    """The state of a thing; `facts` are all its effective ones, in order."""
    state = Item(known_since_ms=facts[0].time_ms)
    for fact in facts:
        _apply(state, fact)
    return state


def _apply(state: Item, fact: Fact) -> None:
    if fact.role == "parent" and fact.action == "OBSERVE":
        return
    state.last_index, state.last_time_ms = fact.index, fact.time_ms
    if fact.action == "ADD" and fact.type == "ObjectEvent" and state.commissioned_index is None:
        state.commissioned_index = fact.index
    if fact.lot and not state.lot:
        state.lot, state.expiry = fact.lot, fact.expiry
    if fact.step != "sensor_reporting":  # a logger read out later, or by another, moves nothing
        state.place = fact.place or state.place
        state.party = fact.reporter
    state.status = _status(state.status, fact)
    state.destination = fact.destination if state.status == "shipped" else ""
    if fact.step == "holding" and "recalled" not in fact.persistent_set:
        state.held_index = fact.index
    elif fact.step == "inspecting" and fact.disposition in {"conformant", "sellable_accessible"}:
        state.held_index = None


def _status(status: str, fact: Fact) -> str:
    if "stolen" in fact.persistent_set:
        return "stolen"
    if fact.step in _ENDS:
        return _ENDS[fact.step]
    if fact.type == "ObjectEvent" and fact.action == "DELETE":
        return "destroyed" if fact.disposition == "destroyed" else "decommissioned"
    if fact.step in {"dispensing", "retail_selling"}:
        return "partially_dispensed" if fact.disposition == "partially_dispensed" else "dispensed"
    if fact.step == "shipping":
        return "exported" if fact.disposition == "exported" else "shipped"
    if fact.step in {"receiving", "accepting", "void_shipping"} and status in {"shipped", "dispensed", "stolen"}:
        return "active"
    return status


def stays(facts: Iterable[Fact]) -> list[Stay]:
    """The stays of a thing inside parents: ADD opens one (and ends an open one), DELETE ends it."""
    found: list[Stay] = []
    for fact in facts:
        if fact.type not in {"AggregationEvent", "AssociationEvent", "TransactionEvent"} or not fact.parent:
            continue
        if fact.type == "TransactionEvent":
            continue  # it binds things to a transaction, not into a container
        is_open = bool(found) and found[-1].to_ms is None
        if fact.action == "ADD":
            if is_open and found[-1].parent == fact.parent:
                continue
            if is_open:
                found[-1] = _ended(found[-1], fact)
            found.append(Stay(fact.parent, fact.time_ms, fact.index))
        elif fact.action == "DELETE" and is_open and found[-1].parent == fact.parent:
            found[-1] = _ended(found[-1], fact)
    return found


def trip(facts: Sequence[tuple[Fact, frozenset[str]]]) -> Trip:
    """What a despatch advice covers; each fact comes with the EPCs its event names."""
    result = Trip()
    for fact, epcs in facts:
        if fact.step in {"shipping", "departing"}:
            result.despatched |= epcs
            result.voided = False
            result.sender, result.receiver = fact.reporter, fact.destination or result.receiver
            result.shipped_ms, result.shipped_index = fact.time_ms, fact.index
        elif fact.step == "void_shipping":
            result.voided = True
        elif fact.step in {"receiving", "accepting"}:
            result.received |= epcs
            result.receiver_party = fact.reporter
            result.received_ms, result.received_index = fact.time_ms, fact.index
    return result


def lot(facts: Sequence[Fact]) -> LotFacts:
    """Recall, hold and release of a lot; facts of reporters without authority are left out by the caller."""
    result = LotFacts()
    for fact in facts:
        if "recalled" in fact.persistent_set:
            result.recalled_index, result.recalled_ms = fact.index, fact.time_ms
            result.recalled_by = fact.reporter
        elif "recalled" in fact.persistent_unset:
            result.recalled_index, result.recalled_ms, result.recalled_by = None, None, ""
        elif fact.step == "holding":
            result.held_index = fact.index
        elif fact.step == "inspecting" and fact.disposition == "conformant":
            result.held_index, result.released_index = None, fact.index
    return result


def _ended(stay: Stay, fact: Fact) -> Stay:
    return Stay(stay.parent, stay.from_ms, stay.from_index, fact.time_ms, fact.index)
