"""Three followers of a real house, processes with keys and databases of their own: final, not final, and a lie."""

import os
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest

from ledger.tlog import policy, tile
from tests.e2e.conftest import ROOT, DemoHouse

pytestmark = pytest.mark.xdist_group("demo")


def sizes(house: DemoHouse) -> tuple[int, int]:
    """Published and final size of the house's log."""
    published, final = house.rows("select published_size, final_size from ledger_head")[0]
    return int(published), int(final)


def copies(house: DemoHouse) -> dict[str, tuple[int, str]]:
    """Size and root of each follower's copy, read from its own database."""
    found = {}
    for folder in sorted(house.folder.glob("witness-*")):
        with closing(sqlite3.connect(f"file:{folder}/follower.sqlite3?mode=ro", uri=True, timeout=20)) as database:
            found[folder.name] = database.execute("select published_size, root from ledger_head").fetchone()
    return found


def inspect(house: DemoHouse) -> None:
    """Something happens in the house."""
    event = {
        "@context": ["https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"],
        "type": "ObjectEvent",
        "eventTime": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "eventTimeZoneOffset": "+00:00",
        "epcList": ["https://id.gs1.org/00/395210000000000019"],
        "action": "OBSERVE",
        "bizStep": "inspecting",
        "readPoint": {"id": house.site("ph-bund")},
    }
    answer = house.call("ph-bund", "POST", "/epcis/events", json=event)
    assert answer.status_code == 201, answer.text


def test_the_whole_log_becomes_final_and_each_follower_holds_it(demo: DemoHouse) -> None:
    inspect(demo)
    demo.until(lambda: sizes(demo)[0] == sizes(demo)[1] > 2000)
    (published, root) = demo.rows("select published_size, root from ledger_head")[0]
    demo.until(lambda: all(copy == (published, root) for copy in copies(demo).values()))
    assert sorted(copies(demo)) == ["witness-distributor", "witness-hospital", "witness-regulator"]
    chosen = policy.parse((demo.folder / "policy").read_text())
    checked = chosen.check(httpx.get(f"{demo.base_url}/log/checkpoint").content)
    assert checked.final
    assert "regulator" in checked.cosigned
    for one in chosen.witnesses.values():
        assert chosen.check(httpx.get(f"{one.url}/log/checkpoint").content).checkpoint.size == published


def test_without_the_regulators_witness_entries_are_recorded_and_not_final(demo: DemoHouse) -> None:
    demo.until(lambda: sizes(demo)[0] == sizes(demo)[1])
    before = sizes(demo)[0]
    with stopped(demo.processes()["witness-regulator"]):
        inspect(demo)
        demo.until(lambda: sizes(demo)[0] > before)
        demo.until(lambda: dict(contacts(demo)).get("hospital") == sizes(demo)[0])
        assert sizes(demo)[1] == before
    demo.until(lambda: sizes(demo)[0] == sizes(demo)[1])


def contacts(house: DemoHouse) -> list[tuple[str, int]]:
    return [(str(name), int(size)) for name, size in house.rows("select witness, size from ledger_witnesscontact")]


@contextmanager
def stopped(master: int) -> Iterator[None]:
    """A process and its children stand still meanwhile."""
    children = Path(f"/proc/{master}/task/{master}/children").read_text().split()
    family = [master, *map(int, children)]
    for pid in family:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in family:
            os.kill(pid, signal.SIGCONT)


@contextmanager
def false_mirror(house: DemoHouse) -> Iterator[str]:
    """The house's log, but one bundle's entries come in another order than they were signed."""

    class Mirror(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer = httpx.get(house.base_url + self.path)
            data = answer.content
            if self.path.startswith("/log/tile/entries/003"):
                data = tile.pack_bundle(reversed(tile.unpack_bundle(data)))
            self.send_response(answer.status_code)
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Mirror)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/log"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def follow(folder: Path, house: DemoHouse, url: str, *more: str) -> "subprocess.CompletedProcess[str]":
    """`manage.py follow --once` as a stranger runs it, on a folder of his own."""
    words = ["follow", "--log", url, "--policy", str(house.folder / "policy"), *(more or ("--once",))]
    environment = {**os.environ, "DOSETRAIL_DATA_DIR": str(folder)}
    environment.pop("DJANGO_SETTINGS_MODULE", None)
    return subprocess.run(
        [sys.executable, "manage.py", *words], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )


def test_a_stranger_copies_the_log_and_a_false_mirror_is_found_out(demo: DemoHouse, tmp_path: Path) -> None:
    honest = follow(tmp_path / "one", demo, f"{demo.base_url}/log")
    assert honest.returncode == 0, honest.stdout + honest.stderr
    assert "entries of dosetrail.example/log checked" in honest.stdout
    assert follow(tmp_path / "one", demo, f"{demo.base_url}/log", "--check").returncode == 0
    with false_mirror(demo) as url:
        lied = follow(tmp_path / "two", demo, url)
    assert lied.returncode == 1
    assert "bad-bundle: entry 768 as served is not the one in the signed tree" in lied.stdout


def test_a_damaged_copy_is_named(demo: DemoHouse, tmp_path: Path) -> None:
    assert follow(tmp_path, demo, f"{demo.base_url}/log").returncode == 0
    with closing(sqlite3.connect(tmp_path / "follower.sqlite3")) as database:
        database.execute("update ledger_entry set statement = x'00' where \"index\" = 17")
        database.commit()
    found = follow(tmp_path, demo, f"{demo.base_url}/log", "--check")
    assert found.returncode == 1
    assert "entry 17" in found.stdout
