"""The operator replaces the log key: the commands, what everybody is served, and what was issued before and after."""

import subprocess
import sys

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection
from django.db.migrations.exceptions import IrreversibleError
from django.db.migrations.executor import MigrationExecutor

from ledger import api, cosigning, models, operator_keys, reads, rotation, trust, verify, writer
from ledger.tlog import checkpoint, merkle, note, policy, tlog_proof
from traceability.common import sealing

from .test_evidence import Log
from .test_writer import Running, statement, until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.urls("tests.contract.ledger.log_urls")]


@pytest.fixture(autouse=True)
def folder(tmp_path, settings):
    settings.LOG_HIGH_WATER_FILE = tmp_path / "mark"
    settings.LOG_POLICY_FILE = tmp_path / "policy"
    return tmp_path


@pytest.fixture
def log(transactional_db):
    return Log()


def publish(*items):
    api.submit(items or [statement(api.published_size())])
    api.sequence_once()
    assert api.fsck() == []


def begin(**options):
    """The first step, published; the new vkey."""
    vkey = api.rotate_log_key(**options)
    api.sequence_once()
    assert api.fsck() == []
    return vkey


def retire():
    """The second step as the command does it beside a sequencer that is running."""
    with Running():
        return api.retire_log_key()


def proof_of(index):
    """The tlog-proof of an entry under the newest checkpoint."""
    latest = api.latest_checkpoint()
    return tlog_proof.TlogProof(index, api.inclusion(index, latest.size), api.cosigned_note(latest).encode()).text()


def proves(data, vkey, index):
    """Check a tlog-proof as a stranger with this key does."""
    found = tlog_proof.parse(data)
    tree = policy.parse(f"log {vkey}\nquorum none\n").check(found.note).checkpoint
    entry = api.published(index, 1)[0].statement
    merkle.verify_inclusion(index, tree.size, leaf=merkle.leaf_hash(entry), proof=found.path, root=tree.root)


def test_what_was_issued_before_during_and_after_verifies_under_the_key_that_was_pinned_then(log):
    old = log.vkey
    issued = {"before": (log.bundle(), proof_of(3), reads.latest_checkpoint().note)}
    new = begin()
    issued["during"] = (log.bundle(), proof_of(3), reads.latest_checkpoint().note)
    assert retire() == [old]
    publish()
    issued["after"] = (log.bundle(), proof_of(3), reads.latest_checkpoint().note)
    good = {"before": {old}, "during": {old, new}, "after": {new}}
    for when, (bundle, proof, signed) in issued.items():
        for vkey in (old, new):
            if vkey in good[when]:
                assert verify.check(bundle, vkey).entries
                proves(proof, vkey, 3)
                assert checkpoint.verify(signed.encode(), note.parse_vkey(vkey)).size
            else:
                with pytest.raises(verify.BundleError, match="no known key"):
                    verify.check(bundle, vkey)
                with pytest.raises(policy.NoteError):
                    proves(proof, vkey, 3)
                with pytest.raises(policy.NoteError):
                    checkpoint.verify(signed.encode(), note.parse_vkey(vkey))
    assert api.fsck() == []


def test_the_commands_say_what_to_do_next(log, capsys):
    call_command("rotate_log_key")
    line, then = capsys.readouterr().out.splitlines()
    assert "--retire" in then
    with pytest.raises(CommandError, match="waits for its index"):
        call_command("rotate_log_key")
    with pytest.raises(CommandError, match="rotate first"):
        call_command("rotate_log_key", "--retire")
    api.sequence_once()
    assert line == f"log {api.vkey()}" != f"log {log.vkey}"
    with pytest.raises(CommandError, match="retire that one first"):
        call_command("rotate_log_key")
    with Running():
        call_command("rotate_log_key", "--retire")
    assert capsys.readouterr().out.splitlines() == [
        f"retired, and its private half destroyed: {log.vkey}", f"signs alone: {api.vkey()}",
    ]  # fmt: skip
    with pytest.raises(CommandError, match="rotate first"):
        call_command("rotate_log_key", "--retire")
    assert api.fsck() == []


def test_nothing_is_made_where_there_is_no_log(transactional_db):
    with pytest.raises(CommandError, match="keygen"):
        call_command("rotate_log_key")
    with pytest.raises(CommandError, match="keygen"):
        call_command("rotate_log_key", "--retire")


def test_what_is_served_while_two_keys_sign(log, client):
    assert client.get("/log/vkeys").content.decode() == f"{log.vkey} 0 -\n"
    assert trust.policy_text() == f"log {log.vkey}\nquorum none\n"
    size = api.published_size()
    new = begin()
    assert client.get("/log/vkey").content.decode() == f"{new}\n"
    assert client.get("/log/vkeys").content.decode() == f"{new} {size + 1} -\n{log.vkey} 0 -\n"
    assert trust.policy_text() == f"log {log.vkey}\nlog {new}\nquorum none\n"
    assert trust.current().check(client.get("/log/checkpoint").content).checkpoint.size == size + 1
    receipt = api.submission_receipt(["00" * 32], 1)
    for vkey in (log.vkey, new):
        assert note.verify(receipt["note"].encode(), [note.parse_vkey(vkey)])
    retire()
    assert client.get("/log/vkeys").content.decode() == f"{new} {size + 1} -\n{log.vkey} 0 {size + 2}\n"
    assert trust.policy_text() == f"log {new}\nquorum none\n"
    receipt = api.submission_receipt(["00" * 32], 1)
    assert len(note.verify(receipt["note"].encode(), [note.parse_vkey(new)]).signatures) == 1


def test_the_page_shows_all_keys_once_there_are_several(log, client):
    def shown():
        return client.get("/log/").content.decode().split("The chain of checkpoints")[0]

    assert "still signs" not in shown()
    new = begin()
    assert "is being replaced" in shown()
    assert all(shown().count(f"<code>{vkey}</code></td>") == 1 for vkey in (new, log.vkey))
    retire()
    assert "was replaced" in shown()


def test_before_it_is_published_the_new_key_is_nobodys(log):
    api.rotate_log_key()
    assert api.vkey() == log.vkey
    assert [one.vkey for one in api.vkeys()] == [log.vkey]
    assert len(api.submission_receipt([], 1)["note"].split("\n\n")[1].splitlines()) == 1


def test_the_house_must_name_the_new_key_in_its_own_policy_first(log, settings):
    settings.LOG_POLICY_FILE.write_text(f"log {log.vkey}\nquorum none\n")
    new = begin()
    with pytest.raises(api.RotationError, match="add the line `log "):
        api.retire_log_key()
    settings.LOG_POLICY_FILE.write_text("nonsense\n")
    with pytest.raises(api.RotationError, match="malformed"):
        api.retire_log_key()
    settings.LOG_POLICY_FILE.write_text(f"log {log.vkey}\nlog {new}\nquorum none\n")
    assert retire() == [log.vkey]


def test_the_old_private_key_is_destroyed_and_its_public_half_and_dates_are_kept(log):
    old = models.LogKey.objects.get(role="log")
    begin()
    retire()
    kept = models.LogKey.objects.get(kid=old.kid)
    assert (bytes(kept.sealed_seed), bytes(kept.public_key)) == (b"", bytes(old.public_key))
    assert (kept.created_ms, kept.origin) == (old.created_ms, old.origin)
    assert operator_keys.LogKeychain().signing_key(bytes.fromhex(old.kid)) is None
    publish()


def test_a_destroyed_key_does_not_stand_in_the_way_of_another_encryption_key(log, settings):
    begin()
    retire()
    assert sealing.opens(settings.KEY_ENCRYPTION_KEY)
    sealing.reseal(b"n" * 32)
    settings.KEY_ENCRYPTION_KEY = b"n" * 32
    publish()


def test_the_sequencer_destroys_what_a_crashed_command_left(log, monkeypatch):
    begin()
    old = models.LogKey.objects.get(role="log", created_ms=operator_keys.log_key_rows()[0].created_ms)
    with pytest.raises(api.RotationError, match="run this again"):
        api.retire_log_key(0.0)  # no sequencer runs: the command ends here
    assert operator_keys.destroy_retired() == 0  # both still sign
    api.sequence_once()
    assert bytes(models.LogKey.objects.get(pk=old.pk).sealed_seed)
    with Running():
        until(lambda: not bytes(models.LogKey.objects.get(pk=old.pk).sealed_seed))
    assert api.fsck() == []


def test_the_command_finishes_what_it_left(log):
    begin()
    with pytest.raises(api.RotationError, match="run this again"):
        api.retire_log_key(0.0)
    api.sequence_once()
    assert api.retire_log_key() == [log.vkey]
    assert operator_keys.retired_rows(operator_keys.published_keyring(99).log_keys, 99) == []


def test_a_step_that_fails_leaves_no_key(log, monkeypatch):
    def full(items, **_):
        raise OSError("no room")

    monkeypatch.setattr(writer, "queue", full)
    with pytest.raises(OSError, match="no room"):
        api.rotate_log_key()
    assert models.LogKey.objects.filter(role="log").count() == 1


def test_a_lost_key_is_replaced_before_all_that_waits(log):
    publish()
    api.submit([statement(1000 + number) for number in range(20)])
    models.LogKey.objects.filter(role="log").update(sealed_seed=b"")
    with pytest.raises(api.RefusedError, match="rotate_log_key --at-once"):
        api.sequence_once()
    api.rotate_log_key(at_once=True)
    size = api.published_size()
    sequencer = writer.make_sequencer()
    with writer.elected(lambda: True):
        assert sequencer.sequence(3) == 3  # a batch that does not hold all
    assert api.vkeys()[0].from_size == size + 1
    api.sequence_once()
    assert api.fsck() == []
    assert api.backlog() == 0
    assert len(api.latest_checkpoint().note.split("\n\n")[1].splitlines()) == 1


def test_without_going_first_a_lost_key_would_keep_the_log_shut(log, monkeypatch):
    """Negative control: behind more than a batch of others, the entry that names the new key is never reached."""
    queue = writer.queue
    monkeypatch.setattr(rotation.writer, "queue", lambda items, *, first=False: queue(items))
    api.submit([statement(1000 + number) for number in range(20)])
    models.LogKey.objects.filter(role="log").update(sealed_seed=b"")
    api.rotate_log_key(at_once=True)
    with writer.elected(lambda: True), pytest.raises(api.RefusedError, match="does not hold that key"):
        writer.make_sequencer().sequence(3)


def test_a_key_lost_in_the_middle_of_its_rotation_is_replaced_too(log):
    begin()
    models.LogKey.objects.filter(role="log").update(sealed_seed=b"")
    third = api.rotate_log_key(at_once=True)
    api.sequence_once()
    assert api.fsck() == []
    assert api.vkey() == third
    assert [one.until_size for one in api.vkeys()] == [None, api.published_size(), api.published_size()]


def test_a_rotation_that_waits_is_void_once_a_key_was_replaced_at_once(log):
    api.rotate_log_key()
    third = api.rotate_log_key(at_once=True)
    api.sequence_once()
    assert api.fsck() == []
    assert [one.vkey for one in api.vkeys()] == [third, log.vkey]
    assert begin() != third  # the next rotation follows the key that signs


def test_three_rotations(log):
    seen = [log.vkey]
    for _ in range(3):
        seen.append(begin())
        publish()
        retire()
    assert [one.vkey for one in api.vkeys()] == seen[::-1]
    assert models.LogKey.objects.filter(role="log").exclude(sealed_seed=b"").count() == 1
    assert api.fsck() == []


def test_a_lost_mark_is_written_with_the_newest_key(log, settings):
    new = begin()
    settings.LOG_HIGH_WATER_FILE.unlink()
    api.accept_database()
    assert settings.LOG_HIGH_WATER_FILE.read_text().splitlines()[0] == new
    publish()


def test_a_witness_gets_both_lines(log):
    begin()
    latest = reads.latest_checkpoint()
    known = [note.parse_vkey(one.vkey) for one in api.vkeys()]
    body = cosigning.witness.format_request(0, [], latest.note)
    signed = note.parse(cosigning.witness.parse_request(body).note)
    assert [len(signed.lines_of(key)) for key in known] == [1, 1]


def test_a_sequencer_killed_in_a_rotation_loses_nothing(log, settings):
    """kill -9 around both steps; then every checkpoint carries the lines of the keys of its size."""
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

    def killed(*items):
        child = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE)
        assert child.stdout is not None
        child.stdout.readline()
        before = api.published_size()
        until(lambda: api.published_size() > before, 20)
        child.kill()
        child.wait()
        child.stdout.close()

    api.submit([statement(100 + number) for number in range(40)])
    new = api.rotate_log_key()
    api.submit([statement(200 + number) for number in range(40)])
    killed()
    api.sequence_once()
    assert api.fsck() == []
    with pytest.raises(api.RotationError):
        api.retire_log_key(0.0)
    api.submit([statement(300 + number) for number in range(40)])
    killed()
    api.sequence_once()
    assert api.fsck() == []
    assert api.retire_log_key() == [log.vkey]
    assert api.vkey() == new


@pytest.mark.django_db(transaction=True)
def test_the_keys_of_a_log_from_before_are_kept_by_the_migration():
    before, after = [("ledger", "0003_head_refusal")], [("ledger", "0004_several_log_keys")]
    try:
        old = MigrationExecutor(connection)
        old.migrate(before)
        model = old.loader.project_state(before).apps.get_model("ledger", "LogKey")
        for role in ("log", "root", "registrar"):
            model.objects.create(
                role=role, kid=role * 3, public_key=role.encode(), sealed_seed=b"s", origin="o", operator="x",
                created_ms=1,
            )  # fmt: skip
        MigrationExecutor(connection).migrate(after)
        assert {(row.role, bytes(row.public_key)) for row in models.LogKey.objects.all()} == {
            ("log", b"log"), ("root", b"root"), ("registrar", b"registrar"),
        }  # fmt: skip
        with pytest.raises(IntegrityError):
            models.LogKey.objects.filter(role="registrar").update(role="root")
        models.LogKey.objects.create(
            role="log", kid="2", public_key=b"", sealed_seed=b"", origin="o", operator="x", created_ms=2
        )
        with pytest.raises(IrreversibleError, match="replaced its key"):
            MigrationExecutor(connection).migrate(before)
        models.LogKey.objects.filter(kid="2").delete()
        back = MigrationExecutor(connection)
        back.migrate(before)
        model = back.loader.project_state(before).apps.get_model("ledger", "LogKey")
        assert {row.role for row in model.objects.all()} == {"log", "root", "registrar"}
        model.objects.all().delete()
    finally:
        MigrationExecutor(connection).migrate(MigrationExecutor(connection).loader.graph.leaf_nodes())
