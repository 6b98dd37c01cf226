"""Events of a large document that are stored before its job ends: they count for nobody, and none is left behind."""

import json
from pathlib import Path
from typing import Any

import pytest

from ledger import api as ledger
from tests.integration.api.test_capture import observed, stored
from tests.integration.api.test_capture_jobs import job_of, sent
from tests.integration.conftest import House
from traceability.capture import intake, jobs, selectors, services, staging
from traceability.capture.models import CapturedEvent, CaptureJob, StagedStatement
from traceability.capture.refusals import CaptureError
from traceability.simulation import events as written


@pytest.fixture(autouse=True)
def spool(settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Every document is large and has many batches."""
    settings.CAPTURE_SPOOL_BYTES = 100
    settings.CAPTURE_SPOOL_DIR = tmp_path
    monkeypatch.setattr(intake, "BATCH", 2)
    return tmp_path


def document_of(*events: dict[str, Any]) -> bytes:
    return json.dumps(written.document(events, 0)).encode()


class BrokenOffError(Exception):
    """Stands for a crash: nothing after it runs."""


def broken_off(monkeypatch: pytest.MonkeyPatch, where: Any, name: str, *, calls: int = 0) -> None:
    """Let a worker die at the call after so many."""
    real, made = getattr(where, name), [0]

    def dies(*args: Any, **more: Any) -> Any:
        made[0] += 1
        if made[0] > calls:
            raise BrokenOffError
        return real(*args, **more)

    with monkeypatch.context() as patch:
        patch.setattr(where, name, dies)
        with pytest.raises(BrokenOffError):
            jobs.work_one()


def test_what_is_stored_ahead_is_neither_queued_nor_known(
    house: House, writer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = sent(house, writer, range(5))
    broken_off(monkeypatch, staging, "_stage", calls=2)
    assert (CapturedEvent.objects.count(), selectors.recorded().count(), ledger.backlog()) == (4, 0, 0)
    ahead = CapturedEvent.objects.first()
    assert selectors.captured(ahead.reporter, ahead.event_id) is None
    job = job_of(house, answer)
    assert (job["running"], job["events"]) == (True, 5)


def test_taken_up_again_it_is_stored_once_and_nothing_is_left(
    house: House, writer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = sent(house, writer, range(5))
    before = stored()
    broken_off(monkeypatch, intake, "_commit")
    assert jobs.work_one()
    house.settle()
    assert (job_of(house, answer)["success"], StagedStatement.objects.count()) == (True, 0)
    assert stored() == (before[0], before[1] + 5, 0, before[3] + 5)


def test_without_taking_back_it_would_meet_itself(house: House, writer: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The negative control: what the first attempt left keeps the second from its end."""
    sent(house, writer, range(5))
    broken_off(monkeypatch, intake, "_commit")
    monkeypatch.setattr(staging, "withdraw", lambda job: None)
    assert not jobs.work_one()
    assert CaptureJob.objects.get().waiting


def test_refused_at_its_end_nothing_of_it_is_left(house: House, writer: Any) -> None:
    """A fault that the second reading finds: the last event is recorded with other content."""
    event = observed(writer, "1")
    services.accept_events([{"@context": [written.CONTEXT], **event}], reporter=house.parties["pharmacy"])
    before = stored()
    others = [observed(writer, str(number)) for number in range(2, 7)]
    answer = house.capture("pharmacy", *others, {**event, "disposition": "damaged"})
    assert jobs.work_one()
    job = job_of(house, answer)
    assert [(error["event"], error["code"]) for error in job["errors"]] == [(5, "event-id-reused")]
    assert (stored(), StagedStatement.objects.count()) == ((before[0] + 1, *before[1:]), 0)


def test_a_crash_before_its_statements_are_queued_puts_them_off(
    house: House, writer: Any, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.CAPTURE_MAX_BACKLOG = 4
    answer = sent(house, writer, range(5))
    broken_off(monkeypatch, staging, "_queue_some", calls=1)
    assert (selectors.recorded().count(), ledger.backlog(), StagedStatement.objects.count()) == (5, 2, 3)
    house.settle()
    assert job_of(house, answer)["running"] is True  # recorded, and not all published
    assert not jobs.work_one()  # no job waits; the rest is queued
    house.settle()
    assert (job_of(house, answer)["running"], StagedStatement.objects.count()) == (False, 0)


def test_the_order_of_the_document_is_that_of_the_log(house: House, writer: Any) -> None:
    sent(house, writer, range(7))
    assert jobs.work_one()
    house.settle()
    hashes = CaptureJob.objects.get().receipt["statements"]
    indexes = ledger.positions(hashes)
    assert [indexes[name].index for name in hashes] == sorted(place.index for place in indexes.values())


def test_it_leaves_room_in_the_queue(house: House, writer: Any, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """While it is queued, others are not told that the log is full."""
    settings.CAPTURE_MAX_BACKLOG = 4
    longest = [0]

    def sequenced(_: float) -> None:
        longest[0] = max(longest[0], ledger.backlog())
        ledger.sequence_once()

    monkeypatch.setattr(staging.time, "sleep", sequenced)
    sent(house, writer, range(20))
    assert jobs.work_one()
    assert 0 < longest[0] <= settings.CAPTURE_MAX_BACKLOG
    assert StagedStatement.objects.count() == 0


def test_a_log_that_takes_nothing_is_not_waited_for_for_ever(
    house: House, writer: Any, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.CAPTURE_MAX_BACKLOG = 4
    monkeypatch.setattr(staging, "_PATIENCE_SECONDS", 0.05)
    sent(house, writer, range(20))
    assert jobs.work_one()
    assert 0 < StagedStatement.objects.count() < 20


def test_what_another_document_holds_open_is_neither_new_nor_known(
    house: House, writer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    event = observed(writer, "1")
    house.capture("pharmacy", event, *(observed(writer, str(number)) for number in range(2, 7)))
    broken_off(monkeypatch, intake, "_commit")
    answer = house.post("pharmacy", "/epcis/events", {"@context": [written.CONTEXT], **event})
    assert (answer.status_code, answer.json()["code"], answer["Retry-After"]) == (503, "being-recorded", "5")
    assert jobs.work_one()
    house.settle()
    answer = house.post("pharmacy", "/epcis/events", {"@context": [written.CONTEXT], **event})
    assert (answer.status_code, answer.json()["code"]) == (409, "already-recorded")


def test_a_document_that_broke_off_comes_before_one_that_waits_for_it(
    house: House, writer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each has an event of the other: the one that waits lets go of what it had stored ahead."""
    events = [observed(writer, str(number)) for number in range(9)]
    house.capture("pharmacy", *events[1:8])
    broken_off(monkeypatch, staging, "_stage", calls=2)
    CaptureJob.objects.update(created_ms=2**40 * 2)  # the one that broke off stands last
    house.capture("pharmacy", events[7], events[8], events[1])
    assert jobs.work_one()
    assert jobs.work_one()
    assert not CaptureJob.objects.filter(waiting=True).exists()
    assert sorted(CaptureJob.objects.values_list("event_count", "already_recorded")) == [(3, 2), (7, 0)]


def test_what_is_recorded_is_not_taken_back(house: House, writer: Any) -> None:
    sent(house, writer, range(3))
    assert jobs.work_one()
    with pytest.raises(staging.OvertakenError):
        staging.withdraw(CaptureJob.objects.get().id)
    assert selectors.recorded().count() == 3


def test_a_job_done_by_another_stores_nothing_twice(house: House, writer: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The lock of the file failed: the other one's end stands."""
    sent(house, writer, range(3))
    real = intake._commit

    def overtaken(batches: Any, *rest: Any) -> None:
        CaptureJob.objects.update(waiting=False)
        real(batches, *rest)

    monkeypatch.setattr(intake, "_commit", overtaken)
    assert jobs.work_one()
    assert CapturedEvent.objects.count() == 3


@pytest.mark.parametrize("good", [True, False])
def test_a_large_document_done_at_once_is_stored_ahead_too(
    house: House, writer: Any, spool: Path, monkeypatch: pytest.MonkeyPatch, good: bool
) -> None:
    seen: list[int] = []
    real = staging._stage

    def watched(*args: Any, **more: Any) -> None:
        real(*args, **more)
        seen.append(selectors.recorded().count())
        assert not jobs.work_one()  # a worker leaves it alone meanwhile

    monkeypatch.setattr(staging, "_stage", watched)
    before = stored()
    events = [observed(writer, str(number)) for number in range(5)]
    last = {**events[0], "disposition": "damaged"}
    body = document_of(*events, *([] if good else [last]))
    if good:
        job = services.accept_document(body, reporter=house.parties["pharmacy"])
        house.settle()
        assert (job.event_count, selectors.recorded().count()) == (5, 5)
    else:
        with pytest.raises(CaptureError) as refused:
            services.accept_document(body, reporter=house.parties["pharmacy"])
        assert refused.value.code == "event-id-reused"
        assert stored() == before
    assert (seen, list(spool.iterdir())) == ([0] * 3, [])


def test_what_broke_off_at_once_is_cleared_away(
    house: House, writer: Any, spool: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A crash: neither its own handler ran, nor was the file removed."""
    before = stored()
    body = document_of(*(observed(writer, str(number)) for number in range(5)))

    def dies(*_: Any) -> None:
        raise BrokenOffError

    with monkeypatch.context() as patch:
        patch.setattr(intake, "_commit", dies)
        patch.setattr(staging, "withdraw", dies)
        with pytest.raises(BrokenOffError):
            services.accept_document(body, reporter=house.parties["pharmacy"])
    job = CaptureJob.objects.get()
    (spool / job.id).touch()
    assert jobs.work_one()
    job.refresh_from_db()
    assert (job.failed, job.errors[0]["code"], list(spool.iterdir())) == (True, "spool-lost", [])
    assert stored() == (before[0] + 1, *before[1:])
