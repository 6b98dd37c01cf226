"""PostgreSQL answers a commit after its write-ahead log is on the disk, on the connections that production makes."""

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from .harness import ROOT, STRACE
from .houses import Postgres

pytestmark = [pytest.mark.strace, pytest.mark.postgresql, pytest.mark.xdist_group("production")]

COMMITS = 5


@pytest.fixture(scope="module")
def postgres() -> Iterator[Postgres]:
    with tempfile.TemporaryDirectory(prefix="dosetrail-commits-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        made = Postgres(folder)
        yield made
        made.stop()


def options(folder: Path) -> str:
    """The connection options of the production settings, read from them."""
    program = "from traceability.settings import production as p; print(p.DATABASES['default']['OPTIONS']['options'])"
    for name in ("secret", "encryption"):
        (folder / name).touch(mode=0o600)
        (folder / name).write_bytes(os.urandom(32))
    environment = {
        **os.environ,
        "DOSETRAIL_SECRET_KEY_FILE": str(folder / "secret"),
        "DOSETRAIL_KEY_ENCRYPTION_KEY_FILE": str(folder / "encryption"),
        "DOSETRAIL_HOSTS": "127.0.0.1",
        "DOSETRAIL_LOG_ORIGIN": "127.0.0.1/log",
        "DOSETRAIL_DATA_DIR": str(folder),
        "DOSETRAIL_REDIS_URL": "redis://127.0.0.1:1/0",
        "PGDATABASE": "postgres",
    }
    command = [sys.executable, "-c", program]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True).stdout.strip()


@contextmanager
def traced(processes: Sequence[int], trace: Path) -> Iterator[None]:
    """What these processes send, receive and sync meanwhile."""
    pids = [word for pid in processes for word in ("-p", str(pid))]
    command = [str(STRACE), "-f", "-y", "-o", str(trace), "-e", "trace=fdatasync,sendto,recvfrom", *pids]
    tracer = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    assert tracer.stderr is not None
    for _ in processes:
        assert "attached" in tracer.stderr.readline()
    try:
        yield
    finally:
        tracer.terminate()
        tracer.communicate(timeout=20)


def commits(postgres: Postgres, options: str, trace: Path) -> list[bool]:
    """For each of some commits: whether a sync of the write-ahead log lies between the commit and its answer."""
    where = postgres.environment
    with psycopg.connect(
        host=where["PGHOST"], port=where["PGPORT"], user="postgres", dbname="postgres", options=options
    ) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS acknowledged (n int)")
        connection.commit()
        backend = connection.info.backend_pid
        with traced([postgres.postmaster, *postgres.children()], trace):
            for number in range(COMMITS):
                connection.execute("INSERT INTO acknowledged VALUES (%s)", [number])
                connection.commit()
    found, synced = [], False
    for line in trace.read_text(errors="replace").splitlines():
        if re.search(r"\bfdatasync\(\d+<[^>]*/pg_wal/", line):
            synced = True
        elif re.match(rf"{backend} +sendto\(.*COMMIT\\0", line):
            found.append(synced)
        if re.match(rf"{backend} +(recvfrom|sendto)\(", line):
            synced = False  # what was synced before the commit came in does not count
    return found


def test_a_commit_is_answered_after_the_log_is_synced(postgres: Postgres, tmp_path: Path) -> None:
    chosen = options(tmp_path)
    assert "synchronous_commit=on" in chosen
    assert postgres.rows("show fsync") == [("on",)]
    assert commits(postgres, chosen, tmp_path / "trace") == [True] * COMMITS


def test_the_trace_shows_a_commit_that_is_answered_before(postgres: Postgres, tmp_path: Path) -> None:
    """Negative control: with synchronous_commit off the answer does not wait."""
    assert not all(commits(postgres, "-c synchronous_commit=off", tmp_path / "trace"))
