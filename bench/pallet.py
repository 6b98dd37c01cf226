"""What a pallet of 100,000 packs times BENCH_SCALE costs, and what is asked of its lot. One database per run.

Run by `bench` as a process of its own, on SQLite and, where it is installed, on PostgreSQL; prints rows as JSON. Steps
are captured, sequenced and folded as always; rows touched are those that the folds wrote or took away.
"""

import json
import os
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import uuid4

PACKS_PER_CASE = 100
CASES = 1_000
PACKS_PER_EVENT = 1_000
EVENTS_PER_DOCUMENT = 100
BASE_MS = 1_780_000_000_000
LOOKS = 50
GTIN = "09521000001008"
PREFIX = "952100"
PARTIES = (("regulator", "regulator"), ("maker", "manufacturer"), ("wholesaler", "distributor"))


def main() -> None:
    """Found a house, take the pallet through it, print."""
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    pallet = Pallet(max(20, int(CASES * float(os.environ.get("BENCH_SCALE", "1")))))
    rows = [row for step in pallet.steps() for row in step]
    sys.stdout.write(json.dumps(rows + list(pallet.looks())))


@dataclass(frozen=True)
class Site:
    """A party as the event writer wants it."""

    site_uri: str
    party_uri: str
    offset: str = "+08:00"


class Pallet:
    """A maker's pallet on its way to a wholesaler."""

    def __init__(self, cases: int) -> None:
        from ledger import api as ledger
        from traceability.parties import services as parties
        from traceability.products import services as products
        from traceability.simulation.world import check_digit

        ledger.initialise(operator_name="Bench")
        self.parties, self.sites = {}, {}
        for number, (name, role) in enumerate(PARTIES):
            gln, site = (f"{PREFIX}{digit}{number:05d}" for digit in (1, 2))
            gln, site = gln + check_digit(gln), site + check_digit(site)
            party = self.parties[name] = parties.create_party(id=name, name=name, roles=[role], gln=gln)
            row = parties.save_site(
                id=f"{name}-main", party=party, name=name, gln=site, latitude_e6=0, longitude_e6=0,
                time_zone="Asia/Shanghai", city="Shanghai", country="CN",
            )  # fmt: skip
            self.sites[name] = Site(row.uri, f"https://id.gs1.org/417/{gln}")
        products.save_profile(
            id="room", name="room", source="bench", low_mc=2000, high_mc=25000, low_seconds=1200, high_seconds=1800,
            freeze_sensitive=False,
        )  # fmt: skip
        item = products.save_item(
            id="item", manufacturer=self.parties["maker"], gtin=GTIN, name="Item", generic_name="item", strength="1",
            pack_size="1", authorisation="MA-1", profile_id="room",
        )  # fmt: skip
        self.lot = products.save_lot(
            item=item, number="L1", production_date=date(2026, 1, 1), expiry_date=date(2030, 1, 31)
        )
        self.cases = [self._sscc(number) for number in range(cases)]
        self.pallet = self._sscc(cases)
        self.packs = [f"https://id.gs1.org/01/{GTIN}/21/P{n:09d}" for n in range(cases * PACKS_PER_CASE)]
        self.clock = BASE_MS
        self._settle()

    def steps(self) -> Any:
        """The pallet's way, one list of rows per step."""
        yield self._step("commission, 1,000 packs per event", "maker", list(self._commissions()))
        yield self._step("pack into cases of 100", "maker", list(self._packings()))
        yield self._step("load the cases onto the pallet", "maker", [self._aggregate(self.pallet, self.cases, "ADD")])
        yield self._step("ship", "maker", [self._move("ship")])
        yield self._step("receive", "wholesaler", [self._move("receive")])
        yield self._step("unpack the pallet", "wholesaler", [self._aggregate(self.pallet, [], "DELETE")])
        yield self._step("unpack one case", "wholesaler", [self._aggregate(self.cases[0], [], "DELETE")])

    def looks(self) -> Any:
        """What is asked of one pack, and of the lot."""
        from traceability.custody import lot_packs
        from traceability.custody import selectors as custody

        packs = self.packs[:: max(1, len(self.packs) // LOOKS)][:LOOKS]
        yield "history of one pack: p50 / p95 ms", _cuts([_timed(lambda p=pack: custody.past(p)) for pack in packs])
        lot = f"{len(self.packs):,} packs"
        seconds = [_timed(lambda: lot_packs.trace_down(GTIN, self.lot.number)) for _ in range(5)]
        yield f"all holders of a lot of {lot}: median / worst ms", _middle(seconds)

    def _step(self, what: str, party: str, events: Sequence[dict[str, Any]]) -> list[tuple[str, str]]:
        from traceability.capture import services as capture
        from traceability.simulation import events as written

        started = time.perf_counter()
        for start in range(0, len(events), EVENTS_PER_DOCUMENT):
            batch = [{"@context": [written.CONTEXT], **event} for event in events[start : start + EVENTS_PER_DOCUMENT]]
            capture.accept_events(batch, reporter=self.parties[party])
        captured = time.perf_counter() - started
        folds, rows = self._settle()
        seconds = sum(folds.values())
        slowest = ", ".join(f"{name} {took:.2f}" for name, took in sorted(folds.items(), key=lambda one: -one[1])[:3])
        sys.stderr.write(f"{what}: {captured:.2f} + {seconds:.2f} s ({slowest}), {rows:,} rows\n")
        figure = f"{captured:.2f} / {seconds:.2f} s ({slowest}) / {rows:,}"
        return [(f"pallet of {len(self.packs):,} packs, {what}: captured / folded / rows touched", figure)]

    def _settle(self) -> tuple[dict[str, float], int]:
        """Sequence, then fold one projection after the other; seconds of each, and rows written or deleted."""
        from ledger import api as ledger
        from traceability.common import projection

        while ledger.sequence_once():
            pass
        before = _rows_changed()
        folds = {one.name: _timed(lambda one=one: _drain(projection, one)) for one in projection.all_projections()}
        return folds, _rows_changed() - before

    def _common(self, party: str) -> dict[str, Any]:
        self.clock += 1000
        return {"party": self.sites[party], "at_ms": self.clock, "event_id": f"urn:uuid:{uuid4()}"}

    def _commissions(self) -> Any:
        from traceability.simulation import events

        lot = _Lot(self.lot.number, self.lot.expiry_date)
        for start in range(0, len(self.packs), PACKS_PER_EVENT):
            yield events.commission(lot, self.packs[start : start + PACKS_PER_EVENT], **self._common("maker"))

    def _packings(self) -> Any:
        for number, case in enumerate(self.cases):
            inside = self.packs[number * PACKS_PER_CASE : (number + 1) * PACKS_PER_CASE]
            yield self._aggregate(case, inside, "ADD")

    def _aggregate(self, parent: str, children: Sequence[str], action: str) -> dict[str, Any]:
        from traceability.simulation import events

        party = "maker" if action == "ADD" else "wholesaler"
        event = events.aggregate(parent, children, action=action, **self._common(party))
        return event if children else {name: value for name, value in event.items() if name != "childEPCs"}

    def _move(self, which: str) -> dict[str, Any]:
        from traceability.simulation import events

        common = self._common("maker")
        del common["party"]
        partners = {"sender": self.sites["maker"], "receiver": self.sites["wholesaler"]}
        return getattr(events, which)([self.pallet], **partners, despatch="urn:dosetrail:document:DA1", **common)

    def _sscc(self, number: int) -> str:
        from traceability.simulation.world import check_digit

        body = f"3{PREFIX}{number:010d}"
        return f"https://id.gs1.org/00/{body}{check_digit(body)}"


@dataclass(frozen=True)
class _Lot:
    number: str
    expiry: date


def _drain(projection: Any, one: Any) -> None:
    while projection.advance(one):
        pass


def _rows_changed() -> int:
    from django.db import connection

    if connection.vendor == "sqlite":
        connection.ensure_connection()
        return int(connection.connection.total_changes)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_force_next_flush()")
        cursor.execute("SELECT sum(n_tup_ins + n_tup_upd + n_tup_del) FROM pg_stat_user_tables")
        return int(cursor.fetchone()[0] or 0)


def _timed(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _cuts(seconds: Sequence[float]) -> str:
    cuts = statistics.quantiles(seconds, n=100)
    return f"{cuts[49] * 1000:.1f} / {cuts[94] * 1000:.1f}"


def _middle(seconds: Sequence[float]) -> str:
    return f"{statistics.median(seconds) * 1000:,.0f} / {max(seconds) * 1000:,.0f}"


if __name__ == "__main__":
    main()
