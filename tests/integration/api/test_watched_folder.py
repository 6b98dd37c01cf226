"""`manage.py ingest --watch`: whole files only, put away with what became of them, through crashes and rivals."""

import json
import os
import signal
import threading
import time
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from tests.integration.api.test_capture import observed, stored
from tests.integration.conftest import House
from traceability.api import watched_folder
from traceability.api.ingest import ACCEPTED, KNOWN, LATER, REFUSED, Outcome, ingest_file
from traceability.epcis.xml import writer as xml_writer
from traceability.simulation import events as written


@pytest.fixture
def take(house: House) -> watched_folder.Take:
    return lambda path: ingest_file(path, party=house.parties["pharmacy"], site=None)


def put(folder: Path, name: str, *events: dict[str, Any]) -> Path:
    path = folder / name
    path.write_text(json.dumps(written.document(events, 0)))
    return path


def below(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file() and path.name[0] != ".")


def settled(folder: Path, take: watched_folder.Take) -> list[str]:
    with watched_folder.watched(folder) as watched:
        watched.look()
        return [watched.settle(path, take).state for path in watched.look()]


def test_files_are_taken_in_and_put_away(house: House, writer: Any, tmp_path: Path, take: Any) -> None:
    event = observed(writer, "1")
    put(tmp_path, "good.json", event)
    put(tmp_path, "bad.json", observed(writer, "2", bizStep="flying", colour="red"))
    (tmp_path / "same.xml").write_bytes(b"".join(xml_writer.write(written.document([event], 0))))
    (tmp_path / "note.md").write_text("hello")
    assert settled(tmp_path, take) == [ACCEPTED, REFUSED, KNOWN, REFUSED]
    assert below(tmp_path) == [
        "done/good.json", "done/same.xml", "failed/bad.json", "failed/bad.json.problem.json", "failed/note.md",
        "failed/note.md.problem.json",
    ]  # fmt: skip
    problem = json.loads((tmp_path / "failed/bad.json.problem.json").read_text())
    assert [(one["event"], one["pointer"].rpartition("/")[2]) for one in problem["errors"]] == [
        (0, "bizStep"),
        (0, "colour"),
    ]


def test_what_is_still_being_written_waits(writer: Any, house: House, tmp_path: Path, take: Any) -> None:
    """The negative control is the second half: once it stands still, it is taken."""
    path = put(tmp_path, "growing.json", observed(writer, "1"))
    for name in (".hidden.json", "x.json.part", "y.TMP", "~z.json", "w.filepart"):
        (tmp_path / name).write_text("{}")
    (tmp_path / "link.json").symlink_to("/etc/hostname")
    (tmp_path / "below").mkdir()
    with watched_folder.watched(tmp_path) as watched:
        assert watched.look() == []
        path.write_text(path.read_text() + " ")
        assert watched.look() == []
        assert watched.look() == [path]
        os.replace(put(tmp_path, "other.part", observed(writer, "2")), tmp_path / "renamed.json")
        assert watched.look() == [path]
        assert set(watched.look()) == {path, tmp_path / "renamed.json"}


def test_a_crash_before_it_is_put_away_records_nothing_twice(
    house: House, writer: Any, tmp_path: Path, take: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path, "good.json", observed(writer, "1"))

    def crash(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(watched_folder.os, "rename", crash)
        with pytest.raises(KeyboardInterrupt):
            settled(tmp_path, take)
    before = stored()
    assert below(tmp_path) == ["good.json"]
    assert settled(tmp_path, take) == [KNOWN]
    assert (stored(), below(tmp_path)) == (before, ["done/good.json"])


def test_what_cannot_be_taken_now_stays(house: House, writer: Any, tmp_path: Path) -> None:
    put(tmp_path, "good.json", observed(writer, "1"))
    assert settled(tmp_path, lambda path: Outcome(path, LATER)) == [LATER]
    assert below(tmp_path) == ["good.json"]


def test_a_name_that_is_taken_gets_a_number(house: House, writer: Any, tmp_path: Path, take: Any) -> None:
    for serial in ("1", "2"):
        put(tmp_path, "a.json", observed(writer, serial))
        settled(tmp_path, take)
    assert below(tmp_path) == ["done/a.1.json", "done/a.json"]


def test_one_watcher_at_a_time(house: House, tmp_path: Path) -> None:
    with watched_folder.watched(tmp_path), pytest.raises(CommandError, match="another process watches"):
        call_command("ingest", tmp_path, party="pharmacy", watch=True)
    with pytest.raises(CommandError, match="not a folder"):
        call_command("ingest", tmp_path / "nowhere", party="pharmacy", watch=True)


def test_it_ends_on_sigterm(house: House, writer: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path, "good.json", observed(writer, "1"))
    monkeypatch.setattr("traceability.api.management.commands.ingest.close_old_connections", lambda: None)

    def end() -> None:
        until = time.monotonic() + 60
        while not (tmp_path / "done" / "good.json").exists() and time.monotonic() < until:
            time.sleep(0.05)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=end).start()
    out = StringIO()
    call_command("ingest", tmp_path, party="pharmacy", watch=True, poll_seconds=0.05, stdout=out)
    assert "accepted          good.json: 1 events" in out.getvalue()
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
