"""`manage.py ingest`: one outcome per file, the same again is known, nothing is passed over in silence."""

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from tests.integration.api.test_capture import observed, stored
from tests.integration.conftest import House
from traceability.api import ingest as ingesting
from traceability.epcis.context import DEFAULT_CONTEXT
from traceability.simulation import events as written

READINGS = "timestamp,temperature_c\n2026-01-01T00:00:00Z,5.0\n2026-01-01T00:10:00Z,5.1\n"


def ingest(path: Path, **options: Any) -> str:
    out = StringIO()
    call_command("ingest", path, party="pharmacy", stdout=out, **options)
    return out.getvalue()


def table(printed: str) -> dict[str, tuple[int, int]]:
    """State -> (files, events) of the closing table."""
    rows = [line.split() for line in printed.rpartition("\n\n")[2].strip().splitlines()]
    return {" ".join(row[:-4]): (int(row[-4]), int(row[-2])) for row in rows}


@pytest.fixture
def folder(tmp_path: Path, writer: Any) -> Path:
    document = written.document([observed(writer, "1"), observed(writer, "2")], 0)
    (tmp_path / "document.json").write_text(json.dumps(document))
    (tmp_path / "below").mkdir()
    event = {"@context": [DEFAULT_CONTEXT], **observed(writer, "3")}
    (tmp_path / "below" / "event.jsonld").write_text(json.dumps(event))
    (tmp_path / "fridge.csv").write_text(READINGS)
    (tmp_path / "broken.json").write_text("{")
    (tmp_path / "odd.csv").write_text("a,b\n1,2\n")
    (tmp_path / "old.xml").write_text("<epcis/>")
    (tmp_path / "UPPER.JSON").write_text("{}")
    (tmp_path / "image.png").write_bytes(b"png")
    (tmp_path / "gone.json").symlink_to(tmp_path / "nowhere")
    (tmp_path / "year1.csv").write_text(READINGS.replace("2026", "0001"))
    (tmp_path / "local1.csv").write_text(READINGS.replace("2026", "0001").replace("Z", ""))
    (tmp_path / ".hidden").write_text("the system's")
    (tmp_path / "wrong.json").write_text(json.dumps(written.document([observed(writer, "4", bizStep="flying")], 0)))
    return tmp_path


def test_each_file_has_its_outcome_and_the_same_again_is_known(house: House, folder: Path) -> None:
    first = ingest(folder)
    assert table(first) == {"accepted": (3, 4), "already recorded": (0, 0), "refused": (9, 0)}
    for name in (
        "broken.json", "odd.csv", "old.xml", "wrong.json", "UPPER.JSON", "image.png", "gone.json", "year1.csv",
        "local1.csv",
    ):  # fmt: skip
        assert f"{name}: " in first
    house.settle()
    before = stored()
    assert table(ingest(folder)) == {"accepted": (0, 0), "already recorded": (3, 4), "refused": (9, 0)}
    assert stored() == before


def test_another_party_s_upload_of_the_same_file_is_its_own(house: House, folder: Path) -> None:
    ingest(folder / "fridge.csv")
    out = StringIO()
    call_command("ingest", folder / "fridge.csv", party="maker", stdout=out)
    assert table(out.getvalue())["accepted"] == (1, 1)


def test_an_event_that_speaks_of_documents_is_still_an_event(house: House, tmp_path: Path, writer: Any) -> None:
    note = {"https://example.com/note": 'see the "EPCISDocument"'}
    event = {"@context": [DEFAULT_CONTEXT], **observed(writer, "5"), **note}
    (tmp_path / "event.json").write_text(json.dumps(event | {"https://example.com/kind": "EPCISDocument"}))
    assert table(ingest(tmp_path))["accepted"] == (1, 1)


def test_who_or_where_is_unknown_is_said(house: House, folder: Path) -> None:
    with pytest.raises(CommandError, match="nobody"):
        call_command("ingest", folder, party="nobody")
    with pytest.raises(CommandError, match="maker-main"):
        ingest(folder, site="maker-main")
    with pytest.raises(CommandError, match="no files"):
        ingest(folder / "nowhere")


def test_real_documents_and_logger_files(house: House, shared_data: Path) -> None:
    """The material of others: as many files in the table as there are, and a second run records nothing."""
    for name, accepted in (("epcis", 49), ("loggers", 4)):
        count = len([file for file in (shared_data / name).rglob("*") if file.is_file()])
        first = table(ingest(shared_data / name))
        assert (first["accepted"][0] + first["already recorded"][0], sum(files for files, _ in first.values())) == (
            accepted,
            count,
        )
        house.settle()
        before = stored()
        again = table(ingest(shared_data / name))
        assert (again["accepted"], again["already recorded"][0]) == ((0, 0), accepted)
        assert stored() == before


def test_a_full_queue_is_waited_for(house: House, folder: Path, monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    """The negative control: without patience the rest of the folder is refused."""
    settings.CAPTURE_MAX_BACKLOG = 0
    paused: list[float] = []

    def sequence(seconds: float) -> None:
        paused.append(seconds)
        house.settle()

    monkeypatch.setattr(ingesting.time, "sleep", sequence)
    assert table(ingest(folder))["accepted"] == (3, 4)
    assert paused
    monkeypatch.setattr(ingesting, "PATIENCE_SECONDS", 0.0)
    other = written.document([{**json.loads((folder / "below" / "event.jsonld").read_text()), "eventID": "urn:x:n"}], 0)
    (folder / "again.json").write_text(json.dumps(other).replace("urn:x:n", "urn:x:m"))
    (folder / "then.json").write_text(json.dumps(other))
    printed = ingest(folder)
    assert (table(printed)["accepted"][0], table(printed)["not now"][0]) == (1, 6)
    assert "too many events wait" in printed


def test_a_file_that_is_too_large_is_not_read_whole(house: House, tmp_path: Path, settings: Any) -> None:
    settings.CAPTURE_MAX_BYTES = 100
    for name in ("large.json", "large.csv"):
        (tmp_path / name).write_bytes(b" " * 101)
    printed = ingest(tmp_path)
    assert (table(printed)["refused"], printed.count("at most 100 bytes")) == ((2, 0), 2)
