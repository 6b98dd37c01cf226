"""The audience of each event, filled entry by entry after custody (ADR 9)."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from django.db.models import Q

from traceability.capture import standing
from traceability.capture.models import PublishedEvent, VoidSpan
from traceability.capture.spans import stands
from traceability.common import bulk
from traceability.common.projection import LogEntry, Projection
from traceability.custody import histories
from traceability.custody.authority import Authority
from traceability.custody.fold import REGULATOR
from traceability.epcis import event as epcis_event
from traceability.epcis.event import EventView
from traceability.gs1.epc import is_place, without_extension

from .custody_walk import Walk
from .gather import Gathered, aliases, gather
from .models import Audience
from .pedigree import pedigrees

_HELD = bulk.Select(Audience.objects.values_list("event_index", flat=True), "event_index", given=["party"])
_ABOUT = bulk.Select(PublishedEvent.objects.values_list("index", "event_time_ms", "biz_step"), "index")
_Row = tuple[str, int, int]  # party, event index, since index
COLUMNS = ("party", "event_index", "since_index", "event_time_ms", "biz_step")
_TRANSACTION_OF_GLN = "urn:epcglobal:cbv:bt:"
_GLN_PARTY = "https://id.gs1.org/417/"


def _apply(entries: Sequence[LogEntry]) -> None:
    read = {entry.index: (entry.iss, entry.read(epcis_event.read)) for entry in standing.events(entries)}
    views = {index: view for index, (_, view) in read.items()}
    turned = {(event, at) for event, at in standing.turned([entry.index for entry in entries]) if event < at}
    if not views and not turned:
        return
    found = Audiences()
    found.add(row for index, (reporter, view) in read.items() for row in _named(index, reporter, view))
    found.add(_public(views))
    steps = sorted(views.keys() | {at for _, at in turned})
    _open_pedigrees(found, steps, gather(views.keys() | {event for event, _ in turned}, views))
    found.add(_declarations(entries, found))
    bulk.insert(Audience, COLUMNS, _described(list(found.news(entries[0].index)), views))


class Audiences:
    """Rows to be: of each pair of party and event the first since."""

    def __init__(self) -> None:
        self._since: dict[str, dict[int, int]] = defaultdict(dict)

    def add(self, rows: Iterator[_Row]) -> None:
        for party, event, since in rows:
            known = self._since[party]
            known[event] = min(since, known.get(event, since))

    def open(self, party: str, events: Iterable[int], since: int) -> None:
        """Rows that a party has from an entry on, which is none before those already here."""
        known = self._since[party]
        for event in events:
            known.setdefault(event, since)

    def of(self, event: int) -> Iterator[tuple[str, int]]:
        """(party, since) of an event among these rows."""
        return ((party, known[event]) for party, known in list(self._since.items()) if event in known)

    def news(self, first: int) -> Iterator[_Row]:
        """Those that the table does not hold; it holds none of events from index `first` on."""
        for party, known in sorted(self._since.items()):
            old = set(_HELD([event for event in known if event < first], party))
            yield from ((party, event, since) for event, since in sorted(known.items()) if event not in old)


def _described(rows: Sequence[_Row], views: Mapping[int, EventView]) -> list[bulk.Row]:
    """The rows with what a party's queries compare most, of their events."""
    about = {index: (view.event_time_ms, view.biz_step) for index, view in views.items()}
    earlier = {event for _, event, _ in rows} - about.keys()
    about |= {index: (time_ms, step) for index, time_ms, step in _ABOUT(earlier)}
    return [(party, event, since, *about[event]) for party, event, since in rows]


def _named(index: int, reporter: str, view: EventView) -> Iterator[_Row]:
    """Who reported an event, is its source or destination, a party of one of its business transactions, or at home in
    a place that it is about."""
    yield reporter, index, index
    for _, partner in (*view.sources, *view.destinations):
        yield without_extension(partner), index, index
    for _, value in view.biz_transactions:
        gln = value.removeprefix(_TRANSACTION_OF_GLN)[:13]
        if value.startswith(_TRANSACTION_OF_GLN) and len(gln) == 13 and gln.isdecimal():  # CBV 2.0, section 8.5.2
            yield _GLN_PARTY + gln, index, index
    for role, thing in view.epcs:
        if role == "epc" and is_place(thing):
            yield without_extension(thing), index, index


def _public(views: Mapping[int, EventView]) -> Iterator[_Row]:
    """What calls a lot back, or stops it: a notice to everybody, as `custody` believes it.

    A recall, or its end, by who has the say over the lot; a freeze, or its end, by a regulator.
    """
    classes = [(index, name) for index, view in views.items() for _, name, *_ in view.classes]
    facts = histories.facts({index for index, _ in classes}, {})
    recalling = {i for i, fact in facts.items() if "recalled" in fact.persistent_set | fact.persistent_unset}
    telling = {i: fact for i, fact in facts.items() if i in recalling or fact.step in {"holding", "inspecting"}}
    if not telling:
        return
    for index in histories.drills(list(recalling)):
        del telling[index]
    authority = Authority([name for _, name in classes], telling.values())
    for index, name in classes:
        if index in telling and telling[index].counts(index):
            speaks = authority.of(telling[index], name)
            if speaks == REGULATOR or (speaks and index in recalling):
                yield Audience.EVERYBODY, index, index


def _open_pedigrees(found: Audiences, steps: Sequence[int], gathered: Gathered) -> None:
    """Add what opens at each of these entries."""
    walks = _Walks(gathered, as_of=steps[0] - 1)
    for step in steps:
        walk, touched = walks.after(step)
        for thing in walk.distinct(walk.inside(touched) & gathered.concerned):
            for party, events in pedigrees(walk, thing):
                found.open(party, events, step)


class _Walks:
    """The walk as of one entry after the other; begun anew where an earlier event comes to count or stops counting."""

    def __init__(self, gathered: Gathered, *, as_of: int) -> None:
        self._gathered = gathered
        self._order = sorted(gathered.events)
        self._aliases = aliases({event.reporter for event in gathered.events.values()})
        self._turns = {
            end for index, spans in gathered.void.items() for span in spans for end in span
            if end is not None and end > index
        }  # fmt: skip
        self._walk = Walk(self._aliases)
        self._next = 0
        self._as_of = as_of

    def after(self, step: int) -> tuple[Walk, set[str]]:
        """The walk as of an entry, and the things whose state it may have changed."""
        if any(self._as_of < turn <= step for turn in self._turns):
            self._walk, self._next = Walk(self._aliases), 0
            self._go(step)
            touched = set(self._gathered.concerned)
        else:
            touched = self._go(step)
        self._as_of = step
        return self._walk, touched

    def _go(self, step: int) -> set[str]:
        touched: set[str] = set()
        while self._next < len(self._order) and self._order[self._next] <= step:
            index = self._order[self._next]
            self._next += 1
            if stands(self._gathered.void.get(index, ()), step):
                self._walk.see(self._gathered.events[index])
                touched = self._walk.changed if index == step else set()
        return touched


def _declarations(entries: Sequence[LogEntry], found: Audiences) -> Iterator[_Row]:
    """Who may see an event may see that it was taken back."""
    first, last = entries[0].index, entries[-1].index
    spans = VoidSpan.objects.filter(reason=VoidSpan.Reason.DECLARED, from_index__lte=last)
    new = spans.filter(Q(from_index__gte=first) | Q(event_index__gte=first, event_index__lte=last))
    pairs = list(new.values_list("event_index", "from_index"))
    if not pairs:
        return
    held = Audience.objects.values_list("event_index", "party", "since_index")
    by_event: dict[int, dict[str, int]] = defaultdict(dict)
    for event, party, since in bulk.among(held, "event_index", {event for event, _ in pairs}):
        by_event[event][party] = since
    for event, declaration in pairs:
        both = max(event, declaration)
        for party, since in (dict(found.of(event)) | by_event[event]).items():
            if since <= both:  # to whom the event opens only when it counts again, its declaration says nothing
                yield party, declaration, both


AUDIENCE = Projection(name="audience", models=(Audience,), apply=_apply)
