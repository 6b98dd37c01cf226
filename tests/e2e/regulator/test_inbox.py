"""An inspector at phone and desk: every page without axe findings, sideways scrolling or a blocked resource."""

import os
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings as django_settings

from tests.integration.conftest import House, code
from tests.integration.scans.test_record import PASSWORD
from traceability.alerts.models import Alert
from traceability.parties import services as parties

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

PAGES = ["", "trace", "recalls", "contracts", "unknown", "health"]


def _violations(page: Any) -> list[str]:
    found = [f"{one['id']}: {one['nodes'][0]['html']}" for one in Axe().run(page).response["violations"]]
    if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
        found.append("the page is wider than the screen")
    return found


@pytest.mark.parametrize("width", [360, 1280])
def test_the_inspector_s_pages(
    house: House, alert: Alert, chromium: Any, live_server: Any, settings: Any, width: int
) -> None:
    assert django_settings.EVENT_STREAM_URL == ""
    settings.EVENT_STREAM_URL = live_server.url
    parties.add_member(party=house.parties["regulator"], username="inspector", password=PASSWORD, role="inspector")
    page = chromium.new_page(viewport={"width": width, "height": 800})
    said: list[str] = []
    page.on("console", lambda line: said.append(line.text) if line.type == "error" else None)
    # The stream itself is another process (tests/integration/alerts/test_stream.py); here one piece of news stands in.
    news = "event: alert\nid: 1\ndata: {}\n\n"
    page.route("**/stream/alerts", lambda route: route.fulfill(body=news, content_type="text/event-stream"))
    page.goto(f"{live_server.url}/regulator/")
    page.fill("#id_username", "inspector")
    page.fill("#id_password", PASSWORD)
    page.click("main button[type=submit]")
    for path in [*PAGES, f"alerts/{alert.id}", f"trace?code={code('1').replace(chr(29), '%1D')}"]:
        page.goto(f"{live_server.url}/regulator/{path}")
        assert _violations(page) == [], path
        if folder := os.environ.get("DOSETRAIL_SCREENSHOTS"):
            page.screenshot(path=f"{folder}/regulator-{width}-{path.split('?')[0].split('/')[0]}.png", full_page=True)
    page.goto(f"{live_server.url}/regulator/")
    page.wait_for_selector("#show-news:not([hidden])")
    page.click("#show-news")
    page.wait_for_selector("#show-news", state="hidden")
    assert page.locator(f"#list a[href$='{alert.id}']").count() == 1
    assert [line for line in said if "Content Security Policy" in line or "Error" in line] == []
    page.close()
