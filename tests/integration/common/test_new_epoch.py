"""Nobody has what was lost: the log goes on under another origin, and says so wherever somebody looks."""

import json
from io import StringIO

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from ledger import api as ledger
from ledger import follower, models, operator_keys, writer
from ledger import verify as auditor
from ledger.sequencer import RefusedError
from ledger.statement import parse
from ledger.tlog import checkpoint, merkle, note, policy
from tests.contract.ledger.test_follower import MemoryReplica
from tests.integration.common.houses import die, lose_everything, manage, observe
from tests.integration.common.test_recovery import Copy, digests
from traceability.common import projection
from traceability.common.backup import services
from traceability.common.models import Document

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("own_files")]
NEW = "dosetrail.example/log-2"


def new_epoch(*words):
    out = StringIO()
    call_command("new_epoch", "--origin", NEW, *words, stdout=out)
    return out.getvalue()


def evidence():
    place = min(ledger.positions(Document.objects.filter(kind="event").values_list("pk", flat=True)))
    document = Document.objects.get(pk=place)
    body = json.loads(bytes(document.body))
    return ledger.evidence([(document.statement_hash, body, bytes(document.secret), lambda name: True)])


@pytest.fixture
def old(lived, key, tmp_path, writer):
    """A house behind what it published: the old log's evidence, vkey, copy and projections."""
    lived.settle()

    class Old:
        house = lived
        vkey = ledger.vkey()
        bundle = evidence()

    services.make(tmp_path / "b", key)
    observe(lived, writer, "20")
    lived.settle()
    Old.copy = Copy.of_house()
    lose_everything()
    services.restore(tmp_path / "b", key)
    projection.advance_all()
    Old.size, Old.digests = ledger.published_size(), digests()
    Old.entries = list(models.Entry.objects.order_by("index").values_list("statement", "record_time_ms"))
    return Old


def test_every_entry_that_is_here_goes_over_and_the_rest_is_named(old, writer):
    said = new_epoch()
    assert f"last seen with {old.size + 1} entries; {old.size} were kept, 1 are lost" in said
    assert ledger.vkey() == said.split("\n")[0]
    assert ledger.vkey().startswith(f"{NEW}+")
    entries = list(models.Entry.objects.order_by("index").values_list("statement", "record_time_ms"))
    assert entries[1:] == old.entries[1:]
    content = parse(bytes(entries[0][0])).content
    before = parse(bytes(old.entries[0][0])).content
    assert {**before, "origin": NEW} == {name: value for name, value in content.items() if name != "continues"}
    continues = content["continues"]
    assert (continues["origin"], continues["size"], continues["kept"]) == (before["origin"], old.size + 1, old.size)
    # The last checkpoint is the very note that was published, made anew from the mark.
    assert continues["checkpoint"] == old.copy.note
    last = checkpoint.verify(continues["checkpoint"].encode(), note.parse_vkey(old.vkey))
    assert (last.size, last.root.hex()) == (continues["size"], continues["root"])


def test_the_new_log_is_whole_and_goes_on(old, writer):
    new_epoch()
    assert ledger.fsck() == []
    call_command("fsck", stdout=StringIO())
    assert observe(old.house, writer, "22").status_code == 202
    old.house.settle()
    assert ledger.published_size() == old.size + 1
    assert ledger.fsck() == []
    leaves = [
        merkle.leaf_hash(bytes(data))
        for data in models.Entry.objects.order_by("index").values_list("statement", flat=True)
    ]
    assert merkle.root_of(leaves) == ledger.latest_checkpoint().root


def test_projections_stay_what_they_were(old):
    new_epoch()
    projection.advance_all()
    assert digests() == old.digests
    call_command("rebuild", check=True, stdout=StringIO())
    assert digests() == old.digests


def test_evidence_of_the_new_log_and_of_the_old_one_both_verify(old):
    new_epoch()
    auditor.check(evidence(), ledger.vkey())
    auditor.check(old.bundle, old.vkey)
    with pytest.raises(auditor.BundleError):
        auditor.check(old.bundle, ledger.vkey())


def test_what_the_old_log_signed_is_kept_and_not_served(old, client):
    sizes = set(models.Checkpoint.objects.values_list("size", flat=True))
    new_epoch()
    past = models.PastLog.objects.get()
    assert (past.origin, past.vkeys, past.kept) == (old.vkey.split("+")[0], f"{old.vkey}\n", old.size)
    assert set(models.PastCheckpoint.objects.values_list("size", flat=True)) == sizes
    served = client.get("/log/checkpoint").content.decode()
    assert served.startswith(f"{NEW}\n{old.size}\n")
    assert settings.LOG_HIGH_WATER_FILE.read_text().startswith(ledger.vkey())
    aside = list(settings.LOG_HIGH_WATER_FILE.parent.glob("log-high-water.*"))
    assert any(
        path.suffix != ".lock" and path.read_text().startswith(old.vkey) for path in aside if path.stat().st_size
    )


def test_a_log_key_that_was_replaced_goes_over_without_effect_and_without_fault(old, monkeypatch):
    """Both lines stand under the last checkpoint, both vkeys are kept; the new log has one key, of its own."""
    lose_everything()
    settings.LOG_HIGH_WATER_FILE.unlink()
    ledger.initialise(operator_name="test")
    ledger.sequence_once()
    ledger.rotate_log_key()
    ledger.sequence_once()
    assert ledger.latest_checkpoint().note.count("—") == 2
    new_epoch()
    assert models.PastLog.objects.get().vkeys.count("\n") == 2
    content = parse(bytes(models.Entry.objects.get(index=0).statement)).content
    assert content["continues"]["checkpoint"].count("—") == 2
    assert ledger.latest_checkpoint().note.count("—") == 1
    assert ledger.fsck() == []
    found = []
    chosen = policy.parse(f"log {ledger.vkey()}\nquorum none\n")
    copy = Copy.of_house()
    follower.Follower(MemoryReplica(), copy, chosen, now_ms=lambda: 0, report=found.append).step()
    assert found == []
    ledger.rotate_log_key()
    ledger.sequence_once()
    assert ledger.latest_checkpoint().note.count("—") == 2
    assert ledger.fsck() == []


def test_a_checkpoint_that_somebody_kept_is_the_last_one(old, tmp_path):
    settings.LOG_HIGH_WATER_FILE.unlink()
    (tmp_path / "kept").write_text(old.copy.note)
    new_epoch(f"--last={tmp_path / 'kept'}")
    assert models.PastLog.objects.get().size == old.size + 1


def test_a_checkpoint_of_somebody_else_is_refused(old, tmp_path):
    tree = checkpoint.Checkpoint(old.vkey.split("+")[0], 1000, b"\0" * 32)
    (tmp_path / "kept").write_text(checkpoint.sign(tree, seed=b"\1" * 32))
    with pytest.raises(CommandError, match="no checkpoint that the log's key signed"):
        new_epoch(f"--last={tmp_path / 'kept'}")
    assert ledger.vkey() == old.vkey


@pytest.mark.parametrize("origin", ["dosetrail.example/log", "", "a b", "a+b"])
def test_an_origin_that_is_none_or_was_used_is_refused(old, origin):
    with pytest.raises(CommandError, match="origin"):
        call_command("new_epoch", origin=origin)
    assert ledger.vkey() == old.vkey


def test_the_old_origin_does_not_come_back_and_the_chain_stays_told(old):
    new_epoch()
    for origin in (NEW, old.vkey.split("+")[0]):
        with pytest.raises(CommandError, match="has signed for"):
            call_command("new_epoch", origin=origin)
    call_command("new_epoch", origin="dosetrail.example/log-3", stdout=StringIO())
    continues = parse(bytes(models.Entry.objects.get(index=0).statement)).content["continues"]
    assert continues["origin"] == NEW
    assert continues["continues"]["origin"] == old.vkey.split("+")[0]
    assert ledger.fsck() == []


def test_a_damaged_log_is_not_blessed(old):
    models.Entry.objects.filter(index=3).update(statement=b"\0")
    with pytest.raises(CommandError, match="entry 3"):
        new_epoch()
    assert ledger.vkey() == old.vkey


def test_a_running_sequencer_is_in_the_way(old):
    with writer_elected(), pytest.raises(CommandError, match="a sequencer is running"):
        new_epoch()


def writer_elected():
    return writer.elected(lambda: False)


def test_without_it_the_house_refuses_to_sign(old, writer):
    """Negative control of the whole: the database is behind the mark."""
    observe(old.house, writer, "22")
    with pytest.raises(RefusedError, match="new_epoch"):
        ledger.sequence_once()


def test_a_follower_says_that_it_is_another_log(old):
    new_epoch()
    found = []
    chosen = policy.parse(f"log {old.vkey}\nquorum none\n")
    one = follower.Follower(MemoryReplica(), Copy.of_house(), chosen, now_ms=lambda: 0, report=found.append)
    with pytest.raises(follower.LogLiedError, match=r"began a new epoch.*keep this copy"):
        one.step()


def test_what_the_old_key_signs_under_the_new_name_counts_for_nothing(old):
    seed = operator_keys.log_signer().key.seed
    new_epoch()
    latest = ledger.latest_checkpoint()
    forged = checkpoint.sign(checkpoint.Checkpoint(NEW, latest.size, latest.root), seed=seed)
    with pytest.raises(note.NoteError):
        checkpoint.verify(forged.encode(), note.parse_vkey(ledger.vkey()))


@pytest.mark.parametrize(
    "place", ["ledger.epoch.write_tiles", "ledger.epoch._sign", "ledger.sequencer.Sequencer.settle"]
)
def test_it_can_be_begun_again_wherever_it_died(transactional_db, tmp_path, place):
    folder = tmp_path / "pilot"
    manage(folder, "migrate", "-v0")
    vkey = manage(folder, "keygen").stdout
    manage(folder, "add_party", "reg", "Regulator", "--role", "regulator")
    manage(folder, "sequencer", "--once")
    die(folder, place, 1, "new_epoch", f"--origin={NEW}")
    if place.endswith("settle"):
        assert manage(folder, "keygen").stdout.startswith(NEW)
    else:
        assert manage(folder, "keygen").stdout == vkey
        manage(folder, "new_epoch", "--origin", NEW)
    manage(folder, "add_party", "m", "Maker", "--role", "manufacturer")
    manage(folder, "sequencer", "--once")
    assert "everything is as it was signed" in manage(folder, "fsck").stdout


@pytest.mark.parametrize("size", [1, 2, 255, 256, 257, 700, 65_536, 65_537])
def test_another_first_leaf_changes_the_left_edge_only(size):
    from ledger import epoch
    from ledger.tlog import proof, tile

    leaves = [merkle.leaf_hash(number.to_bytes(4, "big")) for number in range(size)]
    tiles = tile.extend(0, {}, leaves)
    leaves[0] = merkle.leaf_hash(b"another")
    wanted = tile.extend(0, {}, leaves)
    assert {**tiles, **epoch.with_first(size, tiles, leaves[0])} == wanted
    assert proof.root_at(size, lambda node: tile.read_node(node, wanted)) == merkle.root_of(leaves)
