"""Migrations of captured events, applied to a database that has some."""

from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.migrations.executor import MigrationExecutor

from traceability.capture import selectors, staging
from traceability.capture.models import CapturedEvent, CaptureJob

BEFORE, AFTER = [("capture", "0005_event_hash")], [("capture", "0007_events_ahead_of_their_job")]
JOB = {"reporter": "urn:dosetrail:party:p", "error_behaviour": "rollback", "created_ms": 7}


@pytest.fixture
def old(transactional_db: None) -> Any:
    """The tables as they were before jobs could wait; afterwards all migrations are applied."""
    executor = MigrationExecutor(connection)
    try:
        executor.migrate(BEFORE)
        yield executor.loader.project_state(BEFORE).apps
    finally:
        MigrationExecutor(connection).migrate(MigrationExecutor(connection).loader.graph.leaf_nodes())


def filled(apps: Any) -> None:
    """A job with two events, one without any, and an event that came alone."""
    jobs, events = apps.get_model("capture", "CaptureJob"), apps.get_model("capture", "CapturedEvent")
    receipt = {"statements": ["a", "b"]}
    job = jobs.objects.create(id="j1", body_sha256="1", event_count=2, receipt=receipt, errors=[{"event": 1}], **JOB)
    jobs.objects.create(id="j2", body_sha256="2", event_count=0, receipt={}, **JOB)
    for name, owner in (("a", job), ("b", job), ("c", None)):
        events.objects.create(
            statement_hash=name, job=owner, reporter=JOB["reporter"], event_id=name, content_sha256=name
        )


def test_jobs_of_before_are_done_and_their_events_recorded(old: Any) -> None:
    filled(old)
    MigrationExecutor(connection).migrate(AFTER)
    one, two = CaptureJob.objects.order_by("id")
    assert (one.waiting, one.failed, one.media, one.extensions, one.attempts) == (False, False, "json", {}, 0)
    assert (one.event_count, one.receipt, one.errors) == (2, {"statements": ["a", "b"]}, [{"event": 1}])
    assert (two.finished_ms, two.last_statement) == (None, "")
    assert selectors.unfinished([one, two]) == {"j1"}  # by its events, since it does not name its last statement
    assert set(selectors.recorded().values_list("statement_hash", flat=True)) == {"a", "b", "c"}
    with pytest.raises(staging.OvertakenError):
        staging.withdraw("j1")


def test_their_bytes_stay_known_and_failed_ones_may_come_again(old: Any) -> None:
    filled(old)
    MigrationExecutor(connection).migrate(AFTER)
    with pytest.raises(IntegrityError), transaction.atomic():
        CaptureJob.objects.create(id="j3", body_sha256="1", **JOB)
    CaptureJob.objects.filter(id="j1").update(failed=True)
    CaptureJob.objects.create(id="j3", body_sha256="1", **JOB)


def test_back_and_forth_keeps_them(old: Any) -> None:
    filled(old)
    MigrationExecutor(connection).migrate(AFTER)
    MigrationExecutor(connection).migrate(BEFORE)
    MigrationExecutor(connection).migrate(AFTER)
    assert (CaptureJob.objects.count(), CapturedEvent.objects.count()) == (2, 3)
