"""A member's node: what it keeps, whom it tells, and when it refuses to go on."""

import json
import os
import time

import pytest
from django.core.management import CommandError, call_command

from ledger import fsck, http, member, models, monitor
from ledger.db_storage import DbReader
from ledger.follower import UnreachableError
from ledger.statement import statement_hash
from ledger.tlog import cosignature, merkle, note, policy
from ledger.witness import WitnessError, format_request

from .lying_log import LOG, LOG_SEED, ORIGIN, LyingLog, event

pytestmark = pytest.mark.django_db
NAME = "regulator.example/w"
URL = "http://log.example/log"


@pytest.fixture(autouse=True)
def folder(settings, tmp_path):
    settings.LOG_HIGH_WATER_FILE = tmp_path / "mark"
    settings.LOG_CLOCK = "ledger.clock.now_ms"
    return tmp_path


@pytest.fixture
def signer():
    return member.open_signer(NAME)


@pytest.fixture
def posts(monkeypatch):
    """What the node sends, and what it is answered."""

    class Posts(list):
        status = 201

        def request(self, url, *, limit, body=None, headers=None, timeout_s=0):
            if self.status is None:
                raise UnreachableError("nobody")
            self.append((url, body))
            return self.status, b""

    found = Posts()
    monkeypatch.setattr(http, "request", found.request)
    return found


@pytest.fixture
def house(signer, posts):
    return House(signer)


class House:
    """A node that follows a log in memory."""

    def __init__(self, signer, **options):
        text = f"log {LOG} {URL}\nwitness regulator {signer.cosigner}\nquorum regulator\n"
        self.policy = policy.parse(text)
        self.node = member.Node(self.policy, URL, signer, **options)
        self.log = self.node._remote = LyingLog(5)
        self.follower = self.node.follower()

    def step(self):
        return self.node.step(self.follower)

    def found(self):
        return list(models.MonitorFinding.objects.order_by("id").values_list("kind", flat=True))


def test_the_key_is_made_once_and_is_of_one_name(signer):
    assert member.open_signer(NAME) == signer
    with pytest.raises(member.LostStateError, match=NAME.replace(".", r"\.")):
        member.open_signer("another.example/w")


def test_a_witness_whose_database_is_lost_refuses_to_go_on(house):
    house.step()
    witness = house.node.witness(looking=False)
    witness.add_checkpoint(format_request(0, [], house.log.signed()))
    models.LogKey.objects.all().delete()
    with pytest.raises(member.LostStateError, match="forgotten"):
        member.open_signer(NAME)


def test_a_witness_whose_database_is_an_older_copy_refuses_to_go_on(house):
    witness = house.node.witness(looking=False)
    witness.add_checkpoint(format_request(0, [], house.log.signed()))
    models.WitnessedLog.objects.update(size=3)
    with pytest.raises(member.LostStateError, match="older copy"):
        member.open_signer(NAME)


def test_without_the_mark_it_would_cosign_a_fork(house, monkeypatch):
    """Negative control: the mark not looked at, the witness that forgot puts its name under a second history."""
    monkeypatch.setattr(member, "_check_mark", lambda path: None)
    witness = house.node.witness(looking=False)
    witness.add_checkpoint(format_request(0, [], house.log.signed()))
    models.WitnessedLog.objects.all().delete()
    member.open_signer(NAME)
    other = house.log.signed(root=merkle.leaf_hash(b"other"))
    assert NAME in house.node.witness(looking=False).add_checkpoint(format_request(0, [], other))


def test_the_seed_is_sealed_at_rest(signer):
    row = models.LogKey.objects.get()
    assert signer.seed not in bytes(row.sealed_seed)


def test_an_honest_log_gives_no_finding(house, posts):
    checked = house.step()
    assert (checked.checkpoint.size, house.found(), posts) == (5, [], [])


def test_a_lie_is_kept_signed_and_told_to_the_owner_before_the_log(signer, posts):
    house = House(signer, webhook="https://inspectorate.example/hook")
    house.step()
    house.log.note = house.log.signed(root=merkle.leaf_hash(b"other"))
    house.step()
    house.step()
    assert house.found() == ["split-view"]
    assert [url for url, _ in posts] == ["https://inspectorate.example/hook", f"{URL}/reports"]
    report = monitor.read(posts[0][1], house.policy)
    assert (report.witness, report.origin, report.finding.kind) == ("regulator", ORIGIN, "split-view")
    assert monitor.proves(report.finding, [LOG])
    assert models.MonitorFinding.objects.get().delivered_ms


@pytest.mark.parametrize("status", [None, 403, 500])
def test_a_report_that_nobody_took_is_sent_again(house, posts, status):
    house.step()
    house.log.note = house.log.signed(size=4)
    posts.status = status
    house.step()
    assert house.found() == ["rollback"]
    assert models.MonitorFinding.objects.get().delivered_ms is None
    posts.status = 200
    house.step()
    assert models.MonitorFinding.objects.get().delivered_ms


@pytest.fixture(autouse=True)
def no_pause(monkeypatch):
    monkeypatch.setattr(member, "ROLLBACK_PAUSE_SECONDS", 0.0)


def test_an_older_checkpoint_out_of_a_cache_is_no_rollback(house):
    house.step()
    answers = [house.log.signed(size=4), house.log.signed()]
    house.log.checkpoint = lambda: answers.pop(0).encode()
    assert house.step() is not None
    assert house.found() == []


def test_a_log_that_is_silent_for_long_is_reported_once(house, monkeypatch):
    house.step()
    house.log.down = True
    house.step()
    assert house.found() == []
    monkeypatch.setattr(member, "STALE_SECONDS", -1.0)
    house.step()
    house.step()
    assert house.found() == ["stale"]


def test_a_checkpoint_whose_witnesses_last_spoke_long_ago_is_stale(signer, posts):
    house = House(signer)
    other = member.WitnessSigner("hospital.example/w", b"\6" * 32)
    house.node.policy = policy.parse(
        f"log {LOG}\nwitness regulator {signer.cosigner}\nwitness hospital {other.cosigner}\nquorum hospital\n"
    )
    house.follower = house.node.follower()
    text = house.log.signed().partition("\n\n")[0] + "\n"

    def cosigned(age_s):
        line = cosignature.sign(text, name=other.name, seed=other.seed, time_s=int(time.time() - age_s))
        house.log.note = house.log.signed() + line
        house.step()
        return house.found()

    assert cosigned(10) == []
    assert cosigned(member.STALE_SECONDS + 60) == []  # the house may have been shut
    house.node._fresh -= member.STALE_SECONDS + 1
    assert cosigned(10) == []
    assert cosigned(member.STALE_SECONDS + 60) == []
    house.node._fresh -= member.STALE_SECONDS + 1
    assert cosigned(member.STALE_SECONDS + 60) == ["stale"]


def receipt(entries, *, time_ms, seed=LOG_SEED, mmd=60):
    hashes = [statement_hash(entry) for entry in entries]
    root = note.b64encode(merkle.root_of(bytes.fromhex(name) for name in hashes)).decode()
    form = "dosetrail.submission-receipt/1"
    text = f"{form}\n{ORIGIN}\n{time_ms}\n{mmd}\n{len(hashes)}\n{root}\n"
    signed = note.sign(text, name=ORIGIN, seed=seed)
    return {
        "format": form, "origin": ORIGIN, "time": time_ms, "mmdSeconds": mmd, "statements": hashes, "note": signed,
    }  # fmt: skip


def put(folder, name, content, *, age_s=0):
    path = folder / name
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    os.utime(path, (time.time() - age_s,) * 2)


def test_what_was_accepted_and_left_out_is_proved_by_its_receipt(signer, posts, folder):
    house = House(signer, inbox=folder)
    then = int((time.time() - 100) * 1000)
    put(folder, "kept.json", receipt(house.log.all[2:4], time_ms=then), age_s=100)
    put(folder, "lost.json", receipt([house.log.all[3], event(9999)], time_ms=then), age_s=100)
    put(folder, "young.json", receipt([event(8888)], time_ms=int(time.time() * 1000)))
    put(folder, "forged.json", receipt([event(7777)], time_ms=then, seed=b"\6" * 32), age_s=100)
    put(folder, "changed.json", receipt([event(7777)], time_ms=then) | {"mmdSeconds": 1}, age_s=100)
    put(folder, "nonsense.json", "[")
    house.step()
    house.step()
    (found,) = models.MonitorFinding.objects.all()
    assert (found.kind, found.evidence["missing"]) == ("omission", [statement_hash(event(9999))])
    assert sorted(path.name for path in (folder / "published").iterdir()) == ["kept.json"]
    assert sorted(path.name for path in (folder / "refused").iterdir()) == [
        "changed.json", "forged.json", "nonsense.json",
    ]  # fmt: skip
    assert sorted(path.name for path in folder.glob("*.json")) == ["lost.json", "young.json"]


def test_a_follower_cosigns_what_it_has_looked_at_and_nothing_else(house, monkeypatch):
    monkeypatch.setattr(member, "LOOK_SECONDS", 0.05)
    witness = house.node.witness(looking=True)
    ask = format_request(0, [], house.log.signed())
    with pytest.raises(WitnessError) as error:
        witness.add_checkpoint(ask)
    assert error.value.status == 503
    assert house.node.wake.is_set()
    house.step()
    assert NAME in witness.add_checkpoint(ask)


def test_a_follower_does_not_cosign_another_tree_than_its_copy(house):
    house.step()
    witness = house.node.witness(looking=True)
    other = house.log.signed(root=merkle.leaf_hash(b"other"))
    with pytest.raises(WitnessError) as error:
        witness.add_checkpoint(format_request(0, [], other))
    assert error.value.status == 422
    assert not models.WitnessedLog.objects.exists()


def test_two_roots_of_one_size_that_reach_the_witness_become_a_report(house):
    witness = house.node.witness(looking=False)
    witness.add_checkpoint(format_request(0, [], house.log.signed()))
    with pytest.raises(WitnessError):
        witness.add_checkpoint(format_request(5, [], house.log.signed(root=merkle.leaf_hash(b"other"))))
    assert house.found() == ["split-view"]


def test_the_check_of_a_copy_looks_at_every_signature(house, tmp_path, monkeypatch, capsys):
    """fsck alone is content: it recomputes hashes, and looks at the signatures of key entries only."""
    monkeypatch.setattr(os, "cpu_count", lambda: 1)
    file = tmp_path / "policy"
    file.write_text(f"log {LOG}\nquorum none\n")
    words = ["follow", "--log", URL, "--policy", str(file), "--check"]
    house.step()
    call_command(*words)
    house.log.all.append(event(1)[:-1] + bytes([event(1)[-1] ^ 1]))
    house.log.grow(9)
    house.step()
    assert fsck.check(DbReader(), LOG) == []
    with pytest.raises(CommandError):
        call_command(*words)
    assert "entry 5 is in the log and no registered key stands behind it" in capsys.readouterr().out
