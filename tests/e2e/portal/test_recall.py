"""A recall from draft to answer in real browsers: two people sign, a pharmacy answers, the maker follows it."""

import os
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.integration.conftest import GTIN, LOT, House
from tests.integration.portal.conftest import PASSWORD
from tests.integration.recalls.conftest import look, person, stocked
from traceability.recalls import delivery
from traceability.recalls.models import Acknowledgement, Notice, Recall

__all__ = ["stocked"]
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
WORDS = {
    "en": {"save": "Save the draft", "sign": "Sign", "answer": "Answer", "published": "Published"},
    "zh-CN": {"save": "保存草稿", "sign": "签名", "answer": "答复", "published": "已公布"},
}


class People:
    """One browser for each person; every page that is looked at is checked."""

    def __init__(self, chromium: Any, url: str, language: str, width: int) -> None:
        self.chromium, self.url, self.language, self.width = chromium, url, language, width
        self.pages: dict[str, Any] = {}
        self.said: list[str] = []

    def page(self, name: str, start: str = "/portal/") -> Any:
        """The page of a person, signed in."""
        if name not in self.pages:
            context = self.chromium.new_context(viewport={"width": self.width, "height": 800}, locale=self.language)
            page = self.pages[name] = context.new_page()
            page.on("console", lambda line: self.said.append(line.text) if line.type == "error" else None)
            page.goto(f"{self.url}{start}")
            page.fill("#id_username", name)
            page.fill("#id_password", PASSWORD)
            page.click("main button[type=submit]")
        return self.pages[name]

    def at(self, name: str, path: str, label: str) -> Any:
        page = self.page(name)
        page.goto(f"{self.url}{path}")
        self.check(page, label)
        return page

    def check(self, page: Any, label: str) -> None:
        """No finding of axe, nothing wider than the screen."""
        found = [f"{one['id']}: {one['nodes'][0]['html']}" for one in Axe().run(page).response["violations"]]
        assert found == [], label
        assert not page.evaluate("document.documentElement.scrollWidth > innerWidth"), label
        if folder := os.environ.get("DOSETRAIL_SCREENSHOTS"):
            page.screenshot(path=f"{folder}/recall-{self.language}-{self.width}-{label}.png", full_page=True)


@pytest.mark.parametrize(("language", "width"), [("en", 1280), ("zh-CN", 360)])
def test_from_draft_to_answer(stocked: House, chromium: Any, live_server: Any, language: str, width: int) -> None:
    words = WORDS[language]
    for party, name, role in (
        ("maker", "one", "quality"),
        ("maker", "two", "admin"),
        ("pharmacy", "chemist", "operator"),
        ("regulator", "inspector", "inspector"),
    ):
        person(stocked, party, name, role)
    people = People(chromium, live_server.url, language, width)
    people.at("one", "/portal/recalls", "empty")
    page = people.at("one", "/portal/recalls/new", "form")
    page.click(f"button:has-text('{words['save']}')")
    people.check(page, "form-faults")
    page.fill("#id_lots", f"{GTIN} {LOT}")
    page.check("#id_class_1")
    page.fill("#id_reason", "留样中发现微粒。 Particles in a retained sample.")
    page.fill("#id_instruction", "请立即隔离。 Set the packs aside.")
    page.click(f"button:has-text('{words['save']}')")
    people.check(page, "draft")
    where = page.url.removeprefix(live_server.url)
    for name in ("one", "two"):
        page = people.at(name, where, f"sign-{name}")
        page.fill("#id_password", PASSWORD)
        page.click(f"button[value=sign]:has-text('{words['sign']}')")
        page.wait_for_selector(".notice.is-ok")
    people.check(page, "published-nobody-told")
    assert words["published"] in page.inner_text("main")
    look(stocked)
    delivery.run()
    people.at("chemist", "/portal/", "home")
    people.at("chemist", "/portal/recall-notices", "notices")
    page.goto(f"{live_server.url}{where}")
    notice = Notice.objects.get(party="pharmacy")
    page = people.at("chemist", f"/portal/recall-notices/{notice.id}", "notice")
    page.fill("#id_set_aside", "4")
    page.click(f"main form button:has-text('{words['answer']}')")
    people.check(page, "answer-faults")
    page.fill("#id_sold", "1")
    page.click(f"main form button:has-text('{words['answer']}')")
    page.wait_for_selector(".notice.is-ok")
    people.check(page, "answered")
    assert Acknowledgement.objects.get().counts["set_aside"] == 4
    Notice.objects.filter(party="maker").update(deliver_by_ms=0, answer_by_ms=0)
    page = people.at("one", where, "tracker")
    assert page.get_attribute("#id_progress", "value") == "1"
    people.at("one", f"{where}/calls", "calls")
    page.emulate_media(media="print")
    page.set_viewport_size({"width": 1000, "height": 1400})  # a sheet across
    people.check(page, "calls-print")
    people.page("inspector", "/regulator/")
    people.at("inspector", "/regulator/recalls", "regulator-list")
    people.at("inspector", where.replace("portal", "regulator"), "regulator")
    patient = people.pages["one"]
    patient.emulate_media(media="screen")
    patient.set_viewport_size({"width": width, "height": 800})
    patient.goto(f"{live_server.url}/01/{GTIN}/21/1")
    people.check(patient, "patient")
    assert "Particles in a retained sample." in patient.inner_text("main")
    assert Recall.objects.get().state == "published"
    assert [line for line in people.said if "Content Security Policy" in line or "Error" in line] == []
    for page in people.pages.values():
        page.context.close()
