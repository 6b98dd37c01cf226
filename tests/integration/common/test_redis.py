"""Production's broker: wake-up calls sent through a real Redis make a worker fold what was published."""

import os
import time
from collections.abc import Iterator
from typing import Any

import pytest
from celery import Celery
from celery.contrib.testing.worker import start_worker

from ledger import api as ledger
from traceability import waking
from traceability.common import documents, masterdata
from traceability.common.models import Cursor, MasterVersion
from traceability.common.tasks import advance

pytestmark = [pytest.mark.redis, pytest.mark.django_db(transaction=True)]

QUEUE = "folds"


@pytest.fixture
def app() -> Iterator[Celery]:
    """The product's tasks on a broker of the test run's own (tests/run.py starts it)."""
    url = os.environ.get("DOSETRAIL_TEST_REDIS")
    if not url:
        pytest.skip("DOSETRAIL_TEST_REDIS names no Redis")
    app = Celery("test", broker=url, set_as_current=False)
    app.conf.update(task_ignore_result=True, worker_hijack_root_logger=False, task_routes=waking.app.conf.task_routes)
    with app.connection_for_write() as connection:
        connection.channel().queue_purge(QUEUE)
    yield app
    app.close()


def _publish_a_version() -> None:
    body: dict[str, Any] = {
        "@type": "MasterDataVersion",
        "subject": "site:a",
        "effectiveTime": 0,
        "content": {"name": "a"},
    }
    party, key = "urn:dosetrail:party:test", ledger.generate_key()
    ledger.register_key(public=key.public, party_uri=party)
    documents.record([documents.Draft(masterdata.KIND, body, party, key)])
    while ledger.sequence_once():
        pass


def test_a_call_through_redis_folds_what_was_published(app: Celery) -> None:
    ledger.initialise(operator_name="test")
    _publish_a_version()
    assert not Cursor.objects.exists()  # nothing folds by itself
    with start_worker(app, pool="solo", perform_ping_check=False, shutdown_timeout=20, queues=[QUEUE]):
        for _ in range(2):  # a doubled message changes nothing
            app.send_task(advance.name)
        deadline = time.monotonic() + 15
        while not MasterVersion.objects.exists():
            assert time.monotonic() < deadline, "the worker did not fold in time"
            time.sleep(0.05)
    assert MasterVersion.objects.get().body == {"name": "a"}


def _waiting_after_five(app: Celery, monkeypatch: pytest.MonkeyPatch) -> int:
    """How many calls wait for a worker when the log has published five times and none was there."""
    monkeypatch.setattr(waking, "app", app)
    with app.connection_for_write() as connection:
        producer = app.amqp.Producer(connection.channel())
        for _ in range(5):
            waking._ask(producer)
        found: int = connection.channel().queue_declare(queue=QUEUE).message_count
    return found


def test_one_call_waits_for_a_worker_however_often_the_log_publishes(
    app: Celery, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert _waiting_after_five(app, monkeypatch) == 1


def test_calls_would_pile_up_if_nobody_looked(app: Celery, monkeypatch: pytest.MonkeyPatch) -> None:
    """The negative control: the queue is always said to be empty."""
    empty = type("Empty", (), {"message_count": 0})
    real = app.amqp.Producer

    def blind(channel: Any) -> Any:
        producer = real(channel)
        monkeypatch.setattr(producer.channel, "queue_declare", lambda **_: empty)
        return producer

    monkeypatch.setattr(app.amqp, "Producer", blind)
    assert _waiting_after_five(app, monkeypatch) == 5
