"""The log over HTTP: paths, widths, headers, and a client that trusts none of it."""

import base64

import pytest

from ledger import api
from ledger.tlog import checkpoint, merkle, note, proof, tile
from ledger.tlog.tile import ENTRIES, TileName

pytestmark = pytest.mark.urls("tests.contract.ledger.log_urls")

PARTY = "urn:dosetrail:party:acme"


@pytest.fixture
def log(db):
    api.initialise(operator_name="Test operator")
    key = api.generate_key()
    for start in (0, 99, 199):
        items = [
            api.sign_statement(key=key, iss=PARTY, kind="event", payload=number.to_bytes(32, "big"), iat=0)
            for number in range(start, start + 100)
        ]
        api.submit(items)
        api.sequence_once()
    assert api.published_size() == 300  # genesis, 100, 99 of 100 (one was submitted twice), 100


def test_before_the_first_checkpoint_there_is_a_page_and_nothing_else(client, db):
    assert client.get("/log/").status_code == 200
    assert client.get("/log/checkpoint").status_code == 404
    assert client.get("/log/vkey").status_code == 404
    assert client.get("/log/tile/0/000").status_code == 404


def test_a_client_rebuilds_the_tree_from_tiles_and_entries(client, log):
    verifier = note.parse_vkey(client.get("/log/vkey").content.decode().rstrip("\n"))
    response = client.get("/log/checkpoint")
    assert response["Content-Type"] == "text/plain; charset=utf-8"
    signed = checkpoint.verify(response.content, verifier)
    tiles = {}
    for name in tile.tiles_of(signed.size):
        response = client.get(f"/log/tile/{tile.format_path(name)}")
        assert (response.status_code, response["Content-Type"]) == (200, "application/octet-stream")
        assert "immutable" in response["Cache-Control"]
        tiles[name.level, name.number] = response.content
    assert proof.root_at(signed.size, lambda node: tile.read_node(node, tiles)) == signed.root
    leaves = []
    for number, width in ((0, 256), (1, 44)):
        path = tile.format_path(TileName(ENTRIES, number, width))
        leaves += map(merkle.leaf_hash, tile.unpack_bundle(client.get(f"/log/tile/{path}").content))
    assert merkle.root_of(leaves) == signed.root


def test_every_width_that_was_published_is_served_and_no_other(client, log):
    full = client.get("/log/tile/0/001.p/44").content
    for width in (1, 7, 43):
        assert client.get(f"/log/tile/0/001.p/{width}").content == full[: 32 * width]
        assert len(tile.unpack_bundle(client.get(f"/log/tile/entries/001.p/{width}").content)) == width
    absent = "0/001.p/45 0/001 0/002.p/1 1/000 1/000.p/2 2/000.p/1 entries/001 entries/001.p/45 9/000 63/999"
    malformed = "0/0 0/000.p/256 x 0/x000/000"
    for path in f"{absent} {malformed}".split():
        assert client.get(f"/log/tile/{path}").status_code == 404, path
    assert client.post("/log/checkpoint").status_code == 405


def test_entries_are_only_served_where_they_are_public(client, log, settings):
    assert client.get("/log/tile/entries/000").status_code == 200
    settings.LOG_ENTRIES_PUBLIC = False
    assert client.get("/log/tile/entries/000").status_code == 404
    assert client.get("/log/tile/0/000").status_code == 200


def test_nothing_is_served_before_it_is_published(client, log):
    from ledger import models

    before = client.get("/log/checkpoint").content
    models.Checkpoint.objects.filter(size=300).update(published=False)
    models.Head.objects.update(published_size=200)
    assert client.get("/log/checkpoint").content != before
    assert client.get("/log/tile/0/001.p/44").status_code == 404
    assert client.get("/log/tile/entries/001.p/44").status_code == 404
    assert api.published(190, 50)[-1].index == 199
    with pytest.raises(api.NotPublishedError):
        api.inclusion(5, 300)


def test_the_page_shows_each_checkpoint_containing_the_one_before(client, log):
    page = client.get("/log/").content.decode()
    assert api.latest_checkpoint().note.split("\n")[2] in page.replace("&#x2B;", "+")
    for text in ("Contains the first 200", "Contains the first 101", "First checkpoint"):
        assert text in page
    assert "Does not contain" not in page
    assert "verified" not in page.lower()


def test_the_page_says_so_when_a_checkpoint_does_not_contain_the_one_before(client, log):
    from ledger import models

    models.Checkpoint.objects.filter(size=101).update(root="00" * 32)
    page = client.get("/log/").content.decode()
    assert "Does not contain the first 101" in page
    assert "Contains the first 200" in page


def test_the_page_goes_back_in_time(client, log):
    page = client.get("/log/?before=200").content.decode()
    assert 'id="size-101"' in page
    assert 'id="size-200"' not in page
    for odd in ("x", "-1", "９", "9" * 40, ""):
        assert client.get("/log/", {"before": odd}).status_code == 200


def test_inclusion_and_consistency_lead_to_the_signed_root(log):
    latest = api.latest_checkpoint()
    for entry in api.published(0, 1000)[::37]:
        leaf = bytes.fromhex(entry.statement_hash)
        path = api.inclusion(entry.index, latest.size)
        merkle.verify_inclusion(entry.index, latest.size, leaf=leaf, proof=path, root=latest.root)
    older = api.checkpoints(10)[-1]
    assert base64.b64encode(older.root).decode() in older.note
    path = api.consistency(older.size, latest.size)
    merkle.verify_consistency(older.size, latest.size, root1=older.root, root2=latest.root, proof=path)
