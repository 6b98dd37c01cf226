"""The log and its witnesses: rounds, a quorum, and every way in which a witness can be of no use."""

import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from ledger import api, cosigning, http, models, monitor, reads, reports, statement, trust
from ledger.db_replica import DbWitnessStore
from ledger.follower import Finding, UnreachableError
from ledger.tlog import checkpoint, cosignature, merkle, note, policy
from ledger.tlog.errors import NoteError
from ledger.witness import NOTHING, Cosigned, Witness, WitnessError, WitnessSigner

PARTY = "urn:dosetrail:party:acme"
NAMES = ("regulator", "distributor", "hospital")
SIGNERS = {name: WitnessSigner(f"{name}.example/w", bytes([n + 10]) * 32) for n, name in enumerate(NAMES)}
NOW = 1_750_000_000


class MemoryWitnessStore:
    """WitnessStore."""

    def __init__(self):
        self.states = {}

    def cosigned(self, origin):
        return self.states.get(origin, NOTHING)

    def advance(self, origin, old, new):
        self.states[origin] = new
        return True

    def conflict(self, origin, kept, seen):
        raise AssertionError("no conflict here")


class Neighbours:
    """The witnesses of a policy, reached without a network; a test may put another answer in a witness' place."""

    def __init__(self):
        log = note.parse_vkey(api.vkey())
        self.stores = {name: MemoryWitnessStore() for name in NAMES}
        self.witnesses = {
            name: Witness(self.stores[name], {log.name: [log]}, signer=signer, now_s=lambda: NOW)
            for name, signer in SIGNERS.items()
        }
        self.instead = {}  # name -> callable(body) -> (status, body)
        self.asked = []

    def request(self, url, *, limit, body=None, headers=None, timeout_s=0):
        name = url.removeprefix("http://").removesuffix("/add-checkpoint")
        self.asked.append((name, body.split(b"\n", 1)[0]))
        if name in self.instead:
            return self.instead[name](body)
        try:
            return 200, self.witnesses[name].add_checkpoint(body).encode()
        except WitnessError as error:
            return error.status, f"{error}\n".encode() if error.size is None else f"{error.size}\n".encode()


@pytest.fixture
def log(db, settings, tmp_path):
    settings.LOG_HIGH_WATER_FILE = tmp_path / "mark"
    settings.LOG_POLICY_FILE = tmp_path / "policy"
    api.initialise(operator_name="Test operator")
    api.sequence_once()
    lines = [f"log {api.vkey()}"]
    lines += [f"witness {name} {signer.cosigner} http://{name}" for name, signer in SIGNERS.items()]
    lines += ["group others any distributor hospital", "group q all regulator others", "quorum q"]
    settings.LOG_POLICY_FILE.write_text("\n".join(lines) + "\n")
    return settings.LOG_POLICY_FILE


@pytest.fixture
def near(log, monkeypatch):
    neighbours = Neighbours()
    monkeypatch.setattr(http, "request", neighbours.request)
    monkeypatch.setattr(cosigning, "ROUND_SECONDS", 0.5)
    return neighbours


@pytest.fixture
def collector(near):
    with ThreadPoolExecutor(len(NAMES)) as pool:
        yield cosigning.Collector(trust.current(), pool)


def grow(count=1):
    key = api.generate_key()
    start = api.published_size()
    items = [
        api.sign_statement(key=key, iss=PARTY, kind="event", payload=(start + n).to_bytes(32, "big"), iat=0)
        for n in range(count)
    ]
    api.submit(items)
    api.sequence_once()
    return api.published_size()


def until(collector, told):
    """Rounds until something is told, for ten seconds at most."""
    deadline = time.monotonic() + 10
    collector.round()
    while not told() and time.monotonic() < deadline:
        time.sleep(0.01)
        collector.round()


def errors():
    return dict(models.WitnessContact.objects.exclude(error="").values_list("witness", "error"))


def test_a_quorum_makes_a_checkpoint_final(collector):
    size = grow(3)
    assert api.final_size() == 0
    collector.round()
    assert api.final_size() == size
    checked = trust.current().check(api.cosigned_note(api.latest_checkpoint()).encode())
    assert (checked.final, checked.checkpoint.size) == (True, size)
    assert {one.name for one in api.witnesses() if one.size == size} >= {"regulator"}


def test_a_growing_log_is_cosigned_from_where_each_witness_stands(collector, near):
    for _ in range(3):
        collector.round()
        size = grow(2)
    collector.round()
    collector._take_answers()
    assert api.final_size() == size
    assert [old for name, old in near.asked if name == "regulator"] == [b"old 0", b"old 1", b"old 3", b"old 5"]


def test_nothing_is_asked_while_nothing_is_new(collector, near):
    collector.round()
    before = len(near.asked)
    collector.round()
    assert len(near.asked) == before


def test_without_the_compulsory_witness_nothing_is_final(collector, near):
    near.instead["regulator"] = lambda body: (500, b"broken")
    grow()
    collector.round()
    assert api.final_size() == 0
    assert errors() == {"regulator": "it answers 500: broken"}
    del near.instead["regulator"]
    size = grow()
    collector.round()
    assert api.final_size() == size


def test_a_slow_witness_keeps_nobody_waiting(collector, near):
    go = threading.Event()

    def slow(body):
        go.wait(10)
        return 200, near.witnesses["hospital"].add_checkpoint(body).encode()

    near.instead["hospital"] = slow
    first = grow()
    collector.round()
    assert api.final_size() == first
    second = grow()
    collector.round()
    assert api.final_size() == second
    assert [name for name, _ in near.asked].count("hospital") == 1  # not asked again while it thinks
    go.set()


def test_a_witness_that_was_set_back_is_asked_from_the_size_that_it_names(collector, near):
    grow(3)
    collector.round()
    near.stores["regulator"].states.clear()  # the test's witness has no mark that would stop it
    size = grow(3)
    collector.round()
    assert api.final_size() == size
    assert [old for name, old in near.asked if name == "regulator"][-2:] == [b"old 4", b"old 0"]


@pytest.mark.parametrize("known", [b"0\n", b"1\n", b"999\n", b"nonsense\n", "２\n".encode()])
def test_a_witness_that_always_answers_409_is_asked_twice_a_round_and_no_more(collector, near, known):
    near.instead["regulator"] = lambda body: (409, known)
    grow()
    collector.round()
    collector._take_answers()
    assert [name for name, _ in near.asked].count("regulator") <= 2
    assert "regulator" in errors()
    assert api.final_size() == 0


def _forged(near, body):
    tree = checkpoint.parse(note.parse(body.partition(b"\n\n")[2]).text)
    stranger = cosignature.sign(tree.text(), name=SIGNERS["regulator"].name, seed=b"\7" * 32, time_s=NOW)
    own = note.format_line(note.Signature(SIGNERS["regulator"].name, SIGNERS["regulator"].cosigner.key_id, bytes(72)))
    return stranger, own


@pytest.mark.parametrize("which", [0, 1, 2])
def test_a_line_that_does_not_verify_is_not_kept(collector, near, which):
    near.instead["regulator"] = lambda body: (200, [*_forged(near, body), "what?\n"][which].encode())
    grow()
    collector.round()
    collector._take_answers()
    assert not models.Cosignature.objects.filter(witness="regulator").exists()
    assert api.final_size() == 0
    assert "regulator" in errors()


def test_without_that_check_the_log_would_serve_a_note_that_nobody_accepts(collector, near, monkeypatch):
    """Negative control: the answer unchecked, the log's own checkpoint no longer verifies under its policy."""
    near.instead["regulator"] = lambda body: (200, _forged(near, body)[1].encode())
    monkeypatch.setattr(
        "ledger.witness.parse_answer", lambda body, cosigner, tree: note.parse_line(body.decode().rstrip("\n"))
    )
    grow()
    collector.round()
    with pytest.raises(NoteError):
        trust.current().check(api.cosigned_note(api.latest_checkpoint()).encode())


def test_a_dead_witness_is_named(collector, near):
    def dead(body):
        raise UnreachableError("nobody is there")

    near.instead["hospital"] = dead
    size = grow()
    until(collector, errors)  # the others' quorum may end the round before this answer is taken
    assert (api.final_size(), errors()) == (size, {"hospital": "nobody is there"})


def test_evidence_is_under_a_final_checkpoint_while_that_is_recent(collector, settings):
    key = api.generate_key()
    api.register_key(public=key.public, party_uri=PARTY)
    api.sequence_once()
    document = {"type": "ObjectEvent", "eventID": "urn:x"}
    secret = bytes(32)
    root = api.commit_claims(document, secret=secret, party=PARTY).root
    data = api.sign_statement(key=key, iss=PARTY, kind="event", payload=root, iat=0)
    (name,) = api.submit([data])
    api.sequence_once()
    collector.round()
    final = api.final_size()
    grow()

    def size():
        bundle = api.evidence([(name, document, secret, lambda claim: True)])
        return trust.current().check(bundle["checkpoint"].encode())

    assert (size().checkpoint.size, size().final) == (final, True)
    settings.LOG_MMD_SECONDS = 0  # as when the witnesses have been silent for longer than that
    assert (size().checkpoint.size, size().final) == (final + 1, False)


def test_each_policy_is_said_on_the_log_once(log):
    for text in ("quorum none\n", "quorum none\n", "# another\nquorum none\n", "quorum none\n"):
        trust.adopt(f"log {api.vkey()}\n{text}")
    api.sequence_once()
    said = [statement.parse(entry.statement) for entry in api.published(0, 100)]
    assert [one.content["policy"].count("#") for one in said if one.kind == "policy"] == [0, 1, 0]


def test_the_collector_takes_up_a_policy_that_appears_and_stops(transactional_db, settings, tmp_path, monkeypatch):
    settings.LOG_HIGH_WATER_FILE = tmp_path / "mark"
    settings.LOG_POLICY_FILE = tmp_path / "policy"
    api.initialise(operator_name="Test operator")
    api.sequence_once()
    neighbours = Neighbours()
    monkeypatch.setattr(http, "request", neighbours.request)
    monkeypatch.setattr(cosigning, "_POLICY_POLL_SECONDS", 0.02)
    stop = threading.Event()
    thread = threading.Thread(target=api.run_collector, args=(stop,))
    thread.start()
    try:
        settings.LOG_POLICY_FILE.write_text("nonsense\n")
        vkey = SIGNERS["regulator"].cosigner
        settings.LOG_POLICY_FILE.write_text(f"log {api.vkey()}\nwitness r {vkey} http://regulator\nquorum r\n")
        for _ in range(500):
            if api.final_size():
                break
            stop.wait(0.02)
    finally:
        stop.set()
        thread.join(10)
    assert not thread.is_alive()
    assert api.final_size() == 1


@pytest.mark.django_db
class TestWitnessState:
    origin = "log.example/one"
    states = [Cosigned(size, bytes([size]) * 32, NOW + size, "note") for size in (5, 7)]

    def test_it_advances_by_compare_and_set(self):
        store = DbWitnessStore()
        assert store.cosigned(self.origin) == NOTHING
        assert store.advance(self.origin, NOTHING, self.states[0])
        assert not store.advance(self.origin, NOTHING, self.states[1])
        assert store.cosigned(self.origin) == self.states[0]
        assert store.advance(self.origin, self.states[0], self.states[1])
        assert not store.advance(self.origin, self.states[0], self.states[1])
        assert store.cosigned(self.origin) == self.states[1]


def finding(kind="stale", **evidence):
    return Finding(kind, "in words", evidence)


def signed_report(found, *, name="regulator", origin=None):
    origin = origin or note.parse_vkey(api.vkey()).name
    return monitor.sign(found, origin=origin, signer=SIGNERS[name], time_s=NOW).encode()


def test_a_report_is_kept_and_said_on_the_log(log, client):
    report = signed_report(finding(seen="a note"))
    assert reports.receive(report)
    assert not reports.receive(report)
    assert not reports.receive(signed_report(finding(seen="a note"), name="hospital"))  # the same evidence
    api.sequence_once()
    entries = [statement.parse(entry.statement) for entry in api.published(0, 100)]
    (content,) = [entry.content for entry in entries if entry.kind == "monitor-report"]
    assert (content["witness"], content["kind"], content["proven"]) == ("regulator", "stale", False)
    assert api.monitor_report(content["digest"]) == report.decode()


def test_evidence_that_convicts_is_told_from_a_word(log):
    grow(3)
    latest = api.latest_checkpoint()
    seed = reads.operator_keys.log_signer().key.seed
    origin = note.parse_vkey(api.vkey()).name
    other = checkpoint.sign(checkpoint.Checkpoint(origin, latest.size, merkle.leaf_hash(b"x")), seed=seed)
    keys = [note.parse_vkey(api.vkey())]
    assert monitor.proves(finding("split-view", kept=latest.note, seen=other), keys)
    for kept, seen in ((latest.note, latest.note), (latest.note, other.replace("\n4\n", "\n5\n")), ("", other)):
        assert not monitor.proves(finding("split-view", kept=kept, seen=seen), keys)
    assert not monitor.proves(finding("fork", kept=latest.note, seen=other), keys)
    assert not monitor.proves(finding("rollback", kept=latest.note, seen=other), keys)


@pytest.mark.urls("tests.contract.ledger.log_urls")
def test_reports_over_http(log, client):
    good = signed_report(finding(seen="a"))
    stranger = monitor.sign(
        finding(seen="a"), origin="x", signer=WitnessSigner("stranger.example", b"\7" * 32), time_s=NOW
    ).encode()
    elsewhere = signed_report(finding(seen="a"), origin="log.example/other")
    unknown = signed_report(finding("gossip", seen="a"))
    spoilt = good.replace(b"in words", b"in wards")

    def post(body):
        return client.post("/log/reports", body, content_type="text/plain").status_code

    assert [post(body) for body in (stranger, elsewhere, unknown, spoilt, b"", b"\xff")] == [403] * 6
    assert post(b"x" * (monitor.MAX_REPORT + 1)) == 413
    assert models.MonitorReport.objects.count() == 0
    assert [post(good), post(good)] == [201, 200]


def test_a_report_has_one_spelling(log):
    text = note.parse(signed_report(finding(seen="a"))).text
    signer = SIGNERS["regulator"]
    for bad in (
        text.replace("/1\n", "/2\n", 1),
        text.replace(str(NOW), f"0{NOW}"),
        text.replace('{"detail"', '{ "detail"'),
        text + "more\n",
        text.replace(json.dumps("in words"), "7"),
    ):
        with pytest.raises(NoteError):
            monitor.read(note.sign(bad, name=signer.name, seed=signer.seed).encode(), policy.parse(log.read_text()))


@pytest.mark.urls("tests.contract.ledger.log_urls")
def test_the_served_checkpoint_carries_the_witnesses_lines(collector, client):
    grow()
    collector.round()
    checked = trust.current().check(client.get("/log/checkpoint").content)
    assert checked.final


@pytest.mark.urls("tests.contract.ledger.log_urls")
def test_entries_are_for_members_where_they_are_not_public(log, client, settings):
    settings.LOG_ENTRIES_PUBLIC = False
    settings.LOG_ENTRIES_READER = f"{__name__}.may_read"
    path = "/log/tile/entries/000.p/1"
    assert client.get(path).status_code == 404
    answer = client.get(path, headers={"Authorization": "Bearer member"})
    assert (answer.status_code, answer["Cache-Control"]) == (200, "private, no-store")


def may_read(request):
    return request.headers.get("Authorization") == "Bearer member"
