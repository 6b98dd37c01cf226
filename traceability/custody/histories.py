"""The facts about things, out of the event index in bulk: for the folds, and for the state as of an earlier entry."""

import hashlib
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

from django.db.models import Exists, OuterRef

from traceability.capture import selectors as captured
from traceability.capture import standing
from traceability.capture.models import EventEpc, EventPartner, PublishedEvent
from traceability.capture.spans import stands
from traceability.common import bulk

from . import drill, fold, open_pack, opening
from .entries import Entry, Sayings, made
from .fold import Fact, Stay

MAX_DEPTH = 8

# Behind the first three columns a lot's many events are mostly alike.
_COLUMNS = (
    "index", "event_time_ms", "event_id", "event_type", "action", "biz_step", "disposition", "biz_location",
    "read_point", "reporter", "offset_minutes", "lot", "expiry", "persistent_set", "persistent_unset",
)  # fmt: skip
_APART, _STEP, _DISPOSITION = 3, _COLUMNS.index("biz_step"), _COLUMNS.index("disposition")
_PARTLY = "partially_dispensed"
_ROWS = bulk.Select(PublishedEvent.objects.filter(declaration_ms__isnull=True).values_list(*_COLUMNS), "index")
_OWNERS = EventPartner.objects.filter(direction="destination", type__in=["owning_party", "possessing_party"])
_DESTINATIONS = bulk.Select(_OWNERS.order_by("-position").values_list("event_index", "value"), "event_index")
_PARENTS_OF = bulk.Select(EventEpc.objects.filter(role="parent").values_list("event_index", "epc"), "event_index")
_GROUPED_UNDER = bulk.Select(EventEpc.objects.filter(role="parent").values_list("epc", "event_index"), "epc")
_CHILDREN_OF = bulk.Select(EventEpc.objects.filter(role="child").values_list("event_index", "epc"), "event_index")
_DELETES = PublishedEvent.objects.filter(event_type__in=["AggregationEvent", "AssociationEvent"], action="DELETE")
_OWN_CHILDREN = EventEpc.objects.filter(event_index=OuterRef("index"), role="child")
_EMPTYING = bulk.Select(_DELETES.filter(~Exists(_OWN_CHILDREN)).values_list("index", flat=True), "index")

# The events (log index, role in it) that name a thing: packs that were always named together share theirs.
History = frozenset[tuple[int, str]]


class Histories:
    """The histories of some things, in the `roles` given (all without), emptyings of their containers included."""

    def __init__(self, epcs: Collection[str], *, roles: Collection[str] = ()) -> None:
        by_epc, parents = _named(epcs, roles)
        self.sharing: dict[History, list[str]] = defaultdict(list)
        for epc, pairs in by_epc.items():
            self.sharing[frozenset(pairs)].append(epc)
        events = facts({index for pairs in by_epc.values() for index, _ in pairs}, parents)
        self._seen = {
            (index, role): (*events[index].order, role, _in_role(events[index], role))
            for index, role in frozenset[tuple[int, str]]().union(*self.sharing)
            if index in events
        }

    def __iter__(self) -> Iterator[tuple[str, list[Fact], list[str]]]:
        """The digest and the effective facts of each history that has any, in order, with the things that share it."""
        for history, names in self.sharing.items():
            if found := fold.own(self.effective(history)):
                yield digest(history), found, names

    def effective(self, history: History, *, as_of: int | None = None) -> list[Fact]:
        """The facts of a history that count now, or that counted as of a log index; in order."""
        return [fact for fact in self.known(history) if (as_of is None and not fact.void) or fact.counts(as_of)]

    def known(self, history: History) -> list[Fact]:
        """The facts of a history, those that do not count included; in order."""
        return [row[-1] for row in sorted([self._seen[pair] for pair in history if pair in self._seen])]


def pages(epcs: Collection[str], sayings: Sayings, *, as_of: int) -> dict[str, list[Entry]]:
    """The entries of some things that counted as of a log index, in order: what traces read, and no facts."""
    named, parents = _named(epcs, ())
    indexes = {index for pairs in named.values() for index, _ in pairs if index <= as_of}
    void, destinations = standing.spans(indexes), dict(_DESTINATIONS(indexes))
    rows = {row[0]: row for row in _ROWS(indexes) if row[0] not in void or stands(void[row[0]], as_of)}
    bodies = [index for index, row in rows.items() if row[_STEP] == opening.STEP or row[_DISPOSITION] == _PARTLY]
    told_in_bodies = facts(bodies, {})
    numbers: dict[tuple[Any, ...], int] = {}
    entries: dict[tuple[int, str], Entry] = {}
    for index, role in set[tuple[int, str]]().union(*named.values()):
        if index not in rows:
            continue
        row, destination = rows[index], destinations.get(index, "")
        if index in told_in_bodies:
            number = sayings.number(replace(told_in_bodies[index], role=role))
        else:
            key = (role, destination, row[_APART:])
            number = numbers.get(key, -1)
            if number < 0:
                fact = Fact(**_told(row) | {"role": role, "destination": destination})
                number = numbers[key] = sayings.number(fact)
        entries[index, role] = made(row[1], row[2], index, role, "", parents.get(index, ""), 0, number)
    return {epc: sorted([entries[pair] for pair in pairs if pair in entries]) for epc, pairs in named.items()}


def digest(history: History) -> str:
    """What two things have in common whom the same events name in the same roles: 32 hex digits."""
    return hashlib.sha256(repr(sorted(history)).encode()).hexdigest()[:32]


class ContentsAsOf:
    """What lay in some containers, at any depth, as the log held it after any entry.

    `Containment` holds what the log says now. What it said before an error declaration, or before an event came late,
    is told by the events alone: a judgement as of an entry must not depend on how much was read together with it.
    """

    def __init__(self, roots: Collection[str]) -> None:
        self._children: dict[str, set[str]] = {}
        self._histories: dict[str, tuple[Histories, History]] = {}
        self._stays: dict[tuple[History, int], list[Stay]] = {}
        level = set(roots)
        for _ in range(MAX_DEPTH):
            put = ever_put_into(level)
            if not put:
                break
            self._children |= put
            level = set[str]().union(*put.values()) - self._histories.keys()
            histories = Histories(level, roles=("child",))
            for history, names in histories.sharing.items():
                self._histories |= dict.fromkeys(names, (histories, history))

    @property
    def things(self) -> Collection[str]:
        """Whatever lay in one of the containers at any time."""
        return self._histories.keys()

    def within(self, container: str, start_ms: int, end_ms: int, *, as_of: int) -> frozenset[str]:
        """What lay directly in a container at some time from `start_ms` to `end_ms` (both included)."""
        return frozenset(
            child
            for child in self._children.get(container, ())
            for stay in self._stays_of(child, as_of)
            if stay.parent == container and stay.from_ms <= end_ms and (stay.to_ms is None or stay.to_ms > start_ms)
        )

    def all_within(self, container: str, start_ms: int, end_ms: int, *, as_of: int) -> set[str]:
        """`within` at any depth."""
        found: set[str] = set()
        level = {container}
        while level:
            below = set[str]().union(*(self.within(one, start_ms, end_ms, as_of=as_of) for one in level))
            level = below - found - {container}
            found |= level
        return found

    def _stays_of(self, child: str, as_of: int) -> list[Stay]:
        histories, history = self._histories[child]
        key = (history, as_of)
        if key not in self._stays:
            self._stays[key] = fold.stays(histories.effective(history, as_of=as_of))
        return self._stays[key]


def ever_put_into(containers: Collection[str]) -> dict[str, set[str]]:
    """Whatever any event put into each container; those that never held anything are left out."""
    parents = {index: epc for epc, index in _GROUPED_UNDER(containers)}
    found: dict[str, set[str]] = defaultdict(set)
    for index, child in _CHILDREN_OF(parents):
        found[parents[index]].add(child)
    return found


def emptying(indexes: Collection[int]) -> set[int]:
    """Of these events, the aggregation DELETEs that name no child: they empty the whole container."""
    return set(_EMPTYING(indexes))


def _emptied_by_parent(parents: Collection[str]) -> dict[str, set[int]]:
    links = list(_GROUPED_UNDER(parents))
    empty = emptying({index for _, index in links})
    found: dict[str, set[int]] = defaultdict(set)
    for parent, index in links:
        if index in empty:
            found[parent].add(index)
    return found


def facts(indexes: Collection[int], parents: Mapping[int, str]) -> dict[int, Fact]:
    """The events among `indexes`, those made void included, as facts without a role; `parents` by index."""
    rows, void, destinations = list(_ROWS(indexes)), standing.spans(indexes), dict(_DESTINATIONS(indexes))
    found: dict[int, Fact] = {}
    alike: dict[tuple[Any, ...], dict[str, Any]] = {}
    for row in rows:
        index, time_ms, event_id = row[:_APART]
        said = row[_APART:]
        if said not in alike:
            alike[said] = _told(row)
        found[index] = fact = object.__new__(Fact)
        vars(fact).update(
            alike[said], index=index, time_ms=time_ms, event_id=event_id, parent=parents.get(index, ""),
            destination=destinations.get(index, ""), void=void.get(index, ()),
        )  # fmt: skip
    found |= _openings([index for index, fact in found.items() if fact.step == opening.STEP], found)
    return found | _parts([index for index, fact in found.items() if fact.disposition == _PARTLY], found)


def _named(epcs: Collection[str], roles: Collection[str]) -> tuple[dict[str, set[tuple[int, str]]], dict[int, str]]:
    """The events that name each thing, with its role there; and the containers that these put in, take out or empty."""
    links = list(_links(tuple(roles))(epcs))
    parents = dict(_PARENTS_OF({index for _, index, role in links if role == "child"}))
    by_epc: dict[str, set[tuple[int, str]]] = defaultdict(set)
    for epc, index, role in links:
        by_epc[epc].add((index, role))
    emptied = _emptied_by_parent(set(parents.values()))
    if emptied:
        for epc, index, role in links:
            if role == "child":
                by_epc[epc] |= {(other, "emptied") for other in emptied.get(parents.get(index, ""), ())}
    for parent, indexes in emptied.items():
        parents |= dict.fromkeys(indexes, parent)
    return by_epc, parents


@cache
def _links(roles: tuple[str, ...]) -> bulk.Select:
    conditions = {"role__in": roles} if roles else {}
    return bulk.Select(EventEpc.objects.filter(**conditions).values_list("epc", "event_index", "role"), "epc")


def _openings(indexes: Collection[int], known: Mapping[int, Fact]) -> dict[int, Fact]:
    """Those stock takings that are opening stock, with what their bodies say of lot and expiry."""
    return {
        index: replace(known[index], is_opening=True, lot=stock.lot, expiry=stock.expiry)
        for index, stock in opening_stock(indexes).items()
    }


def _parts(indexes: Collection[int], known: Mapping[int, Fact]) -> dict[int, Fact]:
    """The partial dispensings, with what their bodies say is left."""
    return {
        index: replace(known[index], left=open_pack.left(body))
        for chunk in bulk.chunks(indexes)
        for index, body in captured.bodies(chunk).items()
    }


def opening_stock(indexes: Collection[int]) -> dict[int, opening.Opening]:
    """Which of these events are opening stock, and what they say of lot and expiry."""
    found = {}
    for chunk in bulk.chunks(indexes):
        for index, body in captured.bodies(chunk).items():
            if stock := opening.read(body):
                found[index] = stock
    return found


def drills(indexes: Collection[int]) -> set[int]:
    """Which of these class-level events are recall drills, as their bodies say."""
    return {
        index
        for chunk in bulk.chunks(indexes)
        for index, body in captured.bodies(chunk).items()
        if drill.is_drill(body)
    }


def _in_role(fact: Fact, role: str) -> Fact:
    """`replace` at a tenth of its cost: a lot has a hundred thousand of these."""
    found = object.__new__(Fact)
    vars(found).update(vars(fact), role=role)
    return found


def _told(row: Sequence[Any]) -> dict[str, Any]:
    """The members of a fact without a role, by `_COLUMNS`."""
    index, time_ms, event_id, kind, action, step, disposition, location, read_point, reporter, *more = row
    offset_minutes, lot, expiry, persistent_set, persistent_unset = more
    return vars(
        Fact(
            index=index,
            time_ms=time_ms,
            event_id=event_id,
            role="",
            type=kind,
            action=action,
            step=step,
            disposition=disposition,
            place=location or read_point,
            reporter=reporter,
            offset_minutes=offset_minutes,
            lot=lot,
            expiry=expiry,
            persistent_set=frozenset(persistent_set.split()),
            persistent_unset=frozenset(persistent_unset.split()),
        )
    )
