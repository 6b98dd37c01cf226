"""A whole house into a file and back: on this database, from one to the other, under load, and damaged."""

import os
import subprocess
import sys
import threading
from contextlib import contextmanager
from io import StringIO
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings
from django.contrib.auth.models import User
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command
from django.db import connection

from ledger import api as ledger
from ledger.models import Checkpoint, Submission
from tests.integration.common.houses import ROOT, die, lose_everything, manage, observe, sums
from traceability.capture.models import CapturedEvent
from traceability.common import projection
from traceability.common.backup import services, tables
from traceability.common.backup.sealed_file import BackupError

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("own_files")]


def test_a_house_comes_back_as_it_was(lived, key, tmp_path):
    before = sums()
    made = services.make(tmp_path / "b", key)
    assert Submission.objects.exists()
    lose_everything()
    restored = services.restore(tmp_path / "b", key)
    assert sums() == before
    assert str(restored) == str(made)
    assert restored.files == 3  # the report, key-encryption-key, policy
    # The house goes on: what waited is sequenced, new numbers do not collide with restored ones.
    lived.settle()
    assert not Submission.objects.exists()
    User.objects.create_user("bert", password="correct horse battery")
    assert User.objects.get(username="anna").check_password("correct horse battery")


def test_projections_come_back_as_the_log_folds_them(lived, key, tmp_path):
    lived.settle()
    services.make(tmp_path / "b", key)
    lose_everything()
    services.restore(tmp_path / "b", key)
    call_command("rebuild", check=True, stdout=StringIO())


def test_every_kind_of_column_is_known():
    """A new kind of field must be given a form in the file."""
    for model in apps.get_models(include_auto_created=True):
        for field in model._meta.concrete_fields:
            if field.column:
                tables._outgoing(field)


def test_a_session_does_not_come_back(lived, key, tmp_path, client):
    client.force_login(User.objects.get(username="anna"))
    services.make(tmp_path / "b", key)
    lose_everything()
    services.restore(tmp_path / "b", key)
    assert client.get("/portal/").status_code == 302


def test_a_house_that_is_not_empty_is_refused(lived, key, tmp_path):
    services.make(tmp_path / "b", key)
    before = sums()
    with pytest.raises(BackupError, match="the database is not empty"):
        services.restore(tmp_path / "b", key)
    assert sums() == before


def test_another_file_of_the_same_name_is_refused(lived, key, tmp_path):
    services.make(tmp_path / "b", key)
    (name,) = [path for path in Path(default_storage.location).rglob("*") if path.is_file()]
    lose_everything()
    name.parent.mkdir(exist_ok=True)
    name.write_bytes(b"another")
    with pytest.raises(BackupError, match="the file storage holds another"):
        services.restore(tmp_path / "b", key)
    assert_empty()


def assert_empty():
    rows = {label: rows for label, (rows, _) in sums().items() if label not in tables.MADE_BY_MIGRATE}
    assert not any(rows.values())


@pytest.mark.parametrize("where", [0.02, 0.5, 0.98])
def test_a_damaged_backup_leaves_an_empty_database(lived, key, tmp_path, where):
    services.make(tmp_path / "b", key)
    data = bytearray((tmp_path / "b").read_bytes())
    data[int(len(data) * where)] ^= 1
    (tmp_path / "b").write_bytes(data)
    lose_everything()
    with pytest.raises(BackupError):
        services.restore(tmp_path / "b", key)
    assert_empty()


def test_a_cut_backup_and_a_wrong_key_leave_an_empty_database(lived, key, tmp_path):
    services.make(tmp_path / "b", key)
    data = (tmp_path / "b").read_bytes()
    (tmp_path / "cut").write_bytes(data[: len(data) // 2])
    lose_everything()
    with pytest.raises(BackupError, match="cut off"):
        services.restore(tmp_path / "cut", key)
    with pytest.raises(BackupError, match="another key"):
        services.restore(tmp_path / "b", b"\0" * 32)
    assert_empty()
    services.restore(tmp_path / "b", key)


def test_keys_that_would_not_open_are_told_at_once(lived, key, tmp_path):
    settings.KEPT_FILES["key-encryption-key"].write_bytes(b"\0" * 32)
    services.make(tmp_path / "b", key)
    lose_everything()
    with pytest.raises(BackupError, match="does not open"):
        services.restore(tmp_path / "b", key)
    assert_empty()


def test_a_log_that_was_damaged_before_the_backup_is_told(lived, key, tmp_path):
    from ledger.models import Entry

    Entry.objects.filter(index=3).update(statement=b"\0")
    services.make(tmp_path / "b", key)
    lose_everything()
    with pytest.raises(BackupError, match="entry 3"):
        services.restore(tmp_path / "b", key)


def test_a_newer_programs_backup_is_refused(lived, key, tmp_path, monkeypatch):
    monkeypatch.setattr(
        tables, "applied_migrations", lambda: [("ledger", "0001_initial"), ("ledger", "9999_of_the_future")]
    )
    services.make(tmp_path / "b", key)
    lose_everything()
    with pytest.raises(BackupError, match=r"newer version.*ledger\.9999_of_the_future"):
        services.restore(tmp_path / "b", key)


def test_an_older_programs_backup_needs_a_database_without_tables(lived, key, tmp_path, monkeypatch):
    state = [one for one in tables.applied_migrations() if one[0] != "scans"]
    monkeypatch.setattr(tables, "applied_migrations", lambda: state)
    services.make(tmp_path / "b", key)
    lose_everything()
    with pytest.raises(BackupError, match="database without any"):
        services.restore(tmp_path / "b", key)


OLDER = """
import sys
import django
django.setup()
from django.core.management import call_command
from django.db import connection
from traceability.common.backup import tables
real = tables.kept_models
tables.kept_models = lambda: [one for one in real() if one._meta.db_table in connection.introspection.table_names()]
call_command("backup", sys.argv[1], key_file=sys.argv[2], no_verify=True)
"""


def test_an_older_programs_backup_is_restored_as_it_was_and_migrated(transactional_db, key, tmp_path):
    """The older program: this one before its newest migration of the ledger, in which it knew fewer tables."""
    pilot, new = tmp_path / "pilot", tmp_path / "new"
    manage(pilot, "migrate", "-v0")
    manage(pilot, "keygen")
    manage(pilot, "sequencer", "--once")
    manage(pilot, "migrate", "-v0", "ledger", "0004")
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "traceability.settings.embedded"}
    environment["DOSETRAIL_DATA_DIR"] = str(pilot)
    words = [sys.executable, "-c", OLDER, str(tmp_path / "b"), str(tmp_path / "key")]
    subprocess.run(words, cwd=ROOT, env=environment, check=True)
    manage(new, "restore", str(tmp_path / "b"), "--key-file", str(tmp_path / "key"))
    assert "[ ]" not in manage(new, "showmigrations").stdout
    manage(new, "sequencer", "--accept-database")
    manage(new, "fsck")


def test_a_secret_that_cannot_be_put_back_is_told(lived, key, tmp_path):
    services.make(tmp_path / "b", key)
    lose_everything()
    settings.KEPT_FILES["key-encryption-key"] = tmp_path / "nowhere" / "key-encryption-key"
    with pytest.raises(BackupError, match="cannot be written"):
        services.restore(tmp_path / "b", key)
    assert_empty()


def test_what_is_written_meanwhile_is_in_it_whole_or_not_at_all(lived, key, tmp_path, writer, monkeypatch):
    """Events keep coming and are sequenced while the backup reads table after table."""
    serial = iter(range(10, 10_000))
    reading = tables.read_rows

    def slowly(model):
        if model is CapturedEvent or model._meta.app_label == "ledger":
            thread = threading.Thread(target=happen)
            thread.start()
            thread.join()
        yield from reading(model)

    def happen():
        assert observe(lived, writer, str(next(serial))).status_code == 202
        ledger.sequence_once()
        projection.advance_all()
        connection.close()

    monkeypatch.setattr(tables, "read_rows", slowly)
    size = ledger.published_size()
    made = services.make(tmp_path / "b", key)
    monkeypatch.setattr(tables, "read_rows", reading)
    assert made.header["log"]["size"] == size < ledger.published_size()
    roots = dict(Checkpoint.objects.values_list("size", "root"))
    lose_everything()
    services.restore(tmp_path / "b", key)
    assert roots[size] == ledger.latest_checkpoint().root.hex()
    # Of each event that came meanwhile there is nothing: neither a key that would swallow its retry nor a statement.
    assert observe(lived, writer, "10").status_code == 202
    settings.LOG_HIGH_WATER_FILE.unlink()
    ledger.accept_database()
    lived.settle()
    call_command("rebuild", check=True, stdout=StringIO())


def test_without_the_snapshot_it_would_be_torn(lived, key, tmp_path, writer, monkeypatch):
    """Negative control: the same, each table read as it stands when its turn comes."""

    @contextmanager
    def none():
        yield

    reading = tables.read_rows

    def between(model):
        if model._meta.label == "ledger.Checkpoint":
            thread = threading.Thread(target=happen)
            thread.start()
            thread.join()
        yield from reading(model)

    def happen():
        assert observe(lived, writer, "10").status_code == 202
        ledger.sequence_once()
        connection.close()

    monkeypatch.setattr(tables, "snapshot", none)
    monkeypatch.setattr(tables, "read_rows", between)
    services.make(tmp_path / "b", key)
    monkeypatch.setattr(tables, "read_rows", reading)
    lose_everything()
    with pytest.raises(BackupError):
        services.restore(tmp_path / "b", key)


def test_the_command_verifies_by_restoring_on_trial(lived, key, tmp_path):
    """A process of its own on an empty folder, on SQLite whatever this house runs on."""
    out = StringIO()
    call_command("backup", str(tmp_path / "b"), key_file=str(tmp_path / "key"), stdout=out)
    assert "verified by restoring it" in out.getvalue()
    assert not (tmp_path / "data" / "backup-trial").exists()


def test_the_command_says_so_when_the_trial_fails(lived, key, tmp_path):
    settings.KEPT_FILES["key-encryption-key"].write_bytes(b"\0" * 32)
    with pytest.raises(CommandError, match="do not rely on it"):
        call_command("backup", str(tmp_path / "b"), key_file=str(tmp_path / "key"), stdout=StringIO())


def test_a_pilot_on_sqlite_moves_to_this_database(transactional_db, key, tmp_path):
    """Made by another process on SQLite; restored here, which is PostgreSQL in the second run of the suite."""
    pilot = tmp_path / "pilot"
    manage(pilot, "migrate", "-v0")
    manage(pilot, "keygen")
    manage(pilot, "add_party", "reg", "Regulator", "--role", "regulator")
    manage(pilot, "deploy_contracts")
    manage(pilot, "sequencer", "--once")
    manage(pilot, "backup", str(tmp_path / "b"), "--key-file", str(tmp_path / "key"), "--no-verify")
    out = StringIO()
    call_command("restore", str(tmp_path / "b"), key_file=str(tmp_path / "key"), stdout=out)
    assert "Nothing is signed yet" in out.getvalue()
    assert settings.KEPT_FILES["key-encryption-key"].read_bytes() == (pilot / "key-encryption-key").read_bytes()
    assert settings.KEPT_FILES["key-encryption-key"].with_name("key-encryption-key.before-restore").exists()
    projection.advance_all()
    assert ledger.published_size() > 8
    assert ledger.vkey() == manage(pilot, "keygen").stdout.strip()


@pytest.mark.parametrize(
    ("place", "nth"),
    [
        ("traceability.common.backup.tables.write_rows", 1),
        ("traceability.common.backup.tables.write_rows", 12),
        ("traceability.common.backup.tables.reset_sequences", 1),
        ("traceability.common.backup.files.write_kept", 2),
        ("django.db.migrations.executor.MigrationExecutor.apply_migration", 9),
    ],
)
def test_a_restore_that_is_killed_can_be_begun_again(lived, key, tmp_path, place, nth):
    lived.settle()
    services.make(tmp_path / "b", key)
    words = ["restore", str(tmp_path / "b"), "--key-file", str(tmp_path / "key")]
    (tmp_path / "again").mkdir()
    die(tmp_path / "again", place, nth, *words)
    assert "were checked" in manage(tmp_path / "again", *words).stdout
    manage(tmp_path / "again", "rebuild", "--check")


def test_a_restore_that_is_killed_when_it_was_loaded_is_whole(lived, key, tmp_path):
    lived.settle()
    services.make(tmp_path / "b", key)
    (tmp_path / "again").mkdir()
    words = ["restore", str(tmp_path / "b"), "--key-file", str(tmp_path / "key")]
    die(tmp_path / "again", "traceability.common.backup.tables.analyse", 1, *words)
    manage(tmp_path / "again", "fsck")
    assert "not empty" in manage(tmp_path / "again", *words, check=False).stderr


def test_a_backup_that_is_killed_leaves_the_one_before(transactional_db, key, tmp_path):
    pilot, file = tmp_path / "pilot", tmp_path / "b"
    words = ["backup", str(file), "--key-file", str(tmp_path / "key"), "--no-verify"]
    manage(pilot, "migrate", "-v0")
    manage(pilot, "keygen")
    manage(pilot, *words)
    before = file.read_bytes()
    for place in ("os.replace", "os.fsync", "traceability.common.backup.sealed_file.Writer.write"):
        die(pilot, place, 1, *words)
        assert file.read_bytes() == before
    manage(pilot, *words)
    assert file.read_bytes() != before
    assert not (tmp_path / "b.part").exists()


def test_what_is_no_backup_or_no_key_is_refused(transactional_db, key, tmp_path):
    (tmp_path / "b").write_text("hello")
    for file, key_file, words in (
        ("b", "key", "no backup of this format"),
        ("absent", "key", "No such file"),
        ("b", "b", "readable by its owner only|no backup key"),
    ):
        with pytest.raises(CommandError, match=words):
            call_command("restore", str(tmp_path / file), key_file=str(tmp_path / key_file))
