"""Freezing a lot in a browser, phone and desk, in both languages, without axe findings or sideways scrolling."""

import os
from typing import Any

import pytest

from tests.e2e.regulator.test_inbox import _violations
from tests.integration.conftest import EXPIRY, GTIN, LOT, House, code
from tests.integration.scans.test_record import PASSWORD, act
from traceability.custody import stops
from traceability.parties import services as parties
from traceability.parties.models import Member
from traceability.scans import freezing

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.mark.parametrize(("width", "language"), [(360, "zh-hans"), (1280, "en")])
def test_an_inspector_freezes_a_lot_and_a_nurse_sees_it(
    house: House, chromium: Any, live_server: Any, width: int, language: str
) -> None:
    act(house, "maker", "commission", [code("1"), code("2")], details={"lot": LOT, "expiry": EXPIRY.isoformat()})
    act(house, "maker", "ship", [code("1"), code("2")], details={"receiver": "pharmacy"})
    act(house, "pharmacy", "receive", [code("1"), code("2")])
    act(house, "pharmacy", "dispense_part", [code("2")], details={"quantity_left": "3"})
    for party, name, role in (
        ("regulator", "inspector", Member.Role.INSPECTOR),
        ("pharmacy", "nurse", Member.Role.OPERATOR),
    ):
        parties.add_member(party=house.parties[party], username=name, password=PASSWORD, role=role)
    page = chromium.new_page(viewport={"width": width, "height": 800}, locale=language)
    _sign_in(page, f"{live_server.url}/regulator/", "inspector")
    _visit(page, f"{live_server.url}/regulator/freezes", f"freezes-empty-{width}")
    page.fill("#id_q", f"(01){GTIN}(10){LOT}")
    page.click("main form button")
    _seen(page, f"freezes-found-{width}")
    page.click("#found + ul a")
    page.fill("#id_reason", "seal broken on several packs")
    page.fill("#id_password", "wrong")
    page.click("button[name=action]")
    _seen(page, f"freeze-refused-{width}")
    page.fill("#id_password", PASSWORD)
    page.click("button[name=action]")
    house.settle()
    assert stops.freezes()
    page.reload()
    assert page.locator("button[name=action]").get_attribute("value") == "unfreeze"
    _seen(page, f"freeze-{width}")
    _visit(page, f"{live_server.url}/regulator/freezes", f"freezes-{width}")
    _visit(page, f"{live_server.url}/01/{GTIN}/21/1", f"consumer-{width}")
    assert page.locator("[data-outcome=frozen]").count() == 1
    page.context.clear_cookies()
    _sign_in(page, f"{live_server.url}/portal/sign-in", "nurse")
    _visit(page, f"{live_server.url}/portal/stock", f"stock-{width}")
    _visit(page, f"{live_server.url}/portal/open-packs", f"pool-frozen-{width}")
    assert page.locator("input[name=given]").count() == 0
    _lift(house)
    _visit(page, f"{live_server.url}/portal/open-packs", f"pool-{width}")
    page.fill("input[name=given]", "2")
    page.click("section form button")
    assert page.locator("#id_quantity_left").input_value() == "1"
    _seen(page, f"pool-step-{width}")
    page.close()


def _lift(house: House) -> None:
    freezing.unfreeze(
        member=Member.objects.get(user__username="inspector"),
        password=PASSWORD,
        reason="looked into",
        of=freezing.subject(f"(01){GTIN}(10){LOT}"),
    )
    house.settle()


def _sign_in(page: Any, url: str, name: str) -> None:
    page.goto(url)
    page.fill("#id_username", name)
    page.fill("#id_password", PASSWORD)
    page.click("main button[type=submit]")


def _visit(page: Any, url: str, name: str) -> None:
    page.goto(url)
    _seen(page, name)


def _seen(page: Any, name: str) -> None:
    assert _violations(page) == [], name
    if folder := os.environ.get("DOSETRAIL_SCREENSHOTS"):
        page.screenshot(path=f"{folder}/{name}.png", full_page=True)
