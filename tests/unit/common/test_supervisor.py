"""`make demo RESET=1` removes a demo's data and nothing else."""

import fcntl
from pathlib import Path

import pytest

from traceability import supervisor

FILES = ["demo.json", "dosetrail.sqlite3", "dosetrail.sqlite3-wal", "dosetrail.sqlite3.lock.turn", "secret-key"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in [*FILES, "log-high-water.lock", "holiday.jpg"]:
        (tmp_path / name).write_text("x")
    (tmp_path / "files" / "logger-files").mkdir(parents=True)
    return tmp_path


def test_a_demo_goes_and_the_rest_stays(folder: Path) -> None:
    assert supervisor.remove_demo(folder) == ""
    assert [path.name for path in folder.iterdir()] == ["holiday.jpg"]
    assert supervisor.remove_demo(folder) == ""  # nothing left to remove


def test_what_no_demo_has_made_stays(folder: Path) -> None:
    (folder / "demo.json").unlink()
    before = sorted(folder.rglob("*"))
    assert "no demo has made" in supervisor.remove_demo(folder)
    assert sorted(folder.rglob("*")) == before


def test_a_running_house_stays(folder: Path) -> None:
    with (folder / "log-high-water.lock").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert "running" in supervisor.remove_demo(folder)
    assert (folder / "dosetrail.sqlite3").exists()


def test_a_folder_that_is_not_there_needs_no_removing(tmp_path: Path) -> None:
    assert supervisor.remove_demo(tmp_path / "new") == ""
