"""The trace page at phone and desk, in both languages: no axe findings, not wider than the screen, by keyboard."""

import os
from typing import Any

import pytest

from tests.e2e.regulator.test_inbox import _violations
from tests.integration.api.test_trace import sold
from tests.integration.conftest import GTIN, LOT, House
from tests.integration.scans.test_record import PASSWORD
from traceability.parties import services as parties

__all__ = ["sold"]
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.mark.parametrize("language", ["en", "zh-CN"])
@pytest.mark.parametrize("width", [320, 1280])
def test_a_lot_traced(sold: House, chromium: Any, live_server: Any, width: int, language: str) -> None:
    parties.add_member(party=sold.parties["pharmacy"], username="chemist", password=PASSWORD, role="operator")
    context = chromium.new_context(viewport={"width": width, "height": 800}, locale=language)
    page = context.new_page()
    said: list[str] = []
    page.on("console", lambda line: said.append(line.text) if line.type == "error" else None)
    page.goto(f"{live_server.url}/portal/trace")
    page.fill("#id_username", "chemist")
    page.fill("#id_password", PASSWORD)
    page.click("main button[type=submit]")
    assert _violations(page) == []
    page.fill("#id_code", f"(01){GTIN}(10){LOT}")
    page.click("main button[type=submit]")
    page.wait_for_selector(".flow")
    assert _violations(page) == []
    if folder := os.environ.get("DOSETRAIL_SCREENSHOTS"):
        page.screenshot(path=f"{folder}/trace-{width}-{language}.png", full_page=True)

    spots = page.locator(".flow a.spot")
    assert spots.count() == page.locator("tr[data-spot]").count() == 3
    spots.nth(1).focus()
    page.keyboard.press("Enter")
    number = spots.nth(1).get_attribute("data-spot")
    assert page.evaluate("location.hash") == f"#spot-{number}"
    chosen = page.locator(".is-chosen[data-spot]")
    assert [chosen.nth(place).get_attribute("data-spot") for place in range(chosen.count())] == [number, number]
    page.locator("tr[data-spot='0']").click()
    assert page.locator("a.spot.is-chosen").get_attribute("data-spot") == "0"

    page.emulate_media(media="print")
    assert not page.locator("#trace-form").is_visible()
    assert page.locator(".trace-footer").is_visible()
    assert [line for line in said if "Content Security Policy" in line or "Error" in line] == []
    context.close()
