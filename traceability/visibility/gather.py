"""The events that a batch of entries bears on, out of the event index in bulk, for the walk."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from django.db.models import Min, OuterRef, Subquery
from django.db.models.functions import Coalesce

from traceability.capture import standing
from traceability.capture.models import EventEpc, EventPartner, PublishedEvent
from traceability.capture.spans import Spans
from traceability.common import bulk
from traceability.common.models import MasterVersion
from traceability.custody.models import ItemState
from traceability.gs1.epc import is_place, without_extension
from traceability.parties.models import PARTY_NAMESPACE

from .custody_walk import MAX_DEPTH, Aliases, Seen

_GLN_PARTY, _GLN_PLACE = "https://id.gs1.org/417/", "https://id.gs1.org/414/"
_Link = tuple[int, str, str]  # event index, role, thing


@dataclass(frozen=True)
class Gathered:
    """Events by index with the time in which they did not count, and the things that the batch may concern.

    Things that the same events name in the same roles stand as one.
    """

    events: Mapping[int, Seen]
    void: Mapping[int, Spans]
    concerned: frozenset[str]


def gather(indexes: Collection[int]) -> Gathered:
    """Whatever decides about, or is decided by, what these events name.

    Downwards: what was ever put into those things and what was made of them. From there upwards: what those were ever
    inside of, and what they were made of. Nothing else has a part in the state of what the batch concerns.
    """
    found = _Links()
    found.close(_named(indexes), {"parent": "child", "input": "output"})
    down = set(found.by_thing)
    found.close(down, {"child": "parent", "output": "input"})
    links = [(index, role, epc) for epc, history in found.by_thing.items() for index, role in history]
    standing_for = _representatives(links)
    events = _events({(index, role, standing_for[epc]) for index, role, epc in links})
    concerned = frozenset(standing_for[epc] for epc in down if epc in standing_for)
    return Gathered(events, standing.spans(list(events)), concerned)


def aliases(reporters: Collection[str]) -> Aliases:
    """The URIs of these parties as the log's master data knew them at an index; two queries."""
    ids = {uri.removeprefix(PARTY_NAMESPACE) for uri in reporters}
    versions = MasterVersion.objects.order_by("index").values_list("index", "subject", "body")
    own: dict[str, list[tuple[int, frozenset[str]]]] = defaultdict(list)
    for index, subject, body in bulk.among(versions, "subject", {f"party:{one}" for one in ids}):
        glns = [row["value"] for row in body.get("identifiers", ()) if row["scheme"] == "gln"]
        uris = frozenset(prefix + gln for gln in glns for prefix in (_GLN_PARTY, _GLN_PLACE))
        own[subject.removeprefix("party:")].append((index, uris))
    sites: dict[str, list[tuple[int, str]]] = defaultdict(list)
    for index, _, body in versions.filter(subject__startswith="site:", body__party__in=sorted(ids)):
        sites[body["party"]].append((index, body["uri"]))
    known: dict[tuple[str, int], frozenset[str]] = {}

    def of(reporter: str, index: int) -> frozenset[str]:
        if (reporter, index) not in known:
            party = reporter.removeprefix(PARTY_NAMESPACE)
            newest = next((uris for at, uris in reversed(own[party]) if at <= index), frozenset[str]())
            known[reporter, index] = newest | {reporter} | {uri for at, uri in sites[party] if at <= index}
        return known[reporter, index]

    return of


class _Links:
    """Which events name each thing, in which role; each thing is read once."""

    def __init__(self) -> None:
        self.by_thing: dict[str, list[tuple[int, str]]] = {}

    def close(self, things: Collection[str], steps: Mapping[str, str]) -> None:
        """Read these things, and whatever events link to them from one role to the other, again and again."""
        level = set(things)
        for _ in range(MAX_DEPTH + 1):
            self._read(level - self.by_thing.keys())
            naming = {index for thing in level for index, role in self.by_thing[thing] if role in steps}
            level = _named(naming, steps.values()) - self.by_thing.keys()
            if not level:
                break

    def _read(self, things: Collection[str]) -> None:
        self.by_thing |= {thing: [] for thing in things}
        rows = EventEpc.objects.values_list("epc", "event_index", "role")
        for epc, index, role in bulk.among(rows, "epc", things):
            self.by_thing[epc].append((index, role))


def _named(indexes: Collection[int], roles: Collection[str] = ()) -> set[str]:
    """What these events name, one of those that custody found to share their history: a pallet's packs are not read.

    Custody may be ahead of us. Things that share their history now shared it at every earlier entry.
    """
    links = EventEpc.objects.filter(role__in=roles) if roles else EventEpc.objects.all()
    shared = ItemState.objects.filter(epc=OuterRef("epc")).values("history")
    alike = links.annotate(alike=Coalesce(Subquery(shared), "epc")).order_by().values("alike")
    found = bulk.among(alike.annotate(first=Min("epc")).values_list("first", flat=True), "event_index", indexes)
    return {epc for epc in found if not is_place(epc)}  # nobody holds a place by an event about it


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
    partners = EventPartner.objects.filter(direction="destination").values_list("event_index", "value")
    for index, value in bulk.among(partners, "event_index", indexes):
        destinations[index].add(without_extension(value))
    naming_a_child = EventEpc.objects.filter(role="child").values_list("event_index", flat=True)
    rows = list(_rows(indexes))
    deletes = {row[0] for row in rows if row[5] in _GROUPING and row[4] == "DELETE"}
    emptying = deletes - set(bulk.among(naming_a_child, "event_index", deletes))
    return {
        index: Seen(
            index=index,
            time_ms=time_ms,
            reporter=reporter,
            step=step,
            action=action,
            is_grouping=kind in _GROUPING,
            epcs=frozenset(by_role[index, "epc"]),
            parent=min(by_role[index, "parent"], default=""),
            children=frozenset(by_role[index, "child"]),
            is_emptying=index in emptying,
            inputs=frozenset(by_role[index, "input"]),
            outputs=frozenset(by_role[index, "output"]),
            destinations=frozenset(destinations[index]),
        )
        for index, time_ms, reporter, step, action, kind in rows
    }


_GROUPING = frozenset({"AggregationEvent", "AssociationEvent"})
_COLUMNS = ("index", "event_time_ms", "reporter", "biz_step", "action", "event_type")


def _rows(indexes: Collection[int]) -> Iterator[tuple[int, int, str, str, str, str]]:
    """Error declarations are no events of the thing: they are taken into account by what they make void."""
    events = PublishedEvent.objects.filter(declaration_ms__isnull=True).values_list(*_COLUMNS)
    yield from bulk.among(events, "index", indexes)
