"""The events that a batch of entries bears on, out of the event index in bulk, for the walk."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Set
from dataclasses import dataclass
from functools import cache

from django.db.models import Min, OuterRef, Subquery
from django.db.models.functions import Coalesce

from traceability.capture import standing
from traceability.capture.models import EventEpc, EventPartner, PublishedEvent
from traceability.capture.spans import Spans
from traceability.common import bulk, masterdata
from traceability.custody.models import ItemState
from traceability.epcis.event import EventView
from traceability.gs1.epc import is_place, without_extension
from traceability.parties.models import PARTY_NAMESPACE

from .custody_walk import MAX_DEPTH, Aliases, Seen

_GLN_PARTY, _GLN_PLACE = "https://id.gs1.org/417/", "https://id.gs1.org/414/"
_Link = tuple[int, str, str]  # event index, role, thing
_GROUPING = frozenset({"AggregationEvent", "AssociationEvent"})
_HISTORIES = bulk.Select(ItemState.objects.values_list("epc", "history"), "epc")
_NAMING = bulk.Select(EventEpc.objects.values_list("epc", "event_index", "role"), "epc")
_NAMING_A_CHILD = bulk.Select(
    EventEpc.objects.filter(role="child").values_list("event_index", flat=True), "event_index"
)
_DESTINATIONS = bulk.Select(
    EventPartner.objects.filter(direction="destination").values_list("event_index", "value"), "event_index"
)
# Error declarations are no events of the thing: they are taken into account by what they make void.
_TOLD = bulk.Select(
    PublishedEvent.objects.filter(declaration_ms__isnull=True).values_list(
        "index", "event_time_ms", "reporter", "biz_step", "action", "event_type"
    ),
    "index",
)
_NOTHING = frozenset[str]()
_ROLES = frozenset({"epc", "parent", "child", "input", "output"})


@dataclass(frozen=True)
class Gathered:
    """Events by index with the time in which they did not count, and the things that the batch may concern.

    Things that the same events name in the same roles stand as one.
    """

    events: Mapping[int, Seen]
    void: Mapping[int, Spans]
    concerned: frozenset[str]


def gather(indexes: Set[int], read: Mapping[int, EventView]) -> Gathered:
    """Whatever decides about, or is decided by, what these events name; `read` are those of them just read.

    Downwards: what was ever put into those things and what was made of them. From there upwards: what those were ever
    inside of, and what they were made of. Nothing else has a part in the state of what the batch concerns.
    """
    found = _Links(read)
    found.close(found.named(indexes), {"parent": "child", "input": "output"})
    down = set(found.by_thing)
    found.close(down, {"child": "parent", "output": "input"})
    links = [(index, role, epc) for epc, history in found.by_thing.items() for index, role in history]
    standing_for = _representatives(links)
    events = _events({(index, role, standing_for[epc]) for index, role, epc in links})
    concerned = frozenset(standing_for[epc] for epc in down if epc in standing_for)
    return Gathered(events, standing.spans(list(events)), concerned)


def aliases(reporters: Collection[str]) -> Aliases:
    """The URIs of these parties as the log's master data knew them at an index; three queries when first asked."""
    known: dict[tuple[str, int], frozenset[str]] = {}

    def of(reporter: str, index: int) -> frozenset[str]:
        if (reporter, index) not in known:
            own, sites = names()
            party = reporter.removeprefix(PARTY_NAMESPACE)
            newest = next((uris for at, uris in reversed(own[party]) if at <= index), frozenset[str]())
            known[reporter, index] = newest | {reporter} | {uri for at, uri in sites[party] if at <= index}
        return known[reporter, index]

    names = cache(lambda: _names({uri.removeprefix(PARTY_NAMESPACE) for uri in reporters}))
    return of


def _names(
    ids: Set[str],
) -> tuple[Mapping[str, list[tuple[int, frozenset[str]]]], Mapping[str, list[tuple[int, str]]]]:
    """The versions of parties' own URIs, and those of their sites."""
    own: dict[str, list[tuple[int, frozenset[str]]]] = defaultdict(list)
    for subject, versions in masterdata.versions({f"party:{one}" for one in ids}).items():
        for index, body in versions:
            glns = [row["value"] for row in body.get("identifiers", ()) if row["scheme"] == "gln"]
            uris = frozenset(prefix + gln for gln in glns for prefix in (_GLN_PARTY, _GLN_PLACE))
            own[subject.removeprefix("party:")].append((index, uris))
    sites: dict[str, list[tuple[int, str]]] = defaultdict(list)
    theirs = masterdata.bearers({f"party:{one}" for one in ids})
    for versions in masterdata.versions(set[str]().union(*theirs.values())).values():
        for index, body in versions:
            sites[body.get("party", "")].append((index, body["uri"]))
    return own, sites


class _Links:
    """Which events name each thing, in which role; each thing is read once."""

    def __init__(self, read: Mapping[int, EventView]) -> None:
        self.by_thing: dict[str, list[tuple[int, str]]] = {}
        self._views = read
        self._one: dict[str, str] = {}  # thing -> the one that stands for its history
        self._first: dict[str, str] = {}  # history -> that

    def close(self, things: Collection[str], steps: Mapping[str, str]) -> None:
        """Read these things, and whatever events link to them from one role to the other, again and again."""
        level = set(things)
        for _ in range(MAX_DEPTH + 1):
            self._read(level - self.by_thing.keys())
            naming = {index for thing in level for index, role in self.by_thing[thing] if role in steps}
            level = self.named(naming, steps.values()) - self.by_thing.keys()
            if not level:
                break

    def _read(self, things: Collection[str]) -> None:
        self.by_thing |= {thing: [] for thing in things}
        for epc, index, role in _NAMING(things):
            self.by_thing[epc].append((index, role))

    def named(self, indexes: Set[int], roles: Collection[str] = _ROLES) -> set[str]:
        """What these events name, one of those that custody found to share their history; a pallet's are not all read.

        Custody may be ahead of us. Things that share their history now shared it at every earlier entry.
        """
        views = [self._views[index] for index in indexes & self._views.keys()]
        found = self._alike({epc for view in views for role, epc in view.epcs if role in roles})
        found |= set(_one_of_each(frozenset(roles))(indexes - self._views.keys()))
        return {epc for epc in found if not is_place(epc)}  # nobody holds a place by an event about it

    def _alike(self, things: Set[str]) -> set[str]:
        """One of each history among these things, the same whenever it is asked for."""
        new = things - self._one.keys()
        histories = dict(_HISTORIES(new))
        for thing in sorted(new):
            self._one[thing] = self._first.setdefault(histories.get(thing, thing), thing)
        return {self._one[thing] for thing in things}


@cache
def _one_of_each(roles: frozenset[str]) -> bulk.Select:
    shared = ItemState.objects.filter(epc=OuterRef("epc")).values("history")
    links = EventEpc.objects.filter(role__in=roles).annotate(alike=Coalesce(Subquery(shared), "epc"))
    alike = links.order_by().values("alike").annotate(first=Min("epc"))
    return bulk.Select(alike.values_list("first", flat=True), "event_index")


def _representatives(links: Collection[_Link]) -> dict[str, str]:
    """The thing that stands for each: the first of those that the same events name in the same roles."""
    histories: dict[str, list[tuple[int, str]]] = defaultdict(list)
    for index, role, epc in links:
        histories[epc].append((index, role))
    sharing: dict[frozenset[tuple[int, str]], list[str]] = defaultdict(list)
    for epc, history in histories.items():
        sharing[frozenset(history)].append(epc)
    return {epc: min(names) for names in sharing.values() for epc in names}


def _events(links: Collection[_Link]) -> dict[int, Seen]:
    by_role: dict[tuple[int, str], set[str]] = defaultdict(set)
    for index, role, thing in links:
        by_role[index, role].add(thing)
    indexes = {index for index, _, _ in links}
    destinations: dict[int, set[str]] = defaultdict(set)
    for index, value in _DESTINATIONS(indexes):
        destinations[index].add(without_extension(value))
    rows = list(_TOLD(indexes))
    naming_a_child = {index for index, role in by_role if role == "child"}
    deletes = {row[0] for row in rows if row[5] in _GROUPING and row[4] == "DELETE"} - naming_a_child
    emptying = deletes - set(_NAMING_A_CHILD(deletes))
    named = {key: frozenset(things) for key, things in by_role.items()}
    return {
        index: Seen(
            index=index,
            time_ms=time_ms,
            reporter=reporter,
            step=step,
            action=action,
            is_grouping=kind in _GROUPING,
            epcs=named.get((index, "epc"), _NOTHING),
            parent=min(named.get((index, "parent"), _NOTHING), default=""),
            children=named.get((index, "child"), _NOTHING),
            is_emptying=index in emptying,
            inputs=named.get((index, "input"), _NOTHING),
            outputs=named.get((index, "output"), _NOTHING),
            destinations=frozenset(destinations.get(index, _NOTHING)),
        )
        for index, time_ms, reporter, step, action, kind in rows
    }
