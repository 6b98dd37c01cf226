"""The partners page in a browser: a phone and a desktop, both languages, and what axe finds."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.e2e.consumer.conftest import Visitor
from tests.e2e.portal.test_dispensing import PHONE, keep, sign_in, violations
from tests.integration.conftest import House
from tests.integration.portal.conftest import Portal
from traceability.exchange import outgoing
from traceability.exchange.models import Delivery, Subscription
from traceability.queries.models import NamedQuery

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
DESKTOP = {"viewport": {"width": 1280, "height": 900}}


@pytest.mark.parametrize(("size", "locale"), [(PHONE, "en"), (DESKTOP, "zh-CN")], ids=["phone-en", "desktop-zh"])
def test_a_channel_is_set_up_and_its_delivery_followed(
    stocked: House, person: Callable[..., Portal], visitor: Callable[..., Visitor], size: Any, locale: str
) -> None:
    person("maker", "admin")
    query = NamedQuery.objects.create(party=stocked.parties["maker"], name="stock", query={}, created_ms=0)
    Subscription.objects.create(
        id="s", query=query, dest="https://erp.maker.example/epcis", created_ms=0, due_ms=0, since_index=0,
        event_index=0, batch=1, state="suspended", error="timeout: did not answer within 5 s", attempts=30,
    )  # fmt: skip
    visit = visitor(**size, locale=locale)
    page = sign_in(visit, "maker-admin")
    page.goto(f"{page.url.partition('/portal')[0]}/portal/partners")
    assert violations(page) == []
    page.click("details summary")
    page.select_option("#id_way", "webhook")
    page.fill("#id_dest", "https://127.0.0.1/")
    page.select_option("#id_partner", "pharmacy")
    page.click('button[value="add-channel"]')
    page.wait_for_selector(".error-summary")
    keep(page, f"partners-fault-{locale}")
    assert violations(page) == []
    page.select_option("#id_way", "download")
    page.select_option("#id_format", "xml-1.2")
    page.check("#id_since_ever")
    page.click('button[value="add-channel"]')
    page.wait_for_selector('button[value="end-channel"]')
    outgoing.drain()
    page.reload()
    keep(page, f"partners-{locale}")
    assert violations(page) == []
    page.click(f'a[href="/portal/deliveries/{Delivery.objects.first().id}"]')  # type: ignore[union-attr]
    page.wait_for_selector("h1")
    keep(page, f"delivery-{locale}")
    assert violations(page) == []
    assert [wrong for wrong in visit.wrongs if "400 (Bad Request)" not in wrong] == []
