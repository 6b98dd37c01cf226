"""A log read over HTTP: the full tile stands in for a partial one that is gone, and nothing is read without bounds."""

import pytest

from ledger import http
from ledger.follower import UnreachableError
from ledger.http import HttpRemote
from ledger.tlog import tile
from ledger.tlog.tile import ENTRIES, TileName
from tests.outside import mirror

HASHES = bytes(range(256)) * 32
BUNDLE = tile.pack_bundle([b"%d" % number for number in range(256)])
FILES = {"checkpoint": b"note", "tile/0/000": HASHES, "tile/entries/000": BUNDLE, "tile/0/001.p/3": HASHES[:96]}


@pytest.fixture
def remote():
    with mirror.served(FILES) as url:
        yield HttpRemote(f"{url}/", timeout_s=5)


def test_what_is_there_comes_as_it_is(remote):
    assert remote.checkpoint() == b"note"
    assert remote.tile(TileName(0, 0, 256)) == HASHES
    assert remote.tile(TileName(0, 1, 3)) == HASHES[:96]


def test_the_full_one_stands_in_for_a_partial_one(remote):
    assert remote.tile(TileName(0, 0, 7)) == HASHES[: 7 * 32]
    assert tile.unpack_bundle(remote.tile(TileName(ENTRIES, 0, 7)))[:7] == [b"%d" % number for number in range(7)]


def test_what_is_not_there_is_unreachable(remote):
    for name in (TileName(0, 1, 256), TileName(0, 1, 4), TileName(ENTRIES, 1, 1)):
        with pytest.raises(UnreachableError, match="404"):
            remote.tile(name)


def test_more_than_a_tile_holds_is_not_read(monkeypatch):
    with mirror.served({"tile/0/000": HASHES + b"\0"}) as url, pytest.raises(UnreachableError, match="more than"):
        HttpRemote(url).tile(TileName(0, 0, 256))
    monkeypatch.setattr(http, "MAX_TILE", len(HASHES) + 1)  # negative control: the limit is what stops it
    with mirror.served({"tile/0/000": HASHES + b"\0"}) as url:
        assert len(HttpRemote(url).tile(TileName(0, 0, 256))) == len(HASHES) + 1
