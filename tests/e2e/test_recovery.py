"""A machine is lost: yesterday's backup on a new one, today's entries from a real follower, no fork for any witness."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from tests.e2e.conftest import ROOT, free_port
from tests.integration.common.houses import manage

NAME = "regulator.example/w"


class House:
    """An embedded house as real processes, with one token of its regulator."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder, self.port = folder, port
        self.process: subprocess.Popen[bytes] | None = None
        self.token = ""

    def start(self) -> None:
        environment = {
            **os.environ,
            "DOSETRAIL_DATA_DIR": str(self.folder),
            "PORT": str(self.port),
            "HOST": "127.0.0.1",
            "DJANGO_SETTINGS_MODULE": "traceability.settings.embedded",
        }
        environment.pop("EVENT_STREAM_PORT", None)
        words = [sys.executable, "-m", "traceability.supervisor"]
        self.process = subprocess.Popen(words, cwd=ROOT, env=environment, start_new_session=True)
        until(lambda: answers(f"{self.url}/log/checkpoint"))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def stop(self) -> None:
        if self.process is not None:
            os.killpg(self.process.pid, signal.SIGTERM)
            self.process.wait(timeout=30)
            self.process = None

    def scan(self, event_id: str = "") -> httpx.Response:
        event = {
            "@context": ["https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"],
            "type": "ObjectEvent", "eventID": event_id or f"urn:uuid:{uuid4()}", "action": "OBSERVE",
            "eventTime": "2026-05-28T20:26:40.000Z", "eventTimeZoneOffset": "+08:00", "bizStep": "inspecting",
            "epcList": ["https://id.gs1.org/00/395210000000000019"],
        }  # fmt: skip
        headers = {"Authorization": f"Bearer {self.token}"}
        return httpx.post(f"{self.url}/epcis/events", json=event, headers=headers, timeout=30)


def answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=5).status_code == 200
    except httpx.HTTPError:
        return False


def until(reached, seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while not reached():
        assert time.monotonic() < deadline, "not reached in time"
        time.sleep(0.1)


def rows(file: Path, query: str) -> list[tuple]:
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True, timeout=20)) as database:
        return database.execute(query).fetchall()


def follower_environment(folder: Path) -> dict[str, str]:
    environment = {**os.environ, "DOSETRAIL_DATA_DIR": str(folder)}
    environment["DJANGO_SETTINGS_MODULE"] = "traceability.settings.follower"
    return environment


@pytest.fixture
def world(tmp_path):
    """A house with a regulator, and its follower that cosigns and holds content; both run."""
    port = free_port()
    house = House(tmp_path / "house", port)
    manage(house.folder, "migrate", "-v0")
    vkey = manage(house.folder, "keygen").stdout.strip()
    manage(house.folder, "add_party", "reg", "Regulator", "--role", "regulator")
    script = (
        "import django; django.setup()\n"
        "from traceability.parties import services\nfrom traceability.parties.models import Party\n"
        "print(services.issue_token(party=Party.objects.get(), label='t'))"
    )
    environment = {**os.environ, "DOSETRAIL_DATA_DIR": str(house.folder)}
    environment["DJANGO_SETTINGS_MODULE"] = "traceability.settings.embedded"
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    house.token = done.stdout.strip()
    folder = tmp_path / "follower"
    show = [sys.executable, "manage.py", "witness", "--name", NAME, "--show-key"]
    environment = follower_environment(folder)
    done = subprocess.run(show, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    key = done.stdout.strip()
    address = f"127.0.0.1:{port + 2}"
    policy = f"log {vkey} {house.url}/log\nwitness regulator {key} http://{address}\nquorum regulator\n"
    (house.folder / "policy").write_text(policy)
    (tmp_path / "policy").write_text(policy)
    (tmp_path / "token").write_text(house.token)
    (tmp_path / "content-token").write_text("a secret between the two\n")
    house.start()
    words = ["follow", "--log", f"{house.url}/log", "--policy", str(tmp_path / "policy"), "--name", NAME]
    words += ["--listen", address, "--every", "0.3", "--token-file", str(tmp_path / "token")]
    words += ["--content", "--content-token-file", str(tmp_path / "content-token")]
    follower = subprocess.Popen([sys.executable, "manage.py", *words], cwd=ROOT, env=environment)
    try:
        yield house, folder / "follower.sqlite3", f"http://{address}/log"
    finally:
        house.stop()
        follower.terminate()
        follower.wait(timeout=30)


def test_the_house_goes_on_from_its_follower_and_no_witness_sees_a_fork(world, tmp_path):
    house, copy, url = world
    for _ in range(3):
        assert house.scan().status_code == 201
    manage(house.folder, "backup_key", str(tmp_path / "key"))
    backup = manage(house.folder, "backup", str(tmp_path / "b"), "--key-file", str(tmp_path / "key"))
    assert "verified by restoring it" in backup.stdout
    known = f"urn:uuid:{uuid4()}"
    assert house.scan(known).status_code == 201
    for _ in range(3):
        assert house.scan().status_code == 201
    mine = house.folder / "dosetrail.sqlite3"
    head = "select published_size, final_size, root from ledger_head"
    until(lambda: (now := rows(mine, head)[0])[0] == now[1] == rows(copy, head)[0][0])
    until(lambda: rows(copy, "select count(*) from ledger_heldcontent")[0][0] == rows(mine, head)[0][0])
    size, _, root = rows(mine, head)[0]
    house.stop()

    # The machine is lost. A new folder, yesterday's backup.
    house.folder = tmp_path / "new"
    restored = manage(house.folder, "restore", str(tmp_path / "b"), "--key-file", str(tmp_path / "key"))
    assert "Nothing is signed yet" in restored.stdout
    mine = house.folder / "dosetrail.sqlite3"
    behind = rows(mine, head)[0][0]
    assert behind < size
    house.start()  # too early, against all advice: it shows an old log, and signs nothing
    assert house.scan().headers.get("Dosetrail-State") == "submitted"
    time.sleep(2)
    assert rows(mine, head)[0][0] == behind
    house.stop()
    options = ["--from", url, "--content-token-file", str(tmp_path / "content-token")]
    said = manage(house.folder, "recover", *options, "--report", str(tmp_path / "lost")).stdout
    assert f"{size - behind} entries came from {url}; the log goes on after {size}" in said
    assert (tmp_path / "lost").read_text() == ""
    assert rows(mine, head)[0][2] == root
    house.start()
    assert house.scan(known).status_code == 409  # recorded already
    assert house.scan().status_code == 201
    until(lambda: (now := rows(mine, head)[0])[0] == now[1] == rows(copy, head)[0][0] > size)
    assert {kind for (kind,) in rows(copy, "select kind from ledger_monitorfinding")} <= {"rollback", "stale"}
    manage(house.folder, "fsck")


def test_signing_on_the_old_database_is_seen_as_a_fork(world, tmp_path):
    """Negative control: the sharp tool used wrongly."""
    house, copy, _ = world
    assert house.scan().status_code == 201
    manage(house.folder, "backup_key", str(tmp_path / "key"))
    manage(house.folder, "backup", str(tmp_path / "b"), "--key-file", str(tmp_path / "key"), "--no-verify")
    assert house.scan().status_code == 201
    head = "select published_size, root from ledger_head"
    mine = house.folder / "dosetrail.sqlite3"
    until(lambda: rows(mine, head) == rows(copy, head))
    size = rows(mine, head)[0][0]
    house.stop()
    house.folder = tmp_path / "new"
    mine = house.folder / "dosetrail.sqlite3"
    manage(house.folder, "restore", str(tmp_path / "b"), "--key-file", str(tmp_path / "key"))
    manage(house.folder, "sequencer", "--accept-database")
    house.start()
    for _ in range(4):
        house.scan()
    until(lambda: rows(mine, head)[0][0] > size)
    kinds = "select kind from ledger_monitorfinding"
    until(lambda: {("fork",), ("split-view",), ("rollback",)} & set(rows(copy, kinds)))
