"""What is measured, and how: through the front doors, until the log has published and the folds have caught up."""

import json
import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any
from uuid import uuid4

import httpx
from django.core.management import call_command

from ledger import api as ledger
from traceability.alerts.models import Alert
from traceability.common import clock, rebuilding
from traceability.epcis.xml import writer
from traceability.simulation import bootstrap, events
from traceability.simulation.driver import DoorError, Driver
from traceability.simulation.plan import MINUTE, Action
from traceability.simulation.world import World, make_world

Row = tuple[str, str]


class Bench:
    """A founded world with a client per party."""

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url
        self.world: World = make_world(seed=9, first_day=datetime.now(UTC).date() - timedelta(days=20))
        httpx.get(f"{base_url}/log/vkey", timeout=30)
        self.founded = bootstrap.found(self.world)
        call_command("deploy_contracts", verbosity=0, stdout=StringIO())
        self.driver = Driver(base_url=base_url, tokens=self.founded.tokens)
        self.maker = self.world.parties["lingnan"]
        self.pharmacy = self.world.parties["ph-bund"]
        self.client = httpx.Client(base_url=base_url, timeout=120)
        self.item = self.world.items["amoxil"]
        self.serial = 0

    def epcs(self, count: int) -> list[str]:
        """Fresh serials of one item."""
        self.serial += count
        return [
            f"https://id.gs1.org/01/{self.item.gtin}/21/B{number:09d}"
            for number in range(self.serial - count, self.serial)
        ]

    def common(self) -> dict[str, Any]:
        return {"party": self.maker, "at_ms": clock.now_ms() - MINUTE, "event_id": f"urn:uuid:{uuid4()}"}

    def capture(self, batch: Sequence[dict[str, Any]]) -> None:
        self.post(json.dumps(events.document(batch, clock.now_ms())).encode())

    def post(self, body: bytes, *, kind: str = "application/json") -> str:
        """Send a document; the address of its job."""
        response = self.client.post("/epcis/capture", content=body, headers=self.headers("lingnan", kind))
        response.raise_for_status()
        return response.headers["Location"]

    def await_job(self, address: str) -> None:
        """Wait until a job that a worker does is done; DoorError where it failed."""
        while (job := self.client.get(address, headers=self.headers("lingnan")).json())["running"]:
            time.sleep(0.02)
        if not job["success"]:
            raise DoorError(f"a document was refused: {job['errors'][:1]}")

    def headers(self, party: str, kind: str = "application/json") -> dict[str, str]:
        return {"Authorization": f"Bearer {self.founded.tokens[party]}", "Content-Type": kind}


def all_measures(base_url: str, *, scale: float) -> list[Row]:
    """Every figure, in the order of the table."""
    bench = Bench(base_url)
    rows: list[Row] = []
    for per_document, documents in ((1, 300), (10, 150), (100, 60), (1000, 8)):
        for form in ("JSON", "XML"):
            rows.append(_documents(bench, form, per_document, max(3, int(documents * scale))))
    rows.append(_batched(bench, max(2, int(20 * scale))))
    rows += [_scans(bench, clients, max(20, int(400 * scale))) for clients in (1, 8)]
    for what, path in _pages(bench):
        rows += [_consumer_page(bench, what, path, clients, max(20, int(300 * scale))) for clients in (1, 8)]
    rows.append(_excursion_to_alert(bench, 5))
    rows += _recomputation()
    return rows


def _documents(bench: Bench, form: str, per_document: int, documents: int) -> Row:
    bodies = []
    for _ in range(documents):
        batch = [
            events.observe([epc], step="stocking", disposition="sellable_accessible", **bench.common())
            for epc in bench.epcs(per_document)
        ]
        document = events.document(batch, clock.now_ms())
        bodies.append(b"".join(writer.write(document)) if form == "XML" else json.dumps(document).encode())
    kind = f"application/{form.lower()}"

    def work() -> None:
        jobs = [bench.post(body, kind=kind) for body in bodies]
        bench.await_job(jobs[-1])  # a large document is worked on after its answer, one after the other

    rate = per_document * documents / _timed(bench, work)
    what = f"events/s, {form} documents of {per_document} ({len(bodies[0]):,} bytes)"
    return (f"{what}, one client, POST until published and folded", f"{rate:,.0f}")


def _batched(bench: Bench, documents: int) -> Row:
    """performance.md's batched document: 1,000 serials in one event, 100 cases, a pallet, its shipment."""
    lot = bench.world.lots[3]
    batches = []
    for number in range(documents):
        packs = bench.epcs(1000)
        cases = [f"https://id.gs1.org/00/{_sscc(bench)}" for _ in range(100)]
        pallet = f"https://id.gs1.org/00/{_sscc(bench)}"
        batch = [events.commission(lot, packs, **bench.common())]
        for place, case in enumerate(cases):
            batch.append(events.aggregate(case, packs[10 * place : 10 * place + 10], action="ADD", **bench.common()))
        batch.append(events.aggregate(pallet, cases, action="ADD", **bench.common()))
        shipped = bench.common()
        del shipped["party"]
        batch.append(
            events.ship(
                cases,
                sender=bench.maker,
                receiver=bench.pharmacy,
                despatch=f"urn:dosetrail:document:BENCH{number}",
                **shipped,
            )
        )
        batches.append(batch)
    seconds = _timed(bench, lambda: [bench.capture(batch) for batch in batches])
    references = sum(len(epcs(one)) for batch in batches for one in batch)
    return (
        f"EPC references/s, batched document ({len(batches[0])} events, {references // documents:,} references)",
        f"{references / seconds:,.0f}",
    )


def epcs(event: Mapping[str, Any]) -> list[str]:
    """The instances that an event names."""
    return [*event.get("epcList", ()), *event.get("childEPCs", ()), *filter(None, [event.get("parentID")])]


def _scans(bench: Bench, clients: int, scans: int) -> Row:
    lot = bench.world.lots[3]
    packs = bench.epcs(scans)
    bench.capture([events.commission(lot, packs, **bench.common())])
    bench.driver.settle()
    url, headers = f"{bench.base_url}/api/v1/scans", bench.headers("ph-bund")

    def scan(epc: str) -> float:
        body = {"step": "stock", "codes": [epc], "place": bench.pharmacy.site_uri}
        started = time.perf_counter()
        response = bench.client.post(url, json=body, headers=headers)
        response.raise_for_status()
        return time.perf_counter() - started

    started = time.perf_counter()
    with ThreadPoolExecutor(clients) as pool:
        latencies = list(pool.map(scan, packs))
    rate = scans / (time.perf_counter() - started)
    bench.driver.settle()
    return (
        f"single scan, {clients} client(s): p50 / p95 / p99 ms, scans/s",
        f"{_percentiles(latencies)}, {rate:,.0f}/s",
    )


def _pages(bench: Bench) -> Iterator[tuple[str, str]]:
    """A shipped pack as its printed QR reads, by GTIN and serial alone, and one that nobody has recorded."""
    lot, (epc,) = bench.world.lots[3], bench.epcs(1)
    shipped = bench.common()
    party = shipped.pop("party")
    journey = {"sender": party, "receiver": bench.pharmacy, "despatch": "urn:dosetrail:document:BENCHPACK"}
    bench.capture([events.commission(lot, [epc], **bench.common()), events.ship([epc], **journey, **shipped)])
    bench.driver.settle()
    serial = epc.rpartition("/")[2]
    code = f"/01/{bench.item.gtin}"
    yield "printed QR, journey shown", f"{code}/10/{lot.number}/21/{serial}?17={lot.expiry:%y%m%d}"
    yield "GTIN and serial alone", f"{code}/21/{serial}"
    yield "unknown pack, waits so that nobody learns from the time", f"{code}/21/NOBODY"


def _consumer_page(bench: Bench, what: str, path: str, clients: int, requests: int) -> Row:

    def look(_: int) -> float:
        started = time.perf_counter()
        bench.client.get(path).raise_for_status()
        return time.perf_counter() - started

    started = time.perf_counter()
    with ThreadPoolExecutor(clients) as pool:
        latencies = list(pool.map(look, range(requests)))
    rate = requests / (time.perf_counter() - started)
    return (
        f"consumer page ({what}), {clients} client(s): p50 / p95 / p99 ms, pages/s",
        f"{_percentiles(latencies)}, {rate:,.0f}/s",
    )


def _excursion_to_alert(bench: Bench, times: int) -> Row:
    """Cases of a refrigerated product, each with a logger file that shows four hours at 15 °C."""
    lot = bench.world.lots[0]
    maker = bench.world.parties[lot.item.manufacturer]
    waits = []
    for case in lot.pallets[0].cases[:times]:
        before = Alert.objects.count()
        end = clock.now_ms() - MINUTE
        readings = [(end - place * 10 * MINUTE, 15_000 if 5 < place < 30 else 5_000) for place in range(60)][::-1]
        common = {"party": maker, "at_ms": readings[0][0] - MINUTE}
        packs = [pack.epc for pack in case.packs]
        batch = [
            events.commission(lot, packs, event_id=f"urn:uuid:{uuid4()}", **common),
            events.aggregate(case.epc, packs, action="ADD", event_id=f"urn:uuid:{uuid4()}", **common),
        ]
        body = json.dumps(events.document(batch, clock.now_ms())).encode()
        bench.client.post("/epcis/capture", content=body, headers=bench.headers(maker.id)).raise_for_status()
        bench.driver.settle()
        data = {"holder": case.epc, "device": "BENCH", "readings": readings}
        started = time.perf_counter()
        bench.driver._logger(Action(end, maker.id, "logger", frozenset(), data))
        while Alert.objects.count() == before:
            if time.perf_counter() - started > 30:
                return ("seconds from logger file sent to alert visible", "no alert within 30 s")
            time.sleep(0.005)
        waits.append(time.perf_counter() - started)
    return (
        f"seconds from logger file sent to alert visible, {len(waits)} files: median / worst",
        f"{statistics.median(waits):.2f} / {max(waits):.2f}",
    )


def _recomputation() -> list[Row]:
    size = ledger.published_size()
    started = time.perf_counter()
    problems = ledger.fsck(lambda _done, _total: None)
    fsck_seconds = time.perf_counter() - started
    started = time.perf_counter()
    for _ in rebuilding.rebuild():
        pass
    rebuild_seconds = time.perf_counter() - started
    return [
        (f"fsck, entries/s over {size:,} entries ({len(list(problems))} problems)", f"{size / fsck_seconds:,.0f}"),
        (f"rebuild of all projections, entries/s over {size:,} entries", f"{size / rebuild_seconds:,.0f}"),
    ]


def _timed(bench: Bench, work: Callable[[], object]) -> float:
    bench.driver.settle()
    started = time.perf_counter()
    work()
    bench.driver.settle()
    return time.perf_counter() - started


def _sscc(bench: Bench) -> str:
    from traceability.simulation.world import COMPANY_PREFIX, check_digit

    bench.serial += 1
    body = f"4{COMPANY_PREFIX}{bench.serial:012d}"
    return body + check_digit(body)


def _percentiles(seconds: Sequence[float]) -> str:
    cuts = statistics.quantiles(seconds, n=100)
    return " / ".join(f"{cuts[place - 1] * 1000:.1f}" for place in (50, 95, 99))
