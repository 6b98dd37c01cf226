"""litewitness cosigns our checkpoints through our own collector; torchwood finds them final under our policy file."""

import os
import sqlite3
import subprocess
from contextlib import closing, contextmanager

import httpx
import pytest

from ledger.http import HttpRemote
from ledger.tlog import note, policy, proof, tile
from ledger.tlog.merkle import EMPTY_ROOT
from ledger.tlog.tile import ENTRIES, TileName
from ledger.tlog.tile_tree import TileTree
from ledger.tlog.tlog_proof import TlogProof

from .conftest import LARGE, ending, free_port, until

pytestmark = [pytest.mark.outside, pytest.mark.xdist_group("outside")]
NAME = "litewitness.example/w"
INDEX = 65_535


@contextmanager
def litewitness(programs, folder, origin, vkey):
    """A running litewitness that knows our log: its address, and its verifier key."""
    key, socket, database = folder / "key", folder / "agent", folder / "witness.db"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    agent = subprocess.Popen(["ssh-agent", "-D", "-a", str(socket)], stdout=subprocess.DEVNULL)
    with ending(agent), (folder / "log").open("w+") as said:
        until(socket.exists)
        subprocess.run(["ssh-add", "-q", str(key)], env={**os.environ, "SSH_AUTH_SOCK": str(socket)}, check=True)
        address = f"127.0.0.1:{free_port()}"
        shown = subprocess.run(["ssh-keygen", "-lf", str(key)], check=True, capture_output=True, text=True).stdout
        words = [
            f"-name={NAME}",
            f"-key={shown.split()[1]}",
            f"-db={database}",
            f"-ssh-agent={socket}",
            f"-listen={address}",
        ]
        process = subprocess.Popen([str(programs["litewitness"]), *words], stderr=said, stdout=said)
        with ending(process, interrupt=True):
            until(lambda: httpx.get(f"http://{address}/").status_code == 200)
            with closing(sqlite3.connect(database, timeout=10)) as rows:  # as witnessctl add-log and add-key do
                rows.execute("insert into log values (?, 0, ?)", [origin, note.b64encode(EMPTY_ROOT).decode()])
                rows.execute("insert into key values (?, ?)", [origin, vkey])
                rows.commit()
            own = next(word for word in (folder / "log").read_text().split() if word.startswith("vkey="))
            yield f"http://{address}", own.removeprefix("vkey=").strip('"')


@pytest.fixture(scope="module")
def cosigned(programs, house, tmp_path_factory):
    """The house under a policy that names litewitness, once its newest checkpoint is final; the policy file."""
    folder = tmp_path_factory.mktemp("litewitness")
    origin = house.vkey.partition("+")[0]
    with litewitness(programs, folder, origin, house.vkey) as (url, own):
        text = f"log {house.vkey}\nwitness lite {own} {url}\ngroup all-of all lite\nquorum all-of\n"
        (house.folder / "policy").write_text(text)
        with ending(house.manage("sequencer")):
            chosen = policy.parse(text)

            def final():
                checked = chosen.check(httpx.get(f"{house.url}/checkpoint").content)
                return checked.final and checked.checkpoint.size > LARGE  # the policy is an entry of its own

            until(final, seconds=60)
    return house.folder / "policy"


def policycheck(programs, *paths):
    command = [str(programs["policycheck"]), *map(str, paths)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_litewitness_cosigns_and_torchwood_finds_the_quorum(programs, house, cosigned, tmp_path):
    signed = httpx.get(f"{house.url}/checkpoint").text
    file = tmp_path / "checkpoint"
    file.write_text(signed)
    done = policycheck(programs, cosigned, file)
    assert done.returncode == 0, done.stderr
    lines = signed.splitlines(keepends=True)
    file.write_text("".join(line for line in lines if NAME not in line))
    assert policycheck(programs, cosigned, file).returncode == 1  # recorded, not final
    file.write_text("".join(line for line in lines if NAME in line or not line.startswith("—")))
    assert policycheck(programs, cosigned, file).returncode == 1  # and not without the log's own signature


def test_torchwood_checks_an_entrys_proof(programs, house, cosigned, tmp_path):
    remote = HttpRemote(house.url)
    signed = remote.checkpoint()
    tree = policy.parse(cosigned.read_text()).check(signed).checkpoint
    tiles = TileTree(tree.size, tree.root, remote.tile)
    entries = tile.unpack_bundle(remote.tile(TileName(ENTRIES, INDEX // 256, 256)))
    path = proof.carry_out(proof.plan_inclusion(INDEX, tree.size), tiles.node)
    file, entry = tmp_path / "proof", tmp_path / "entry"
    file.write_bytes(TlogProof(INDEX, path, signed, extra=b"nobody vouches for this").text())
    entry.write_bytes(entries[INDEX % 256])
    done = policycheck(programs, cosigned, file, entry)
    assert done.returncode == 0, done.stderr
    entry.write_bytes(entries[INDEX % 256 - 1])
    assert policycheck(programs, cosigned, file, entry).returncode == 1
