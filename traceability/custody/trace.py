"""Tracing: what a question is about, gathered in bulk from the event index, and folded by `tracing`.

Work is per group of things that the same events name, never per pack: a case's packs are one. The number of queries is
that of the levels of containers and transformations (and one more per bulk.CHUNK groups).
"""

import gc
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from itertools import islice

from django.db.models import Count, Exists, Min, OuterRef, Q, QuerySet, Sum

from traceability.capture.models import EventClass, EventEpc, EventTransaction, PublishedEvent, VoidSpan
from traceability.common import bulk
from traceability.common.models import Cursor
from traceability.epcis.documents import document_uri
from traceability.gs1 import scan
from traceability.gs1.errors import Gs1Error
from traceability.parties import selectors as parties

from . import histories, opening
from .actors import Actors
from .authority import Items
from .entries import Entry, Sayings
from .lines import MAX_DEPTH, Book
from .models import ItemState, LotCount, Shipment
from .tracing import ALWAYS, BACK, BOTH, ON, Group, Trace, Window, is_traced, rests_on, trace

MAX_GROUPS = 20_000
_SITE, _PLACE = "urn:dosetrail:site:", "https://id.gs1.org/414/"
_GLN_DIGITS = 13
_UNDER_WAY = {"shipping", "departing", "receiving", "accepting"}
_PACK, _CONTAINER, _LOT, _SHIPMENT, _AT = "pack", "container", "lot", "shipment", "place"


@dataclass(frozen=True)
class Sight:
    """What an asker may see: those of some events (by log index), those of some things that such an event names."""

    events: Callable[[Collection[int]], set[int]]
    things: Callable[[Collection[str]], set[str]]


class TraceError(ValueError):
    """A question that cannot be answered; `code` says why, `fault` what is wrong with a code of GS1."""

    def __init__(self, code: str, text: str, *, fault: str = "") -> None:
        super().__init__(text)
        self.code, self.fault = code, fault


@dataclass(frozen=True)
class Subject:
    """What is traced: a thing, a lot, what travels under a document, or what was at a place in a period."""

    kind: str  # pack | container | lot | shipment | place
    uri: str
    gtin: str = ""
    lot: str = ""
    period: Window = ALWAYS


@dataclass(frozen=True)
class Material:
    """What a transformation used that has no serial numbers."""

    event: int
    epc_class: str
    quantity: str
    uom: str


@dataclass(frozen=True)
class Answer:
    """A trace as the log held it after entry `as_of`.

    `left_out` things were more than one trace takes in. `hidden` events of what is shown are not the asker's to see.
    """

    subject: Subject
    direction: str
    as_of: int
    trace: Trace
    materials: list[Material]
    left_out: int
    hidden: int


def subject(text: str, *, today: date, period: Window = ALWAYS, own: Collection[str] | None = None) -> Subject:
    """What a code as scanned, a URI or the number of a despatch advice names; TraceError when it names nothing.

    A number as it is printed may be many senders': it names the only shipment from or to one of `own` (None: anybody).
    """
    given = text.strip()
    for uri in (given, document_uri(given)) if given else ():
        if EventTransaction.objects.filter(value=uri, type__in=["desadv", "po"]).exists():
            return Subject(_SHIPMENT, uri)
    if given.startswith(_SITE):
        return Subject(_AT, given, period=period)
    if given.isdecimal() and len(given) == _GLN_DIGITS and parties.site_by_uri(_PLACE + given):
        return Subject(_AT, _PLACE + given, period=period)
    try:
        read = scan.parse(given, today=today)
    except Gs1Error as error:
        if printed := _printed(given, own):
            return printed
        raise TraceError("unreadable", str(error), fault=error.code) from error
    if read.kind == "lot" and read.gtin and read.lot:
        return Subject(_LOT, read.epc, read.gtin, read.lot)
    if read.kind in {"pack", "nmpa"}:
        return Subject(_PACK, read.epc)
    if read.epc.startswith(_PLACE):
        return Subject(_AT, read.epc, period=period)
    if read.kind in {"gtin", "gln"} or not read.epc:
        if printed := _printed(given, own):
            return printed
        raise TraceError(
            "not-traceable", "name a pack, a case or pallet, a lot, a place, or a number that only one shipment bears"
        )
    return Subject(_CONTAINER, read.epc)


def _printed(number: str, own: Collection[str] | None) -> Subject | None:
    named = Shipment.objects.filter(number=number)
    if own is not None:
        named = named.filter(Q(sender__in=own) | Q(receiver__in=own) | Q(receiver_party__in=own))
    found = list(named.values_list("despatch", flat=True)[:2]) if number else []
    return Subject(_SHIPMENT, found[0]) if len(found) == 1 else None


def horizon() -> int:
    """The last log entry that custody has read, -1 before the first."""
    position = Cursor.objects.filter(projection="custody").values_list("position", flat=True).first()
    return (position or 0) - 1


def ask(
    what: Subject,
    *,
    direction: str = BOTH,
    as_of: int | None = None,
    sight: Sight | None = None,
    limit: int = MAX_GROUPS,
) -> Answer:
    """Trace something as the log held it after an entry, now without one.

    `sight` narrows it to what the asker may see; without, all is shown. TraceError for an entry that is not read yet.
    """
    newest = horizon()
    if as_of is not None and not 0 <= as_of <= newest:
        raise TraceError("as-of", f"the log has entries 0 to {newest}")
    with _collector_paused():
        return _gathered(what, direction, _Gathering(newest if as_of is None else as_of, newest, sight, limit))


def _gathered(what: Subject, direction: str, gathering: "_Gathering") -> Answer:
    """In a function of its own: what was gathered is gone before the collector looks at what there is."""
    gathering.start(what)
    gathering.follow(direction)
    return gathering.answer(what, direction)


@contextmanager
def _collector_paused() -> Iterator[None]:
    """Without passes of the cyclic garbage collector over what a trace keeps until its end: half of a large one's time.

    The collector is the whole process's. Whoever paused it lets it go on, also while another trace is under way.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


class _Gathering:
    """The groups of things that a question is about, and the events of these and of what they lay in."""

    def __init__(self, as_of: int, newest: int, sight: Sight | None, limit: int) -> None:
        self._as_of, self._is_past, self._sight, self._limit = as_of, as_of < newest, sight, limit
        self._groups: dict[str, Group] = {}
        self._sayings = Sayings()
        self._pages: dict[str, list[Entry]] = {}  # all that count, by name
        self._seen: dict[int, bool] = {}  # by event: whether it may be shown
        self._left_out = 0

    def start(self, what: Subject) -> None:
        """The things that are named by the question, and what was ever put into them."""
        if what.kind == _LOT:
            self._add(self._of_lot(what), lot=what.lot)
            return
        if what.kind in {_PACK, _CONTAINER}:
            rows, window = [(1, what.uri)], ALWAYS
        elif what.kind == _SHIPMENT:
            events, window = self._under(what.uri)
            rows = self._among(events, ["epc", "parent"])
        else:
            events, window = self._at(what), what.period
            rows = self._among(events, ["epc", "parent", "child", "input", "output"])
        roots = {name: window for _, name in rows}
        self._add(rows, roots=roots)
        self._descend(roots)

    def follow(self, direction: str) -> None:
        """What these were made of (back), what was made of them (on), and what all of them lay in."""
        asked = set(self._groups)
        if direction in {BACK, BOTH}:
            self._chain(asked, "output", "input")
        if direction in {ON, BOTH}:
            self._chain(asked, "input", "output")
        self._climb(set(self._groups))

    def _climb(self, level: set[str]) -> None:
        """Read these, and whatever they ever lay in."""
        for _ in range(MAX_DEPTH):
            self._read(level)
            level = {entry.parent for name in level for entry in self._shown(name) if entry.role == "child"} - {""}
            level -= self._pages.keys()
            if not level:
                break

    def answer(self, what: Subject, direction: str) -> Answer:
        shown = {name: page for name in self._pages if (page := self._shown(name))} if self._sight else self._pages
        groups = [group for name, group in self._groups.items() if shown.get(name)]
        found = trace(groups, self._book(shown), direction=direction)
        hidden = 0
        if self._sight and not all(self._seen.values()):
            hidden = len(rests_on(groups, self._book(self._pages), direction=direction) - found.events.keys())
        return Answer(what, direction, self._as_of, found, self._materials(found), self._left_out, hidden)

    def _book(self, pages: dict[str, list[Entry]]) -> Book:
        said = self._sayings.facts
        actors = Actors({fact.place for fact in said}, {fact.destination for fact in said}, as_of=self._as_of)
        return Book(pages, self._sayings, actors=actors.of_places, parties=actors.by_destination)

    def _add(
        self, rows: Iterable[tuple[int, str]], *, lot: str | None = None, roots: dict[str, Window] | None = None
    ) -> list[str]:
        """Add groups up to the limit, the largest first; the names of those that are single things."""
        singles = []
        for things, name in sorted(rows, key=lambda row: (-row[0], row[1])):
            if name in self._groups:
                continue
            if len(self._groups) >= self._limit:
                self._left_out += things
                continue
            self._groups[name] = Group(name, things, roots or {}, lot)
            if things == 1:
                singles.append(name)
        return singles

    def _of_lot(self, what: Subject) -> list[tuple[int, str]]:
        packs = ItemState.objects.filter(gtin=what.gtin, lot=what.lot)
        if self._sight is None:
            rows = list(_grouped(packs)[: self._limit])
            if len(rows) == self._limit:
                counted = LotCount.objects.filter(gtin=what.gtin, lot=what.lot).aggregate(all=Sum("packs"))
                self._left_out += (counted["all"] or 0) - sum(things for things, _ in rows)
        else:
            rows = list(self._in_sight(_grouped(packs)))
        return rows + self._once_of_lot(what) if self._is_past else rows

    def _in_sight(self, groups: "QuerySet[ItemState, tuple[int, str]]") -> Iterator[tuple[int, str]]:
        """Those of a lot's groups of which the asker sees anything: who has three packs of a million finds them."""
        stream = groups.iterator(chunk_size=bulk.CHUNK)
        while batch := list(islice(stream, bulk.CHUNK)):
            seen = self._sight.things([name for _, name in batch]) if self._sight else set()
            yield from (row for row in batch if row[1] in seen)

    def _once_of_lot(self, what: Subject) -> list[tuple[int, str]]:
        """Packs that the log held to be of the lot then, by events that were made void since."""
        void = VoidSpan.objects.filter(from_index__gt=self._as_of, event_index__lte=self._as_of).values("event_index")
        telling = PublishedEvent.objects.filter(Q(lot=what.lot) | Q(biz_step=opening.STEP), index__in=void)
        found = self._among(set(telling.values_list("index", flat=True)), ["epc", "output"])
        items = Items(name for _, name in found)
        return [row for row in found if items.gtin(row[1], self._as_of) == what.gtin]

    def _under(self, document: str) -> tuple[set[int], Window]:
        """The despatches and receipts under a document, and the time from the first to the last of them."""
        linked = EventTransaction.objects.filter(value=document, type__in=["desadv", "po"])
        indexes = self._allowed(set(linked.values_list("event_index", flat=True)))
        facts = [
            fact
            for fact in histories.facts(indexes, {}).values()
            if fact.counts(self._as_of) and fact.step in _UNDER_WAY
        ]
        times = [fact.time_ms for fact in facts]
        return {fact.index for fact in facts}, Window(min(times, default=0), max(times, default=0))

    def _at(self, what: Subject) -> set[int]:
        """The events at a place in the period; TraceError when they are more than one trace takes in."""
        here = Q(biz_location=what.uri) | Q(biz_location="", read_point=what.uri)
        events = PublishedEvent.objects.filter(here, declaration_ms=None, index__lte=self._as_of)
        events = events.filter(event_time_ms__range=(what.period.start_ms, what.period.end_ms))
        found = set(events.values_list("index", flat=True)[: self._limit + 1])
        if len(found) > self._limit:
            raise TraceError(
                "too-much", f"there are more than {self._limit} events at this place: name a shorter period"
            )
        return self._allowed(found)

    def _descend(self, roots: dict[str, Window]) -> None:
        level = list(roots)
        for _ in range(MAX_DEPTH):
            grouping = EventEpc.objects.filter(role="parent").values_list("event_index", flat=True)
            events = self._allowed(set(bulk.among(grouping, "epc", level)))
            level = self._add(self._among(events, ["child"]), roots=roots)
            if not level:
                break

    def _chain(self, level: set[str], named_as: str, others: str) -> None:
        """Across transformations, from the outputs to the inputs or the other way, again and again."""
        for _ in range(MAX_DEPTH):
            self._read(level)
            if not any(fact.role == named_as for fact in self._sayings.facts):
                break
            linked = {name for name in level if any(entry.role == named_as for entry in self._shown(name))}
            self._climb(linked)
            book = Book({name: self._shown(name) for name in self._pages}, self._sayings, actors={}, parties={})
            events = {
                entry.log_index
                for name in linked
                if is_traced(self._groups[name], book)  # not what came to be asked about after `as_of`
                for entry in self._shown(name)
                if entry.role == named_as
            }
            before = set(self._groups)
            self._add(self._among(events, [others]))
            level = self._groups.keys() - before
            if not level:
                break

    def _among(self, events: Collection[int], roles: Collection[str]) -> list[tuple[int, str]]:
        """The groups of things that these events name, each once: an event names all of a group or none."""
        found: set[tuple[int, str]] = set()
        for chunk in bulk.chunks(events):
            named = EventEpc.objects.filter(event_index__in=chunk, role__in=roles)
            found.update(_grouped(ItemState.objects.filter(epc__in=named.values("epc")))[: self._limit])
            if self._is_past:  # what is left of nothing but void events has no state now
                gone = named.filter(~Exists(ItemState.objects.filter(epc=OuterRef("epc"))))
                found.update((1, name) for name in gone.values_list("epc", flat=True)[: self._limit])
        return sorted(found)

    def _read(self, names: Collection[str]) -> None:
        fresh = set(names) - self._pages.keys()
        self._pages |= {name: [] for name in fresh} | histories.pages(fresh, self._sayings, as_of=self._as_of)
        if self._sight is not None:
            self._allowed({entry.log_index for name in fresh for entry in self._pages[name]})

    def _shown(self, name: str) -> list[Entry]:
        found = self._pages[name]
        return found if self._sight is None else [entry for entry in found if self._seen[entry.log_index]]

    def _allowed(self, events: set[int]) -> set[int]:
        """Those of these events that the log had then, and that may be shown."""
        events = {index for index in events if index <= self._as_of}
        if self._sight is None:
            return events
        for chunk in bulk.chunks(events - self._seen.keys()):
            may = self._sight.events(chunk)
            self._seen |= {index: index in may for index in chunk}
        return {index for index in events if self._seen[index]}

    def _materials(self, found: Trace) -> list[Material]:
        rows = EventClass.objects.filter(role="input_quantity").order_by("event_index", "position")
        columns = rows.values_list("event_index", "epc_class", "quantity", "uom")
        return [Material(*row) for row in bulk.among(columns, "event_index", found.steps.of_kind("transformation"))]


def _grouped(things: QuerySet[ItemState]) -> "QuerySet[ItemState, tuple[int, str]]":
    """How many things share a history, and one of them; the largest groups first.

    By party, too, which all of a history share: an index has a lot in this order.
    """
    rows = things.order_by().values("party", "history").annotate(things=Count("epc"), name=Min("epc"))
    return rows.order_by("-things", "name").values_list("things", "name")
