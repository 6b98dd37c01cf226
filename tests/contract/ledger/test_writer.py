"""Who writes and when: one writer, waiting for publication, refusal on damage, the commands."""

import errno
import os
import shutil
import subprocess
import sys
import threading
import time

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from django.db import connection, transaction

from ledger import api, models, operator_keys, writer
from ledger.db_storage import HighWaterFile
from ledger.tlog import merkle, note

PARTY = "urn:dosetrail:party:acme"


def statement(number, key=None):
    key = key or api.key_from_seed(b"\4" * 32)
    return api.sign_statement(key=key, iss=PARTY, kind="event", payload=number.to_bytes(32, "big"), iat=0)


def submit_in_thread(items):
    def work():
        api.submit(items)
        connection.close()

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()


class Running:
    """`run_sequencer` in a thread, as the engine runs it."""

    def __init__(self):
        self.stop, self.published = threading.Event(), 0
        self.thread = threading.Thread(target=api.run_sequencer, args=(self.stop, self.count))

    def count(self):
        self.published += 1

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stop.set()
        self.thread.join(20)
        assert not self.thread.is_alive()


@pytest.fixture(autouse=True)
def mark(tmp_path, settings):
    settings.LOG_HIGH_WATER_FILE = tmp_path / "mark"


@pytest.fixture
def log(transactional_db):
    api.initialise(operator_name="Test operator")
    api.sequence_once()


def until(condition, seconds=60):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.01)


def test_a_waiter_sees_its_statement_published(log):
    with Running() as running:
        names = api.submit([statement(1)])
        assert api.wait_published(names, 60)
        assert api.positions(names)[names[0]].index == 1
        until(lambda: running.published)
    assert not api.wait_published(["00" * 32], 0.05)


def test_ledger_time_goes_on_while_nothing_happens(log, settings):
    settings.LOG_TICK_SECONDS = 0.05
    before, size = api.ledger_time_ms(), api.published_size()
    with Running():
        until(lambda: api.ledger_time_ms() > before)
    assert api.published_size() == size
    assert api.latest_checkpoint().tick
    assert [item.size for item in api.checkpoints(10)] == [size]  # the list is of sizes, not of ticks
    assert api.fsck() == []


# On PostgreSQL the second may also be on another machine: then only the advisory lock keeps it out.
MACHINES = (
    ["one machine", "two machines"] if os.environ.get("DOSETRAIL_TEST_DATABASE") == "postgresql" else ["one machine"]
)


@pytest.mark.parametrize("where", MACHINES)
def test_a_second_writer_takes_over_when_the_first_is_gone(log, settings, tmp_path, where):
    election = writer.elected(lambda: False)
    assert election.__enter__()
    if where == "two machines":
        settings.LOG_HIGH_WATER_FILE = shutil.copy(tmp_path / "mark", tmp_path / "elsewhere")
    with Running():
        submit_in_thread([statement(1)])
        time.sleep(0.2)
        assert api.backlog() == 1
        election.__exit__(None, None, None)
        until(lambda: api.backlog() == 0 and api.published_size() == 2)
    assert api.fsck() == []


def test_sequence_once_leaves_it_to_the_writer_at_work(log):
    with Running():
        for number in range(5):
            api.submit([statement(number)])
            api.sequence_once()
        until(lambda: api.published_size() == 6)
    assert api.fsck() == []


def test_without_the_election_two_writers_would_collide(log, monkeypatch):
    """The negative control: with the lock switched off, the second writer's step fails instead of forking the log."""
    monkeypatch.setattr(writer, "_try_lock", lambda descriptor: True)
    first, second = writer.make_sequencer(), writer.make_sequencer()
    api.submit([statement(1)])
    publish = first._publish

    def late(signed):  # the second writer comes between the first one's two transactions
        api.submit([statement(2)])
        second.sequence()
        publish(signed)

    monkeypatch.setattr(first, "_publish", late)
    with pytest.raises(api.RefusedError, match="another sequencer"):
        first.sequence()
    monkeypatch.undo()
    assert api.published_size() == 3


def damage_entry(index):
    row = models.Entry.objects.get(index=index)
    data = bytearray(bytes(row.statement))
    data[50] ^= 1
    row.statement = bytes(data)
    row.save()
    return row


def test_the_running_sequencer_signs_nothing_on_top_of_a_damaged_log(log, caplog):
    api.submit([statement(number) for number in range(300)])
    api.sequence_once()
    damage_entry(17)
    with Running():
        names = api.submit([statement(1000)])
        until(lambda: "the log is closed" in caplog.text)
        assert not api.wait_published(names, 0.5)
    assert "entry 17: its bytes were changed" in caplog.text
    assert api.published_size() == 301


def test_damage_that_comes_while_it_runs_closes_the_log_too(log, caplog):
    api.submit([statement(number) for number in range(300)])
    with Running():
        until(lambda: api.published_size() == 301)
        damage_entry(17)
        until(lambda: "entry 17: its bytes were changed" in caplog.text)
        names = api.submit([statement(1000)])
        assert not api.wait_published(names, 0.5)


def test_fsck_names_the_damage_and_exits_with_an_error(log, capsys):
    api.submit([statement(number) for number in range(5)])
    api.sequence_once()
    call_command("fsck")
    assert "6 entries: everything is as it was signed" in capsys.readouterr().out
    damage_entry(3)
    with pytest.raises(CommandError, match="1 problems"):
        call_command("fsck")
    assert "entry 3: its bytes were changed" in capsys.readouterr().out
    with pytest.raises(CommandError, match="entry 3"):
        call_command("sequencer", "--once")


def test_the_commands_that_start_a_log(transactional_db, capsys):
    with pytest.raises(CommandError, match="keygen"):
        call_command("sequencer", "--once")
    call_command("keygen", "--operator", "Agency")
    vkey = capsys.readouterr().out.strip()
    assert str(note.parse_vkey(vkey)) == vkey == api.vkey()
    call_command("keygen")  # a second time changes nothing
    assert capsys.readouterr().out.strip() == vkey
    call_command("sequencer", "--once")
    assert "1 entries sequenced" in capsys.readouterr().out
    assert b'"operator":"Agency"' in api.published(0, 1)[0].statement


def test_a_lost_mark_is_written_anew_on_demand_only(log, capsys):
    writer.high_water()._path.unlink()
    api.submit([statement(1)])
    with pytest.raises(CommandError, match="accept-database"):
        call_command("sequencer", "--once")
    call_command("sequencer", "--accept-database")
    call_command("sequencer", "--once")
    assert api.published_size() == 2


def test_a_spoilt_mark_is_refused(log):
    writer.high_water()._path.write_text("x")
    api.submit([statement(1)])
    with pytest.raises(api.RefusedError, match="high-water"):
        api.sequence_once()


def test_the_seeds_are_sealed_at_rest(log, settings):
    signer = operator_keys.log_signer()
    for row in models.LogKey.objects.all():
        assert len(bytes(row.sealed_seed)) > 32
    row = models.LogKey.objects.get(role="log")
    assert signer.key.seed not in bytes(row.sealed_seed)
    assert signer.key.seed.hex() not in repr(signer)
    settings.KEY_ENCRYPTION_KEY = b"x" * 32
    with pytest.raises(ImproperlyConfigured, match="another key-encryption key"):
        operator_keys.log_signer()


def test_submitting_refuses_what_is_no_statement(log):
    with pytest.raises(api.StatementError):
        api.submit([statement(1), b"nonsense"])
    assert api.backlog() == 0


def test_submitting_twice_queues_once(log):
    first, again = api.submit([statement(1), statement(1)])
    assert [first] == [again] == api.submit([statement(1)])
    assert api.backlog() == 1
    api.sequence_once()
    api.submit([statement(1)])
    assert api.sequence_once() == 0
    assert (api.backlog(), api.published_size()) == (0, 2)
    assert api.fsck() == []


def test_what_rolls_back_was_never_submitted(log):
    with transaction.atomic():
        api.submit([statement(1)])
        assert api.backlog() == 1
        transaction.set_rollback(True)
    assert api.backlog() == 0


def test_a_receipt_is_signed_by_the_log_key(log):
    names = api.submit([statement(1), statement(2)])
    receipt = api.submission_receipt(names, 1234)
    signed = note.verify(receipt["note"].encode(), [note.parse_vkey(api.vkey())])
    lines = signed.text.splitlines()
    assert lines[:5] == ["dosetrail.submission-receipt/1", receipt["origin"], "1234", str(receipt["mmdSeconds"]), "2"]
    assert note.decode_base64(lines[5]) == merkle.root_of(bytes.fromhex(name) for name in receipt["statements"])


def test_one_operator_key_set_however_many_start(transactional_db):
    threads = [threading.Thread(target=_initialise) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert models.LogKey.objects.count() == 3
    assert api.backlog() == 1


def _initialise():
    api.initialise(operator_name="Test operator")
    connection.close()


def test_a_killed_sequencer_loses_nothing(log, settings):
    """kill -9 in the middle of work, three times over; then everything is sequenced once and the log is intact."""
    script = (
        "import django, threading; django.setup()\n"
        "from django.conf import settings\n"
        f"settings.LOG_HIGH_WATER_FILE = {str(settings.LOG_HIGH_WATER_FILE)!r}\n"
        "from django.db import connections\n"
        f"connections['default'].settings_dict['NAME'] = {str(connection.settings_dict['NAME'])!r}\n"
        f"settings.KEY_ENCRYPTION_KEY = {settings.KEY_ENCRYPTION_KEY!r}\n"
        "from ledger import api, writer\n"
        "writer.BATCH = 3\n"
        "print('ready', flush=True)\n"
        "api.run_sequencer(threading.Event(), lambda: None)\n"
    )
    names = []
    for round_ in range(3):
        names += api.submit([statement(round_ * 100 + number) for number in range(100)])
        child = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE)
        assert child.stdout is not None
        child.stdout.readline()
        before = api.published_size()
        until(lambda before=before: api.published_size() > before + 10, 20)
        child.kill()
        child.wait()
        child.stdout.close()
    api.sequence_once()
    assert api.fsck() == []
    assert len(api.positions(names)) == 300
    assert api.published_size() == 301


def test_a_database_that_may_lose_what_it_committed_is_not_written_to(log, caplog):
    """Fails closed: fsync or synchronous_commit off, synchronous below FULL."""
    writer._require_durable()
    postgresql = connection.vendor == "postgresql"
    with connection.cursor() as cursor:
        cursor.execute("SET synchronous_commit = off" if postgresql else "PRAGMA synchronous = NORMAL")
    try:
        with pytest.raises(api.RefusedError, match="power cut"):
            writer._require_durable()
    finally:
        connection.close()


def test_a_file_that_cannot_be_written_halts_the_log_and_not_the_process(log, caplog, monkeypatch):
    """The mark's disk fails for a while: said in words, nothing is published, and it goes on by itself."""
    monkeypatch.setattr(writer, "RESTART_PAUSE_SECONDS", 0.01)
    broken = threading.Event()
    broken.set()
    write = HighWaterFile.write

    def failing(self, mark):
        if broken.is_set():
            raise OSError(errno.ENOSPC, "No space left on device")
        write(self, mark)

    monkeypatch.setattr(HighWaterFile, "write", failing)
    with Running():
        names = api.submit([statement(1)])
        until(lambda: "nothing is signed: there is no room left" in caplog.text)
        assert not api.wait_published(names, 0.2)
        broken.clear()
        assert api.wait_published(names, 10)
    assert api.fsck() == []


def test_the_command_ends_when_its_sequencer_does(log, monkeypatch):
    """Nothing is left that looks like a sequencer and is none."""

    def ends(*_):
        raise ZeroDivisionError

    monkeypatch.setattr(api, "run_sequencer", ends)
    with pytest.raises(ZeroDivisionError):
        call_command("sequencer")


@pytest.mark.parametrize(("path", "told"), [("builtins.list", [[]]), ("", [None])])
def test_the_command_tells_whom_the_settings_name_what_was_published(log, settings, monkeypatch, path, told):
    answers = []
    monkeypatch.setattr(api, "run_sequencer", lambda _stop, on_published: answers.append(on_published()))
    settings.LOG_PUBLISHED = path
    call_command("sequencer")
    assert answers == told
