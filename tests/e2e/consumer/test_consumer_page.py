"""The consumer's pages in a real Chromium: what the script says after it has checked, and how the pages behave."""

import os
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.unit.web.world import GTIN, LOT, RECALLED_LOT, UNKNOWN_GTIN, World, sscc
from traceability.capture.models import PublishedEvent
from traceability.common.models import Document

from .conftest import Visitor

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

Visit = Callable[..., Visitor]
OUTCOMES = ["registered", "sold", "sold_again", "recalled", "expired", "temperature", "trace_code", "cloned"]
WITHOUT_PROOF = ["serial_unknown", "product_unknown"]
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
PHONE = {"viewport": {"width": 320, "height": 640}}


def said(page: Any) -> str:
    return page.inner_text("#device-check [role=status]")


def test_the_browser_checks_every_outcome(world: World, visitor: Visit) -> None:
    visit = visitor()
    for name in OUTCOMES:
        for path in (world.path(name), world.packs[name].code_path):
            text = said(visit.open(path, "checked"))
            assert "Checked on this device" in text
            assert "verified" in text
            assert "genuine" not in text
    assert "steps shown on this page" in said(visit.open(world.path("sold"), "checked"))
    visit.page.click("#device-check summary")
    assert visit.page.locator("[data-proof] li").count() == 7
    for name in WITHOUT_PROOF:
        assert visit.open(world.packs[name].code_path).locator("#device-check").count() == 0
    assert visit.wrongs == []


def test_without_script_it_says_not_checked(world: World, visitor: Visit) -> None:
    visit = visitor(java_script_enabled=False)
    page = visit.open(world.path("sold"))
    assert page.get_attribute("#device-check", "data-state") == "not-run"
    assert "Not checked on this device" in said(page)
    assert page.inner_text("h1") == "Sold once"
    assert page.locator(".timeline li").count() == 4
    page.click(".language button")
    assert page.get_attribute("html", "lang") == "zh-Hans"
    assert page.url.endswith(world.path("sold"))


def test_a_changed_event_raises_the_alarm(world: World, visitor: Visit) -> None:
    visit = visitor(**PHONE)
    sale = world.sale_of("sold")
    Document.objects.filter(pk=sale.pk).update(body=bytes(sale.body).replace(b"/21/A0003", b"/21/A0009"))
    text = said(visit.open(world.path("sold"), "mismatch"))
    assert "does not match" in text
    assert "Checked" not in text
    assert visit.page.inner_text("h1") == "The proof does not match"
    assert visit.page.locator(".verdict.is-ok").count() == 0
    assert visit.page.locator(".verdict .icon").count() == 1
    assert visit.page.locator(".verdict-text").bounding_box()["width"] > 160


def test_a_page_that_tells_another_story_than_its_proof_raises_the_alarm(world: World, visitor: Visit) -> None:
    visit = visitor()
    shown = PublishedEvent.objects.filter(biz_step="receiving").latest("index")
    for change in (
        {"event_time_ms": shown.event_time_ms - 2 * 86_400_000},
        {"biz_step": "shipping"},
        {"reporter": world.parties["maker"].uri},
    ):
        before = {name: getattr(shown, name) for name in change}
        PublishedEvent.objects.filter(pk=shown.pk).update(**change)
        visit.open(world.path("sold"), "mismatch")
        PublishedEvent.objects.filter(pk=shown.pk).update(**before)
    visit.open(world.path("sold"), "checked")


def test_the_proof_of_another_pack_raises_the_alarm(world: World, visitor: Visit) -> None:
    visit = visitor()
    other = f"/evidence{world.path('registered')}"
    visit.page.route("**/evidence/**", lambda route: route.continue_(url=visit.base_url + other))
    assert "other goods" in said(visit.open(world.packs["sold"].code_path, "mismatch"))


def test_no_answer_is_no_accusation(world: World, visitor: Visit) -> None:
    visit = visitor()
    visit.page.route("**/evidence/**", lambda route: route.abort())
    assert "says nothing about your pack" in said(visit.open(world.path("sold"), "unavailable"))
    visit.page.unroute("**/evidence/**")
    visit.page.route("**/evidence/**", lambda route: route.fulfill(body="<html>sign in to the hotel</html>"))
    visit.open(world.path("sold"), "unavailable")


@pytest.mark.parametrize("locale", ["en", "zh-CN"])
def test_every_module_is_named_in_advance(world: World, visitor: Visit, locale: str) -> None:
    """Modules found one in the other would cost a phone a round trip each."""
    for path, ready in ((world.path("sold"), '#device-check[data-state="checked"]'), ("/verify/", "[data-ready]")):
        visit = visitor(locale=locale)
        loaded: list[str] = []
        visit.page.on("request", lambda request, seen=loaded: seen.append(urlsplit(request.url).path))
        visit.page.goto(path)
        visit.page.wait_for_selector(ready)
        named = visit.page.eval_on_selector_all(
            "link[rel=modulepreload], script[type=module]",
            "(all) => all.map((one) => one.getAttribute('href') || one.getAttribute('src'))",
        )
        assert sorted(named) == sorted(url for url in loaded if url.endswith(".js") and "worker" not in url), path


def test_pages_are_light_quiet_and_fit_a_small_phone(world: World, visitor: Visit) -> None:
    paths = ["/", "/look-up?code=nonsense", *(world.path(name) for name in OUTCOMES)]
    paths += [world.packs[name].code_path for name in [*OUTCOMES[:2], *WITHOUT_PROOF]]
    for path in paths:
        visit = visitor(**PHONE)
        page = visit.open(path)
        page.wait_for_load_state("networkidle")
        assert visit.weight() <= 60 * 1024, f"{path}: {visit.weight()} bytes"
        assert page.evaluate("document.documentElement.scrollWidth") <= 320, path
        small = page.evaluate(
            """[...document.querySelectorAll("a.btn, button, summary, input, .site-footer nav a, .brand, a.task")]
               .filter((node) => node.checkVisibility() && node.type !== "hidden")
               .map((node) => [node.outerHTML.slice(0, 80), node.getBoundingClientRect().height])
               .filter(([, height]) => height < 44)"""
        )
        assert small == [], path
        assert [wrong for wrong in visit.wrongs if "400" not in wrong] == [], path
        visit.close()


@pytest.mark.parametrize(("scheme", "locale"), [("light", "en"), ("dark", "zh-CN")])
def test_pages_are_accessible(world: World, visitor: Visit, scheme: str, locale: str) -> None:
    visit = visitor(color_scheme=scheme, locale=locale, viewport={"width": 390, "height": 800})
    paths: list[tuple[str, str | None]] = [("/", None), ("/look-up?code=nonsense", None)]
    paths += [(world.path(name), "checked") for name in OUTCOMES]
    paths += [(world.packs[name].code_path, None) for name in ["sold", *WITHOUT_PROOF]]
    for path, state in paths:
        page = visit.open(path, state)
        if state:
            page.click("#device-check summary")
        results = Axe().run(page, options={"runOnly": {"type": "tag", "values": TAGS}})
        assert results.violations_count == 0, f"{path}\n{results.generate_report()}"


@pytest.mark.parametrize(("size", "locale"), [((360, 740), "zh-CN"), ((1280, 900), "en")])
def test_pages_of_what_is_no_pack_are_accessible(
    world: World, visitor: Visit, size: tuple[int, int], locale: str
) -> None:
    """Products, batches, places, organisations, shipping units, other codes, and what is not there."""
    width, height = size
    party = world.parties["maker"].identifiers.get(scheme="gln").value
    paths = {
        "product": f"/01/{GTIN}", "batch": f"/01/{GTIN}/10/{LOT}", "recalled": f"/01/{GTIN}/10/{RECALLED_LOT}",
        "unit": f"/00/{sscc(1)}", "place": f"/414/{world.glns['lotus']}", "party": f"/417/{party}",
        "other": "/8004/4000001111", "code": "/c/urn:dosetrail:site:lotus-main",
        "trade-code": world.packs["trace_code"].code_path, "not-known": f"/01/{UNKNOWN_GTIN}",
        "no-link": f"/01/{GTIN}?linkType=gs1:smartLabel", "malformed": "/01/123", "no-code": "/c/hello",
    }  # fmt: skip
    for name, path in paths.items():
        visit = visitor(locale=locale, viewport={"width": width, "height": height})
        page = visit.open(path)
        results = Axe().run(page, options={"runOnly": {"type": "tag", "values": TAGS}})
        assert results.violations_count == 0, f"{path}\n{results.generate_report()}"
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
        # That a page answers 400 or 404 is what the browser itself says of it.
        assert [wrong for wrong in visit.wrongs if "status of 40" not in wrong] == [], path
        if folder := os.environ.get("DOSETRAIL_SCREENSHOTS"):
            page.screenshot(path=f"{folder}/consumer-{name}-{width}-{locale}.png", full_page=True)
        visit.close()
