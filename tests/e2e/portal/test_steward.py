"""The steward's page in a browser: on a phone and a desk, in both languages; without script."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.e2e.consumer.conftest import Visitor
from tests.e2e.portal.test_dispensing import PHONE, keep, violations
from tests.integration.conftest import GTIN, House
from tests.integration.portal.conftest import PASSWORD, Portal
from tests.integration.products.test_stewardship import ITEM, STRANGE
from tests.unit.epcis.test_master_data import element, header
from traceability.products.models import MasterDataProposal, TradeItem

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

DESK = {"viewport": {"width": 1280, "height": 900}}
Visit = Callable[..., Visitor]


def filled(house: House) -> None:
    changed = element(ITEM, regulatedProductName="Glarvia Pen", strengthDescription="100 IU", dosageFormType="PEN")
    place = element(house.place("maker"), name="Maker plant", streetAddressOne="1 Long Road " * 6)
    strangers = [element(f"{STRANGE}/254/{n}", name=f"Dock {n}") for n in range(3)]
    for party, kind, listed in (
        ("maker", "EPCClass", [changed]),
        ("wholesaler", "EPCClass", [element(ITEM, regulatedProductName="Glarva")]),
        ("wholesaler", "Location", [place, *strangers]),
    ):
        assert house.post(party, "/epcis/capture", header((kind, listed))).status_code == 202


def enter(visit: Visitor, username: str, path: str) -> Any:
    page = visit.open(f"/portal/sign-in?next={path}")
    page.fill("#id_username", username)
    page.fill("#id_password", PASSWORD)
    page.click("main button[type=submit]")
    return page


@pytest.mark.parametrize(("size", "options"), [("phone", PHONE), ("desk", DESK)])
@pytest.mark.parametrize("language", ["en", "zh-Hans"])
def test_the_queue_can_be_read_and_used(
    house: House, person: Callable[..., Portal], visitor: Visit, size: str, options: Any, language: str
) -> None:
    filled(house)
    person("maker", "admin")
    visit = visitor(**options, locale=language)
    page = enter(visit, "maker-admin", "/portal/")
    assert violations(page) == []
    keep(page, f"steward-home-{size}-{language}")
    page.click("a.notice-link[href='/portal/master-data']")
    assert page.locator("article").count() == 3
    assert violations(page) == []
    keep(page, f"steward-{size}-{language}")
    # A rejection needs a reason; what was written stays.
    article = page.locator("article", has_text="Glarva").filter(has_not_text="Glarvia Pen")
    article.locator("button[value=reject]").click()
    assert page.locator("[role=alert]").count() == 1
    assert violations(page) == []
    article = page.locator("article", has_text="Glarva").filter(has_not_text="Glarvia Pen")
    article.locator("input[name=reason]").fill("misspelled")
    article.locator("button[value=reject]").click()
    article = page.locator("article", has_text="Glarvia Pen")
    article.locator("input[value=dosageFormType]").uncheck()
    article.locator("button[value=accept]").click()
    assert page.locator("article").count() == 1
    page.click("a[href='?decided=1']")
    assert page.locator("article", has_text="misspelled").count() == 1
    assert violations(page) == []
    keep(page, f"steward-decided-{size}-{language}")
    assert TradeItem.objects.get(gtin=GTIN).name == "Glarvia Pen"
    assert MasterDataProposal.objects.get(uri=ITEM, state="accepted").decisions.get().taken == ["regulatedProductName"]
    assert [wrong for wrong in visit.wrongs if "400" not in wrong] == []


def test_the_regulator_accepts_all_that_is_new_of_a_partner(
    house: House, person: Callable[..., Portal], visitor: Visit
) -> None:
    filled(house)
    person("regulator", "inspector")
    visit = visitor(**PHONE, java_script_enabled=False)
    page = enter(visit, "regulator-inspector", "/regulator/master-data")
    assert page.locator("article").count() == 3
    page.click("summary")
    page.click("button[value=accept-new]")
    assert page.locator("article").count() == 0
    assert page.locator(".empty").count() == 1
    keep(page, "steward-empty")
    assert MasterDataProposal.objects.filter(state="accepted").count() == 3


def test_an_operator_is_not_asked(house: House, person: Callable[..., Portal]) -> None:
    filled(house)
    operator = person("maker", "operator")
    assert "master-data" not in operator.get("")
    operator.get("master-data", status=403)
    assert operator.post("master-data", {"action": "accept", "proposal": "1"}).status_code == 403
