"""Statements, checkpoints and proofs of our log, as Python libraries of others see them."""

import json
import subprocess
from base64 import b64encode
from pathlib import Path

import httpx
import pytest

from ledger import statement as statements
from ledger.http import HttpRemote
from ledger.tlog import checkpoint, merkle, note, proof, tile
from ledger.tlog.tile_tree import TileTree

from .conftest import HOME, LARGE, SMALL

pytestmark = [pytest.mark.outside, pytest.mark.xdist_group("outside")]
INDEX = 65_536


def asked(check: str, facts: dict) -> "subprocess.CompletedProcess[str]":
    """The check's word about the facts; bytes are handed over in base64."""
    text = json.dumps({name: _spelled(value) for name, value in facts.items()})
    command = [str(HOME / "bin" / "python"), str(Path(__file__).with_name("foreign.py")), check]
    return subprocess.run(command, input=text, capture_output=True, text=True, check=False)


def _spelled(value):
    if isinstance(value, bytes):
        return b64encode(value).decode()
    return [_spelled(one) for one in value] if isinstance(value, list) else value


def flipped(data: bytes, place: int) -> bytes:
    changed = bytearray(data)
    changed[place] ^= 1
    return bytes(changed)


@pytest.fixture(scope="module")
def signed(house):
    """The log's first statements, of four kinds, each with the key that signed it."""
    row = tile.unpack_bundle(httpx.get(f"{house.url}/tile/entries/000").content)
    genesis, registration = (statements.parse(data).content for data in row[:2])
    root, registrar, party = genesis["root"], genesis["registrars"][0], registration["public"]
    publics = [note.decode_base64(key) for key in (root, registrar, party, party)]
    return list(zip(row[:4], publics, strict=True))


@pytest.mark.parametrize("check", ["cwt", "pycose"])
def test_a_statement_is_a_cose_sign1_message(signed, check):
    for data, public in signed:
        parsed = statements.parse(data)
        facts = {"statement": data, "public": public, "kid": parsed.kid, "payload": parsed.payload}
        done = asked(check, facts)
        assert done.returncode == 0, done.stdout + done.stderr
        for lie in ({"statement": flipped(data, -1)}, {"statement": flipped(data, -70)}, {"public": bytes(31) + b"\1"}):
            assert asked(check, {**facts, **lie}).returncode == 1


def test_metamorphic_log_reads_checkpoint_and_proofs(house):
    new = httpx.get(f"{house.url}/checkpoint").text
    old = (house.folder / f"checkpoint-{SMALL}").read_text()
    tree = checkpoint.verify(new.encode(), note.parse_vkey(house.vkey))
    tiles = TileTree(tree.size, tree.root, HttpRemote(house.url).tile)
    facts = {
        "old": old,
        "new": new,
        "vkey": house.vkey,
        "origin": tree.origin,
        "size": tree.size,
        "index": INDEX,
        "leaf": tiles.node((0, INDEX)),
        "inclusion": proof.carry_out(proof.plan_inclusion(INDEX, tree.size), tiles.node),
        "consistency": proof.carry_out(proof.plan_consistency(SMALL, tree.size), tiles.node),
    }
    assert tree.size >= LARGE
    done = asked("metamorphic", facts)
    assert done.returncode == 0, done.stdout + done.stderr
    for name in ("inclusion", "consistency"):
        lie = [flipped(facts[name][0], 5), *facts[name][1:]]
        assert asked("metamorphic", {**facts, name: lie}).returncode == 1
    assert asked("metamorphic", {**facts, "leaf": merkle.leaf_hash(b"x")}).returncode == 1
    assert asked("metamorphic", {**facts, "new": new.replace(str(tree.size), "70000")}).returncode == 1
