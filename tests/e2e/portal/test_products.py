"""A maker's links in a browser: registered on its page, shown to a reader of either language; a phone and a desk."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.e2e.consumer.conftest import Visitor
from tests.e2e.portal.test_dispensing import PHONE, keep, sign_in, violations
from tests.integration.conftest import GTIN, House
from tests.integration.portal.conftest import Portal

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
DESKTOP = {"viewport": {"width": 1280, "height": 900}}
LONG = "https://leaflets.example.com/" + "products/glarvia-100-iu-per-ml-5-pens/" * 6


@pytest.mark.parametrize(
    ("size", "locale", "word"),
    [(PHONE, "en", "Package leaflet"), (PHONE, "zh-CN", "药品说明书"), (DESKTOP, "zh-CN", "药品说明书")],
    ids=["phone-en", "phone-zh", "desktop-zh"],
)
def test_a_leaflet_is_registered_and_found_by_its_readers(
    house: House,
    person: Callable[..., Portal],
    visitor: Callable[..., Visitor],
    size: Any,
    locale: str,
    word: str,
) -> None:
    person("maker", "quality")
    name = f"{locale}-{size['viewport']['width']}"
    visit = visitor(**size, locale=locale)
    page = sign_in(visit, "maker-quality")
    page.click('a[href="/portal/products"]')
    assert violations(page) == []
    page.click('a[href="/portal/products/glarvia"]')
    page.select_option("#id_kind_new", "epil")
    page.fill("#id_href_new", "http://leaflets.example.com/")
    page.fill("#id_title_new", "Glarvia")
    page.click('button[value="add"]')
    page.wait_for_selector(".error-summary")
    keep(page, f"links-fault-{name}")
    assert violations(page) == []
    for language, href in (("en", LONG), ("zh-Hans", "https://leaflets.example.com/zh")):
        if not page.locator("#id_href_new").is_visible():
            page.click("details:has(#id_href_new) summary")
        page.select_option("#id_kind_new", "epil")
        page.fill("#id_href_new", href)
        page.fill("#id_title_new", f"Glarvia ({language})")
        page.fill("#id_language_new", language)
        page.click('button[value="add"]')
        page.wait_for_selector(".notice.is-ok")
    page.click("article details summary >> nth=0")
    keep(page, f"links-{name}")
    assert violations(page) == []
    page.goto(f"/01/{GTIN}")
    link = page.locator(".maker-links a")
    assert (link.inner_text(), link.get_attribute("href")) == (
        word, "https://leaflets.example.com/zh" if locale == "zh-CN" else LONG,
    )  # fmt: skip
    keep(page, f"links-reader-{name}")
    assert violations(page) == []
    page.goto("/portal/products/glarvia")
    page.click('article button[value="remove"] >> nth=0')
    page.wait_for_selector(".notice.is-ok")
    assert page.locator("article").count() == 1
    assert [wrong for wrong in visit.wrongs if "400 (Bad Request)" not in wrong] == []
