"""Whole houses of real processes that tests shoot at: the production size on PostgreSQL and Redis, and the embedded."""

import json
import os
import secrets
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import psycopg

from tests.run import _initdb, _unprivileged_owner

from .harness import ROOT, until

BIN = Path(sys.executable).parent
PAUSE_SECONDS = 0.3


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on now."""
    with_sockets = [socket.socket() for _ in range(count)]
    for one in with_sockets:
        one.bind(("127.0.0.1", 0))
    ports = [int(one.getsockname()[1]) for one in with_sockets]
    for one in with_sockets:
        one.close()
    return ports


def children_of(parent: int) -> dict[int, list[bytes]]:
    """The processes that one has started: their IDs and command lines."""
    found = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError):
                if int((entry / "stat").read_text().rpartition(")")[2].split()[1]) == parent:
                    found[int(entry.name)] = (entry / "cmdline").read_bytes().split(b"\0")[:-1]
    return found


class Kept:
    """A process that is started again when it ends, as an init system does it."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str], output: Path) -> None:
        self._command, self._environment, self._output = list(command), dict(environment), output
        self._stop = threading.Event()
        self.away = threading.Event()  # while set it is not started again
        self.process = self._start()
        self._thread = threading.Thread(target=self._keep, daemon=True)
        self._thread.start()

    def _start(self) -> "subprocess.Popen[bytes]":
        with self._output.open("ab") as output:
            return subprocess.Popen(
                self._command, cwd=ROOT, env=self._environment, stdout=output, stderr=output, start_new_session=True
            )

    def _keep(self) -> None:
        while not self._stop.wait(0.05):
            if self.process.poll() is not None and not self.away.is_set():
                time.sleep(PAUSE_SECONDS)
                self.process = self._start()

    def kill(self) -> None:
        """SIGKILL to the process and all its children."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)

    def close(self) -> None:
        self._stop.set()
        self._thread.join()
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGTERM)
        try:
            self.process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self.kill()
            self.process.wait()

    @property
    def said(self) -> str:
        return self._output.read_text(errors="replace")


class Postgres:
    """A private cluster, as durable as PostgreSQL is by default."""

    def __init__(self, folder: Path) -> None:
        initdb = _initdb()
        assert initdb is not None, "PostgreSQL is not installed"
        programs = initdb.parent
        self._programs, self._folder = programs, folder / "pg"
        self._folder.mkdir()
        self.user = _unprivileged_owner(str(self._folder))
        self._as_user = ["runuser", "-u", self.user, "--"] if os.geteuid() == 0 else []
        [self.port] = free_ports(1)
        options = ["-D", f"{self._folder}/data", "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale", "C.UTF-8"]
        self._run("initdb", *options)
        self.start()

    def _run(self, program: str, *arguments: str, check: bool = True) -> int:
        command = [*self._as_user, str(self._programs / program), *arguments]
        return subprocess.run(command, check=check, cwd="/", stdout=subprocess.DEVNULL).returncode

    def start(self) -> None:
        options = f"-p {self.port} -c listen_addresses='' -c unix_socket_directories={self._folder}"
        start = ["-D", f"{self._folder}/data", "-w", "-o", options, "-l", f"{self._folder}/log", "start"]
        until(lambda: self._run("pg_ctl", *start, check=False) == 0)  # until what the last one left is gone

    def stop(self, mode: str = "immediate") -> None:
        self._run("pg_ctl", "-D", f"{self._folder}/data", "-w", "-m", mode, "stop", check=False)

    def kill(self) -> None:
        """SIGKILL to the postmaster; its children leave by themselves."""
        os.kill(self.postmaster, signal.SIGKILL)

    @property
    def postmaster(self) -> int:
        return int((self._folder / "data" / "postmaster.pid").read_text().splitlines()[0])

    def children(self) -> list[int]:
        """The process IDs of all that the postmaster has started and that is there now."""
        return list(children_of(self.postmaster))

    @property
    def environment(self) -> dict[str, str]:
        return {"PGHOST": str(self._folder), "PGPORT": str(self.port), "PGUSER": "postgres", "PGDATABASE": "postgres"}

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(
            host=str(self._folder), port=self.port, user="postgres", dbname="postgres", autocommit=True
        ) as connection:
            return connection.execute(query).fetchall()  # type: ignore[arg-type]


class House:
    """What both sizes have: an address, tokens, and calls with them."""

    base_url: str
    environment: dict[str, str]
    founded: dict[str, Any]

    def python(self, *arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
        """A Python process with the house's environment, to its end."""
        return subprocess.run(
            [sys.executable, *arguments],
            cwd=ROOT,
            env={**self.environment, **environment},
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    def manage(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        return self.python("manage.py", *arguments)

    def call(self, party: str, method: str, path: str, **more: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.founded['tokens'][party]}", "X-Forwarded-Proto": "https"}
        return httpx.request(method, self.base_url + path, headers=headers, timeout=30, **more)

    def answers(self) -> bool:
        """Whether the house answers requests that need its database."""
        with suppress(httpx.TransportError):
            headers = {"X-Forwarded-Proto": "https"}
            return httpx.get(f"{self.base_url}/log/checkpoint", timeout=5, headers=headers).status_code == 200
        return False

    def event(self, party: str, epc: str, *, step: str = "inspecting", disposition: str = "") -> dict[str, Any]:
        """An event of now at the party's place, with an ID of its own."""
        body = {
            "@context": ["https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"],
            "type": "ObjectEvent",
            "eventID": f"urn:uuid:{uuid4()}",
            "eventTime": time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime()),
            "eventTimeZoneOffset": "+00:00",
            "epcList": [epc],
            "action": "OBSERVE",
            "bizStep": step,
            "readPoint": {"id": self.founded["places"][party]},
        }
        return body | ({"disposition": disposition} if disposition else {})


class Production(House):
    """gunicorn, Celery and the sequencer on production settings, with PostgreSQL and Redis of their own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.postgres = Postgres(folder)
        port, self._redis_port = free_ports(2)
        self.base_url = f"http://127.0.0.1:{port}"
        secret = {name: folder / name for name in ("secret", "encryption")}
        for path in secret.values():
            path.touch(mode=0o600)
            path.write_bytes(secrets.token_bytes(32))
        self.environment = {
            **os.environ,
            **self.postgres.environment,
            "DJANGO_SETTINGS_MODULE": "traceability.settings.production",
            "DOSETRAIL_SECRET_KEY_FILE": str(secret["secret"]),
            "DOSETRAIL_KEY_ENCRYPTION_KEY_FILE": str(secret["encryption"]),
            "DOSETRAIL_HOSTS": "127.0.0.1",
            "DOSETRAIL_LOG_ORIGIN": "127.0.0.1/log",
            "DOSETRAIL_DATA_DIR": str(folder / "data"),
            "DOSETRAIL_REDIS_URL": f"redis://127.0.0.1:{self._redis_port}/0",
        }
        self.founded = found(self.environment)
        gunicorn = [str(BIN / "gunicorn"), "traceability.wsgi", "-b", f"127.0.0.1:{port}", "-w", "2"]
        celery = [str(BIN / "celery"), "-A", "traceability.celery", "worker", "-c", "1", "-l", "warning"]
        self.parts = {
            "redis": self._kept("redis", "redis-server", "--port", str(self._redis_port), "--save", ""),
            "web": self._kept("web", *gunicorn, "--threads", "4", "-k", "gthread"),
            "worker": self._kept("worker", *celery, "-B", "-s", f"{folder}/beat", "-Q", "celery,folds"),
            "long": self._kept("long", *celery, "-n", "long@%h", "-Q", "long"),
            "sequencer": self._kept("sequencer", sys.executable, "manage.py", "sequencer"),
        }
        until(self.answers)

    def _kept(self, name: str, *command: str) -> Kept:
        return Kept(command, self.environment, self._folder / f"{name}.txt")

    def _hit_backend(self, chance: Callable[[], float]) -> bool:
        """Whether the one that was aimed at was still there."""
        pids = self.postgres.rows("select pid from pg_stat_activity where client_addr is null and query <> ''")
        try:
            os.kill(int(pids[int(chance() * len(pids))][0]), signal.SIGKILL)
        except ProcessLookupError:
            return False
        return True

    def shoot(self, target: str, chance: Callable[[], float]) -> None:
        """SIGKILL one part; what does not start again by itself is started."""
        if target == "backend":  # PostgreSQL then ends all other connections, and recovers
            until(lambda: self._hit_backend(chance))
        elif target == "postmaster":
            self.postgres.kill()
            self.postgres.start()
        elif target == "immediate":
            self.postgres.stop("immediate")
            self.postgres.start()
        else:
            self.parts[target].kill()

    def stop(self) -> None:
        """All processes but the database."""
        for part in self.parts.values():
            part.close()
        self.parts = {}

    def close(self) -> None:
        self.stop()
        self.postgres.stop("immediate")


class Embedded(House):
    """The supervisor with web and engine in one folder."""

    def __init__(self, folder: Path, *, output: Path, **environment: str) -> None:
        self.folder = folder
        web, stream = free_ports(2)
        self.base_url = f"http://127.0.0.1:{web}"
        self.environment = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "traceability.settings.embedded",
            "DOSETRAIL_DATA_DIR": str(folder),
            "PORT": str(web),
            "EVENT_STREAM_PORT": str(stream),
            **environment,
        }
        self.founded = found(self.environment)
        command = [sys.executable, "-m", "traceability.supervisor"]
        self.part = Kept(command, self.environment, output)
        until(self.answers)

    def child(self, name: str) -> int:
        """The process ID of `web` or `engine`."""
        for pid, words in children_of(self.part.process.pid).items():
            if words[-1:] == [name.encode()]:
                return pid
        raise LookupError(name)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Rows of the house's own database, read from outside."""
        with closing(
            sqlite3.connect(f"file:{self.folder}/dosetrail.sqlite3?mode=ro", uri=True, timeout=20)
        ) as database:
            return database.execute(query).fetchall()

    def close(self) -> None:
        self.part.close()


def found(environment: Mapping[str, str]) -> dict[str, Any]:
    """Migrate, and found the small house with its parties, a person and the default contracts; what there is."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.durability.founding"],
        cwd=ROOT,
        env=dict(environment),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


@contextmanager
def mounted(folder: Path, size: str) -> Iterator[Path]:
    """A small disk of its own (tmpfs) at `folder`; needs root."""
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size},mode=0700", "tmpfs", str(folder)], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


class Till:
    """A client that posts events one by one, each until it is acknowledged, as a careful system does."""

    def __init__(self, house: House, party: str, stop: threading.Event) -> None:
        self._house, self._party, self._stop = house, party, stop
        self.tried: list[str] = []
        self.acknowledged: list[str] = []
        self.broken = 0  # calls that got no answer, or that of a fault
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def is_beyond(self, count: int) -> Callable[[], bool]:
        """Whether more than so many were acknowledged."""
        return lambda: len(self.acknowledged) > count

    def _run(self) -> None:
        while not self._stop.is_set():
            event = self._house.event(self._party, f"https://id.gs1.org/01/09521000001008/21/{uuid4().hex[:12]}")
            self.tried.append(event["eventID"])
            while not self._stop.is_set():
                if self._post(event):
                    self.acknowledged.append(event["eventID"])
                    break
                self.broken += 1
                time.sleep(0.05)

    def _post(self, event: dict[str, Any]) -> bool:
        try:
            answer = self._house.call(self._party, "POST", "/epcis/events", json=event)
        except httpx.TransportError:
            return False
        if answer.status_code == 409 and answer.json()["code"] == "already-recorded":
            return True
        assert answer.status_code == 201 or answer.status_code >= 500, answer.text
        return answer.status_code == 201
