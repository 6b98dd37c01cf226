"""Whole houses for the end-to-end tests: `make demo`'s own command on a data folder of the test's."""

import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

ROOT = Path(__file__).resolve().parents[2]
BUILD_TIMEOUT_SECONDS = 420
WITNESSES = 3


@dataclass
class DemoHouse:
    """A running demo: its data folder, what demo.json says, and HTTP clients by party."""

    folder: Path
    world: dict[str, Any]
    process: "subprocess.Popen[bytes]"

    @property
    def base_url(self) -> str:
        return str(self.world["base_url"])

    def call(self, party: str, method: str, path: str, **more: Any) -> httpx.Response:
        """One request with the party's token."""
        headers = {"Authorization": f"Bearer {self.world['tokens'][party]}"}
        return httpx.request(method, self.base_url + path, headers=headers, timeout=30, **more)

    def scan(self, party: str, step: str, codes: list[str], **more: Any) -> httpx.Response:
        """One step through the plain scan API at the party's place."""
        body = {"step": step, "codes": codes, "place": self.site(party), **more}
        return self.call(party, "POST", "/api/v1/scans", json=body)

    def preflight(self, party: str, step: str, codes: list[str], **more: Any) -> dict[str, Any]:
        body = {"step": step, "codes": codes, "place": self.site(party), **more}
        answer: dict[str, Any] = self.call(party, "POST", "/api/v1/preflight", json=body).json()
        return answer

    def site(self, party: str) -> str:
        return str(next(site["uri"] for site in self.world["sites"].values() if site["party"] == party))

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Rows of the house's own database, read from outside."""
        with closing(
            sqlite3.connect(f"file:{self.folder}/dosetrail.sqlite3?mode=ro", uri=True, timeout=20)
        ) as database:
            return database.execute(query).fetchall()

    def processes(self) -> dict[str, int]:
        """The process IDs of the running house: `supervisor`, and of its children `web`, `engine` and `witness-…`."""
        found = {"supervisor": self.process.pid}
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                with suppress(OSError):
                    words = (entry / "cmdline").read_bytes().split(b"\0")[:-1]
                    parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
                    if parent == self.process.pid and words[-1:] in ([b"web"], [b"engine"]):
                        found[words[-1].decode()] = int(entry.name)
                    elif parent == self.process.pid and b"follower" in words:
                        name = words[words.index(b"--name") + 1].decode().partition(".")[0]
                        found[f"witness-{name}"] = int(entry.name)
        return found

    def restart(self) -> None:
        """Start the house's processes again on the same data and port, as a second `make demo` does."""
        port = int(self.base_url.rpartition(":")[2])
        self.process = start(self.folder, port, 0)

    def until(self, reached: Any, *, seconds: float = 120) -> None:
        """Wait until `reached()` is true; fails when it does not become so. A loaded machine may take its time."""
        deadline = time.monotonic() + seconds
        while not reached():
            assert time.monotonic() < deadline, "not reached in time"
            time.sleep(0.05)

    def folded(self) -> None:
        """Wait until everything posted so far is published and folded."""

        def caught_up() -> bool:
            (waiting,) = self.rows("select count(*) from ledger_submission")[0]
            (size,) = self.rows('select max("index") + 1 from ledger_entry')[0]
            positions = [row[0] for row in self.rows("select position from common_cursor")]
            return waiting == 0 and all(position >= size for position in positions)

        self.until(caught_up)


def start(folder: Path, port: int, seed: int) -> "subprocess.Popen[bytes]":
    """The demo's processes, as `make demo` starts them."""
    environment = {
        **os.environ,
        "DOSETRAIL_DATA_DIR": str(folder),
        "PORT": str(port),
        "HOST": "127.0.0.1",
        "SEED": str(seed),
        "WITNESSES": str(WITNESSES),
        "DJANGO_SETTINGS_MODULE": "traceability.settings.embedded",
    }
    environment.pop("EVENT_STREAM_PORT", None)
    with (folder / "output.txt").open("ab") as output:
        return subprocess.Popen(
            [sys.executable, "-m", "traceability.supervisor", "demo"],
            cwd=ROOT,
            env=environment,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )


def wait_for_world(folder: Path, process: "subprocess.Popen[bytes]") -> dict[str, Any]:
    """What demo.json says once the world is complete."""
    deadline = time.monotonic() + BUILD_TIMEOUT_SECONDS
    path = folder / "demo.json"
    while time.monotonic() < deadline:
        if path.exists() and (world := json.loads(path.read_text()))["complete"]:
            found: dict[str, Any] = world
            return found
        assert process.poll() is None, (folder / "output.txt").read_text()[-4000:]
        time.sleep(0.2)
    raise AssertionError((folder / "output.txt").read_text()[-4000:])


def free_port() -> int:
    """A port with free ones above it, for web, event stream and witnesses."""
    while True:
        with ExitStack() as held:
            first = held.enter_context(socket.socket())
            first.bind(("127.0.0.1", 0))
            port = int(first.getsockname()[1])
            try:
                for above in range(1, 2 + WITNESSES):
                    held.enter_context(socket.socket()).bind(("127.0.0.1", port + above))
            except OSError:
                continue
            return port


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoHouse]:
    """One demo house that tests may go on working in, once test_demo_world.py has seen it as it was built."""
    yield from _house(tmp_path_factory.mktemp("demo"), 1)


@pytest.fixture(scope="session", params=[1, pytest.param(7, marks=pytest.mark.long)], ids=lambda seed: f"seed{seed}")
def any_world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoHouse]:
    """A demo house as it was built; in `make test-long` of a second seed too."""
    if request.param == 1:
        yield request.getfixturevalue("demo")
    else:
        yield from _house(tmp_path_factory.mktemp(f"world{request.param}"), request.param)


def _house(folder: Path, seed: int) -> Iterator[DemoHouse]:
    process = start(folder, free_port(), seed)
    house = None
    try:
        house = DemoHouse(folder, wait_for_world(folder, process), process)
        yield house
    finally:
        process = house.process if house else process
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait(timeout=30)
