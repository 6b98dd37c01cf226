"""The audience of each event, filled entry by entry after custody (ADR 9)."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence

from django.db.models import Q

from traceability.capture import standing
from traceability.capture.models import EventClass, EventEpc, EventPartner, EventTransaction, PublishedEvent, VoidSpan
from traceability.capture.spans import stands
from traceability.common import bulk
from traceability.common.projection import LogEntry, Projection
from traceability.custody import histories
from traceability.custody.authority import Authority
from traceability.custody.fold import REGULATOR
from traceability.gs1.epc import PLACE_PREFIXES, without_extension

from .custody_walk import Walk, pedigrees
from .gather import Gathered, aliases, gather
from .models import Audience

_Row = tuple[str, int, int]  # party, event index, since index
COLUMNS = ("party", "event_index", "since_index", "event_time_ms", "biz_step")
_TRANSACTION_OF_GLN = "urn:epcglobal:cbv:bt:"
_GLN_PARTY = "https://id.gs1.org/417/"


def _apply(entries: Sequence[LogEntry]) -> None:
    events = {entry.index: entry.iss for entry in entries if entry.kind == standing.EVENT and entry.body is not None}
    turned = dict(_turned(entries))
    if not events and not turned:
        return
    found = Audiences()
    found.add(_named(events))
    found.add(_public(events))
    found.add(_pedigrees(sorted({*events, *turned.values()}), {*events, *turned}))
    found.add(_declarations(entries, found))
    bulk.insert(Audience, COLUMNS, _described(list(found.news())))


class Audiences:
    """Rows to be: of each pair of party and event the first since."""

    def __init__(self) -> None:
        self._since: dict[str, dict[int, int]] = defaultdict(dict)

    def add(self, rows: Iterator[_Row]) -> None:
        for party, event, since in rows:
            known = self._since[party]
            known[event] = min(since, known.get(event, since))

    def of(self, event: int) -> Iterator[tuple[str, int]]:
        """(party, since) of an event among these rows."""
        return ((party, known[event]) for party, known in list(self._since.items()) if event in known)

    def news(self) -> Iterator[_Row]:
        """Those that the table does not hold."""
        for party, known in sorted(self._since.items()):
            held = Audience.objects.filter(party=party).values_list("event_index", flat=True)
            old = set(bulk.among(held, "event_index", list(known)))
            yield from ((party, event, since) for event, since in sorted(known.items()) if event not in old)


def _described(rows: Sequence[_Row]) -> list[bulk.Row]:
    """The rows with what a party's queries compare most, of their events."""
    events = PublishedEvent.objects.values_list("index", "event_time_ms", "biz_step")
    about = {index: told for index, *told in bulk.among(events, "index", {event for _, event, _ in rows})}
    return [(party, event, since, *about[event]) for party, event, since in rows]


def _turned(entries: Sequence[LogEntry]) -> Iterator[tuple[int, int]]:
    """Earlier events that come to count, or stop counting, by one of these entries: (event, entry)."""
    first, last = entries[0].index, entries[-1].index
    for model_field in ("from_index", "to_index"):
        rows = VoidSpan.objects.filter(**{f"{model_field}__gte": first, f"{model_field}__lte": last})
        for event, entry in rows.values_list("event_index", model_field):
            if event < entry:
                yield event, entry


def _named(events: dict[int, str]) -> Iterator[_Row]:
    """Who reported an event, is its source or destination, or a party of one of its business transactions."""
    yield from ((reporter, index, index) for index, reporter in events.items())
    partners = EventPartner.objects.values_list("event_index", "value")
    for index, value in bulk.among(partners, "event_index", events):
        yield without_extension(value), index, index
    transactions = EventTransaction.objects.values_list("event_index", "value")
    for index, value in bulk.among(transactions, "event_index", events):
        gln = value.removeprefix(_TRANSACTION_OF_GLN)[:13]
        if value.startswith(_TRANSACTION_OF_GLN) and len(gln) == 13 and gln.isdecimal():  # CBV 2.0, section 8.5.2
            yield _GLN_PARTY + gln, index, index
    yield from _of_places(events)


def _of_places(events: Collection[int]) -> Iterator[_Row]:
    """An event about a place is told to whose place it is."""
    named = Q(epc__startswith=PLACE_PREFIXES[0]) | Q(epc__startswith=PLACE_PREFIXES[1])
    places = EventEpc.objects.filter(named, role="epc").values_list("event_index", "epc")
    for index, place in bulk.among(places, "event_index", events):
        yield without_extension(place), index, index


def _public(events: Collection[int]) -> Iterator[_Row]:
    """What calls a lot back, or stops it: a notice to everybody, as `custody` believes it.

    A recall, or its end, by who has the say over the lot; a freeze, or its end, by a regulator.
    """
    classes = list(bulk.among(EventClass.objects.values_list("event_index", "epc_class"), "event_index", events))
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


def _pedigrees(steps: Sequence[int], concerned: Collection[int]) -> Iterator[_Row]:
    """What opens at each of these entries; `concerned` are the events whose things that may touch."""
    gathered = gather(concerned)
    walks = _Walks(gathered, as_of=steps[0] - 1)
    for step in steps:
        walk, touched = walks.after(step)
        for thing in walk.distinct(walk.inside(touched) & gathered.concerned):
            yield from ((party, event, step) for party, event in pedigrees(walk, thing))


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
    new = spans.filter(from_index__gte=first) | spans.filter(event_index__gte=first, event_index__lte=last)
    pairs = list(new.distinct().values_list("event_index", "from_index"))
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
