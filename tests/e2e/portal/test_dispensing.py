"""A pharmacy at its counter: a phone-sized screen, a wedge scanner, one page after the other; and without script."""

import os
from collections.abc import Callable
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.e2e.consumer.conftest import Visitor
from tests.integration.conftest import GTIN, House, code, pack
from tests.integration.portal.conftest import PASSWORD, Portal, act
from traceability.capture.models import PublishedEvent
from traceability.custody import selectors as custody

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

Visit = Callable[..., Visitor]
PHONE = {"viewport": {"width": 360, "height": 740}}
PAGES = ["", "step/receive", "step/hold", "labels", "logger", "stock", "shipments", "alerts"]


def violations(page: Any) -> list[str]:
    """What axe-core finds wrong, and text that sticks out of the screen."""
    found = [f"{one['id']}: {one['nodes'][0]['html']}" for one in Axe().run(page).response["violations"]]
    if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
        found.append("the page is wider than the screen")
    return found


def keep(page: Any, name: str) -> None:
    """A picture to look at, where DOSETRAIL_SCREENSHOTS says."""
    if folder := os.environ.get("DOSETRAIL_SCREENSHOTS"):
        page.screenshot(path=f"{folder}/portal-{name}.png", full_page=True)


def sign_in(visit: Visitor, username: str = "pharmacy-operator") -> Any:
    page = visit.open("/portal/")
    page.fill("#id_username", username)
    page.fill("#id_password", PASSWORD)
    assert violations(page) == []
    keep(page, "sign-in")
    page.click("main button[type=submit]")
    return page


def scan(page: Any, text: str) -> None:
    """As a wedge types it: GS as F8, Enter at the end."""
    for part in text.replace("\x1d", "\0\x1d\0").split("\0"):
        if part == "\x1d":
            page.keyboard.press("F8")
        else:
            page.keyboard.type(part)
    page.keyboard.press("Enter")


def test_dispensing_by_wedge(stocked: House, person: Callable[..., Portal], visitor: Visit) -> None:
    person("pharmacy")
    visit = visitor(**PHONE)
    page = sign_in(visit)
    assert page.url.endswith("/portal/")
    keep(page, "home")
    assert violations(page) == []
    page.click('a[href="/portal/step/dispense"]')
    page.wait_for_selector("#id_codes_scan:focus")  # a scanner types wherever the focus is
    for serial in ("1", "2", "2"):
        scan(page, code(serial))
    assert "Scanned: 2" in page.inner_text("main")
    assert "Scanned already" in page.inner_text(".scan-last")
    assert page.input_value("#id_codes").split("\n") == [code("1"), code("2")]
    keep(page, "scanned")
    assert violations(page) == []
    page.click('button[value="check"]')
    assert page.inner_text(".verdict-word") == "Nothing speaks against it"
    keep(page, "checked")
    assert violations(page) == []
    page.click('button[value="record"]')
    assert "Recorded" in page.inner_text("h1")
    stocked.settle()
    page.wait_for_selector("#publication:not([data-wait])")
    keep(page, "recorded")
    assert violations(page) == []
    assert page.locator(f'a[href="/01/{GTIN}/21/1"]').count() == 1
    assert custody.states([pack("1")])[pack("1")].status == "dispensed"
    assert PublishedEvent.objects.filter(biz_step="dispensing").count() == 1
    assert visit.wrongs == []


def test_a_stop_at_the_counter(stocked: House, person: Callable[..., Portal], visitor: Visit) -> None:
    person("pharmacy")
    act(stocked, "pharmacy", "dispense", [code("1")])
    visit = visitor(**PHONE, color_scheme="dark")
    page = sign_in(visit)
    visit.open("/portal/step/dispense")
    page.wait_for_selector("#id_codes_scan:focus")
    scan(page, code("1"))
    page.click('button[value="check"]')
    assert page.inner_text(".verdict-word") == "Stop"
    assert "dispensed already" in page.inner_text(".reasons")
    assert page.locator('button[value="record"]').count() == 0
    keep(page, "stop")
    assert violations(page) == []
    page.wait_for_selector(".verdict:focus")  # the script has run: the list box is a scan list now
    page.fill("#id_codes_scan", "(01)09521000001009(21)x")
    page.click('button[value="check"]')
    page.wait_for_selector(".error-summary:focus")
    page.click(".error-summary a")
    page.wait_for_selector("#id_codes_scan:focus")
    keep(page, "fault")
    assert violations(page) == []
    errors = [wrong for wrong in visit.wrongs if "400 (Bad Request)" not in wrong]
    assert errors == []


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_every_page_can_be_used_by_everyone(
    stocked: House, person: Callable[..., Portal], visitor: Visit, language: str
) -> None:
    person("pharmacy")
    visit = visitor(**PHONE)
    page = sign_in(visit)
    visit.context.add_cookies([{"name": "django_language", "value": language, "url": visit.base_url}])
    for path in PAGES:
        visit.open(f"/portal/{path}")
        keep(page, f"{path.replace('/', '-') or 'tasks'}-{language}")
        assert violations(page) == [], path
    assert visit.wrongs == []


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_an_administrator_s_page(house: House, person: Callable[..., Portal], visitor: Visit, language: str) -> None:
    person("pharmacy", "admin")
    visit = visitor(**PHONE)
    page = sign_in(visit, "pharmacy-admin")
    visit.context.add_cookies([{"name": "django_language", "value": language, "url": visit.base_url}])
    visit.open("/portal/organisation")
    for summary in page.locator("summary").all():
        summary.click()
    keep(page, f"organisation-{language}")
    assert violations(page) == []
    page.fill("#id_label", "till 7")
    page.click("button[value=issue-token]")
    assert page.locator(".notice .mono").inner_text().startswith("dt_")
    assert violations(page) == []
    assert visit.wrongs == []


def test_without_script_typed_codes_do(stocked: House, person: Callable[..., Portal], visitor: Visit) -> None:
    person("pharmacy")
    visit = visitor(**PHONE, java_script_enabled=False)
    page = visit.open("/portal/")
    page.fill("#id_username", "pharmacy-operator")
    page.fill("#id_password", PASSWORD)
    page.click("main button[type=submit]")
    visit.open("/portal/step/dispense")
    page.fill("#id_codes", f"(01){GTIN}(21)3\n(01){GTIN}(21)4")
    page.click('button[value="check"]')
    page.click('button[value="record"]')
    assert "Recorded" in page.inner_text("h1")
    stocked.settle()
    assert custody.states([pack("4")])[pack("4")].status == "dispensed"


def test_a_sheet_of_labels_and_a_curve(stocked: House, person: Callable[..., Portal], visitor: Visit) -> None:
    person("pharmacy")
    visit = visitor(viewport={"width": 1100, "height": 800})
    page = sign_in(visit)
    visit.open("/portal/labels")
    for name, value in {"gtin": GTIN, "lot": "L1", "expiry": "2030-01-31", "serials": "A1\nA2"}.items():
        page.fill(f"#id_{name}", value)
    page.click('button[value="sheet"]')
    assert page.locator(".label svg").count() == 4
    assert page.locator("[data-print]").is_visible()
    keep(page, "sheet")
    assert violations(page) == []
    visit.open("/portal/logger")
    rows = "".join(f"2026-03-01T{8 + n // 6:02d}:{n % 6}0:00Z,{4 + n % 7}\n" for n in range(40))
    content = f"timestamp,temperature_c\n{rows}".encode()
    page.set_input_files("#id_file", {"name": "TT-1.csv", "mimeType": "text/csv", "buffer": content})
    page.fill("#id_holder", code("1"))
    page.click("main button[type=submit]")
    stocked.settle()
    page.wait_for_selector(".chart polyline")
    assert f"(01){GTIN}(21)1" in page.inner_text(".facts")
    keep(page, "curve")
    assert violations(page) == []
    assert visit.wrongs == []
