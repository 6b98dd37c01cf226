"""Yesterday's backup is restored: the house refuses to sign, and goes on from what a follower holds."""

import json
from dataclasses import dataclass, field
from io import StringIO

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from ledger import api as ledger
from ledger import models, operator_keys, recovery, trust
from ledger.content import Content
from ledger.follower import UnreachableError
from ledger.tlog import checkpoint, cosignature, merkle, note, tile
from ledger.tlog.tile import ENTRIES
from ledger.witness import WitnessSigner
from tests.integration.common.houses import lose_everything, observe
from traceability.alerts.models import AlertTransition
from traceability.capture.models import CapturedEvent
from traceability.common import projection
from traceability.common.backup import services
from traceability.common.models import Document
from traceability.parties import keys
from traceability.parties.models import PartyKey

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("own_files")]
URL = "http://follower.example/log"
WITNESS = WitnessSigner("regulator.example/w", b"\7" * 32)


@dataclass
class Copy:
    """A follower's copy, as HttpRemote and Source read it."""

    entries: list[bytes]
    note: str
    contents: dict[str, Content]
    spoiled: dict[int, bytes] = field(default_factory=dict)

    @classmethod
    def of_house(cls):
        rows = list(models.Entry.objects.order_by("index"))
        held = Document.objects.in_bulk([row.statement_hash for row in rows])
        contents = {}
        for row in rows:
            document = held.get(row.statement_hash)
            both = (bytes(document.body), bytes(document.secret)) if document else (None, None)
            contents[row.statement_hash] = Content(row.record_time_ms, *both)
        signed = ledger.cosigned_note(ledger.latest_checkpoint())
        return cls([bytes(row.statement) for row in rows], signed, contents)

    def checkpoint(self):
        return self.note.encode()

    def tile(self, name):
        if name.level == ENTRIES:
            shown = [self.spoiled.get(index, data) for index, data in enumerate(self.entries)]
            return tile.pack_bundle(shown[name.number * 256 : name.number * 256 + name.width])
        tiles = tile.extend(0, {}, list(map(merkle.leaf_hash, self.entries)))
        return tiles[name.level, name.number][: name.width * 32]

    def fetch(self, hashes):
        return {name: self.contents[name] for name in hashes if name in self.contents}


@pytest.fixture
def copies(monkeypatch):
    """Followers by address; nobody else answers."""
    found = {}

    def remote(url, token=""):
        if url not in found:
            raise UnreachableError(f"{url} does not answer")
        return found[url]

    monkeypatch.setattr(recovery.http, "HttpRemote", remote)
    for place in ("ledger.recovery.Source", "ledger.content.Source"):
        monkeypatch.setattr(place, lambda url, token: found[url])
    return found


@pytest.fixture
def yesterday(lived, key, tmp_path, writer, copies):
    """A house restored to yesterday's backup; a follower has seen what happened since."""
    lived.settle()
    services.make(tmp_path / "b", key)
    for serial in ("20", "21"):
        assert observe(lived, writer, serial).status_code == 202
    keys.create_hosted_key(party=lived.parties["maker"], label="new")
    lived.settle()
    copies[URL] = Copy.of_house()
    lose_everything()
    settings.LOG_HIGH_WATER_FILE.unlink()
    services.restore(tmp_path / "b", key)
    return lived


def recover(*words, **options):
    out = StringIO()
    call_command("recover", "--from", URL, *words, stdout=out, **options)
    return out.getvalue()


@pytest.fixture
def token(tmp_path):
    (tmp_path / "token").write_text("secret\n")
    return f"--content-token-file={tmp_path / 'token'}"


def digests():
    return {
        model._meta.label: projection.digest(model) for fold in projection.all_projections() for model in fold.models
    }


def refuses(words):
    models.Submission.objects.create(statement_hash="0" * 64, statement=b"x")
    with pytest.raises(ledger.RefusedError, match=words):
        ledger.sequence_once()
    models.Submission.objects.filter(statement_hash="0" * 64).delete()


def test_it_refuses_to_sign_and_names_the_ways_on(yesterday):
    refuses(r"recover --from URL.*new_epoch")


def test_with_the_mark_still_there_it_refuses_too(lived, key, tmp_path, writer):
    lived.settle()
    services.make(tmp_path / "b", key)
    observe(lived, writer, "20")
    lived.settle()
    lose_everything()
    services.restore(tmp_path / "b", key)
    refuses(r"this is an older copy.*recover --from URL.*new_epoch")


def test_it_goes_on_after_what_the_follower_holds(yesterday, copies, token, writer):
    before = ledger.published_size()
    said = recover(token)
    size = len(copies[URL].entries)
    assert f"{size - before} entries came from {URL}; the log goes on after {size}" in said
    assert "the content of 2 of them came too" in said
    assert observe(yesterday, writer, "22").status_code == 202
    yesterday.settle()
    assert ledger.published_size() == size + 1
    # One log, not two: the new tree begins with the follower's.
    root = merkle.root_of(map(merkle.leaf_hash, copies[URL].entries))
    proof = ledger.consistency(size, size + 1)
    latest = ledger.latest_checkpoint()
    merkle.verify_consistency(size, size + 1, root1=root, root2=latest.root, proof=proof)
    assert ledger.fsck() == []
    call_command("fsck", stdout=StringIO())
    call_command("rebuild", check=True, stdout=StringIO())


def test_accepting_the_old_database_instead_forks_the_log(yesterday, copies, writer):
    """Negative control: the sharp tool used wrongly. Whoever kept a checkpoint sees two histories."""
    ledger.accept_database()
    for serial in ("30", "31", "32", "33"):
        observe(yesterday, writer, serial)
    yesterday.settle()
    size = len(copies[URL].entries)
    latest = ledger.latest_checkpoint()
    assert latest.size >= size
    root = merkle.root_of(map(merkle.leaf_hash, copies[URL].entries))
    with pytest.raises(merkle.ProofError):
        merkle.verify_consistency(
            size, latest.size, root1=root, root2=latest.root, proof=ledger.consistency(size, latest.size)
        )
    with pytest.raises(CommandError, match="both were signed by this log's key"):
        recover()


def test_with_the_content_everything_is_as_it_was(lived, key, tmp_path, writer, copies, token):
    """Projections too, to the byte: the follower gave back when each entry was recorded."""
    lived.settle()
    services.make(tmp_path / "b", key)
    observe(lived, writer, "20")
    lived.settle()
    copies[URL], before = Copy.of_house(), digests()
    captured = set(CapturedEvent.objects.values_list("statement_hash", "content_sha256", "event_id"))
    lose_everything()
    services.restore(tmp_path / "b", key)
    assert digests() != before
    recover(token)
    projection.advance_all()
    assert digests() == before
    assert set(CapturedEvent.objects.values_list("statement_hash", "content_sha256", "event_id")) == captured


def test_a_retry_of_a_lost_request_records_nothing_twice(yesterday, token, writer):
    recover(token)
    yesterday.settle()
    size = ledger.published_size()
    assert observe(yesterday, writer, "20").status_code == 202
    yesterday.settle()
    assert ledger.published_size() == size


def test_without_the_rebuilt_keys_it_would(yesterday, token, writer, settings):
    """Negative control."""
    settings.LOG_RECOVERED = ["traceability.common.recovered.take"]
    recover(token)
    yesterday.settle()
    size = ledger.published_size()
    observe(yesterday, writer, "20")
    yesterday.settle()
    assert ledger.published_size() == size + 1


def test_an_event_that_was_sent_without_an_id_is_known_again_too(lived, key, tmp_path, copies, token, writer):
    lived.settle()
    services.make(tmp_path / "b", key)
    event = {
        "@context": ["https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"],
        "type": "ObjectEvent", "eventTime": "2026-05-28T20:26:40.000Z", "eventTimeZoneOffset": "+08:00",
        "epcList": ["https://id.gs1.org/00/395210000000000019"], "action": "OBSERVE", "bizStep": "inspecting",
        "readPoint": {"id": lived.place("maker")},
    }  # fmt: skip
    assert lived.post("maker", "/epcis/events", event).status_code == 201
    lived.settle()
    copies[URL], size = Copy.of_house(), ledger.published_size()
    lose_everything()
    services.restore(tmp_path / "b", key)
    recover(token)
    assert lived.post("maker", "/epcis/events", event).json()["code"] == "already-recorded"
    lived.settle()
    assert ledger.published_size() == size


def test_without_content_it_goes_on_and_lists_what_is_lost(yesterday, copies, tmp_path, token, writer):
    said = recover(f"--report={tmp_path / 'lost'}")
    assert "the content of 2 of them is lost here" in said
    lost = [json.loads(line) for line in (tmp_path / "lost").read_text().splitlines()]
    private = [thing for thing in lost if thing["lost"] == "content"]
    assert [thing["kind"] for thing in private] == ["event", "event"]
    assert {thing["party"] for thing in private} == {yesterday.parties["maker"].uri}
    projection.advance_all()
    call_command("rebuild", check=True, stdout=StringIO())
    out = StringIO()
    call_command("fsck", stdout=out)
    assert "2 of them have no content here" in out.getvalue()
    # Somebody is found who has it.
    said = recover(token, f"--lost={tmp_path / 'lost'}")
    assert "the content of 2 of 2 entries came; now run: manage.py rebuild" in said
    call_command("rebuild", stdout=StringIO())
    assert Document.objects.filter(annotation={"recovered": True}).count() == 2
    yesterday.settle()


def test_content_that_nobody_signed_is_not_taken(yesterday, copies, token):
    for name, content in copies[URL].contents.items():
        if content.body and b"21" in content.body:
            copies[URL].contents[name] = Content(content.record_time_ms, content.body + b" ", content.secret)
    # A space more is the same JSON: the claims are the same. Another member is not.
    size = len(copies[URL].entries)
    lost = copies[URL].entries[size - 2]
    name = ledger.statement_hash(lost)
    before = copies[URL].contents[name]
    copies[URL].contents[name] = Content(before.record_time_ms, b'{"type":"ObjectEvent"}', before.secret)
    said = recover(token)
    assert f"entry {size - 2}: the content that came is not what" in said
    assert not Document.objects.filter(pk=name).exists()


def test_keys_of_that_time_are_named_and_cannot_sign(yesterday, token):
    said = recover(token)
    assert f"of {yesterday.parties['maker'].uri}" in said
    assert "its private half is lost" in said
    assert PartyKey.objects.get(label="recovered").sealed_seed is None


def test_a_key_that_was_revoked_stays_revoked(lived, key, tmp_path, copies, token):
    lived.settle()
    services.make(tmp_path / "b", key)
    revoked = PartyKey.objects.get(party=lived.parties["other"])
    keys.revoke_key(key=revoked)
    lived.settle()
    copies[URL] = Copy.of_house()
    lose_everything()
    services.restore(tmp_path / "b", key)
    assert PartyKey.objects.get(pk=revoked.pk).revoked_ms is None
    recover(token)
    assert PartyKey.objects.get(pk=revoked.pk).revoked_ms is not None


def test_a_follower_that_holds_the_same_lets_it_go_on(lived, key, tmp_path, copies, writer):
    lived.settle()
    services.make(tmp_path / "b", key)
    copies[URL] = Copy.of_house()
    lose_everything()
    settings.LOG_HIGH_WATER_FILE.unlink()
    services.restore(tmp_path / "b", key)
    assert recover().startswith("0 entries came")
    observe(lived, writer, "20")
    lived.settle()
    assert ledger.published_size() == len(copies[URL].entries) + 1


def test_what_was_signed_and_not_published_before_the_backup_is_published(lived, key, tmp_path, copies, writer):
    lived.settle()
    copies[URL] = Copy.of_house()
    observe(lived, writer, "20")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("ledger.sequencer.Sequencer._publish", lambda self, signed: None)
        ledger.sequence_once()
    services.make(tmp_path / "b", key)
    lose_everything()
    settings.LOG_HIGH_WATER_FILE.unlink()
    services.restore(tmp_path / "b", key)
    recover()
    lived.settle()
    assert ledger.published_size() == len(copies[URL].entries) + 1


def test_an_older_follower_cannot_tell(yesterday, copies):
    size = ledger.published_size() - 2
    signer = operator_keys.log_signer()
    old = copies[URL].entries[:size]
    tree = checkpoint.Checkpoint(signer.origin, size, merkle.root_of(map(merkle.leaf_hash, old)))
    copies[URL] = Copy(old, checkpoint.sign(tree, seed=signer.key.seed), {})
    with pytest.raises(CommandError, match="Ask another follower"):
        recover()


def test_of_several_the_largest_counts_and_all_must_agree(yesterday, copies):
    other = "http://other.example/log"
    copies[other] = copies[URL]
    signer = operator_keys.log_signer()
    shorter = copies[other].entries[:-1]
    tree = checkpoint.Checkpoint(signer.origin, len(shorter), merkle.root_of(map(merkle.leaf_hash, shorter)))
    copies[URL] = Copy(shorter, checkpoint.sign(tree, seed=signer.key.seed), {})
    assert f"came from {other}" in recover(f"--from={other}")


def test_two_histories_are_shown_and_nothing_is_changed(yesterday, copies):
    other = "http://other.example/log"
    signer = operator_keys.log_signer()
    forged = [*copies[URL].entries[:-1], copies[URL].entries[3]]
    tree = checkpoint.Checkpoint(signer.origin, len(forged), merkle.root_of(map(merkle.leaf_hash, forged)))
    copies[other] = Copy(forged, checkpoint.sign(tree, seed=signer.key.seed), {})
    before = ledger.published_size()
    out = StringIO()
    with pytest.raises(CommandError, match="no continuation"):
        call_command("recover", "--from", URL, "--from", other, stdout=out)
    assert out.getvalue().count(f"{signer.origin}\n") == 2
    assert ledger.published_size() == before
    assert not settings.LOG_HIGH_WATER_FILE.exists()


def test_a_follower_that_lies_is_not_believed(yesterday, copies):
    before = ledger.published_size()
    copies[URL].spoiled[before] = copies[URL].entries[1]
    with pytest.raises(CommandError, match="bad-bundle"):
        recover()
    refuses("high-water file is absent|another tree than the head")
    copies[URL].spoiled.clear()
    recover()
    yesterday.settle()
    assert ledger.fsck() == []


def test_a_checkpoint_of_another_key_is_not_believed(yesterday, copies):
    text = copies[URL].note.split("\n\n")[0] + "\n"
    copies[URL].note = note.sign(text, name=ledger.vkey().split("+")[0], seed=b"\x09" * 32)
    with pytest.raises(CommandError, match="no checkpoint that a key of this log signed"):
        recover()


def test_no_follower_answers(yesterday, copies):
    copies.clear()
    with pytest.raises(CommandError, match="does not answer"):
        recover()


def test_a_running_sequencer_is_in_the_way(yesterday):
    from ledger import writer as log_writer

    with log_writer.elected(lambda: False), pytest.raises(CommandError, match="a sequencer is running"):
        recover()


@pytest.fixture
def witnessed(yesterday, monkeypatch, tmp_path):
    """The house's policy names a witness; what it shows is set by the test."""
    answers = {}
    (tmp_path / "data" / "policy").write_text(
        f"log {ledger.vkey()}\nwitness regulator {WITNESS.cosigner} http://w.example\nquorum regulator\n"
    )
    settings.LOG_POLICY_FILE = tmp_path / "data" / "policy"
    trust._parsed.cache_clear()

    def request(url, **options):
        assert url.startswith("http://w.example/")
        if "answer" not in answers:
            raise UnreachableError("nobody is there")
        return answers["answer"]

    monkeypatch.setattr(recovery.http, "request", request)
    return answers


def cosigned(entries):
    signer = operator_keys.log_signer()
    tree = checkpoint.Checkpoint(signer.origin, len(entries), merkle.root_of(map(merkle.leaf_hash, entries)))
    line = cosignature.sign(tree.text(), name=WITNESS.name, seed=WITNESS.seed, time_s=1_800_000_000)
    return checkpoint.sign(tree, seed=signer.key.seed) + line


def test_a_witness_that_has_seen_more_is_heeded(witnessed, copies):
    more = [*copies[URL].entries, copies[URL].entries[2]]
    witnessed["answer"] = (200, cosigned(more).encode())
    with pytest.raises(CommandError, match=rf"witness regulator holds a checkpoint of {len(more)} entries.*new_epoch"):
        recover()


def test_a_witness_that_does_not_answer_may_know_more(witnessed):
    with pytest.raises(CommandError, match="--without regulator"):
        recover()
    assert "the log goes on" in recover("--without=regulator")


def test_a_witness_of_another_history_is_evidence(witnessed, copies):
    witnessed["answer"] = (200, cosigned([*copies[URL].entries[:-1], b"x"]).encode())
    with pytest.raises(CommandError, match="both were signed"):
        recover()


def test_a_final_checkpoint_comes_back_as_final(witnessed, copies):
    copies[URL].note = cosigned(copies[URL].entries)
    witnessed["answer"] = (404, b"")
    recover()
    assert ledger.final_size() == len(copies[URL].entries)
    served = ledger.cosigned_note(ledger.latest_checkpoint())
    assert trust.current().check(served.encode()).final
    assert ledger.latest_checkpoint().note.count("—") == 1


@pytest.mark.parametrize(
    "place", ["ledger.recovery.keep", "ledger.db_replica.DbReplica.publish", "ledger.api._require_clean"]
)
def test_it_can_be_begun_again_wherever_it_died(yesterday, copies, token, monkeypatch, place):
    class Died(BaseException):
        pass

    def die(*args, **options):
        raise Died

    with monkeypatch.context() as patch:
        patch.setattr(place, die)
        with pytest.raises(Died):
            recover(token)
    refuses(".")
    recover(token)
    yesterday.settle()
    assert ledger.fsck() == []
    assert Document.objects.filter(annotation={"recovered": True}).count() == 2


def test_what_people_did_about_alerts_comes_back(yesterday, copies, token):
    """The compare-and-set of the next step looks at these rows."""
    from traceability.alerts import recovered
    from traceability.common import documents
    from traceability.parties import selectors as parties

    body = {
        "@type": "AlertTransition", "alert": "a", "incident": "i", "version": 1, "from": "new", "to": "acknowledged",
        "party": yesterday.parties["maker"].uri, "actor": "x", "comment": "seen", "cause": "", "time": 5,
    }  # fmt: skip
    maker = yesterday.parties["maker"]
    signed = documents.prepare([documents.Draft("alert-transition", body, maker.uri, parties.signer_for(maker))])
    parsed = ledger.parse_statement(signed.statements[0])
    name = ledger.statement_hash(signed.statements[0])
    entry = ledger.RecoveredEntry(9, name, 7, parsed, bytes(signed.documents[0].body), signed.documents[0].secret)
    recovered.take([entry])
    recovered.take([entry])
    assert AlertTransition.objects.get().comment == "seen"


def test_a_policy_that_was_adopted_in_between_keeps_its_number(yesterday, copies, token):
    models.PolicyVersion.objects.all().delete()
    text = f"log {ledger.vkey()}\nquorum none\n"
    parsed = ledger.parse_statement(operator_keys.registrar_statement("policy", {"policy": text, "version": 41}))
    recovery.keep([ledger.RecoveredEntry(9, "0" * 64, 7, parsed, None, None)])
    assert models.PolicyVersion.objects.get().pk == 41
    trust.adopt(text)
    trust.adopt(text + "# changed\n")
    assert list(models.PolicyVersion.objects.order_by("pk").values_list("pk", flat=True)) == [41, 42]
