"""A bundle out of the real log, checked by the auditor's tool; and every lie a server could put into one."""

import base64
import copy
import json
import subprocess
import sys

import pytest

from ledger import api, verify
from ledger.verify import BundleError

PARTY = "urn:dosetrail:party:acme"
OTHER = "urn:dosetrail:party:other"
SECRET = b"s" * 32
HOUR = 3600
EVENT = {
    "@context": ["https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"],
    "type": "ObjectEvent",
    "eventID": "urn:uuid:2c6d1d0e-0000-4000-8000-000000000001",
    "eventTime": "2026-03-01T18:30:00.000Z",
    "eventTimeZoneOffset": "+08:00",
    "epcList": ["https://id.gs1.org/01/09504000059118/21/1", "https://id.gs1.org/01/09504000059118/21/2"],
    "action": "ADD",
    "bizStep": "commissioning",
    "ilmd": {"cbvmda:lotNumber": "L1"},
}
NEEDED = {"#members", "#party", "#day", "type", "action", "bizStep"}


class Log:
    """A small log with two parties and one event of each."""

    def __init__(self):
        api.initialise(operator_name="Test operator")
        self.key, self.other_key = api.generate_key(), api.generate_key()
        api.register_key(public=self.key.public, party_uri=PARTY)
        api.register_key(public=self.other_key.public, party_uri=OTHER)
        self.name = self.submit(self.key, PARTY)
        api.sequence_once()
        self.vkey = api.vkey()

    def submit(self, key, party, *, claimed=None, iat=HOUR):
        root = api.commit_claims(EVENT, secret=SECRET, party=claimed or party).root
        return api.submit([api.sign_statement(key=key, iss=party, kind="event", payload=root, iat=iat)])[0]

    def bundle(self, name=None, names=lambda claim: True):
        return api.evidence([(name or self.name, EVENT, SECRET, names)])


@pytest.fixture
def log(db):
    return Log()


def refused(bundle, vkey, why):
    with pytest.raises(BundleError, match=why):
        verify.check(bundle, vkey)


def test_a_bundle_proves_its_claims(log):
    checked = verify.check(verify.load(json.dumps(log.bundle()).encode()), log.vkey)
    [entry] = checked.entries
    assert (entry.index, entry.kind, entry.iss, entry.iat) == (3, "event", PARTY, HOUR)
    assert entry.claims["#day"] == "2026-03-02"
    assert sorted(entry.claims["epcList"]) == EVENT["epcList"]
    assert checked.checkpoint.size == 4


def test_only_some_claims_are_shown(log):
    bundle = log.bundle(names=lambda claim: claim in NEEDED)
    [entry] = verify.check(bundle, log.vkey).entries
    assert set(entry.claims) == NEEDED
    assert "/21/1" not in json.dumps(bundle)


@pytest.mark.parametrize("left_out", sorted(NEEDED))
def test_what_changes_the_meaning_cannot_be_left_out(log, left_out):
    names = NEEDED - {left_out}
    refused(log.bundle(names=lambda claim: claim in names), log.vkey, "entry 3")


def test_the_time_stands_in_for_the_day(log):
    names = NEEDED - {"#day"} | {"eventTime", "eventTimeZoneOffset"}
    verify.check(log.bundle(names=lambda claim: claim in names), log.vkey)
    names -= {"eventTimeZoneOffset"}
    refused(log.bundle(names=lambda claim: claim in names), log.vkey, "neither time nor day")


def _swap_text(bundle, place, old, new):
    item = bundle["entries"][0]["claims"][place]
    item["claim"] = item["claim"].replace(old, new)


def _place(bundle, name):
    return next(i for i, item in enumerate(bundle["entries"][0]["claims"]) if json.loads(item["claim"])[1] == name)


def lies():
    def claim(change):
        return lambda bundle: change(bundle["entries"][0]["claims"])

    return {
        "another value": lambda b: _swap_text(b, _place(b, "bizStep"), "commissioning", "dispensing"),
        "spaces in a claim": lambda b: _swap_text(b, _place(b, "bizStep"), ",", ", "),
        "claim twice": claim(lambda c: c.append(c[0])),
        "claim at another place": claim(lambda c: c[0].update(index=c[0]["index"] ^ 1)),
        "a longer path": claim(lambda c: c[0]["path"].append(c[0]["path"][0])),
        "a shorter path": claim(lambda c: c[0]["path"].pop()),
        "endless path": claim(lambda c: c[0].update(path=c[0]["path"] * 20)),
        "no claims": lambda b: b["entries"][0].pop("claims"),
        "a boolean index": claim(lambda c: c[0].update(index=True)),
        "another index": lambda b: b["entries"][0].update(index=2),
        "no entries": lambda b: b["entries"].clear(),
        "an entry twice": lambda b: b["entries"].append(b["entries"][0]),
        "inclusion cut": lambda b: b["entries"][0]["inclusion"].pop(),
        "inclusion flipped": lambda b: b["entries"][0]["inclusion"].reverse(),
        "url-safe base64": lambda b: b["entries"][0].update(
            statement=b["entries"][0]["statement"].replace("+", "-").replace("/", "_") + "="
        ),
        "no genesis": lambda b: b["keys"].pop(0),
        "no registration": lambda b: b["keys"].pop(1),
        "keys out of order": lambda b: b["keys"].reverse(),
        "a key entry twice": lambda b: b["keys"].append(b["keys"][1]),
        "a private entry among the keys": lambda b: b["keys"].append(b["entries"][0]),
        "another origin": lambda b: b.update(origin="evil.example/log"),
        "another format": lambda b: b.update(format="dosetrail.evidence/2"),
        "checkpoint cut": lambda b: b.update(checkpoint=b["checkpoint"][:-2]),
        "checkpoint of another size": lambda b: b.update(checkpoint=b["checkpoint"].replace("\n4\n", "\n5\n")),
        "no checkpoint": lambda b: b.pop("checkpoint"),
        "keys no list": lambda b: b.update(keys={}),
        "entry no object": lambda b: b.update(entries=[1]),
        "claim no text": claim(lambda c: c[0].update(claim=5)),
        "path no list": claim(lambda c: c[0].update(path="x")),
    }


@pytest.mark.parametrize("name", sorted(lies()))
def test_a_lie_is_refused(log, name):
    bundle = log.bundle()
    verify.check(copy.deepcopy(bundle), log.vkey)  # the negative control: it was fine before
    lies()[name](bundle)
    with pytest.raises(BundleError):
        verify.check(bundle, log.vkey)


def test_every_byte_of_the_statement_counts(log):
    bundle = log.bundle()
    raw = bytearray(base64.b64decode(bundle["entries"][0]["statement"]))
    for position in range(0, len(raw), 7):
        raw[position] ^= 1
        bundle["entries"][0]["statement"] = base64.b64encode(raw).decode()
        with pytest.raises(BundleError):
            verify.check(bundle, log.vkey)
        raw[position] ^= 1


def test_the_key_of_another_log_does_not_do(log):
    other = "dosetrail.example/log+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
    with pytest.raises(BundleError):
        verify.check(log.bundle(), other)


def test_a_party_cannot_speak_for_another(log):
    """`#party` is committed: the same claims tree under another signer proves nothing."""
    copied = log.submit(log.other_key, OTHER, claimed=PARTY)
    api.sequence_once()
    bundle = log.bundle()
    root = api.commit_claims(EVENT, secret=SECRET, party=PARTY)
    stolen = api.evidence([(copied, EVENT, SECRET, lambda claim: True)])
    stolen["entries"][0]["claims"] = bundle["entries"][0]["claims"]
    assert root.root  # the copied statement holds this very root
    refused(stolen, log.vkey, "#party is not the signer")


def test_a_key_must_belong_to_the_issuer(log):
    stolen = log.submit(log.other_key, PARTY)
    api.sequence_once()
    refused(log.bundle(stolen), log.vkey, "belongs to")


def test_an_unregistered_key_counts_for_nothing(log):
    name = log.submit(api.generate_key(), PARTY)
    api.sequence_once()
    refused(log.bundle(name), log.vkey, "no registrar")


def test_a_revoked_key_counts_for_nothing_since(log):
    api.revoke_key(kid=log.key.kid.hex(), bad_since_ms=2 * HOUR * 1000)
    late = log.submit(log.key, PARTY, iat=0)
    api.sequence_once()
    verify.check(log.bundle(), log.vkey)  # signed before the key went bad, logged before the revocation
    refused(log.bundle(late), log.vkey, "revoked")


def test_a_revocation_reaches_back_to_when_the_key_went_bad(log):
    api.revoke_key(kid=log.key.kid, bad_since_ms=HOUR * 1000)
    api.sequence_once()
    refused(log.bundle(), log.vkey, "revoked")


def test_what_is_not_published_has_no_evidence(log):
    waiting = log.submit(log.key, PARTY, iat=2 * HOUR)
    with pytest.raises(api.NotPublishedError):
        log.bundle(waiting)


@pytest.mark.parametrize("data", [b"", b"{", b"\xff", b'{"a":1,"a":2}', b"[" * 100_000])
def test_a_bundle_is_strict_json(data):
    with pytest.raises(BundleError):
        verify.load(data)


def test_the_command_needs_no_django_no_database_and_no_network(log, tmp_path):
    file = tmp_path / "bundle.json"
    file.write_text(json.dumps(log.bundle()))

    def run(*arguments):
        script = (
            "import sys, socket\n"
            "sys.modules['django'] = None\n"  # importing it fails
            "socket.socket = None\n"
            "from ledger.verify import main\n"
            "sys.exit(main(sys.argv[1:]))"
        )
        command = [sys.executable, "-c", script, *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    good = run(str(file), "--vkey", log.vkey)
    assert (good.returncode, good.stderr) == (0, "")
    assert "signed by urn:dosetrail:party:acme" in good.stdout
    assert "whether what was recorded is true" in good.stdout
    as_json = json.loads(run(str(file), "--vkey", log.vkey, "--json").stdout)
    assert as_json["ok"] is True
    assert as_json["entries"][0]["claims"]["bizStep"] == "commissioning"
    file.write_text(file.read_text().replace("commissioning", "destroying"))
    bad = run(str(file), "--vkey", log.vkey)
    assert bad.returncode == 1
    assert bad.stdout.startswith("NO: ")
    assert json.loads(run(str(file), "--vkey", log.vkey, "--json").stdout)["ok"] is False
    assert run(str(tmp_path / "absent"), "--vkey", log.vkey).returncode == 2
    assert run(str(file), "--vkey", "nonsense").returncode == 2
    assert run(str(file)).returncode == 2
