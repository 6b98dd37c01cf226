"""kill -9 of any or all processes at any moment loses nothing that was acknowledged, and records nothing twice."""

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.e2e.conftest import ROOT, DemoHouse
from traceability.simulation.world import check_digit

pytestmark = pytest.mark.xdist_group("demo")

CLIENTS, ROUNDS = 4, 8
PARTY = "ph-garden"
CONTEXT = "https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"


class Till:
    """A client that posts events one by one, each until it is acknowledged, as a careful system does."""

    def __init__(self, house: DemoHouse, stop: threading.Event) -> None:
        self.house = house
        self.stop = stop
        self.tried: list[str] = []
        self.acknowledged: list[str] = []
        self.broken = 0  # calls that got no answer
        self.thread = threading.Thread(target=self.run)

    def run(self) -> None:
        while not self.stop.is_set():
            event = self.event()
            self.tried.append(event["eventID"])
            while not self.stop.is_set():
                if self.post(event):
                    self.acknowledged.append(event["eventID"])
                    break
                time.sleep(0.05)

    def is_beyond(self, count: int) -> Callable[[], bool]:
        """Whether it has got more answers than these."""
        return lambda: len(self.acknowledged) > count

    def event(self) -> dict[str, Any]:
        event_id = f"urn:uuid:{uuid4()}"
        return {
            "@context": [CONTEXT],
            "type": "ObjectEvent",
            "eventID": event_id,
            "eventTime": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "eventTimeZoneOffset": "+00:00",
            "epcList": [f"https://id.gs1.org/00/{_sscc()}"],
            "action": "OBSERVE",
            "bizStep": "inspecting",
            "readPoint": {"id": self.house.site(PARTY)},
        }

    def post(self, event: dict[str, Any]) -> bool:
        try:
            answer = self.house.call(PARTY, "POST", "/epcis/events", json=event)
        except httpx.TransportError:
            self.broken += 1
            return False
        known = answer.status_code == 409 and answer.json()["code"] == "already-recorded"
        assert answer.status_code == 201 or known or answer.status_code >= 500, answer.text
        return answer.status_code == 201 or known


def test_nothing_acknowledged_is_lost(demo: DemoHouse) -> None:
    killed(demo, ROUNDS, seed=11)


@pytest.mark.long
def test_nothing_is_lost_in_two_hundred_rounds(demo: DemoHouse) -> None:
    killed(demo, 200, seed=13)


def killed(demo: DemoHouse, rounds: int, seed: int) -> None:
    """Clients at work while web, engine, or everything at once is killed, round after round; then all is checked."""
    chance = random.Random(seed)
    stop = threading.Event()
    tills = [Till(demo, stop) for _ in range(CLIENTS)]
    for till in tills:
        till.thread.start()
    for turn in range(rounds):
        time.sleep(chance.uniform(1, 2.5))
        running = demo.processes()
        names = sorted(running) if turn % 4 == 3 else [("web", "engine")[turn % 2]]
        for name in names:
            if name in running:
                os.kill(running[name], signal.SIGKILL)
        if "supervisor" in names:
            demo.process.wait()
            demo.restart()
        demo.until(lambda: {"web", "engine"} <= set(demo.processes()))
        demo.until(lambda: _answers(demo))
        for till in tills:  # each gets an answer before the next shot, however slow the machine is
            demo.until(till.is_beyond(len(till.acknowledged)))
    stop.set()
    for till in tills:
        till.thread.join(timeout=60)

    acknowledged = [event_id for till in tills for event_id in till.acknowledged]
    assert sum(till.broken for till in tills) > 0  # the kills did meet calls under way
    demo.folded()
    published = Counter(event_id for (event_id,) in demo.rows("select event_id from capture_publishedevent"))
    assert [event_id for event_id in acknowledged if published[event_id] != 1] == []
    assert [event_id for till in tills for event_id in till.tried if published[event_id] > 1] == []
    done = subprocess.run(
        [sys.executable, "manage.py", "fsck"],
        cwd=ROOT,
        env={
            **os.environ,
            "DOSETRAIL_DATA_DIR": str(demo.folder),
            "DJANGO_SETTINGS_MODULE": "traceability.settings.embedded",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def _sscc() -> str:
    body = f"39521000{random.randrange(10**9):09d}"
    return body + check_digit(body)


def _answers(demo: DemoHouse) -> bool:
    try:
        return httpx.get(f"{demo.base_url}/log/checkpoint", timeout=2).status_code == 200
    except httpx.TransportError:
        return False
