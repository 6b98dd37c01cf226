"""`python -m ledger.verify log`, `consistency` and `proof`: what an honest log passes, and every lie named."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from ledger import keyring
from ledger import statement as statements
from ledger.statement import Header
from ledger.tlog import cosignature, merkle, note, proof, tile
from ledger.tlog.tile import ENTRIES, TileName
from ledger.tlog.tlog_proof import TlogProof
from ledger.verify import main

from . import lying_log
from .lying_log import LOG, LOG_SEED, OPERATOR, ORIGIN, PARTY_KEY, ROOT_KEY, STRANGER_KEY, LyingLog, event

VKEY = str(LOG)
WITNESS_SEED = b"\7" * 32


def written(log: LyingLog, folder: Path) -> Path:
    """A mirror of the log as it lies, in C2SP layout."""
    folder.mkdir(exist_ok=True)
    (folder / "checkpoint").write_bytes(log.checkpoint())
    tiles = tile.extend(0, {}, log.leaves)
    names = list(tile.tiles_of(log.size))
    for name in [*names, *(TileName(ENTRIES, each.number, each.width) for each in names if each.level == 0)]:
        path = folder / "tile" / tile.format_path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        honest = tiles.get((name.level, name.number), b"")[: name.width * 32]
        path.write_bytes(log.served.get(name) or honest or log.tile(name))
    return folder


@pytest.fixture
def run(capsys):
    """The command in this process: exit status and what it printed as JSON."""

    def call(*words, trust=("--vkey", VKEY)):
        jobs = ["--jobs", "1"] if words[0] == "log" else []
        status = main([*map(str, words), *trust, *jobs, "--json"])
        return status, json.loads(capsys.readouterr().out or "null")

    return call


@pytest.mark.parametrize("size", [2, 256, 257, 5000])
def test_an_honest_log_checks_out(run, tmp_path, size):
    log = LyingLog(size)
    status, found = run("log", written(log, tmp_path / "log"))
    assert status == 0
    assert (found["size"], found["origin"], found["operator"]) == (size, ORIGIN, OPERATOR)
    assert found["kinds"] == {"genesis": 1, "key-registered": 1} | ({"event": size - 2} if size > 2 else {})
    assert (found["void"], found["final"]) == ({}, False)


def test_in_processes_and_in_words(tmp_path):
    folder = written(LyingLog(5000), tmp_path / "log")
    command = [sys.executable, "-m", "ledger.verify", "log", str(folder), "--vkey", VKEY, "--jobs", "2"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "5000 entries in" in done.stdout
    assert "Not checked: whether what was recorded is true" in done.stdout


def bad_entry(entry):
    def lie(log):
        log.all.append(entry)
        log.grow(700)

    return lie


def swap_in_bundle(log):
    row = list(log.all[256:512])
    row[7], row[8] = row[8], row[7]
    log.served[TileName(ENTRIES, 1, 256)] = tile.pack_bundle(row)


def flip(name):
    def lie(log):
        data = bytearray(log.tile(name))
        data[33] ^= 1
        log.served[name] = bytes(data)

    return lie


def sign_another(**changes):
    def lie(log):
        log.note = log.signed(**changes)

    return lie


LIES = {
    "an entry that is not in the tree": (swap_in_bundle, "bad-bundle"),
    "a bundle that is cut short": (
        lambda log: log.served.update({TileName(ENTRIES, 2, 88): tile.pack_bundle(log.all[512:599])}),
        "bad-bundle",
    ),
    "a tile that its parent does not name": (flip(TileName(0, 1, 256)), "bad-tile"),
    "a tile at the edge": (flip(TileName(0, 2, 88)), "bad-tile"),
    "a parent": (flip(TileName(1, 0, 2)), "bad-tile"),
    "another root": (sign_another(root=merkle.leaf_hash(b"x")), "bad-tile"),
    "the log key used for another origin": (sign_another(origin="log.example/two"), "bad-checkpoint"),
    "a stranger's checkpoint": (sign_another(seed=b"\6" * 32), "bad-checkpoint"),
    "no statement": (bad_entry(b"no statement"), "bad-entry"),
    "an unregistered key": (bad_entry(event(1, key=STRANGER_KEY)), "bad-entry"),
    "another party's key": (bad_entry(event(1, iss="urn:dosetrail:party:other")), "bad-entry"),
    "a false signature": (bad_entry(event(1)[:-1] + bytes([event(1)[-1] ^ 1])), "bad-entry"),
    "a key registered by nobody in charge": (
        bad_entry(
            statements.sign(
                Header("key-registered", OPERATOR, STRANGER_KEY.kid, 0),
                keyring.registration(public=STRANGER_KEY.public, party="x"),
                key=STRANGER_KEY,
            )
        ),
        "bad-entry",
    ),
}


@pytest.mark.parametrize("name", sorted(LIES))
def test_a_lie_is_refused_and_named(run, tmp_path, name):
    lie, kind = LIES[name]
    log = LyingLog(600)
    assert run("log", written(log, tmp_path / "honest"))[0] == 0  # the negative control
    lie(log)
    status, found = run("log", written(log, tmp_path / "lying"))
    assert status == 1
    findings = found.get("findings") or [found["finding"]]
    assert {one["kind"] for one in findings} == {kind}


def test_the_genesis_of_another_log_is_refused(run, tmp_path):
    content = keyring.genesis(origin="log.example/two", operator_name="x", root=ROOT_KEY.public, registrars=[])
    entry = statements.sign(Header("genesis", OPERATOR, ROOT_KEY.kid, 0), content, key=ROOT_KEY)
    status, found = run("log", written(LyingLog(entries=[entry]), tmp_path / "log"))
    assert (status, found["findings"][0]["index"]) == (1, 0)


def test_while_the_log_key_is_replaced_both_keys_sign_and_no_other(run, tmp_path):
    log = LyingLog(10)
    seed = b"\x09" * 32
    newer = note.Verifier(ORIGIN, bytes(note.SigningKey(seed).verify_key))
    content = keyring.log_key(origin=ORIGIN, public=newer.public, replaces=LOG.public, overlap=True)
    log.all.append(statements.sign(Header("log-key", OPERATOR, ROOT_KEY.kid, 0), content, key=ROOT_KEY))
    log.grow(12)
    status, found = run("log", written(log, tmp_path / "one-line"))
    assert (status, found["finding"]["kind"]) == (1, "bad-checkpoint")
    assert "lacks the line of" in found["error"]
    log.note = log.signed() + log.signed(seed=seed).split("\n\n")[1]
    folder = written(log, tmp_path / "two-lines")
    assert run("log", folder)[0] == 0
    assert run("log", folder, trust=("--vkey", str(newer)))[0] == 0


def test_what_was_kept_before_is_compared(run, tmp_path):
    log = LyingLog(300)
    kept = tmp_path / "kept"
    kept.write_text(log.signed())
    log.grow(600)
    assert run("log", written(log, tmp_path / "log"), "--kept", kept)[0] == 0

    def kind(name):
        status, found = run("log", written(log, tmp_path / name), "--kept", kept)
        assert status == 1
        return found["finding"]["kind"]

    log.size = 299
    assert kind("replayed") == "rollback"
    log.all = [*log.all[:299], *(event(10_000 + number) for number in range(60))]
    log.size = 300
    assert kind("split") == "split-view"
    log.size = 359
    assert kind("fork") == "fork"


def test_a_statement_that_was_promised_and_never_sequenced(run, tmp_path):
    log = LyingLog(10)
    promised = tmp_path / "receipt"

    def receipt(*entries):
        hashes = [statements.statement_hash(entry) for entry in entries]
        root = merkle.root_of(map(bytes.fromhex, hashes))
        words = ["dosetrail.submission-receipt/1", ORIGIN, 5, 60, len(hashes), note.b64encode(root).decode()]
        signed = note.sign("".join(f"{word}\n" for word in words), name=ORIGIN, seed=LOG_SEED)
        value = dict(zip(["format", "origin", "time", "mmdSeconds"], words[:4], strict=True))
        promised.write_text(json.dumps({**value, "statements": hashes, "note": signed}))

    folder = written(log, tmp_path / "log")
    receipt(log.all[3], log.all[9])
    assert run("log", folder, "--receipt", promised)[0] == 0
    receipt(log.all[3], event(77_777))
    status, found = run("log", folder, "--receipt", promised)
    assert (status, found["missing"]) == (1, [statements.statement_hash(event(77_777))])
    promised.write_text(promised.read_text().replace(ORIGIN, "log.example/two"))
    assert run("log", folder, "--receipt", promised)[0] == 1


def test_statements_of_a_revoked_key_are_counted_and_no_lie(run, tmp_path):
    """They are in the log for good; an honest log with a key that was stolen is an honest log."""
    log = LyingLog(10)
    content = keyring.revocation(kid=PARTY_KEY.kid, bad_since_ms=2_000_000)
    log.all.append(statements.sign(Header("key-revoked", OPERATOR, ROOT_KEY.kid, 0), content, key=ROOT_KEY))
    log.all += [
        statements.sign(Header("event", lying_log.PARTY, PARTY_KEY.kid, 0), bytes(32), key=PARTY_KEY),
    ]
    late = statements.sign(Header("event", lying_log.PARTY, PARTY_KEY.kid, 2000), bytes(32), key=PARTY_KEY)
    log.all.insert(5, late)  # before the revocation, of a time that it reaches back to
    log.size = len(log.all)
    status, found = run("log", written(log, tmp_path / "log"))
    assert status == 0
    assert found["void"][PARTY_KEY.kid.hex()] >= 1


def test_a_partial_tile_that_is_gone_is_cut_from_the_full_one(run, tmp_path):
    log = LyingLog(600)
    folder = written(LyingLog(1024), tmp_path / "log")
    for name in tile.tiles_of(600):
        path = folder / "tile" / tile.format_path(name)
        if name.level > 0:
            path.parent.mkdir(exist_ok=True, parents=True)
            path.write_bytes(log.tile(name))
    (folder / "checkpoint").write_bytes(log.checkpoint())
    assert run("log", folder)[0] == 0


def test_a_mirror_without_a_file_is_unreadable_and_a_silent_log_unreachable(run, tmp_path):
    folder = written(LyingLog(600), tmp_path / "log")
    (folder / "tile/entries/001").unlink()
    assert run("log", folder) == (2, None)
    assert run("log", "http://127.0.0.1:9/log") == (3, None)
    assert run("log", tmp_path / "absent")[0] == 2


POLICY = f"log {VKEY}\nwitness w {{}}\nquorum w\n"


def test_a_policy_asks_for_its_quorum(run, tmp_path):
    log = LyingLog(10)
    public = bytes(note.SigningKey(WITNESS_SEED).verify_key)
    path = tmp_path / "policy"
    path.write_text(POLICY.format(cosignature.Cosigner("w.example", public)))
    trust = ("--policy", str(path))
    status, found = run("log", written(log, tmp_path / "log"), trust=trust)
    assert (status, found["final"]) == (1, False)
    log.note = log.signed()
    text = note.parse(log.note.encode()).text
    log.note += cosignature.sign(text, name="w.example", seed=WITNESS_SEED, time_s=1_700_000_000)
    status, found = run("log", written(log, tmp_path / "log"), trust=trust)
    assert (status, found["final"], found["cosigned"]) == (0, True, {"w": 1_700_000_000})


@pytest.fixture
def two(tmp_path):
    """Two checkpoints of one log, and the log."""
    log = LyingLog(300)
    old, new = tmp_path / "old", tmp_path / "new"
    old.write_text(log.signed())
    log.grow(700)
    new.write_text(log.signed())
    return log, old, new


def reader(log):
    tiles = tile.extend(0, {}, log.leaves)
    return lambda node: tile.read_node(node, tiles)


def test_two_checkpoints_by_tiles_and_by_proof(run, two, tmp_path):
    log, old, new = two
    folder = written(log, tmp_path / "log")
    assert run("consistency", old, new, "--tiles", folder) == (0, {"ok": True, "old": 300, "new": 700})
    lines = tmp_path / "proof"
    path = proof.carry_out(proof.plan_consistency(300, 700), reader(log))
    lines.write_text("".join(f"{note.b64encode(value).decode()}\n" for value in path))
    assert run("consistency", old, new, "--proof", lines)[0] == 0
    lines.write_text("".join(lines.read_text().splitlines(keepends=True)[:-1]))
    assert run("consistency", old, new, "--proof", lines)[0] == 1
    assert run("consistency", new, old, "--tiles", folder)[1]["finding"]["kind"] == "rollback"
    log.size = 300
    new.write_text(log.signed(root=merkle.leaf_hash(b"x")))
    assert run("consistency", old, new, "--tiles", folder)[1]["finding"]["kind"] == "split-view"
    fork = LyingLog(entries=[*log.all[:299], *(event(10_000 + number) for number in range(401))])
    new.write_text(fork.signed())
    status, found = run("consistency", old, new, "--tiles", written(fork, tmp_path / "fork"))
    assert (status, found["finding"]["kind"]) == (1, "fork")


def test_an_entrys_proof_in_one_file(run, two, tmp_path):
    log, _, new = two
    path = proof.carry_out(proof.plan_inclusion(555, 700), reader(log))
    file, entry = tmp_path / "proof", tmp_path / "entry"
    file.write_bytes(TlogProof(555, path, new.read_bytes()).text())
    entry.write_bytes(log.all[555])
    status, found = run("proof", file, "--entry", entry)
    assert (status, found["index"], found["size"]) == (0, 555, 700)
    entry.write_bytes(log.all[554])
    assert run("proof", file, "--entry", entry)[0] == 1


@pytest.mark.parametrize(
    "words",
    [
        [], ["log"], ["log", "x"], ["log", "x", "--vkey", "nonsense"], ["log", "x", "--policy", "/absent"],
        ["log", "x", "--vkey", VKEY, "--policy", "y"], ["consistency", "a", "b", "--vkey", VKEY],
        ["log", "x", "--vkey", VKEY, "--jobs", "0"], ["proof", "x", "--vkey", VKEY], ["x", "y", "--vkey", VKEY],
    ],
)  # fmt: skip
def test_a_wrong_call_says_so(words, capsys):
    try:
        status = main(words)
    except SystemExit as error:
        status = error.code
    assert status == 2
    assert capsys.readouterr().err


def test_the_server_of_a_page_needs_no_network_of_the_tool():
    """`ledger.verify` is imported by web processes too: what opens sockets is loaded when a log is read."""
    script = "import sys, ledger.verify\nassert 'ledger.http' not in sys.modules and 'django' not in sys.modules"
    subprocess.run([sys.executable, "-c", script], check=True)


def test_an_empty_log_is_one(run, tmp_path):
    folder = tmp_path / "log"
    folder.mkdir()
    (folder / "checkpoint").write_text(LyingLog(5).signed(size=0))
    status, found = run("log", folder)
    assert (status, found["size"], found["kinds"]) == (0, 0, {})
