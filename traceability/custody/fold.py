"""What a key's own events make of it. Pure: facts in (event_time, event_id) order to rows."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from traceability.capture.spans import Spans, stands

REGULATOR, MAKER = "regulator", "maker"


@dataclass(frozen=True)
class Fact:
    """An event as seen by one thing it names; `role` is the thing's part in it. Folds are given those that count.

    Roles are those of EventEpc, and `emptied`: the event empties a container that the thing was in, without naming it.
    """

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
    left: int | None = None  # units that a partial dispensing says are left in the pack
    is_opening: bool = False  # opening stock: `lot` and `expiry` are what the holder read off the goods
    authority: str = ""  # of the reporter over the lot, on class-level facts: regulator | maker | ''
    void: Spans = ()  # while it did not count

    def counts(self, as_of: int | None = None) -> bool:
        """Whether the event stands: now, or as the log held it at an index."""
        return (as_of is None or self.index <= as_of) and (not self.void or stands(self.void, as_of))

    @property
    def order(self) -> tuple[int, str, int]:
        return (self.time_ms, self.event_id, self.index)


@dataclass
class Item:
    """The state of one thing after its facts. `last_*` is the newest event that is not a logger's read-out.

    `opened_ms`, `left`: of a pack that was dispensed from in part, since when, and the units left by the newest record.
    """

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
    opened_ms: int | None = None
    left: int | None = None


class Stay(NamedTuple):
    """A stay inside a parent; `to_ms` None = still."""

    parent: str
    from_ms: int
    from_index: int
    to_ms: int | None = None
    to_index: int | None = None


@dataclass
class LotFacts:
    """Recall, hold and release of a lot; `frozen_index`: a regulator's hold, `held_index`: its maker's."""

    recalled_index: int | None = None
    recalled_ms: int | None = None
    recalled_by: str = ""
    held_index: int | None = None
    frozen_index: int | None = None
    released_index: int | None = None


@dataclass
class PlaceFacts:
    """A regulator's freeze of a place."""

    frozen_index: int | None = None


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
_FINAL = {"destroyed", "decommissioned"}
# Shipped out of what is traced here: CBV has no word for it; `inactive` may be reintroduced (CBV 2.0, section 7.2).
_ABROAD = {"exported", "inactive"}
_ARRIVALS = {"receiving", "accepting", "void_shipping"}
# What is known to be wrong with goods keeps them on hold until someone has inspected them.
_BLOCKING = {"returned", "non_sellable_other", "non_conformant", "damaged", "no_pedigree_match"}
_CLEARING = {"conformant", "sellable_accessible"}


def item(facts: Sequence[Fact]) -> Item:
    """The state of a thing; `facts` are its own (see `own`), at least one."""
    state = Item(known_since_ms=facts[0].time_ms, last_index=facts[0].index, last_time_ms=facts[0].time_ms)
    sent: Fact | None = None
    for fact in facts:
        if fact.step == "void_shipping" and not _calls_back(fact, sent, state):
            continue
        _apply(state, fact)
        sent = fact if fact.step == "shipping" else sent
    return state


def _calls_back(void: Fact, sent: Fact | None, state: Item) -> bool:
    """Whether goods are with who calls a shipment back: not when they have arrived, nor when another sent them on."""
    is_own = sent is not None and (void.reporter == sent.reporter or void.place == sent.place)
    return is_own and state.status == "shipped"


def own(facts: Sequence[Fact]) -> list[Fact]:
    """The facts that concern the thing: not the emptying of a container that it had left before, or entered later."""
    if all(fact.role != "emptied" for fact in facts):
        return list(facts)
    ended = {stay.to_index for stay in stays(facts)}
    return [fact for fact in facts if fact.role != "emptied" or fact.index in ended]


def _apply(state: Item, fact: Fact) -> None:
    if fact.role in {"epc", "output"} and fact.lot and not state.lot:
        state.lot, state.expiry = fact.lot, fact.expiry
    if fact.step == "sensor_reporting":  # a logger read out later, or by another, moves nothing
        return
    state.last_index, state.last_time_ms = fact.index, fact.time_ms
    if _makes(fact) and state.commissioned_index is None:
        state.commissioned_index = fact.index
    state.place = fact.place or state.place
    state.party = fact.reporter
    state.status = _status(state.status, fact)
    if fact.step == "dispensing":
        _open(state, fact)
    state.destination = fact.destination if state.status == "shipped" else ""
    if fact.step == "inspecting" and fact.disposition in _CLEARING:
        state.held_index = None
    elif fact.step == "holding" or fact.disposition in _BLOCKING:
        state.held_index = fact.index


def _open(state: Item, fact: Fact) -> None:
    if state.status == "partially_dispensed":
        state.opened_ms, state.left = state.opened_ms or fact.time_ms, fact.left
    elif state.status == "dispensed" and state.opened_ms is not None:
        state.left = 0


def _makes(fact: Fact) -> bool:
    return fact.role == "output" or (fact.type == "ObjectEvent" and fact.action == "ADD")


def _status(status: str, fact: Fact) -> str:
    if _makes(fact):
        return "active"
    if status in _FINAL:
        return status  # whatever was seen of it later contradicts this, and the safe answer is that it is gone
    if fact.role == "input":
        return "decommissioned"
    if fact.step in _ENDS:
        return _ENDS[fact.step]
    if fact.type == "ObjectEvent" and fact.action == "DELETE":
        return "destroyed" if fact.disposition == "destroyed" else "decommissioned"
    if "stolen" in fact.persistent_set:
        return "stolen"
    if status == "stolen":  # a persistent disposition holds until it is unset (CBV 2.0, section 7.2)
        return "active" if "stolen" in fact.persistent_unset else "stolen"
    if fact.step in {"dispensing", "retail_selling"}:
        return "partially_dispensed" if fact.disposition == "partially_dispensed" else "dispensed"
    if fact.step == "shipping":
        return "exported" if fact.disposition in _ABROAD else "shipped"
    if (fact.step in _ARRIVALS or fact.is_opening) and status in {"shipped", "dispensed", "exported"}:
        return "active"
    return status


def stays(facts: Iterable[Fact]) -> list[Stay]:
    """The stays of a thing inside parents: ADD opens one (and ends an open one), DELETE ends it.

    A TransactionEvent binds things to a transaction and puts nothing into anything.
    """
    found: list[Stay] = []
    for fact in facts:
        if fact.role not in {"child", "emptied"} or not fact.parent or fact.type == "TransactionEvent":
            continue
        is_open = bool(found) and found[-1].to_ms is None
        if fact.action == "ADD":
            if is_open and found[-1].parent == fact.parent:
                continue
            if is_open:
                found[-1] = _ended(found[-1], fact)
            found.append(Stay(fact.parent, fact.time_ms, fact.index))
        elif fact.action == "DELETE" and is_open and found[-1].parent == fact.parent:
            found[-1] = _ended(found[-1], fact)
    return _distinct(found)


def _distinct(found: list[Stay]) -> list[Stay]:
    """One stay per parent and start: something put in, taken out and put in again within a millisecond stayed once."""
    return list({(stay.parent, stay.from_ms): stay for stay in found}.values())


def trip(facts: Sequence[tuple[Fact, frozenset[str]]]) -> Trip:
    """What a despatch advice covers; each fact comes with the EPCs its event names."""
    result = Trip()
    for fact, epcs in facts:
        if fact.step in {"shipping", "departing"}:
            result.despatched = set(epcs) | (set() if result.voided else result.despatched)
            result.voided = False
            result.sender, result.receiver = fact.reporter, fact.destination or result.receiver
            result.shipped_ms, result.shipped_index = fact.time_ms, fact.index
        elif fact.step == "void_shipping":
            left = result.despatched - epcs if epcs else set()
            result.voided = not left
            result.despatched = left or result.despatched  # what was called back whole stays readable
        elif fact.step in {"receiving", "accepting"}:
            result.received |= epcs
            result.receiver_party = fact.reporter
            result.received_ms, result.received_index = fact.time_ms, fact.index
    return result


def lot(facts: Iterable[Fact]) -> LotFacts:
    """Recall, hold and release of a lot, by who has authority over it: a regulator, or the maker.

    What a regulator has set, the maker cannot lift; a hold of the maker's own outlives a freeze. Anyone else's
    class-level events speak of their own goods only.
    """
    result = LotFacts()
    recalled_by = ""
    for fact in facts:
        if not fact.authority:
            continue
        if "recalled" in fact.persistent_set:
            if recalled_by != REGULATOR or fact.authority == REGULATOR:
                result.recalled_index, result.recalled_ms = fact.index, fact.time_ms
                result.recalled_by, recalled_by = fact.reporter, fact.authority
        elif "recalled" in fact.persistent_unset:
            if recalled_by != REGULATOR or fact.authority == REGULATOR:
                result.recalled_index, result.recalled_ms, result.recalled_by, recalled_by = None, None, "", ""
        elif fact.step == "holding":
            if fact.authority == REGULATOR:
                result.frozen_index = fact.index
            else:
                result.held_index = fact.index
        elif _clears(fact):
            if fact.authority == REGULATOR and result.frozen_index is not None:
                result.frozen_index = None
            else:
                result.released_index, result.held_index = fact.index, None
    return result


def place(facts: Iterable[Fact]) -> PlaceFacts:
    """What a regulator has said of a place as a whole; anyone else's events about a place change nothing."""
    result = PlaceFacts()
    for fact in facts:
        if fact.authority == REGULATOR and fact.step == "holding":
            result.frozen_index = fact.index
        elif fact.authority == REGULATOR and _clears(fact):
            result.frozen_index = None
    return result


def _clears(fact: Fact) -> bool:
    return fact.step == "inspecting" and fact.disposition == "conformant"


def _ended(stay: Stay, fact: Fact) -> Stay:
    return stay._replace(to_ms=fact.time_ms, to_index=fact.index)
