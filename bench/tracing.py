"""How long traces take: a lot of a million packs times BENCH_SCALE in cases of 100 on pallets of 50.

Run by `bench` as a process of its own, on SQLite and, where it is installed, on PostgreSQL; prints rows as JSON. The
event index is written directly and custody folded from it; the events are not on the log: only reading is measured.
"""

import json
import multiprocessing
import os
import random
import resource
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

from bench.queries import BASE_MS, event_id, place, uri

SEED = 20261126
CASE, PALLET, MADE_AT_ONCE = 100, 50, 1000
WHOLESALERS, SHOPS = 10, 200
OPENED = 10  # of so many cases one is opened
SOLD = 20  # packs of an opened case
BATCH = 20_000
GTIN, LOT = "09521000001008", "L1"
HOUR_MS = 3_600_000


def main() -> None:
    """Fill the tables, measure, print."""
    import django

    django.setup()
    from django.core.management import call_command

    packs = max(10_000, int(1_000_000 * float(os.environ.get("BENCH_SCALE", "1"))))
    call_command("migrate", verbosity=0)
    fill_apart(packs)
    sys.stdout.write(json.dumps(list(_measures(packs))))


def fill_apart(packs: int, **options: int) -> None:
    """`Filler(**options).fill(packs)` in a process of its own, so that the caller's memory is that of reading."""
    started = time.perf_counter()
    child = multiprocessing.get_context("spawn").Process(target=_fill, args=(packs, options))
    child.start()
    child.join()
    if child.exitcode:
        raise SystemExit("the tables could not be filled")
    sys.stderr.write(f"filled in {time.perf_counter() - started:.0f} s\n")


def _fill(packs: int, options: dict[str, int]) -> None:
    import django

    django.setup()
    Filler(**options).fill(packs)


class Filler:
    """Writes the lot's events to the index, and folds custody from them."""

    def __init__(self, *, shops: int = SHOPS, first_index: int = 0) -> None:
        self.shops, self.index = shops, first_index
        self.events: list[tuple[Any, ...]] = []
        self.links: list[tuple[Any, ...]] = []
        self.things: set[str] = set()

    def fill(self, packs: int) -> None:
        """The whole lot, made, packed, sent in two hops, and sold in part."""
        from django.db import connection

        from traceability.common.models import Cursor

        for first in range(0, packs, MADE_AT_ONCE):
            names = [pack(number) for number in range(first, min(first + MADE_AT_ONCE, packs))]
            self.say("commissioning", 0, 0, [("epc", name) for name in names], action="ADD", lot=LOT)
        cases = [case(number) for number in range(packs // CASE)]
        for number, name in enumerate(cases):
            inside = [pack(number * CASE + nth) for nth in range(CASE)]
            self.say("packing", 1, 0, [("parent", name), *(("child", one) for one in inside)], action="ADD")
        for first in range(0, len(cases), PALLET):
            self._pallet(first // PALLET, cases[first : first + PALLET])
        for number, name in enumerate(cases):
            if number % OPENED == 0:
                self._sell(number, name)
        self.flush()
        self._fold()
        Cursor.objects.update_or_create(projection="custody", defaults={"position": self.index})
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE" if connection.vendor == "postgresql" else "ANALYZE")

    def _pallet(self, number: int, cases: list[str]) -> None:
        name, hub = case(10_000_000 + number), 1 + number % WHOLESALERS
        inside = [("child", one) for one in cases]
        self.say("packing", 2, 0, [("parent", name), *inside], action="ADD")
        self.say("shipping", 3, 0, [("epc", name)])
        self.say("receiving", 20, hub, [("epc", name)])
        self.say("unpacking", 21, hub, [("parent", name), *inside], action="DELETE")
        for nth, one in enumerate(cases):
            self.say("shipping", 30, hub, [("epc", one)])
            self.say("receiving", 40, self.shop(number * PALLET + nth), [("epc", one)])

    def _sell(self, number: int, name: str) -> None:
        inside = [pack(number * CASE + nth) for nth in range(CASE)]
        links = [("parent", name), *(("child", one) for one in inside)]
        self.say("unpacking", 50, self.shop(number), links, action="DELETE")
        for one in inside[:SOLD]:
            self.say("dispensing", 60, self.shop(number), [("epc", one)], disposition="dispensed")

    def say(
        self, step: str, hour: int, by: int, links: list[tuple[str, str]], *, action: str = "OBSERVE",
        disposition: str = "", lot: str = "",
    ) -> None:  # fmt: skip
        """One event of a party at its place."""
        at_ms, where = BASE_MS + hour * HOUR_MS, place(by)
        kind = "AggregationEvent" if links[0][0] == "parent" else "ObjectEvent"
        self.events.append(
            (self.index, f"{self.index:064x}", uri(by), event_id(self.index), kind, at_ms, 480, at_ms + 60_000, action,
             step, disposition, where, where, lot, "", "", "", None, "", "00", at_ms // 1000)
        )  # fmt: skip
        self.links += [(self.index, role, name, at_ms) for role, name in links]
        self.index += 1
        if len(self.links) >= BATCH * 10:
            self.flush()

    def shop(self, number: int) -> int:
        """The number of the party that a case goes to."""
        return 1 + WHOLESALERS + number % self.shops

    def flush(self) -> None:
        """Write what is gathered."""
        from django.db import transaction

        from traceability.capture import models, projection
        from traceability.common import bulk

        with transaction.atomic():
            bulk.insert(models.PublishedEvent, projection._EVENT, self.events)
            bulk.insert(models.EventEpc, ("event_index", "role", "epc", "event_time_ms"), self.links)
        self.things.update(name for _, _, name, _ in self.links)
        self.events, self.links = [], []

    def _fold(self) -> None:
        from django.db import transaction

        from traceability.custody import projection

        things = sorted(self.things)
        for start in range(0, len(things), BATCH):
            with transaction.atomic():
                projection._fold_items(things[start : start + BATCH])


def pack(number: int) -> str:
    """The Digital Link of a pack."""
    return f"https://id.gs1.org/01/{GTIN}/21/S{number:07d}"


def case(number: int) -> str:
    """The Digital Link of a case or pallet."""
    from traceability.gs1 import check_digit

    body = f"095210{number:011d}"
    return f"https://id.gs1.org/00/{body}{check_digit.of(body)}"


def _measures(packs: int) -> Iterator[tuple[str, str]]:
    from traceability.custody import selectors as custody
    from traceability.custody import trace

    events = trace.horizon() + 1
    chance = random.Random(SEED)

    def asked(text: str, **options: Any) -> Callable[[], Any]:
        return lambda: trace.ask(trace.subject(text, today=date(2026, 1, 1)), **options)

    def a_pack() -> str:
        return pack(chance.randrange(packs))

    lot = f"(01){GTIN}(10){LOT}"
    a_case, a_pallet = case(OPENED), case(10_000_000)
    for what, repeats, act in (
        (f"history of one pack, {events:,} events", 300, lambda: custody.past(a_pack())),
        ("trace of one pack", 200, lambda: asked(a_pack())()),
        (f"trace of a case of {CASE} packs", 50, asked(a_case)),
        (f"trace of a pallet of {CASE * PALLET:,} packs", 20, asked(a_pallet)),
        (f"trace of a lot of {packs:,} packs", 5, asked(lot)),
        (f"trace of a lot of {packs:,} packs as of its half", 5, asked(lot, as_of=events // 2)),
    ):
        act()
        waits, spent = [], time.process_time()
        for _ in range(repeats):
            started = time.perf_counter()
            act()
            waits.append((time.perf_counter() - started) * 1000)
        spent = (time.process_time() - spent) * 1000 / repeats
        cuts = statistics.quantiles(waits, n=100)
        figure = f"{cuts[49]:.1f} / {cuts[94]:.1f} ({spent:.1f})"
        sys.stderr.write(f"{what}: {figure}\n")
        yield f"{what}: p50 / p95 ms (CPU of ours)", figure
    answer = asked(lot)()
    yield (
        "packs in that trace, packs left out; nodes, steps",
        f"{answer.trace.packs:,}, {answer.left_out:,}: {len(answer.trace.nodes)}, {len(answer.trace.steps):,}",
    )
    yield "memory of the reading process, peak MiB", f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024}"


if __name__ == "__main__":
    main()
