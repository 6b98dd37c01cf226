"""The API's page for people: in both languages, on a phone and a desk, without a fault of access, policy or console."""

import os
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe

from traceability.api.schema import inspector

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
SIZES = {"phone": (320, 640), "desk": (1280, 800)}


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(("language", "heading"), [("en", "The API"), ("zh-CN", "接口（API）")])
def test_the_page_is_clean(chromium: Any, live_server: Any, size: str, language: str, heading: str) -> None:
    width, height = SIZES[size]
    context = chromium.new_context(locale=language, viewport={"width": width, "height": height})
    page, said = context.new_page(), []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto(f"{live_server.url}/api/docs")
    assert page.inner_text("h1") == heading
    assert page.locator("details").count() >= len(inspector.OPERATIONS)
    page.click("#recordScan summary")
    page.click("#queryEvents summary")
    assert "curl -X POST" in page.inner_text("#recordScan")
    found = Axe().run(page, options={"runOnly": TAGS})
    assert found.violations_count == 0, found.generate_report()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert said == []
    if folder := os.environ.get("DOSETRAIL_TEST_SCREENSHOTS"):
        page.screenshot(path=f"{folder}/api-docs-{size}-{language}.png")
    context.close()
