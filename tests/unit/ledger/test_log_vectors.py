"""The vectors of the log's formats (tests/vectors/log) under the Python code."""

import json
from base64 import b64decode
from hashlib import sha256

import pytest

from ledger import claims, monitor, receipts
from ledger import statement as statements
from ledger.receipts import ReceiptError
from ledger.statement import StatementError
from ledger.tlog import checkpoint, merkle, note, policy, proof, tile, tlog_proof
from ledger.tlog.errors import NoteError, TlogError
from ledger.tlog.tile import ENTRIES, TileName
from tests.vectors.log import generate

NOTES, TREE, STATEMENTS, CLAIMS, RECEIPTS, REPORTS = map(generate.load, generate.FILES)


def cases(vectors, key="cases"):
    return pytest.mark.parametrize("case", vectors[key], ids=lambda case: str(case.get("name") or case.get("size", "")))


@pytest.mark.parametrize("name", generate.FILES)
def test_the_files_are_what_the_program_makes(name):
    assert json.loads(json.dumps(generate.FILES[name]())) == generate.load(name)


@cases(NOTES)
def test_notes(case):
    def read():
        return checkpoint.verify(case["note"].encode(), note.parse_vkey(NOTES["vkey"]))

    if case["accept"]:
        assert read() == checkpoint.Checkpoint(NOTES["origin"], case["size"], bytes.fromhex(case["root"]))
    else:
        with pytest.raises(TlogError):
            read()


def hashes(values):
    return [bytes.fromhex(value) for value in values]


def test_inclusion_and_consistency():
    for case in TREE["inclusion"]:
        leaf, root = hashes([case["leaf"], case["root"]])
        assert leaf == merkle.leaf_hash(f"entry {case['index']}".encode())
        merkle.verify_inclusion(case["index"], case["size"], leaf=leaf, proof=hashes(case["path"]), root=root)
    for case in TREE["consistency"]:
        root1, root2 = hashes([case["root1"], case["root2"]])
        path = hashes(case["path"])
        merkle.verify_consistency(case["size1"], case["size2"], root1=root1, root2=root2, proof=path)


def test_proofs_in_one_file():
    for case in TREE["proofs"]:
        found = tlog_proof.parse(case["proof"].encode())
        tree = checkpoint.verify(found.note, note.parse_vkey(NOTES["vkey"]))
        leaf = merkle.leaf_hash(b64decode(case["entry"]))
        merkle.verify_inclusion(found.index, tree.size, leaf=leaf, proof=found.path, root=tree.root)
        assert found.index == case["index"]


def test_names_of_tiles():
    for case in TREE["names"]:
        level = ENTRIES if case["level"] == "entries" else case["level"]
        assert tile.parse_path(case["path"]) == TileName(level, case["number"], case["width"])


@cases(TREE, "tiles")
def test_tiles(case):
    leaves = [merkle.leaf_hash(f"entry {number}".encode()) for number in range(case["size"])]
    tiles = tile.extend(0, {}, leaves)
    names = list(tile.tiles_of(case["size"]))
    assert sha256(b"".join(tiles[name.level, name.number] for name in names)).hexdigest() == case["sha256"]
    assert len(names) == case["count"]
    assert set(case["last"]) <= {tile.format_path(name) for name in names}
    assert proof.root_at(case["size"], lambda node: tile.read_node(node, tiles)).hex() == case["root"]


@cases(STATEMENTS)
def test_statements(case):
    def read():
        found = statements.parse(b64decode(case["statement"]))
        statements.verify(found, bytes.fromhex(STATEMENTS["public"]))
        return found

    if not case["accept"]:
        with pytest.raises(StatementError):
            read()
        return
    found = read()
    assert (found.kind, found.iss, found.iat) == (case["kind"], case["iss"], case["iat"])
    assert (found.payload, found.kid.hex()) == (b64decode(case["payload"]), STATEMENTS["kid"])


@cases(CLAIMS)
def test_claims(case):
    made = claims.commit(case["document"], secret=bytes.fromhex(CLAIMS["secret"]), party=CLAIMS["party"])
    assert made.root.hex() == case["root"]
    for claim in case["claims"]:
        path = [b64decode(value) for value in claim["path"]]
        leaf = merkle.leaf_hash(claim["claim"].encode())
        merkle.verify_inclusion(claim["index"], 1 << len(path), leaf=leaf, proof=path, root=made.root)


@cases(RECEIPTS)
def test_receipts(case):
    def read():
        return receipts.read(json.dumps(case["receipt"]).encode(), [note.parse_vkey(RECEIPTS["vkey"])])

    if case["accept"]:
        assert read() == case["receipt"]
    else:
        with pytest.raises(ReceiptError):
            read()


@cases(REPORTS)
def test_reports(case):
    chosen = policy.parse(REPORTS["policy"])
    if not case["accept"]:
        with pytest.raises(NoteError):
            monitor.read(case["report"].encode(), chosen)
        return
    found = monitor.read(case["report"].encode(), chosen)
    assert found.finding.kind == case["kind"]
    assert monitor.proves(found.finding, [log.verifier for log in chosen.logs]) == case["proven"]
