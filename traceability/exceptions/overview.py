"""A shipment beside what its party was told, worked out: line by line, by lot and product, and what differs.

Pages and API read it through `kept.of`: a large one is worked out ahead of them.
"""

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from traceability.capture.models import PublishedEvent
from traceability.custody import selectors as custody
from traceability.custody import shipments, sides
from traceability.custody.matching import Match
from traceability.custody.models import Shipment
from traceability.custody.sides import Line, Lot, Standing, State
from traceability.parties import selectors as parties
from traceability.parties.models import Party
from traceability.visibility import rules
from traceability.visibility.rules import visible_events

from . import comparison, expected
from .comparison import Compared
from .expected import Expected

# What an overview has rows of, each as JSON has them. Of lines, lots and products those that differ come first.
# lines: EPC, state, packs expected, received, missing and besides, EPCs of the first parts received and how many more,
#   of the first parts not received and how many more
# lots: GTIN, lot, packs expected and received
# products: GTIN, ordered, advised, despatched (null = nothing said so), received
# the others, things of the despatch list against the record: EPCs
PARTS = ("lines", "lots", "products", "unrecorded", "missing", "besides", "differing")
NAMED = 50  # goods named in the facts
MAX_PARTS = 20  # of one line


@dataclass(frozen=True)
class Subject:
    """A shipment that a party may look at, and what it was told of it; goods are read only by who works it out."""

    party: Party
    row: Shipment
    told: Expected
    own: frozenset[str]
    is_recorded: bool  # some event names the number

    @property
    def is_sent(self) -> bool:
        return self.row.shipped_index is not None

    @property
    def by_list(self) -> bool:
        """Whether the expected side is that of a list."""
        return not self.is_sent and bool(self.told.advice or self.told.order)

    @property
    def incoming(self) -> bool:
        return self.row.sender not in self.own


@dataclass(frozen=True)
class Facts:
    """What is known of a shipment as a whole as of a log index."""

    as_of: int
    by_content: Sequence[int]  # log indexes of receipts that belong to it by content, which the party may see
    sources: Sequence[str]  # shipments of the party whose goods were received under this number, by content
    arrived_ms: int | None  # the newest receipt
    names_things: bool  # whether the expected side names single things
    has_arrived: bool
    has_missing: bool
    has_surplus: bool
    came: bool  # by product, beside what the party was told: anything
    short: bool
    over: bool
    missing: Sequence[str]  # the first things, and parts of things, that were not received though others were
    surplus: Sequence[str]  # the first that came besides
    counts: Mapping[str, int]  # rows of each of PARTS


@dataclass(frozen=True)
class Part(Sequence[Any]):
    """The rows of a part, of which only those asked for are read."""

    length: int
    read: Callable[[int, int], list[Any]]  # from, to

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, wanted: Any) -> Any:
        if isinstance(wanted, slice):
            start, stop, _step = wanted.indices(self.length)
            return self.read(start, stop)
        return self.read(wanted, wanted + 1)[0]


@dataclass(frozen=True)
class Overview:
    """What was worked out of a shipment. `is_current`: nothing was recorded since."""

    facts: Facts
    is_current: bool
    read: Callable[[str, int, int], list[Any]]  # part, from, to

    def part(self, name: str) -> Part:
        """The rows of one of PARTS."""
        return Part(self.facts.counts[name], lambda start, stop: self.read(name, start, stop))


def find(party: Party, document: str) -> Subject | None:
    """The shipment of that number if the party sent it, is to receive it, or was told of it by a list.

    Of what nobody sent, if the party received something under the number.
    """
    if "\x00" in document or len(document) > expected.MAX_URI:
        return None
    own = frozenset(parties.uris_of(party))
    row, told = _own_row(document, own), expected.told(party, document)
    if row is None and not (told.advice or told.order):
        return None
    return Subject(party, expected.named(party, document, row, told), told, own, row is not None)


def size(subject: Subject) -> int:
    """How many things the list and both sides name; none of them is read."""
    number, told = subject.row.despatch, subject.told
    rows = Shipment.objects.filter(despatch=number)
    if told.order and not (told.advice or subject.is_recorded):
        rows = expected.under_order(number, subject.own)
    return shipments.things_of(rows) + (told.advice.lines if told.advice else 0)


def events(subject: Subject, by_content: Collection[int]) -> list[PublishedEvent]:
    """Its events that the party may see, and of these receipts; void ones included."""
    return list(visible_events(shipments.events(subject.row, by_content), subject.party))


def standing(subject: Subject, facts: Facts, *, now_ms: int) -> Standing:
    """Where it stands; what only a list speaks of is judged by the list, packs without serial numbers too."""
    found = sides.standing(
        sides.Totals(arrived=facts.has_arrived, missing=facts.has_missing, surplus=facts.has_surplus),
        is_void=subject.row.status == "void",
        is_sent=subject.is_sent or facts.names_things,
        received_ms=facts.arrived_ms,
        now_ms=now_ms,
    )
    if not subject.by_list:
        return found
    if not facts.came:
        return Standing.EXPECTED
    if found not in {Standing.RECEIVED, Standing.OVER, Standing.UNSENT}:
        return found
    if facts.short:
        is_late = now_ms - (facts.arrived_ms or 0) >= sides.PARTIAL_MS
        return Standing.SHORT if is_late else Standing.PARTIAL
    return Standing.OVER if facts.over else Standing.RECEIVED


def work_out(subject: Subject) -> tuple[Facts, dict[str, list[Any]]]:
    """The facts and all rows by part; reads every thing of both sides."""
    as_of = rules.horizon()  # read first: what is folded meanwhile comes with the next
    row = expected.with_goods(subject.row, subject.told, subject.own, is_recorded=subject.is_recorded)
    matches, arrived_ms = _matches(subject, row)
    seen = {event.index for event in events(subject, [one.index for one in matches])}
    told = expected.with_order(subject.party, subject.told, seen)
    if row.shipped_index is None:
        row.received_ms = arrived_ms
    lines = shipments.lines(row, matches, told.things)
    absent = shipments.absent(row, lines)
    lots = _lots(lines, told, by_list=subject.by_list)
    products = _products(lines, told, is_sent=subject.is_sent)
    parts: dict[str, list[Any]] = {
        "lines": [
            _line(line, absent.get(line.epc, []), by_amount=subject.by_list and not row.despatched) for line in lines
        ],
        "lots": sorted(lots, key=lambda one: (one[2] == one[3], one)),
        "products": [_product(one) for one in sorted(products, key=lambda one: not (one.short or one.over))],
        **_against_record(told, row),
    }
    awaited = [line.epc for line in lines if line.state == State.AWAITED] if row.received_ms is not None else []
    awaited += [epc for epcs in absent.values() for epc in epcs]
    totals = sides.totals(lines)
    facts = Facts(
        as_of=as_of,
        by_content=sorted(one.index for one in matches),
        sources=[one.despatch for one in shipments.sources(row) if subject.own & {one.sender, one.receiver}],
        arrived_ms=arrived_ms,
        names_things=bool(row.despatched),
        has_arrived=totals.arrived,
        has_missing=totals.missing,
        has_surplus=totals.surplus,
        came=any(one.received for one in products),
        short=any(one.short for one in products),
        over=any(one.over for one in products),
        missing=awaited[:NAMED],
        surplus=[line.epc for line in lines if line.state == State.SURPLUS][:NAMED],
        counts={name: len(rows) for name, rows in parts.items()},
    )
    return facts, parts


def as_json(facts: Facts) -> dict[str, Any]:
    """The facts as they are stored; `Facts(**...)` reads them."""
    return asdict(facts)


def _own_row(document: str, own: Collection[str]) -> Shipment | None:
    row = Shipment.objects.defer("despatched", "received").filter(despatch=document).first()
    if row is None:
        return None
    concerned = {row.sender, row.receiver, row.receiver_party if row.shipped_index is None else ""}
    return row if concerned & set(own) else None


def _matches(subject: Subject, row: Shipment) -> tuple[list[Match], int | None]:
    """Receipts that belong to it by content and that the party may see, and when the newest receipt was."""
    to_match = expected.to_be_matched(subject.party, row, subject.told)
    found = shipments.by_content([to_match]).get(row.despatch, [])
    seen = rules.visible_indexes([one.index for one in found], subject.party)
    times = PublishedEvent.objects.filter(index__in=seen).values_list("event_time_ms", flat=True)
    arrived = [*times, *([row.received_ms] if row.received_ms is not None else [])]
    return [one for one in found if one.index in seen], max(arrived, default=None)


def _lots(lines: Sequence[Line], told: Expected, *, by_list: bool) -> list[list[Any]]:
    """GTIN, lot, packs expected and received, with what the despatch list says by lot without serial numbers."""
    lots = sides.by_lot(lines)
    amounts = _amounts(told) if by_list else Counter[Lot]()
    return [
        [*lot, lots.get(lot, (0, 0))[0] + amounts[lot], lots.get(lot, (0, 0))[1]] for lot in sorted({*lots, *amounts})
    ]


def _products(lines: Sequence[Line], told: Expected, *, is_sent: bool) -> list[Compared]:
    """By product, where a list speaks of the shipment. Things of the list are among the lines when no despatch is."""
    if not (told.advice or told.order):
        return []
    despatched, received = Counter[Lot](), Counter[Lot]()
    for line in lines:
        despatched.update(line.expected)
        received.update(line.received)
    advised = None
    if told.advice:
        advised = told.advised if is_sent else despatched + _amounts(told)
    return comparison.compare(
        ordered=told.ordered if told.order else None,
        advised=advised,
        despatched=despatched if is_sent else None,
        received=received,
    )


def _amounts(told: Expected) -> Counter[Lot]:
    found: Counter[Lot] = Counter()
    for gtin, lot, _expiry, packs in told.advice.amounts if told.advice else ():
        found[gtin, lot] += packs
    return found


def _against_record(told: Expected, row: Shipment) -> dict[str, list[str]]:
    """How the despatch list differs from the record, by part."""
    things = told.things
    unrecorded, missing, besides, wrong = list[str](), list[str](), list[str](), list[str]()
    if told.advice and things:
        states = custody.items(things)
        unrecorded = sorted(things.keys() - states.keys())
        wrong = comparison.differing(told.advice.things, {epc: (one.lot, one.expiry) for epc, one in states.items()})
        if row.shipped_index is not None:
            listed = Shipment(despatched=sorted(things), received=row.despatched, shipped_ms=row.shipped_ms)
            for line in shipments.lines(listed, (), things):
                missing += [line.epc] if line.state == State.AWAITED else []
                besides += [line.epc] if line.state == State.SURPLUS else []
    return {"unrecorded": unrecorded, "missing": missing, "besides": besides, "differing": wrong}


def _line(line: Line, absent: Sequence[str], *, by_amount: bool) -> list[Any]:
    """`by_amount`: no single thing is besides where none was named."""
    is_plain = by_amount and line.state == State.SURPLUS
    state, surplus = (State.RECEIVED, 0) if is_plain else (line.state, line.surplus)
    expected_packs, received = sum(line.expected.values()), sum(line.received.values())
    return [
        line.epc, state, expected_packs, received, line.missing, surplus,
        line.parts[:MAX_PARTS], max(len(line.parts) - MAX_PARTS, 0),
        absent[:MAX_PARTS], max(len(absent) - MAX_PARTS, 0),
    ]  # fmt: skip


def _product(one: Compared) -> list[Any]:
    return [one.gtin, one.ordered, one.advised, one.despatched, one.received]
