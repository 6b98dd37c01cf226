"""Reports on the screen and on paper: an inspector and a pharmacy, phone and desk, English and Chinese."""

import os
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.e2e.consumer.conftest import Visitor
from tests.integration.conftest import GTIN, LOT, House
from tests.integration.portal.conftest import PASSWORD, Portal
from traceability.exceptions import services as exceptions
from traceability.exceptions.models import ExceptionItem
from traceability.parties import services as parties

from .test_dispensing import violations

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

LOT_CODE = f"(01){GTIN}(10){LOT}"
DAYS = {"first": "2020-01-01", "last": "2035-01-01"}
REGULATOR = [
    ("", {}),
    ("/lot-reconciliation", {"code": LOT_CODE}),
    ("/site-movements", {"site": "pharmacy-main", **DAYS}),
    ("/tracing-answer", {"code": f"(01){GTIN}(21)1"}),
    ("/tracing-answer", {"code": LOT_CODE}),
    ("/silent-parties", {}),
    ("/open-exceptions", {}),
    ("/stock-by-lot", {"party": "nobody"}),
]
PORTAL = [
    ("", {}),
    ("/site-movements", {}),
    ("/stock-by-lot", {}),
    ("/near-expiry", {"days": "1825"}),
    ("/open-exceptions", {"side": "own"}),
    ("/lot-reconciliation", {"code": LOT_CODE}),
]


@pytest.mark.parametrize("language", ["en", "zh-hans"])
@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("face", ["regulator", "portal"])
def test_reports(
    stocked: House, person: Callable[..., Portal], visitor: Callable[..., Visitor], face: str, width: int, language: str
) -> None:
    username = "pharmacy-operator"
    if face == "regulator":
        username = "inspector"
        parties.add_member(party=stocked.parties["regulator"], username=username, password=PASSWORD, role="inspector")
    else:
        person("pharmacy")
    _exception(stocked)
    visit = visitor(viewport={"width": width, "height": 800})
    page = visit.open(f"/{face}/reports")
    page.fill("#id_username", username)
    page.fill("#id_password", PASSWORD)
    page.click("main button[type=submit]")
    if language != "en":
        page.click(f'button[value="{language}"]')
    for report, query in REGULATOR if face == "regulator" else PORTAL:
        for paper in ({}, {"print": "1"}) if query and "nobody" not in query.values() else ({},):
            visit.open(f"/{face}/reports{report}?{urlencode({**query, **paper})}")
            assert violations(page) == [], report
            _keep(page, f"{face}-{width}-{language}-{report[1:] or 'list'}{'-paper' if paper else ''}", paper)
    wrongs = [wrong for wrong in visit.wrongs if "400 (Bad Request)" not in wrong]
    assert wrongs == []


def _exception(house: House) -> None:
    """One that is overdue, for the report of those that are open."""
    who = parties.add_member(party=house.parties["pharmacy"], username="desk", password=PASSWORD, role="quality")
    codes, maker = [f"(01){GTIN}(21)1"], house.parties["maker"]
    what = exceptions.Opening("packaging", codes, house.place("pharmacy"), "torn", maker)
    exceptions.open_item(who, what)
    ExceptionItem.objects.update(opened_ms=1_790_000_000_000, due_ms=1_790_100_000_000)
    house.settle()


def _keep(page: Any, name: str, paper: dict[str, str]) -> None:
    """On paper nothing but the report is left, its button included; and a picture to look at."""
    if paper:
        page.wait_for_selector("[data-print]:not([hidden])")
        page.emulate_media(media="print")
        assert not page.is_visible("header.site-header")
        assert not page.is_visible("[data-print]")
        assert page.is_visible(".report-foot")
    if folder := os.environ.get("DOSETRAIL_SCREENSHOTS"):
        page.screenshot(path=f"{folder}/reports-{name}.png", full_page=True)
    page.emulate_media(media="screen")
