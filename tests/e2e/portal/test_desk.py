"""Shipments, exceptions and taking back in a browser: a phone and a desktop, both languages, and what axe finds."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from tests.e2e.consumer.conftest import Visitor
from tests.e2e.portal.test_dispensing import PHONE, keep, sign_in, violations
from tests.integration.conftest import EXPIRY, LOT, House, code, pack
from tests.integration.portal.conftest import PASSWORD, SSCC, Portal, act
from traceability.custody.models import ItemState
from traceability.exceptions.models import ExceptionItem
from traceability.exchange import channels
from traceability.products import services as products
from traceability.products.models import Lot

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
    plan = channels.Plan(partner=stocked.parties["maker"], way="download", format="json-2.0")
    channels.create(stocked.parties["pharmacy"], plan)
    visit = visitor(**size, locale=locale)
    page = sign_in(visit, "pharmacy-quality")
    visit.open("/portal/shipments")  # a phone's menu is shut
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
    page.click('button[value="send"]')
    page.wait_for_selector('button[value="resend"]')
    keep(page, f"exception-sent-{locale}")
    assert violations(page) == []
    page.click('main a[href="/portal/exceptions"]')
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


@pytest.mark.parametrize(("size", "locale"), [(PHONE, "en"), (DESKTOP, "zh-CN")], ids=["phone-en", "desktop-zh"])
def test_a_despatch_list_is_pasted_and_compared(
    stocked: House, person: Callable[..., Portal], visitor: Callable[..., Visitor], size: Any, locale: str
) -> None:
    person("pharmacy")
    visit = visitor(**size, locale=locale)
    page = sign_in(visit, "pharmacy-operator")
    visit.open("/portal/shipments")
    page.click('a[href="/portal/expected"]')
    page.wait_for_selector("#id_number")
    page.fill("#id_number", "DA1")
    page.fill("#id_content", f"{code('2')}\nhello\n{code('2')}")
    page.click('button.btn-primary[type="submit"]')
    page.wait_for_selector("#faults")
    assert page.locator("#faults ~ * tbody tr").count() == 2
    assert page.input_value("#id_number") == "DA1"
    keep(page, f"list-faults-{locale}")
    assert violations(page) == []
    page.fill("#id_content", "\n".join(code(serial) for serial in ("2", "3", "4", "77")))
    page.click('button.btn-primary[type="submit"]')
    page.wait_for_selector("#compared")
    assert page.locator("details.notice").count() == 3
    keep(page, f"list-compared-{locale}")
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    visit.open("/portal/expected")
    page.check("#kind_order")
    page.fill("#id_number", "PO5")
    page.fill("#id_content", "gtin,quantity\n09521000001008,5")
    page.click('button.btn-primary[type="submit"]')
    page.wait_for_selector("#compared")
    visit.open("/portal/shipments")
    page.wait_for_selector("#waiting")
    keep(page, f"list-waiting-{locale}")
    assert violations(page) == []
    assert [wrong for wrong in visit.wrongs if "400 (Bad Request)" not in wrong] == []


@pytest.mark.parametrize(("size", "locale"), [(PHONE, "zh-CN"), (DESKTOP, "en")], ids=["phone-zh", "desktop-en"])
def test_a_maker_corrects_a_lot(
    stocked: House, person: Callable[..., Portal], visitor: Callable[..., Visitor], size: Any, locale: str
) -> None:
    item = Lot.objects.get(number=LOT).item
    products.save_lot(item=item, number="L2", production_date=date(2026, 1, 1), expiry_date=date(2031, 6, 30))
    person("maker", "quality")
    visit = visitor(**size, locale=locale)
    page = sign_in(visit, "maker-quality")
    visit.open("/portal/exceptions")
    page.click('a[href="/portal/correct"]')
    page.wait_for_selector("#id_lot")
    visit.open(f"/portal/correct?code=(00){SSCC}")
    page.fill("#id_lot", "L8")
    page.fill("#id_expiry", "2031-06-30")
    page.click('button[value="check"]')
    page.wait_for_selector(".error-summary")
    keep(page, f"correct-fault-{locale}")
    assert violations(page) == []
    page.fill("#id_lot", "L2")
    page.click('button[value="check"]')
    page.wait_for_selector("#plan")
    keep(page, f"correct-{locale}")
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.fill("#id_reason", "Line clearance was missed")
    page.fill("#id_password", PASSWORD)
    page.click('button[value="record"]')
    page.wait_for_url("**/portal/exceptions")
    stocked.settle()
    assert set(ItemState.objects.filter(lot="L2").values_list("epc", flat=True)) == {pack("5"), pack("6")}
    assert [wrong for wrong in visit.wrongs if "400 (Bad Request)" not in wrong] == []
