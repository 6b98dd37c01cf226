"""A logger file goes in at the door: bytes kept, hash on the log, readings under their holder."""

import hashlib
import json
from io import StringIO
from pathlib import Path

import pytest
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command

from ledger import api as ledger
from tests.unit.coldchain import berlinger_files as made
from traceability.capture.models import PublishedEvent
from traceability.capture.services import CaptureError
from traceability.coldchain import originals, selectors, services
from traceability.coldchain.models import LoggerFile, ReadingChunk
from traceability.common.models import Document

from .conftest import PACK, SSCC, House, csv, ms

ROWS = [("2026-03-01T08:00", "5.1"), ("2026-03-01T08:10", "9.4"), ("2026-03-01T08:20", "5.0")]


def upload(house: House, content: bytes, **particulars: object) -> LoggerFile:
    return services.upload(
        **{"content": content, "filename": "TT-1.csv", "party": house.maker, "holder_epc": SSCC, **particulars}
    )


def test_the_readings_are_the_holders_once_published(house: House) -> None:
    upload(house, csv(*ROWS))
    assert selectors.readings(SSCC) == []  # submitted is not published
    house.publish()
    assert selectors.readings(SSCC) == [
        (ms("2026-03-01T08:00"), 5100),
        (ms("2026-03-01T08:10"), 9400),
        (ms("2026-03-01T08:20"), 5000),
    ]
    assert selectors.readings(SSCC, ms("2026-03-01T08:10"), ms("2026-03-01T08:15")) == [(ms("2026-03-01T08:10"), 9400)]
    assert selectors.readings(PACK) == []


def test_the_original_bytes_and_their_hash(house: House) -> None:
    content = made.q_tag()
    file = upload(house, content, filename="trip.txt", time_zone="Asia/Shanghai")
    assert originals.load(file.sha256) == content
    document = Document.objects.get(statement_hash=file.statement_hash)
    (element,) = json.loads(bytes(document.body))["sensorElementList"]
    assert element["sensorMetadata"]["dosetrail:rawDataHash"] == hashlib.sha256(content).hexdigest()
    assert element["sensorMetadata"]["rawData"].endswith(f"/api/v1/logger-files/{file.sha256}")
    house.publish()
    assert ledger.positions([file.statement_hash])
    assert (file.signature, file.key_lot, file.time_zone, file.clock) == ("matches", made.LOT, "Asia/Shanghai", "wall")
    assert selectors.readings(SSCC)[0] == (ms("2026-03-01T01:00"), 5000)


def test_the_same_upload_again_changes_nothing(house: House) -> None:
    first = upload(house, csv(*ROWS))
    again = upload(house, csv(*ROWS), filename="TT-1.csv")
    house.publish()
    third = upload(house, csv(*ROWS))
    house.publish()
    assert (first.pk, first.statement_hash) == (again.pk, again.statement_hash) == (third.pk, third.statement_hash)
    assert Document.objects.filter(kind="event").count() == 1
    assert len(selectors.readings(SSCC)) == 3


def test_an_upload_that_was_cut_off_is_completed_by_the_next(house: House) -> None:
    """A crash between the row and the event."""
    file = upload(house, csv(*ROWS))
    Document.objects.filter(statement_hash=file.statement_hash)  # the event exists; pretend the answer was lost
    LoggerFile.objects.filter(pk=file.pk).update(statement_hash="")
    assert list(selectors.files(house.maker)) == []
    assert upload(house, csv(*ROWS)).statement_hash == file.statement_hash
    assert list(selectors.files(house.maker)) == [file]


def test_a_file_half_written_is_written_anew(house: House) -> None:
    content = csv(*ROWS)
    sha256 = originals.keep(content)
    with default_storage.open(LoggerFile(sha256=sha256).path, "wb") as stored:
        stored.write(content[:10])
    with pytest.raises(originals.OriginalError):
        originals.load(sha256)
    upload(house, content)
    assert originals.load(sha256) == content


def test_a_place_is_a_holder_and_knows_its_zone(house: House) -> None:
    upload(house, made.q_tag(), holder_epc=None, site=house.site)
    house.publish()
    assert selectors.readings(house.site.uri)[0] == (ms("2026-03-01T01:00"), 5000)


def test_a_tag_of_days_only_gives_a_summary(house: House) -> None:
    upload(house, made.fridge_tag(), time_zone="UTC")
    house.publish()
    assert selectors.readings(SSCC) == []
    (summary,) = selectors.summaries(SSCC)
    assert (summary.min_mc, summary.max_mc, summary.count) == (-1500, 6200, 0)


def test_only_the_window_counts(house: House) -> None:
    upload(house, csv(*ROWS), start_ms=ms("2026-03-01T08:05"))
    house.publish()
    assert [value for _, value in selectors.readings(SSCC)] == [9400, 5000]


def test_overlapping_read_outs_count_once(house: House) -> None:
    upload(house, csv(*ROWS[:2]))
    upload(house, csv(*ROWS))
    house.publish()
    assert len(selectors.readings(SSCC)) == 3
    assert len(selectors.source_events(SSCC)) == 2


@pytest.mark.parametrize(
    ("content", "particulars", "code", "field"),
    [
        (made.q_tag().replace(b"\t7.9\t", b"\t6.9\t"), {"time_zone": "UTC"}, "logger.signature", "file"),
        (made.q_tag().replace(b"\r\n", b"\n"), {"time_zone": "UTC"}, "logger.signature", "file"),
        (made.q_tag(), {}, "logger.time-zone-missing", "time_zone"),
        (made.q_tag(), {"time_zone": "Mars/Olympus"}, "logger.time-zone", "time_zone"),
        (csv(*ROWS), {"holder_epc": None}, "logger.holder-missing", "holder"),
        (csv(*ROWS), {"holder_epc": "no code"}, "logger.holder", "holder"),
        (csv(*ROWS), {"holder_epc": "https://id.gs1.org/00/095211012345678904"}, "logger.holder", "holder"),
        (csv(*ROWS), {"holder_epc": "https://id.gs1.org/414/9521101530001"}, "logger.holder", "holder"),
        (csv(("2126-01-01T00:00", "5")), {}, "logger.future", "time_zone"),
        (csv(*ROWS), {"start_ms": ms("2026-03-02T00:00")}, "logger.window", "start_ms"),
        (b"%PDF-1.7", {}, "logger.unknown-format", "file"),
    ],
)
def test_what_is_refused_leaves_nothing(
    house: House, tmp_path: Path, content: bytes, particulars: dict, code: str, field: str
) -> None:
    with pytest.raises(services.UploadError) as error:
        upload(house, content, **particulars)
    assert (error.value.status, error.value.code, error.value.field) == (400, code, field)
    assert error.value.body["errors"][0]["field"] == field
    assert not LoggerFile.objects.exists()
    assert not Document.objects.filter(kind="event").exists()
    assert not list(tmp_path.rglob("*"))


def test_what_capture_refuses_leaves_no_row(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown_step(*args: object) -> dict:
        return {**built(*args), "bizStep": "no_such_step"}

    built = services.sensor_event.build
    monkeypatch.setattr(services.sensor_event, "build", unknown_step)
    with pytest.raises(CaptureError):
        upload(house, csv(*ROWS))
    assert not LoggerFile.objects.exists()


def test_who_sees_which_file(house: House) -> None:
    file = upload(house, csv(*ROWS))
    assert selectors.file_by_hash(file.sha256, party=house.maker) == file
    assert selectors.file_by_hash(file.sha256, party=house.regulator) == file
    assert selectors.file_by_hash(file.sha256, party=house.other) is None
    assert list(selectors.files(house.other)) == []


def test_a_file_of_ones_own_only(house: House) -> None:
    """An event that names the hash of somebody else's file does not get at its readings."""
    file = upload(house, csv(*ROWS))
    house.publish()
    body = json.loads(bytes(Document.objects.get(statement_hash=file.statement_hash).body))
    house.report({**body, "epcList": [PACK]}, by=house.other)
    assert PublishedEvent.objects.count() == 2
    assert selectors.readings(PACK) == []
    (summary,) = selectors.summaries(PACK)
    assert (summary.min_mc, summary.max_mc) == (5000, 9400)


def test_a_chart_of_a_long_recording_keeps_its_peak(house: House) -> None:
    rows = [(f"2026-03-{1 + i // 144:02d}T{i % 144 // 6:02d}:{i % 6}0", "5.0") for i in range(1000)]
    rows[700] = (rows[700][0], "15.5")
    upload(house, csv(*rows))
    house.publish()
    assert ReadingChunk.objects.count() == 4
    points = selectors.chart_points(SSCC, max_points=50)
    assert len(points) <= 50
    assert max(points, key=lambda point: point[1]) == (ms(rows[700][0]), 15500)


def test_real_files_pass_the_door(house: House, shared_data: Path) -> None:
    for path in sorted((shared_data / "loggers").glob("*.txt")):
        file = upload(house, path.read_bytes(), filename=path.name, time_zone="Europe/Zurich")
        assert file.signature == "matches-known-key"
    house.publish()
    assert {device.rpartition(":")[2]: len(found) for device, found in selectors.series(SSCC).items()} == {
        "RCPJ00010": 124,
        "100800001215": 835,
        "130500109088": 10_653,
    }


def test_the_check_command_names_a_changed_file(house: House) -> None:
    file = upload(house, csv(*ROWS))
    call_command("check_logger_files")
    with default_storage.open(file.path, "wb") as stored:
        stored.write(csv(*ROWS).replace(b"9.4", b"5.4"))
    said = StringIO()
    with pytest.raises(CommandError, match="1 of 1"):
        call_command("check_logger_files", stderr=said)
    assert file.sha256 in said.getvalue()
