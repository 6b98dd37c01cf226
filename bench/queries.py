"""How long queries of the EPCIS interface take over a million events times BENCH_SCALE. One database per run.

Run by `bench` as a process of its own, on SQLite and, where it is installed, on PostgreSQL; prints rows as JSON. The
rows are those that the projections write; the events are not on the log, since only reading is measured. Skewed as
supply chains are: most events are a pharmacy's about one pack, few name a hundred, one party has a tenth of all.
"""

import hashlib
import json
import os
import random
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

SEED = 20261126
BASE_MS = 1_750_000_000_000
STEP_MS = 31_000  # between events: a million spread over a year
PARTIES, ITEMS, LOTS, ASSETS = 200, 40, 1200, 300
DAY_MS = 86_400_000
REPEATS = 120
UNCOUNTED = 3  # questions of each kind before those that are counted
BATCH = 20_000
LOT_FIELD = "urn:epcglobal:cbv:mda:lotNumber"
# step, share of events, packs named, disposition, how far down the list of parties its reporter stands
STEPS = (
    ("dispensing", 0.46, 1, "dispensed", (60, PARTIES)),
    ("receiving", 0.18, 4, "sellable_accessible", (10, PARTIES)),
    ("shipping", 0.14, 5, "in_transit", (0, 60)),
    ("packing", 0.08, 12, "in_progress", (0, 60)),
    ("storing", 0.07, 2, "sellable_not_accessible", (0, PARTIES)),
    ("commissioning", 0.04, 40, "active", (0, 10)),
    ("sensor_reporting", 0.02, 0, "", (0, PARTIES)),
    ("destroying", 0.01, 2, "destroyed", (0, PARTIES)),
)


def main() -> None:
    """Fill the tables, measure, print."""
    import django

    django.setup()
    from django.core.management import call_command

    events = max(2_000, int(1_000_000 * float(os.environ.get("BENCH_SCALE", "1"))))
    call_command("migrate", verbosity=0)
    people = _people()
    started = time.perf_counter()
    filler = Filler(random.Random(SEED))
    for start in range(0, events, BATCH):
        filler.fill(start, min(start + BATCH, events))
    sys.stderr.write(f"filled in {time.perf_counter() - started:.0f} s\n")
    _analyze()
    sys.stdout.write(json.dumps(list(_measures(filler, people, events))))


def uri(number: int) -> str:
    """The URI of a party of this world."""
    return f"urn:dosetrail:party:q{number}"


def place(number: int) -> str:
    """The place of a party of this world."""
    from traceability.gs1 import check_digit

    body = f"952100{number:06d}"
    return f"https://id.gs1.org/414/{body}{check_digit.of(body)}"


def gtin(item: int) -> str:
    """The GTIN of an item of this world."""
    from traceability.gs1 import check_digit

    body = f"0952100{item:06d}"
    return body + check_digit.of(body)


def pack(item: int, serial: int) -> str:
    """The Digital Link of a pack."""
    return f"https://id.gs1.org/01/{gtin(item)}/21/S{serial}"


def lot(number: int) -> str:
    """The Digital Link of a lot."""
    return f"https://id.gs1.org/01/{gtin(number % ITEMS)}/10/L{number}"


class Filler:
    """Writes the rows of events, batch by batch."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.serials = 0
        self.steps = [step for step in STEPS for _ in range(int(step[1] * 100))]
        self.assets = [f"https://id.gs1.org/8003/0{gtin(number)[1:]}A{number}" for number in range(ASSETS)]

    def fill(self, first: int, end: int) -> None:
        """The events from `first` up to `end`."""
        from django.db import transaction

        from traceability.capture import models, projection
        from traceability.common import bulk
        from traceability.common.models import Document
        from traceability.visibility import projection as visibility
        from traceability.visibility.models import Audience

        rows: dict[str, list[Any]] = {name: [] for name in ("event", "epc", "class", "partner", "facet", "seen", "doc")}
        for index in range(first, end):
            self._event(index, rows)
        epc_columns = ("event_index", "role", "epc", "event_time_ms")
        class_columns = ("event_index", "position", "role", "epc_class", "quantity", "uom")
        document_columns = ("statement_hash", "kind", "party", "body", "secret", "submitted_ms", "annotation")
        with transaction.atomic():
            bulk.insert(models.PublishedEvent, projection._EVENT, rows["event"])
            bulk.insert(models.EventEpc, epc_columns, rows["epc"])
            bulk.insert(models.EventClass, class_columns, rows["class"])
            bulk.insert(models.EventPartner, ("event_index", "position", "direction", "type", "value"), rows["partner"])
            bulk.insert(models.EventFacet, projection._FACET, rows["facet"])
            bulk.insert(Audience, visibility.COLUMNS, rows["seen"])
            bulk.insert(Document, document_columns, rows["doc"])

    def _event(self, index: int, rows: dict[str, list[Any]]) -> None:
        step, _, packs, disposition, (low, high) = self.chance.choice(self.steps)
        reporter = min(low + int((high - low) * self.chance.random() ** 2), high - 1)  # the first of each kind do most
        at_ms = BASE_MS + index * STEP_MS + self.chance.randrange(DAY_MS)
        number = min(int(LOTS * self.chance.random() ** 2), LOTS - 1)
        epcs = self._epcs(step, number, packs)
        digest = hashlib.sha256(str(index).encode()).hexdigest()
        kind, action = ("AggregationEvent", "ADD") if step == "packing" else ("ObjectEvent", "OBSERVE")
        where = place(reporter)
        rows["event"].append(
            (index, digest, uri(reporter), event_id(index), kind, at_ms, 480, at_ms + 60_000, action, step, disposition,
             where, where, f"L{number}" if step == "commissioning" else "", "", "", "", None, "", "00", at_ms // 1000)
        )  # fmt: skip
        rows["epc"] += [(index, role, epc, at_ms) for role, epc in dict.fromkeys(epcs)]
        rows["seen"].append((uri(reporter), index, index, at_ms, step))
        if step in {"shipping", "receiving"}:
            other = self.chance.randrange(PARTIES)
            rows["partner"].append((index, 0, "destination", "possessing_party", uri(other)))
            rows["class"].append((index, 0, "quantity", lot(number), "100", ""))
            rows["facet"].append((index, 0, "quantity", "", 4_636_737_291_354_636_288, None))
            if other != reporter:
                rows["seen"].append((uri(other), index, index, at_ms, step))
        if step == "commissioning":
            rows["facet"].append((index, 0, f"ilmd {LOT_FIELD}", f"L{number}", None, None))
        if step == "sensor_reporting":
            rows["facet"] += [
                (index, 0, "type", "Temperature", None, None),
                (index, 1, "value K", "", 4_643_000_000_000_000_000 + self.chance.randrange(10**12), None),
            ]
        about = {"type": kind, "action": action, "bizStep": step, "disposition": disposition}
        body = _body(index, about, at_ms, epcs)
        rows["doc"].append((digest, "event", uri(reporter), body, b"\0" * 32, at_ms, "{}"))

    def _epcs(self, step: str, number: int, packs: int) -> list[tuple[str, str]]:
        item = number % ITEMS
        if step == "commissioning":
            self.serials += packs
            return [("epc", pack(item, self.serials - place)) for place in range(packs)]
        named = [pack(item, self.chance.randrange(self.serials + 1000)) for _ in range(packs)]
        if step == "packing":
            return [("parent", self.chance.choice(self.assets)), *(("child", epc) for epc in named)]
        if step == "sensor_reporting":
            return [("epc", self.chance.choice(self.assets))]
        return [("epc", epc) for epc in named]


def _body(index: int, about: dict[str, str], at_ms: int, epcs: list[tuple[str, str]]) -> bytes:
    """An event about as long as they are."""
    event = {
        "@context": ["https://ref.gs1.org/standards/epcis/epcis-context.jsonld"],
        **about,
        "eventID": event_id(index),
        "eventTime": _iso(at_ms),
        "eventTimeZoneOffset": "+08:00",
        "epcList": [epc for _, epc in epcs],
    }
    return json.dumps(event).encode()


def event_id(index: int) -> str:
    """The ID of an event of this world."""
    return f"urn:uuid:00000000-0000-4000-8000-{index:012x}"


def _people() -> dict[str, Any]:
    """The regulator, the party with most events, and a pharmacy like the others."""
    from ledger import api as ledger
    from traceability.parties import services as parties

    ledger.initialise(operator_name="Bench")

    def gln(number: int) -> str:
        return place(number).rpartition("/")[2]

    regulator = parties.create_party(id="regulator", name="Regulator", roles=["regulator"])
    large = parties.create_party(id="q0", name="Large", roles=["manufacturer"], gln=gln(0))
    small = parties.create_party(id=f"q{PARTIES - 20}", name="Small", roles=["pharmacy"], gln=gln(PARTIES - 20))
    return {"regulator": regulator, "largest party": large, "a pharmacy": small}


def _analyze() -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE" if connection.vendor == "postgresql" else "PRAGMA optimize")


def _measures(filler: Filler, people: dict[str, Any], events: int) -> Iterator[tuple[str, str]]:
    """What each kind of question costs each of the people: a row of what was measured and the figure."""
    chance = random.Random(SEED + 1)
    for who, party in people.items():
        for what, draw in _queries(filler, chance, _packs(party, chance, events), events).items():
            waits, found = [], 0
            for number in range(-UNCOUNTED, REPEATS):
                parameters = draw()
                started = time.perf_counter()
                given = _ask(parameters, party)
                if number >= 0:
                    waits.append((time.perf_counter() - started) * 1000)
                    found += given
            cuts = statistics.quantiles(waits, n=100)
            figure = f"{cuts[49]:.1f} / {cuts[94]:.1f}"
            sys.stderr.write(f"{what} | {who}: {figure} ({found / REPEATS:.1f} per page)\n")
            told = f"{REPEATS} questions, {found / REPEATS:.1f} events a page"
            yield f"{what}, {who}, {events:,} events: p50 / p95 ms ({told})", figure


def _packs(party: Any, chance: random.Random, events: int) -> list[str]:
    """Packs that events name which the party may see."""
    from traceability.capture.models import EventEpc
    from traceability.visibility import rules
    from traceability.visibility.models import Audience

    seen: Sequence[int] = range(events)
    if not rules.sees_all(party):
        mine = Audience.objects.filter(party__in=rules.audiences_of(party))
        seen = sorted(mine.values_list("event_index", flat=True))
    drawn = chance.sample(seen, min(2_000, len(seen)))
    named = EventEpc.objects.filter(event_index__in=drawn, epc__contains="/21/")
    return sorted(set(named.values_list("epc", flat=True)))


def _ask(parameters: dict[str, list[str]], party: Any) -> int:
    """One query as the interface answers it, page and bodies; how many events it gave."""
    from traceability.api import answers
    from traceability.queries import engine, event_query

    page = engine.first_page(event_query.from_url(parameters), party)
    document = json.dumps(answers.query_document(page.rows))
    return len(page.rows) if document else 0


def _queries(
    filler: Filler, chance: random.Random, packs: Sequence[str], events: int
) -> dict[str, Callable[[], dict[str, list[str]]]]:
    """What is asked, and how one question is drawn."""

    def a_pack() -> str:
        return chance.choice(packs)

    def span(days: int) -> dict[str, list[str]]:
        start = BASE_MS + chance.randrange(events) * STEP_MS
        return {"GE_eventTime": [_iso(start)], "LT_eventTime": [_iso(start + days * DAY_MS)]}

    def a_lot() -> int:
        return min(int(LOTS * chance.random() ** 2), LOTS - 1)

    steps = [step[0] for step in STEPS]
    return {
        "MATCH_anyEPC, a pack": lambda: {"MATCH_anyEPC": [a_pack()]},
        "MATCH_anyEPC, five packs": lambda: {"MATCH_anyEPC": [a_pack() for _ in range(5)]},
        "MATCH_anyEPC, a returnable container in hundreds of events": lambda: {
            "MATCH_anyEPC": [chance.choice(filler.assets)]
        },
        "MATCH_anyEPC, all packs of a GTIN": lambda: {
            "MATCH_anyEPC": [f"https://id.gs1.org/01/{gtin(chance.randrange(ITEMS))}"]
        },
        "EQ_bizStep and a day": lambda: {"EQ_bizStep": [chance.choice(steps)], **span(1)},
        "EQ_bizStep and 90 days": lambda: {"EQ_bizStep": [chance.choice(steps)], **span(90)},
        "EQ_bizStep, two of them, and 90 days": lambda: {"EQ_bizStep": chance.sample(steps, 2), **span(90)},
        "EQ_bizStep alone": lambda: {"EQ_bizStep": [chance.choice(steps)]},
        "EQ_ILMD lotNumber": lambda: {f"EQ_ILMD_{LOT_FIELD}": [f"L{a_lot()}"]},
        "MATCH_anyEPCClass, a lot": lambda: {"MATCH_anyEPCClass": [lot(a_lot())]},
        "MATCH_anyEPCClass, all lots of a GTIN": lambda: {
            "MATCH_anyEPCClass": [f"https://id.gs1.org/01/{gtin(chance.randrange(ITEMS))}"]
        },
        "EQ_bizLocation": lambda: {"EQ_bizLocation": [place(chance.randrange(PARTIES))]},
        "EQ_destination_possessing_party": lambda: {
            "EQ_destination_possessing_party": [uri(chance.randrange(PARTIES))]
        },
        "GE_value_CEL": lambda: {"GE_value_CEL": ["8"]},
        "no parameter": dict,
    }


def _iso(at_ms: int) -> str:
    from traceability.api.answers import time_text

    return time_text(at_ms)


if __name__ == "__main__":
    main()
