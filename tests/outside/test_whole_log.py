"""The whole log, read by golang.org/x/mod's tlog and by tessera's fsck."""

import subprocess

import pytest

from . import mirror
from .conftest import LARGE, SMALL

pytestmark = [pytest.mark.outside, pytest.mark.xdist_group("outside")]

# One bit of what a mirror serves: an entry, a hash in a tile of each kind, the checkpoint's signature.
LIES = [
    ("tile/entries/100", 40),
    ("tile/0/017", 100),
    ("tile/0/273.p/113", 5),
    ("tile/1/000", 8191),
    ("tile/1/001.p/17", 0),
    ("tile/2/000.p/1", 0),
    ("checkpoint", -10),
]


@pytest.fixture(scope="module")
def files(house):
    return mirror.copy(house.url)


def readlog(programs, url, house, *olds):
    command = [str(programs["readlog"]), url, house.vkey, *map(str, olds)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def fsck(programs, url, house, tmp_path):
    """tessera's fsck says by its output whether it was content: its exit status is always 0."""
    key = tmp_path / "vkey"
    key.write_text(house.vkey)
    command = [str(programs["fsck"]), f"--storage_url={url}/", f"--public_key={key}", "--ui=false", "--N=4"]
    return subprocess.run(command, capture_output=True, text=True, check=False).stderr


def test_x_mod_reads_every_tile_and_bundle_and_proves_entries_and_old_checkpoints(programs, house):
    olds = [house.folder / f"checkpoint-{size}" for size in (SMALL, LARGE)]
    done = readlog(programs, house.url, house, *olds)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"{LARGE} entries, ")
    assert done.stdout.endswith("2 consistency proofs\n")


def test_tesseras_fsck_finds_the_whole_log_in_order(programs, house, tmp_path):
    said = fsck(programs, house.url, house, tmp_path)
    assert f"checking log of size {LARGE}" in said
    assert "Successfully fsck'd log" in said, said


@pytest.mark.parametrize("lie", LIES)
def test_x_mod_refuses_a_lying_mirror(programs, house, files, lie):
    with mirror.served(mirror.flipped(files, *lie)) as url:
        done = readlog(programs, url, house)
    assert done.returncode == 1
    assert "refused" in done.stderr


@pytest.mark.parametrize("lie", LIES)
def test_tesseras_fsck_refuses_a_lying_mirror(programs, house, files, tmp_path, lie):
    with mirror.served(mirror.flipped(files, *lie)) as url:
        said = fsck(programs, url, house, tmp_path)
    assert "Successfully" not in said
    assert "fsck failed" in said


def test_an_honest_mirror_is_the_log(programs, house, files, tmp_path):
    """The negative control of the lies: through the mirror nothing is refused."""
    with mirror.served(files) as url:
        assert readlog(programs, url, house).returncode == 0
        assert "Successfully" in fsck(programs, url, house, tmp_path)
