"""Uploading an EPCIS file in a browser: chosen or dropped, judged, listed; on a phone and a desk, in both languages."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.consumer.conftest import Visitor
from tests.e2e.portal.test_dispensing import PHONE, keep, sign_in, violations
from tests.integration.api.test_capture import observed
from tests.integration.conftest import House
from tests.integration.portal.conftest import Portal
from traceability.capture import jobs
from traceability.simulation import events as written

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

Visit = Callable[..., Visitor]
DESK = {"viewport": {"width": 1280, "height": 900}}
_DROP = """(text) => {
  const data = new DataTransfer();
  data.items.add(new File([text], "dropped.json", {type: "application/json"}));
  document.querySelector("[data-upload]").dispatchEvent(
    new DragEvent("drop", {dataTransfer: data, bubbles: true, cancelable: true}));
}"""


def text_of(*events: dict[str, Any]) -> str:
    return json.dumps(written.document(events, 0))


@pytest.mark.parametrize("screen", [PHONE, DESK], ids=["phone", "desk"])
@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_a_file_is_uploaded(
    house: House, person: Callable[..., Portal], visitor: Visit, writer: Any, tmp_path: Path, screen: Any, language: str
) -> None:
    person("pharmacy")
    page = sign_in(visitor(**screen, locale=language))
    page.goto(page.url.split("/portal")[0] + "/portal/documents")
    assert violations(page) == []
    path = tmp_path / "bad.json"
    path.write_text(text_of(observed(writer, "1"), observed(writer, "2", bizStep="flying", colour="red")))
    page.set_input_files("#id_file", path)
    page.click("main form[data-upload] button[type=submit]")
    page.wait_for_selector(".error-summary:focus")
    assert page.locator("#faults + .table-scroll tbody tr").count() == 2
    assert violations(page) == []
    keep(page, f"documents-{language}-{screen['viewport']['width']}")
    page.evaluate(_DROP, text_of(observed(writer, "3")))
    page.keyboard.press("Tab")
    page.focus("main form[data-upload] button[type=submit]")
    page.keyboard.press("Enter")
    page.wait_for_url("**/portal/documents/*")
    assert page.locator(".notice.is-ok").count() == 1
    assert violations(page) == []


def test_a_large_file_shows_its_progress_until_it_is_done(
    house: House, person: Callable[..., Portal], visitor: Visit, writer: Any, settings: Any, tmp_path: Path
) -> None:
    settings.CAPTURE_SPOOL_BYTES, settings.CAPTURE_SPOOL_DIR = 10, tmp_path
    person("pharmacy")
    page = sign_in(visitor(**PHONE))
    page.goto(page.url.split("/portal")[0] + "/portal/documents")
    page.evaluate(_DROP, text_of(observed(writer, "1")))
    page.click("main form[data-upload] button[type=submit]")
    page.wait_for_url("**/portal/documents/*")
    page.wait_for_selector("progress")
    assert violations(page) == []
    keep(page, "document-waits")
    assert jobs.work_one()
    page.wait_for_selector(".notice.is-ok")
    keep(page, "document-done")
