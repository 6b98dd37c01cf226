"""Shipments, exceptions and taking back in a browser: a phone and a desktop, both languages, and what axe finds."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.e2e.consumer.conftest import Visitor
from tests.e2e.portal.test_dispensing import PHONE, keep, sign_in, violations
from tests.integration.conftest import EXPIRY, LOT, House, code
from tests.integration.portal.conftest import SSCC, Portal, act
from traceability.exceptions.models import ExceptionItem

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
DESKTOP = {"viewport": {"width": 1280, "height": 900}}


@pytest.mark.parametrize(("size", "locale"), [(PHONE, "en"), (DESKTOP, "zh-CN")], ids=["phone-en", "desktop-zh"])
def test_from_a_shipment_that_does_not_fit_to_its_exception(
    stocked: House, person: Callable[..., Portal], visitor: Callable[..., Visitor], size: Any, locale: str
) -> None:
    act(stocked, "maker", "commission", [code("8"), code("9")], lot=LOT, expiry=EXPIRY.isoformat())
    act(stocked, "maker", "ship", [code("8")], receiver="pharmacy", despatch="DA9")
    act(stocked, "pharmacy", "receive", [code("8"), code("9")], despatch="DA9")
    act(stocked, "pharmacy", "receive", [f"(00){SSCC}"])
    person("pharmacy", "quality")
    visit = visitor(**size, locale=locale)
    page = sign_in(visit, "pharmacy-quality")
    page.click('a[href="/portal/shipments"]')
    keep(page, f"shipments-{locale}")
    assert violations(page) == []
    page.click('a:has-text("DA9")')
    page.wait_for_selector("h1 .mono")
    keep(page, f"shipment-{locale}")
    assert violations(page) == []
    page.click('a[href^="/portal/exceptions/new"]')
    page.wait_for_selector("#id_kind")
    page.click('button.btn-primary[type="submit"]')
    page.wait_for_selector(".error-summary")
    keep(page, f"exception-fault-{locale}")
    assert violations(page) == []
    page.fill("#id_comment", "One pack more than on the paper")
    page.click('button.btn-primary[type="submit"]')
    page.wait_for_selector("#message")
    stocked.settle()
    keep(page, f"exception-{locale}")
    assert violations(page) == []
    page.click('button[value="ask"]')
    page.wait_for_load_state()
    page.click('a[href="/portal/exceptions"]')
    page.wait_for_selector("#id_state")
    keep(page, f"exceptions-{locale}")
    assert violations(page) == []
    assert ExceptionItem.objects.get().state == "asked"
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert [wrong for wrong in visit.wrongs if "400 (Bad Request)" not in wrong] == []


@pytest.mark.parametrize(("size", "locale"), [(PHONE, "zh-CN"), (DESKTOP, "en")], ids=["phone-zh", "desktop-en"])
def test_a_step_is_taken_back(
    stocked: House, person: Callable[..., Portal], visitor: Callable[..., Visitor], size: Any, locale: str
) -> None:
    portal = person("pharmacy")
    form, _page = portal.check("stock", [code("1")])
    where = portal.post("step/stock", form)["Location"]
    stocked.settle()
    visit = visitor(**size, locale=locale)
    page = sign_in(visit, "pharmacy-operator")
    page = visit.open(where)
    page.click("details summary")
    keep(page, f"take-back-{locale}")
    assert violations(page) == []
    page.fill("#id_reason", "wrong shelf")
    page.click(".btn-danger")
    page.wait_for_selector(".verdict.is-unknown")
    keep(page, f"taken-back-{locale}")
    assert violations(page) == []
    assert visit.wrongs == []
