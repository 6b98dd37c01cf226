"""EPCIS files by hand: what is wrong is listed by event and field; jobs are the party's own."""

import json
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from tests.integration.api.test_capture import observed, stored
from traceability.capture import jobs
from traceability.epcis.xml import writer as xml_writer
from traceability.simulation import events as written


@pytest.fixture
def pharmacist(person: Any) -> Any:
    return person("pharmacy")


def file_of(*events: dict[str, Any], name: str = "a.json") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, json.dumps(written.document(events, 0)).encode())


def test_a_file_is_recorded_and_listed(pharmacist: Any, writer: Any) -> None:
    answer = pharmacist.post("documents", {"file": file_of(observed(writer, "1")), "behaviour": "rollback"})
    assert answer.status_code == 302
    assert "Recorded" in pharmacist.client.get(answer["Location"]).content.decode()
    assert answer["Location"] in pharmacist.get("documents")


def test_xml_is_told_by_its_content(pharmacist: Any, writer: Any) -> None:
    body = b"".join(xml_writer.write(written.document([observed(writer, "1")], 0)))
    answer = pharmacist.post("documents", {"file": SimpleUploadedFile("a.dat", body), "behaviour": "rollback"})
    assert answer.status_code == 302


def test_every_fault_is_in_the_table_and_nothing_is_stored(pharmacist: Any, writer: Any) -> None:
    before = stored()
    bad = observed(writer, "2", bizStep="flying", colour="<b>red")
    answer = pharmacist.post("documents", {"file": file_of(observed(writer, "1"), bad), "behaviour": "rollback"})
    page = answer.content.decode()
    assert answer.status_code == 400
    assert page.count('<td class="num">2</td>') == 2
    for words in ("bizStep", "colour", "A word that the standard does not have", "2 faults; they are listed below."):
        assert words in page
    assert stored() == before


def test_proceed_shows_what_was_left_out(pharmacist: Any, writer: Any) -> None:
    files = file_of(observed(writer, "1"), observed(writer, "2", bizStep="flying"))
    answer = pharmacist.post("documents", {"file": files, "behaviour": "proceed"})
    page = pharmacist.client.get(answer["Location"]).content.decode()
    assert "Recorded in part" in page
    assert "bizStep" in page


def test_a_large_file_shows_how_far_it_is(pharmacist: Any, writer: Any, settings: Any, tmp_path: Path) -> None:
    settings.CAPTURE_SPOOL_BYTES, settings.CAPTURE_SPOOL_DIR = 10, tmp_path
    answer = pharmacist.post("documents", {"file": file_of(observed(writer, "1", colour=1)), "behaviour": "rollback"})
    assert "<progress" in pharmacist.client.get(answer["Location"]).content.decode()
    jobs.work_one()
    page = pharmacist.client.get(answer["Location"]).content.decode()
    assert "Refused: nothing was recorded" in page
    assert "colour" in page


@pytest.mark.parametrize("data", [{}, {"behaviour": "hope"}])
def test_without_a_file_it_says_so(pharmacist: Any, data: dict[str, str]) -> None:
    answer = pharmacist.post("documents", data)
    assert (answer.status_code, "Choose an EPCIS file." in answer.content.decode()) == (400, True)


def test_others_jobs_are_not_there(pharmacist: Any, house: Any, writer: Any) -> None:
    job = house.capture("maker", observed(writer, "1")).json()["captureID"]
    pharmacist.get(f"documents/{job}", status=404)
    assert job not in pharmacist.get("documents")
