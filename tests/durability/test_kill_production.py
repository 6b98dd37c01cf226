"""kill -9 of any part of the production size under load: nothing acknowledged is lost, nothing is there twice."""

import random
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from .harness import until
from .houses import Production, Till

pytestmark = [pytest.mark.redis, pytest.mark.postgresql, pytest.mark.xdist_group("production")]

TARGETS = ("sequencer", "backend", "web", "postmaster", "worker", "immediate")
CLIENTS = 3


@pytest.fixture
def house() -> Iterator[Production]:
    """A running house of the production size; its folder is one that PostgreSQL's own user can reach."""
    with tempfile.TemporaryDirectory(prefix="dosetrail-production-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        made = Production(folder)
        try:
            yield made
        finally:
            made.close()


def shot_at(house: Production, rounds: int, seed: int) -> list[Till]:
    """Clients at work while one part after the other is killed; each of them gets an answer before the next shot."""
    chance, stop = random.Random(seed), threading.Event()
    tills = [Till(house, "maker", stop) for _ in range(CLIENTS)]
    try:
        for turn in range(rounds):
            time.sleep(chance.uniform(0.3, 1.2))
            house.shoot(TARGETS[turn % len(TARGETS)], chance.random)
            until(house.answers)
            for till in tills:
                until(till.is_beyond(len(till.acknowledged)))
    finally:
        stop.set()
    for till in tills:
        till.thread.join(timeout=60)
    return tills


def settle(house: Production) -> None:
    """Until everything posted is published and folded."""

    def caught_up() -> bool:
        [(waiting,)] = house.postgres.rows("select count(*) from ledger_submission")
        [(size,)] = house.postgres.rows("select published_size from ledger_head")
        behind = house.postgres.rows(f"select 1 from common_cursor where position < {size}")
        return waiting == 0 and not behind

    until(caught_up)


def promises(house: Production, tills: list[Till]) -> None:
    settle(house)
    published = Counter(row[0] for row in house.postgres.rows("select event_id from capture_publishedevent"))
    acknowledged = [name for till in tills for name in till.acknowledged]
    assert [name for name in acknowledged if published[name] != 1] == []
    assert [name for till in tills for name in till.tried if published[name] > 1] == []
    checked = house.manage("fsck")
    assert checked.returncode == 0, checked.stdout + checked.stderr


def waits_for_its_broker(house: Production) -> None:
    """Redis is away: capture accepts, the log publishes, alerts wait; when it is back they come by themselves."""
    redis, worker = house.parts["redis"], house.parts["worker"]
    missed = worker.said.count("Cannot connect to redis")
    redis.away.set()
    redis.kill()
    until(lambda: worker.said.count("Cannot connect to redis") > missed)
    time.sleep(1)  # what it had fetched before is done by then
    epc = "https://id.gs1.org/01/09521000001008/21/sold-twice"
    for party in ("pharmacy", "other"):
        event = house.event(party, epc, step="dispensing", disposition="dispensed")
        assert house.call(party, "POST", "/epcis/events", json=event).status_code == 201
    until(lambda: house.postgres.rows("select count(*) from ledger_submission") == [(0,)])
    until(lambda: house.postgres.rows("select 1 from ledger_head where published_size = size") == [(1,)])
    time.sleep(1)  # a fold is a matter of milliseconds
    alerts = "select count(*) from alerts_alert where subject like '%sold-twice'"
    assert house.postgres.rows(alerts) == [(0,)]  # nobody woke the projections
    redis.away.clear()
    until(lambda: house.postgres.rows(alerts) != [(0,)])


def has_what_a_rebuild_gives(house: Production) -> None:
    """Stops the house: nothing may fold meanwhile."""
    settle(house)
    house.stop()
    rebuilt = house.manage("rebuild", "--check")
    assert rebuilt.returncode == 0, rebuilt.stdout + rebuilt.stderr


def test_no_part_that_dies_takes_anything_with_it(house: Production) -> None:
    """One house for all of it: each start costs more than what is tested."""
    tills = shot_at(house, len(TARGETS), seed=11)
    assert sum(till.broken for till in tills) > 0  # the kills did meet calls under way
    promises(house, tills)
    waits_for_its_broker(house)
    has_what_a_rebuild_gives(house)


@pytest.mark.long
def test_nothing_is_lost_in_two_hundred_rounds(house: Production) -> None:
    promises(house, shot_at(house, 200, seed=13))
    has_what_a_rebuild_gives(house)
