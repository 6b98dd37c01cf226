"""A house with a large log, served over HTTP by its own process, and the programs of others that check it."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx
import psycopg
import pytest

ROOT = Path(__file__).resolve().parents[2]
HOME = Path(sys.prefix) / "outside"
GO = Path(__file__).parent / "go"
SMALL, LARGE = 300, 70_001  # 70,001: partial tiles on three levels, and full ones on two
COMMANDS = ["./...", "github.com/transparency-dev/tessera/cmd/fsck", "filippo.io/torchwood/cmd/litewitness"]


@dataclass
class House:
    """A running house: its data folder, its environment, where its log is."""

    folder: Path
    environment: Mapping[str, str]
    url: str

    @property
    def vkey(self) -> str:
        return httpx.get(f"{self.url}/vkey").text.strip()

    def manage(self, *words: str) -> "subprocess.Popen[bytes]":
        return subprocess.Popen([sys.executable, "manage.py", *words], cwd=ROOT, env=self.environment)


@pytest.fixture(scope="session")
def programs() -> Mapping[str, Path]:
    """The Go programs by name, built from tests/outside/go (the first time downloads their sources)."""
    assert (HOME / ".installed").is_file(), "run `make outside` first"
    out = HOME / "programs"
    settings = {"GOTOOLCHAIN": "local", "GOFLAGS": "-mod=readonly -buildvcs=false", "CGO_ENABLED": "0"}
    environment = {**os.environ, **settings}
    command = [str(HOME / "bin" / "go"), "build", "-o", f"{out}/", *COMMANDS]
    subprocess.run(command, cwd=GO, env=environment, check=True)
    return {path.name: path for path in out.iterdir()}


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("house")
    port = free_port()
    environment = environment_of(folder, port)
    with database() as name:
        environment["DOSETRAIL_OUTSIDE_DATABASE"] = name
        yield from _running(folder, port, environment)


def environment_of(folder: Path, port: int) -> dict[str, str]:
    """What the processes of a house in `folder` need."""
    own = {"DJANGO_SETTINGS_MODULE": "tests.outside.settings", "DOSETRAIL_DATA_DIR": str(folder)}
    return {**os.environ, **own, "PORT": str(port), "HOST": "127.0.0.1"}


def _running(folder: Path, port: int, environment: dict[str, str]) -> Iterator[House]:
    build = [sys.executable, "-m", "tests.outside.build_log", str(folder), str(SMALL), str(LARGE)]
    subprocess.run(build, cwd=ROOT, env=environment, check=True)
    web = subprocess.Popen([sys.executable, "-m", "traceability.supervisor", "web"], cwd=ROOT, env=environment)
    with ending(web):
        found = House(folder, environment, f"http://127.0.0.1:{port}/log")
        until(lambda: httpx.get(f"{found.url}/checkpoint").status_code == 200)
        yield found


@contextmanager
def database() -> Iterator[str]:
    """The name of a PostgreSQL database for the house, where the tests run on PostgreSQL; "" on SQLite."""
    if os.environ.get("DOSETRAIL_TEST_DATABASE") != "postgresql":
        yield ""
        return
    name = f"outside_{os.getpid()}"
    with psycopg.connect(dbname="postgres", autocommit=True) as server:
        server.execute(f"create database {name}")
        yield name
        server.execute(f"drop database {name} with (force)")


@contextmanager
def ending(process: "subprocess.Popen[bytes]", *, interrupt: bool = False) -> Iterator[None]:
    """The process ends with the block."""
    try:
        yield
    finally:
        process.send_signal(signal.SIGINT if interrupt else signal.SIGTERM)
        process.wait(timeout=30)


def until(reached: object, *, seconds: float = 30) -> None:
    """Wait until `reached()` is true; what does not answer yet is not."""
    deadline = time.monotonic() + seconds
    while True:
        with suppress(httpx.TransportError, OSError):
            if reached():
                return
        assert time.monotonic() < deadline, "not reached in time"
        time.sleep(0.05)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
