"""/healthz names what is wrong and nothing else; each check fails when its thing is broken, and only then."""

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.db import DatabaseError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from ledger import api as ledger
from ledger import cosigning, models
from ledger import writer as log_writer
from ledger.witness import WitnessSigner
from tests.integration.api.test_capture import observed
from tests.integration.conftest import House
from tests.integration.regulator.test_pages import _signed_in
from traceability.common import projection
from traceability.common.clock import now_ms
from traceability.common.models import Document
from traceability.operations import health

SIGNERS = {name: WitnessSigner(f"{name}.example/w", bytes([place]) * 32) for place, name in enumerate("abc", 1)}


@pytest.fixture(autouse=True)
def mark(settings: Any, tmp_path: Path) -> None:
    settings.LOG_HIGH_WATER_FILE = tmp_path / "mark"


@contextmanager
def at_work() -> Iterator[None]:
    """Somebody holds the right to write the log."""
    with log_writer.elected(lambda: False) as mine:
        assert mine
        yield


def asked(**headers: str) -> tuple[int, dict[str, Any]]:
    answer = Client().get("/healthz", headers=headers)
    return answer.status_code, answer.json()


def check(name: str) -> dict[str, Any]:
    found: dict[str, Any] = asked()[1]["checks"][name]
    return found


def test_all_is_well(house: House) -> None:
    with at_work():
        status, body = asked()
    assert (status, body["status"], body["failing"]) == (200, "ok", [])
    assert tuple(body["checks"]) == health.NAMES
    assert {one["state"] for one in body["checks"].values()} <= {"ok", "unknown"}
    assert all(one["words"] for one in body["checks"].values())


def test_before_there_is_a_log_it_is_not_well(db: None) -> None:
    status, body = asked()
    assert status == 503
    assert {"checkpoint_age", "sequencer"} <= set(body["failing"])


def test_nobody_writes(house: House) -> None:
    assert asked()[0] == 503
    assert asked()[1]["failing"] == ["sequencer"]
    assert check("sequencer")["value"] == "nobody"
    with at_work():
        assert check("sequencer")["value"] == "elected"


def test_looking_does_not_stand_in_the_writer_s_way(house: House) -> None:
    asked()
    with at_work():
        asked()
        descriptor = os.open(f"{log_writer.settings.LOG_HIGH_WATER_FILE}.lock", os.O_RDWR)
        try:
            with pytest.raises(BlockingIOError):
                log_writer.fcntl.flock(descriptor, log_writer.fcntl.LOCK_EX | log_writer.fcntl.LOCK_NB)
        finally:
            os.close(descriptor)


def test_an_old_checkpoint(house: House) -> None:
    with at_work():
        models.Head.objects.update(published_time_ms=now_ms() - 55_000)
        assert asked()[0] == 200
        models.Head.objects.update(published_time_ms=now_ms() - 62_000)
        assert asked()[1]["failing"] == ["checkpoint_age"]


def test_too_much_waits(house: House, writer: Any, settings: Any) -> None:
    with at_work():
        settings.CAPTURE_MAX_BACKLOG = 1
        house.capture("maker", observed(writer, "1"))
        assert asked()[0] == 200
        house.capture("maker", observed(writer, "2"))
        assert asked()[1]["failing"] == ["backlog"]
        assert house.capture("maker", observed(writer, "3")).status_code == 503  # as the check says
        settings.CAPTURE_MAX_BACKLOG = 100
        Document.objects.update(submitted_ms=now_ms() - 61_500)
        assert asked()[1]["failing"] == ["backlog_age"]


def test_a_projection_that_stands_still_is_behind(house: House, writer: Any) -> None:
    house.capture("maker", observed(writer, "1"))
    ledger.sequence_once()
    with at_work():
        found = check("projections")
        assert (found["state"], set(found["detail"].values())) == ("ok", {1})
        models.Entry.objects.update(record_time_ms=now_ms() - 61_500)
        assert asked()[1]["failing"] == ["projections"]
        projection.advance_all()
        assert check("projections")["state"] == "ok"


@pytest.fixture
def policy(house: House, settings: Any, tmp_path: Path) -> Callable[..., None]:
    """Puts a policy in force with three witnesses of which two are wanted, and lets some cosign."""

    def cosigned(names: str, *, age_s: int = 1) -> None:
        settings.LOG_POLICY_FILE = tmp_path / "policy"
        lines = [f"witness {name} {one.cosigner} http://127.0.0.1:9" for name, one in SIGNERS.items()]
        models.Head.objects.update(final_size=ledger.published_size())
        settings.LOG_POLICY_FILE.write_text(
            "\n".join([f"log {ledger.vkey()}", *lines, "group q 2 a b c", "quorum q\n"])
        )
        for name in names:
            models.WitnessContact.objects.update_or_create(
                witness=name, defaults={"cosigned_ms": now_ms() - age_s * 1000, "size": 1}
            )

    return cosigned


def test_without_a_policy_no_quorum_is_missed(house: House) -> None:
    assert check("witness_quorum")["value"] == "none"
    assert check("witness_quorum")["state"] == "ok"


def test_witnesses_that_are_down_are_named(policy: Any) -> None:
    with at_work():
        policy("")
        assert asked()[1]["failing"] == ["witness_quorum"]
        policy("ab")
        assert asked()[0] == 200  # c never answered, and is not needed
        assert check("witness_quorum")["detail"]["witness c"] is None
        policy("b", age_s=130)
        assert asked()[1]["failing"] == ["witness_quorum"]
        assert check("witness_quorum")["value"] == 130
        policy("c")
        assert asked()[0] == 200  # a and c


def test_a_malformed_policy_is_no_quorum(policy: Any, settings: Any) -> None:
    policy("abc")
    with at_work():
        assert asked()[0] == 200
        settings.LOG_POLICY_FILE.write_text("quorum everybody\n")
        assert asked()[1]["failing"] == ["witness_quorum"]


def test_cosignatures_that_make_nothing_final_do_not_count(policy: Any) -> None:
    """Fresh ones, each of another size, would look like a quorum by their times alone."""
    policy("ab")
    with at_work():
        assert asked()[0] == 200
        models.Head.objects.update(final_size=1)
        models.Entry.objects.update(record_time_ms=now_ms() - 121_500)
        assert asked()[1]["failing"] == ["witness_quorum"]


def test_an_answer_without_a_cosignature_does_not_count(policy: Any) -> None:
    policy("ab", age_s=5)
    cosigning._keep(cosigning.trust.current(), "a", 1, cosigning.Answer(error="it answers 500"))
    assert check("witness_quorum")["value"] == 5


def test_a_full_disk(house: House, settings: Any) -> None:
    with at_work():
        assert asked()[0] == 200
        settings.HEALTH_MIN_FREE_BYTES = 1 << 60
        expected = ["disk_data"] + (["disk_database"] if connection.vendor == "sqlite" else [])
        assert asked()[1]["failing"] == expected


def test_what_cannot_be_seen_fails_nothing(house: House, settings: Any, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path / "gone"
    with at_work():
        assert check("disk_data")["state"] == "unknown"
        assert asked()[0] == 200


def test_a_broker_that_is_away(house: House, settings: Any) -> None:
    settings.CELERY_BROKER_URL = "redis://:hush@127.0.0.1:1/0"
    with at_work():
        assert asked()[1]["failing"] == ["broker"]
        assert "hush" not in str(asked())


@pytest.mark.redis
def test_a_broker_that_answers(house: House, settings: Any) -> None:
    settings.CELERY_BROKER_URL = os.environ["DOSETRAIL_TEST_REDIS"]
    assert check("broker")["value"] == "reachable"


def test_a_secret_that_others_may_read(house: House, settings: Any, tmp_path: Path) -> None:
    secret = tmp_path / "key"
    settings.SECRET_FILES = [secret]
    with at_work():
        assert asked()[1]["failing"] == ["key_files"]  # it is not there
        secret.write_bytes(b"x" * 32)
        secret.chmod(0o640)
        assert asked()[1]["failing"] == ["key_files"]
        secret.chmod(0o600)
        assert asked()[0] == 200


def test_a_database_that_does_not_answer(house: House, monkeypatch: Any) -> None:
    def broken(*_: Any) -> None:
        raise DatabaseError("connection to server at 10.0.0.7 failed")

    monkeypatch.setattr("ledger.api.log_standing", broken)
    status, body = asked()
    assert (status, body["failing"]) == (503, ["database"])
    assert body["checks"]["checkpoint_age"]["state"] == "unknown"
    assert "10.0.0.7" not in str(body)


def test_a_stranger_learns_names_and_nothing_more(house: House, settings: Any, tmp_path: Path) -> None:
    """From another machine, or through a proxy on this one, whose address is ours."""
    for request in ({"REMOTE_ADDR": "203.0.113.5"}, {"headers": {"X-Forwarded-For": "203.0.113.5"}}):
        answer = Client().get("/healthz", **request)  # type: ignore[arg-type]
        assert answer.status_code == 503
        assert answer.json() == {"status": "failing", "failing": ["sequencer"]}
    assert "checks" in asked()[1]  # from this machine, in the embedded size
    settings.METRICS_LOOPBACK = False
    assert "checks" not in asked()[1]
    settings.METRICS_TOKEN_FILE = tmp_path / "token"
    settings.METRICS_TOKEN_FILE.write_text("t" * 40 + "\n")
    for offered, sees in (("Bearer " + "t" * 40, True), ("Bearer " + "t" * 39, False), ("Bearer", False), ("", False)):
        assert ("checks" in asked(Authorization=offered)[1]) is sees


def test_an_empty_token_file_lets_nobody_in(house: House, settings: Any, tmp_path: Path) -> None:
    settings.METRICS_LOOPBACK, settings.METRICS_TOKEN_FILE = False, tmp_path / "token"
    settings.METRICS_TOKEN_FILE.write_text("\n")
    assert "checks" not in asked(Authorization="Bearer ")[1]


def test_it_costs_the_same_however_much_waits(house: House, writer: Any, policy: Any) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            asked()
        return len(captured)

    policy("ab")
    house.capture("maker", observed(writer, "0"))
    ledger.sequence_once()
    house.capture("maker", observed(writer, "1"))
    one = queries()
    assert one <= 12
    house.capture("maker", *[observed(writer, str(number)) for number in range(2, 60)])
    assert queries() == one
    ledger.sequence_once()
    house.capture("maker", observed(writer, "99"))
    assert queries() == one


def test_livez_asks_only_whether_this_process_can_answer(house: House, monkeypatch: Any) -> None:
    assert asked()[0] == 503
    assert Client().get("/livez").json() == {"status": "ok"}

    class Away:
        def cursor(self) -> None:
            raise DatabaseError

    monkeypatch.setattr("traceability.operations.views.connection", Away())
    assert Client().get("/livez").status_code == 503


def test_the_regulator_s_page_shows_the_same(house: House, policy: Any) -> None:
    policy("")
    inspector = _signed_in(house, "regulator", "inspector")
    page = inspector.get("/regulator/health").content.decode()
    assert page.count("Not in order") == len(asked()[1]["failing"]) == 2
    assert "no process" not in page  # the words are for operators
    policy("ab")
    with at_work():
        page = inspector.get("/regulator/health").content.decode()
    assert "Not in order" not in page
    assert "at work" in page


class TestClosed:
    """The sequencer refuses: the check says so in every process, until the log is open again."""

    @pytest.fixture
    def log(self, transactional_db: None) -> None:
        ledger.initialise(operator_name="test")
        ledger.sequence_once()

    def test_a_refusal_is_seen_and_forgotten_again(self, log: None, monkeypatch: Any) -> None:
        monkeypatch.setattr(log_writer, "_REFUSED_PAUSE_SECONDS", 0.05)
        damaged, stop = threading.Event(), threading.Event()
        damaged.set()

        def checked() -> None:
            if damaged.is_set():
                raise ledger.RefusedError("entry 17 was changed")

        arguments = {"check": checked, "scrub": lambda: time.sleep(0.001)}
        thread = threading.Thread(target=log_writer.run, args=(stop, lambda: None), kwargs=arguments)
        thread.start()
        try:
            _until(lambda: check("sequencer")["value"] == "closed")
            body = asked()[1]
            assert body["failing"] == ["sequencer"]
            assert "entry 17 was changed" in body["checks"]["sequencer"]["words"]
            assert "entry 17" not in str(Client().get("/healthz", REMOTE_ADDR="203.0.113.5").json())
            damaged.clear()
            _until(lambda: check("sequencer")["value"] == "elected")
        finally:
            stop.set()
            thread.join(20)
        assert check("sequencer")["value"] == "nobody"


def _until(reached: Callable[[], bool], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not reached():
        assert time.monotonic() < deadline, "not reached in time"
        time.sleep(0.02)
