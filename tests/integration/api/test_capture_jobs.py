"""Large documents: spooled, worked on afterwards, taken up again after a crash; never half stored, never twice."""

import gzip
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from ledger import api as ledger
from tests.integration.api.test_capture import observed, stored
from tests.integration.conftest import House
from traceability.capture import intake, jobs, selectors, uploads
from traceability.capture.models import CapturedEvent, CaptureJob
from traceability.common.models import Document
from traceability.epcis import json_source
from traceability.epcis.xml import writer as xml_writer
from traceability.simulation import events as written

CAPTURE = "/epcis/capture"


@pytest.fixture(autouse=True)
def spool(settings: Any, tmp_path: Path) -> Path:
    """Every document is large, and lies in a folder of this test."""
    settings.CAPTURE_SPOOL_BYTES = 100
    settings.CAPTURE_SPOOL_DIR = tmp_path
    return tmp_path


def sent(house: House, writer: Any, serials: range, **headers: str) -> Any:
    return house.capture("pharmacy", *(observed(writer, str(number)) for number in serials), **headers)


def job_of(house: House, answer: Any) -> dict[str, Any]:
    return dict(house.client("pharmacy").get(answer["Location"]).json())


def test_a_large_document_waits_for_a_worker_and_is_answered_at_once(house: House, writer: Any, spool: Path) -> None:
    answer = sent(house, writer, range(3))
    assert (answer.status_code, set(answer.json())) == (202, {"captureID"})
    job = job_of(house, answer)
    assert (job["running"], job["success"], job["errors"], job["progress"]) == (True, True, [], 0)
    assert "finishedAt" not in job
    assert CapturedEvent.objects.count() == 0
    assert [path.name for path in spool.iterdir()] == [answer.json()["captureID"]]
    assert jobs.work_one()
    assert list(spool.iterdir()) == []
    assert not jobs.work_one()
    house.settle()
    job = job_of(house, answer)
    assert (job["running"], job["success"], job["events"]) == (False, True, 3)
    assert len(job["receipt"]["statements"]) == 3
    assert job["finishedAt"].endswith("Z")


def test_it_is_stored_batch_by_batch_as_the_small_one_is(
    house: House, writer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake, "BATCH", 2)
    sent(house, writer, range(7))
    assert jobs.work_one()
    assert CapturedEvent.objects.filter(job__isnull=False).count() == Document.objects.filter(kind="event").count() == 7
    house.settle()
    first = json.loads(bytes(Document.objects.filter(kind="event").first().body))
    assert first["bizStep"] == "stocking"


def test_a_fault_fails_the_job_and_nothing_is_stored(house: House, writer: Any, spool: Path) -> None:
    answer = house.capture("pharmacy", observed(writer, "1"), observed(writer, "2", bizStep="flying", colour=1))
    before = stored()
    assert jobs.work_one()
    assert stored() == before
    job = job_of(house, answer)
    assert (job["running"], job["success"]) == (False, False)
    assert [(error["event"], error["pointer"].rpartition("/")[2]) for error in job["errors"]] == [
        (1, "bizStep"),
        (1, "colour"),
    ]
    error = job["errors"][0]
    assert (error["type"], error["title"], error["status"]) == (
        "epcisException:ValidationException", "ValidationException", 400,
    )  # fmt: skip
    assert error["detail"].startswith("event 1, /epcisBody/eventList/1/bizStep: ")
    assert list(spool.iterdir()) == []


def test_what_failed_may_be_sent_again(house: House, writer: Any) -> None:
    """The same bytes may be right later; what was stored is known by its bytes."""
    first = sent(house, writer, range(1), **{"GS1-Extensions": "ours=https://o.example/"})
    CaptureJob.objects.update(failed=True, waiting=False)
    again = sent(house, writer, range(1))
    assert again["Location"] != first["Location"]
    jobs.work_one()
    house.settle()
    assert (job_of(house, again)["success"], CapturedEvent.objects.count()) == (True, 1)


def test_proceed_stores_the_good_and_lists_the_bad(house: House, writer: Any) -> None:
    headers = {"GS1-Capture-Error-Behaviour": "proceed"}
    answer = house.capture("pharmacy", observed(writer, "1"), observed(writer, "2", bizStep="flying"), **headers)
    jobs.work_one()
    house.settle()
    job = job_of(house, answer)
    assert (job["running"], job["success"], [error["event"] for error in job["errors"]]) == (False, False, [1])
    assert CapturedEvent.objects.count() == 1


def kinds(job: dict[str, Any]) -> list[tuple[int, str, str]]:
    return [(error["status"], error["title"], error["code"]) for error in job["errors"]]


def test_each_fault_of_a_job_has_the_status_of_its_own_kind(house: House, writer: Any) -> None:
    """An eventID that stands for another event is 409, as at the door, beside a fault of form, 400."""
    house.capture("pharmacy", observed(writer, "1"))
    jobs.work_one()
    headers = {"GS1-Capture-Error-Behaviour": "proceed"}
    recorded, twice = observed(writer, "1", disposition="damaged"), observed(writer, "2", disposition="damaged")
    answer = house.capture(
        "pharmacy", observed(writer, "2"), twice, recorded, observed(writer, "3", bizStep="flying"), **headers
    )
    jobs.work_one()
    doubled = (409, "ResourceAlreadyExistsException", "event-id-reused")
    job = job_of(house, answer)
    assert kinds(job) == [(400, "ValidationException", "unknown-term"), doubled, doubled]
    assert [error["event"] for error in job["errors"]] == [3, 1, 2]
    assert {error["type"] for error in job["errors"]} == {
        "epcisException:ValidationException", "epcisException:ResourceAlreadyExistsException",
    }  # fmt: skip


@pytest.mark.parametrize("behaviour", ["rollback", "proceed"])
def test_a_job_beyond_a_limit_fails_with_413(house: House, writer: Any, settings: Any, behaviour: str) -> None:
    settings.CAPTURE_MAX_EVENTS = 1
    answer = sent(house, writer, range(2), **{"GS1-Capture-Error-Behaviour": behaviour})
    jobs.work_one()
    assert kinds(job_of(house, answer)) == [(413, "CaptureLimitExceededException", "capture-limit")]


def test_an_event_beyond_a_limit_is_413_at_the_door_and_in_a_job(
    house: House, writer: Any, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(json_source, "WHOLE_BYTES", 100)
    monkeypatch.setattr(json_source, "MAX_EVENT", 100)
    answer = sent(house, writer, range(1))
    jobs.work_one()
    assert kinds(job_of(house, answer)) == [(413, "CaptureLimitExceededException", "too-large")]
    settings.CAPTURE_SPOOL_BYTES = 1024 * 1024
    answer = sent(house, writer, range(1))
    assert (answer.status_code, answer.json()["code"]) == (413, "too-large")
    assert "GS1-EPCIS-Capture-Limit" in answer.headers


def test_a_job_whose_file_is_gone_fails_as_a_fault_of_ours(house: House, writer: Any, spool: Path) -> None:
    answer = sent(house, writer, range(1))
    (spool / answer.json()["captureID"]).unlink()
    jobs.work_one()
    assert kinds(job_of(house, answer)) == [(500, "ImplementationException", "spool-lost")]


def test_bytes_that_break_off_fail_the_job(house: House, writer: Any) -> None:
    body = json.dumps(written.document([observed(writer, "1")] * 2, 0)).encode()[:-20]
    answer = house.client("pharmacy").post(CAPTURE, body, content_type="application/json")
    assert answer.status_code == 202
    jobs.work_one()
    job = job_of(house, answer)
    assert (job["success"], job["errors"][0]["code"]) == (False, "json-not-json")


@pytest.mark.parametrize(
    "where",
    [
        "traceability.capture.intake._judge",
        "traceability.capture.store.split",
        "traceability.capture.staging.Batches.add",
        "traceability.capture.models.CaptureJob.save",
        "traceability.capture.store.keep",
        "traceability.capture.master_data.note",
    ],
)
def test_a_fault_at_each_step_leaves_the_job_to_be_taken_up_again(
    house: House, writer: Any, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    answer = house.capture("pharmacy", observed(writer, "1", epcList=["https://id.gs1.org/01/04012345111118/21/1"]))

    def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError("as a crash would")

    with monkeypatch.context() as patch:
        patch.setattr(where, broken)
        with pytest.raises(RuntimeError):
            jobs.work_one()
    assert (selectors.recorded().count(), ledger.backlog()) == (0, 0)
    assert job_of(house, answer)["running"] is True
    assert jobs.work_one()
    house.settle()
    assert (job_of(house, answer)["success"], CapturedEvent.objects.count()) == (True, 1)


def test_a_crash_before_the_file_is_removed_does_nothing_twice(
    house: House, writer: Any, monkeypatch: pytest.MonkeyPatch, spool: Path
) -> None:
    answer = sent(house, writer, range(2))
    body = (spool / answer.json()["captureID"]).read_bytes()
    assert jobs.work_one()
    left = spool / answer.json()["captureID"]
    left.write_bytes(body)
    assert not jobs.work_one()
    assert CapturedEvent.objects.count() == 2
    os.utime(left, (0, 0))
    jobs.sweep()
    assert not left.exists()


def test_a_job_that_breaks_its_worker_is_given_up(house: House, writer: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = sent(house, writer, range(1))
    with monkeypatch.context() as patch:
        patch.setattr(intake, "take_in", lambda *_: 1 / 0)
        for _ in range(jobs.MAX_ATTEMPTS):
            with pytest.raises(ZeroDivisionError):
                jobs.work_one()
        assert jobs.work_one()
    assert job_of(house, answer)["errors"][0]["code"] == "attempts"
    assert CapturedEvent.objects.count() == 0


def test_while_another_worker_holds_it_nobody_takes_it(house: House, writer: Any, spool: Path) -> None:
    """The lock is a file's: another process stands for the other worker, and its death lets go."""
    sent(house, writer, range(1))
    (path,) = spool.iterdir()
    script = "import fcntl,sys; f=open(sys.argv[1]); fcntl.flock(f, fcntl.LOCK_EX); print('held', flush=True); input()"
    command = [sys.executable, "-c", script, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        assert not jobs.work_one()
        other.kill()
    assert jobs.work_one()


def test_a_lost_file_is_said(house: House, writer: Any, spool: Path) -> None:
    answer = sent(house, writer, range(1))
    next(spool.iterdir()).unlink()
    assert not jobs.work_one()
    assert job_of(house, answer)["errors"][0]["code"] == "spool-lost"


def test_a_full_log_lets_jobs_wait(house: House, writer: Any, settings: Any) -> None:
    sent(house, writer, range(2))
    settings.CAPTURE_MAX_BACKLOG = -1
    assert not jobs.work_one()
    settings.CAPTURE_MAX_BACKLOG = 1000
    assert jobs.work_one()


def test_only_so_many_may_wait(house: House, writer: Any, settings: Any, spool: Path) -> None:
    settings.CAPTURE_MAX_WAITING = 1
    assert sent(house, writer, range(1)).status_code == 202
    answer = sent(house, writer, range(1, 2))
    assert (answer.status_code, answer["Retry-After"]) == (503, "5")
    assert len(list(spool.iterdir())) == 1


def test_no_room_to_spool_is_507(house: House, writer: Any, monkeypatch: pytest.MonkeyPatch, spool: Path) -> None:
    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(uploads.os, "fsync", full)
    answer = sent(house, writer, range(1))
    assert (answer.status_code, answer.json()["code"]) == (507, "storage-full")
    assert (CaptureJob.objects.count(), list(spool.iterdir())) == (0, [])


def test_limits_name_both_numbers(house: House, writer: Any, settings: Any, spool: Path) -> None:
    settings.CAPTURE_MAX_EVENTS = 1
    answer = sent(house, writer, range(2))
    jobs.work_one()
    assert job_of(house, answer)["errors"][0]["code"] == "capture-limit"
    settings.CAPTURE_SPOOL_BYTES = 10**6
    answer = sent(house, writer, range(3))
    assert (answer.status_code, answer["GS1-EPCIS-Capture-Limit"]) == (413, "1")
    settings.CAPTURE_MAX_BYTES = 200
    answer = sent(house, writer, range(4))
    assert (answer.status_code, answer["GS1-EPCIS-Capture-File-Size-Limit"]) == (413, "200")
    assert list(spool.iterdir()) == []


def test_gzip_is_taken_and_a_bomb_is_not(house: House, writer: Any, settings: Any, spool: Path) -> None:
    body = json.dumps(written.document([observed(writer, "1")], 0)).encode()

    def post(data: bytes, encoding: str = "gzip") -> Any:
        return house.client("pharmacy").post(
            CAPTURE, data, content_type="application/json", headers={"Content-Encoding": encoding}
        )

    settings.CAPTURE_SPOOL_BYTES = 10**6
    assert post(gzip.compress(body)).status_code == 202
    bomb = gzip.compress(b" " * 30_000_000)
    assert post(bomb).status_code == 413
    settings.CAPTURE_MAX_BYTES = 1_000_000
    assert post(gzip.compress(os.urandom(2_000_000))).status_code == 413
    for bad in (gzip.compress(body)[:-5], gzip.compress(body) + b"x", b"no gzip"):
        answer = post(bad)
        assert (answer.status_code, answer.json()["code"]) == (400, "gzip")
    assert post(body, "br").status_code == 415
    assert list(spool.iterdir()) == []


@pytest.mark.parametrize("spool_bytes", [10, 10**6])
@pytest.mark.parametrize("version", ["2.0", "1.2"])
def test_xml_is_taken_as_json_is(house: House, writer: Any, settings: Any, spool_bytes: int, version: Any) -> None:
    settings.CAPTURE_SPOOL_BYTES = spool_bytes
    events = [observed(writer, str(number)) for number in range(3)]
    body = b"".join(xml_writer.write(written.document(events, 0), version=version))
    answer = house.client("pharmacy").post(CAPTURE, body, content_type="application/xml")
    assert answer.status_code == 202, answer.content
    jobs.work_one()
    again = house.capture("pharmacy", *events)
    jobs.work_one()
    house.settle()
    job = job_of(house, again)
    assert (job["events"], job["alreadyRecorded"], job["success"]) == (3, 3, True)


def test_extensions_of_the_header_are_declared(house: House, writer: Any) -> None:
    event = observed(writer, "1", **{"ours:colour": "red"})
    refused = house.capture("pharmacy", event)
    jobs.work_one()
    assert job_of(house, refused)["errors"][0]["code"] == "prefix-undeclared"
    taken = house.capture("pharmacy", event, **{"GS1-Extensions": "ours=https://o.example/,b=urn:b:"})
    jobs.work_one()
    assert job_of(house, taken)["success"] is True
    body = json.loads(bytes(Document.objects.get(kind="event").body))
    assert body["@context"][-1] == {"ours": "https://o.example/"}


@pytest.mark.parametrize(
    ("header", "value", "status"),
    [
        ("GS1-EPCIS-Version", "2.0.0", 202), ("GS1-EPCIS-Version", "1.2", 202), ("GS1-EPCIS-Version", "3.0", 406),
        ("GS1-EPCIS-Min", "2.1.0", 406), ("GS1-EPCIS-Max", "1.1", 406), ("GS1-CBV-Min", "2.0.0", 202),
        ("GS1-CBV-Max", "1.0", 406), ("GS1-CBV-Version", "two", 400), ("GS1-Extensions", "cbv=urn:x:", 400),
        ("GS1-Extensions", "nothing", 400), ("GS1-Extensions", "a=b c", 400),
        ("GS1-Capture-Error-Behaviour", "hope", 400),
    ],
)  # fmt: skip
def test_headers_of_the_standard(house: House, writer: Any, header: str, value: str, status: int) -> None:
    answer = sent(house, writer, range(1), **{header: value})
    assert answer.status_code == status, answer.content


@pytest.mark.parametrize("path", ["/epcis/", CAPTURE, f"{CAPTURE}/x", "/epcis/events", "/epcis/events/urn:x:y"])
def test_options_discover_what_is_there(house: House, path: str) -> None:
    answer = house.client("pharmacy").options(path)
    assert (answer.status_code, answer.content) == (204, b"")
    assert "GET" in answer["Allow"]
    assert answer["GS1-EPCIS-Version"] == "2.0.0"
    assert answer["GS1-Capture-Error-Behaviour"] == "all"
    assert (answer["GS1-EPCIS-Min"], answer["GS1-EPCIS-Max"]) == ("1.2.0", "2.0.0")
    assert (answer["GS1-CBV-Min"], answer["GS1-CBV-Max"]) == ("1.2.0", "2.0.0")
    assert (answer["GS1-EPC-Format"], answer["GS1-CBV-XML-Format"]) == ("No_Preference", "No_Preference")
    assert answer["GS1-Extensions"] == "dosetrail=https://ns.dosetrail.org/epcis/"
    assert int(answer["GS1-EPCIS-Capture-File-Size-Limit"]) > 10**8


def test_the_list_of_jobs_is_paged_and_without_receipts(house: House, writer: Any) -> None:
    sent(house, writer, range(1))
    jobs.work_one()
    with connection.execute_wrapper(lambda execute, *args: execute(*args)):
        (job,) = house.client("pharmacy").get(CAPTURE).json()
    assert "receipt" not in job
    assert job["success"] is True
