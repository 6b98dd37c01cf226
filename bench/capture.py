"""Capture of documents of all sizes, on the embedded size and in production, until published and folded.

Run by `bench`, or by itself; prints rows as JSON. Beside the largest document, another party posts single events all
the time: its longest wait says how long the database was not to be written, the longest standstill of the checkpoint
what became of the MMD. BENCH_EVENTS sets the number of events of the largest document.
"""

import json
import os
import re
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from uuid import uuid4

import httpx

from tests.durability.houses import Embedded, House, Production, children_of
from traceability.epcis.xml import writer

SIZES = ((1, 60), (100, 8), (1000, 2))  # events in a document, documents
ALONE = 100  # documents of one event, each posted while nothing else is under way
SETTLED = """select published_size from ledger_head where not exists (select 1 from ledger_submission)
    and not exists (select 1 from capture_capturejob where waiting)
    and not exists (select 1 from capture_stagedstatement)
    and published_size <= (select min(position) from common_cursor)"""
EVENTS = int(os.environ.get("BENCH_EVENTS", "100000"))
FORMS = ("json", "xml")
Row = tuple[str, str]


def main() -> None:
    """Both sizes, one after the other."""
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="dosetrail-bench-large-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        (folder / "embedded").mkdir()
        with closing(Embedded(folder / "embedded", output=folder / "embedded.txt")) as small:
            rows.append(alone("SQLite", small, small.rows))
            rows += documents("SQLite", small, small.rows)
            for form in FORMS:
                rows += measured("SQLite", small, small.rows, [small.part.process.pid], form=form)
        (folder / "production").mkdir(mode=0o755)
        with closing(Production(folder / "production")) as large:
            pids = [part.process.pid for part in large.parts.values()]
            rows.append(alone("PostgreSQL", large, large.postgres.rows))
            rows += documents("PostgreSQL", large, large.postgres.rows)
            for form in FORMS:
                rows += measured("PostgreSQL", large, large.postgres.rows, pids, form=form)
    sys.stdout.write(json.dumps(rows))


class Other:
    """A party that posts one event after the other; how long each took, and how old the newest checkpoint was."""

    def __init__(self, house: House) -> None:
        self._house, self._stop = house, threading.Event()
        self.waits: list[float] = []
        self.lags: list[float] = []
        self._threads = [threading.Thread(target=each) for each in (self._post, self._watch)]
        for thread in self._threads:
            thread.start()

    def _post(self) -> None:
        with client_of(self._house, "pharmacy") as client:
            while not self._stop.is_set():
                event = self._house.event("pharmacy", f"https://id.gs1.org/01/09521000001008/21/{uuid4().hex[:12]}")
                started = time.perf_counter()
                client.post("/epcis/events", json=event).raise_for_status()
                self.waits.append(time.perf_counter() - started)
                self._stop.wait(0.05)

    def _watch(self) -> None:
        """How long the size that is published stays the same although this party goes on posting."""
        with client_of(self._house, "pharmacy") as client:
            size, since = "", time.perf_counter()
            while not self._stop.wait(0.05):
                seen = client.get("/log/checkpoint").text.split("\n")[1]
                if seen != size:
                    size, since = seen, time.perf_counter()
                self.lags.append(time.perf_counter() - since)

    def close(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()


def client_of(house: House, party: str, form: str = "json") -> httpx.Client:
    """A client with the party's token."""
    headers = {
        "Authorization": f"Bearer {house.founded['tokens'][party]}",
        "X-Forwarded-Proto": "https",
        "Content-Type": f"application/{form}",
    }
    return httpx.Client(base_url=house.base_url, headers=headers, timeout=300)


def alone(size: str, house: House, rows: Callable[[str], list[tuple[int, ...]]]) -> Row:
    """How long it takes from POST of one event until custody shows it."""
    waits = []
    with client_of(house, "maker") as client:
        for number in range(ALONE):
            time.sleep(number % 10 / 10)  # at any moment between two calls of whatever wakes by the clock
            event = house.event("maker", f"https://id.gs1.org/01/09521000001008/21/{uuid4().hex[:12]}")
            started = time.perf_counter()
            client.post("/epcis/events", json=event).raise_for_status()
            known = f"select 1 from custody_itemstate where epc = '{event['epcList'][0]}'"
            waits.append((_until(lambda asked=known: bool(rows(asked)), 0.002) - started) * 1000)
    cuts = statistics.quantiles(waits, n=100)
    figure = f"{cuts[49]:.0f} / {cuts[94]:.0f}"
    return f"{size}: one event, ms from POST until custody shows it, p50 / p95 of {ALONE}", figure


def documents(size: str, house: House, rows: Callable[[str], list[tuple[int, ...]]]) -> Iterator[Row]:
    """Events per second in small and middling documents, JSON and XML, one client after the other."""
    for count, number in SIZES:
        for form in FORMS:
            bodies = [document(house, "maker", count, form=form) for _ in range(number)]
            with client_of(house, "maker", form) as client:
                started = time.perf_counter()
                for body in bodies:
                    client.post("/epcis/capture", content=body).raise_for_status()
                rate = count * number / (_until(lambda: bool(rows(SETTLED)), 0.002) - started)
            yield (
                f"{size}: events/s, {form.upper()} documents of {count}, POST until published and folded",
                f"{rate:,.0f}",
            )


def measured(
    size: str, house: House, rows: Callable[[str], list[tuple[int, ...]]], pids: list[int], *, form: str
) -> Iterator[Row]:
    """Post the document and watch until it is published and folded."""
    body = document(house, "maker", EVENTS, form=form)
    with client_of(house, "maker", form) as maker, closing(Other(house)) as other:
        started = time.perf_counter()
        address = maker.post("/epcis/capture", content=body).raise_for_status().headers["Location"]
        answered = time.perf_counter() - started
        stored = _until(lambda: not rows("select 1 from capture_capturejob where waiting")) - started
        done = _until(lambda: not maker.get(address).json()["running"], 0.5) - started
        behind = "select min(position) from common_cursor"
        size_of_log = rows("select published_size from ledger_head")[0][0]
        folded = _until(lambda: rows(behind)[0][0] >= size_of_log, 0.5) - started
        job = maker.get(address).json()
    assert job["success"], job["errors"][:1]
    what = f"{size}: {form.upper()} document of {EVENTS:,} events ({len(body) / 2**20:.0f} MiB)"
    yield (
        f"{what}, seconds until answered / stored / published / folded",
        (f"{answered:.1f} / {stored:.1f} / {done:.1f} / {folded:.1f}"),
    )
    yield f"{what}, longest wait of another party's event, seconds (of {len(other.waits)})", f"{max(other.waits):.2f}"
    yield f"{what}, longest time in which nothing was published, seconds", f"{max(other.lags):.2f}"
    yield f"{what}, most memory of a process, MiB", " ".join(f"{name} {size}" for name, size in _memory(pids))


def document(house: House, party: str, count: int, *, form: str = "json") -> bytes:
    """A document of so many events about a pack each."""
    one = house.event(party, "@", step="storing", disposition="sellable_accessible")
    context = one.pop("@context")
    whole = {
        "@context": context,
        "type": "EPCISDocument",
        "schemaVersion": "2.0",
        "creationDate": one["eventTime"],
        "epcisBody": {"eventList": ["@@"]},
    }
    head, tail = json.dumps(whole).split('"@@"')
    texts = (
        json.dumps(
            one
            | {
                "eventID": f"urn:uuid:{uuid4()}",
                "epcList": [f"https://id.gs1.org/01/09521000001008/21/{uuid4().hex[:12]}"],
            }
        )
        for n in range(count)
    )
    body = (head + ",".join(texts) + tail).encode()
    return b"".join(writer.write(json.loads(body))) if form == "xml" else body


def _until(done: Callable[[], bool], pause: float = 0.05) -> float:
    while not done():
        time.sleep(pause)
    return time.perf_counter()


def _memory(pids: list[int]) -> Iterator[tuple[str, int]]:
    """VmHWM of these processes and their children."""
    for pid in pids:
        for child in [pid, *children_of(pid), *(grand for one in children_of(pid) for grand in children_of(one))]:
            words = Path(f"/proc/{child}/cmdline").read_bytes().split(b"\0")
            found = re.search(r"VmHWM:\s*(\d+)", Path(f"/proc/{child}/status").read_text())
            if found:
                yield words[-2].decode().rpartition(".")[2], int(found[1]) // 1024


if __name__ == "__main__":
    main()
