"""The portal in a hand: the menu behind one button, each row of a list a card, nothing to be shoved sideways."""

from typing import Any

import pytest

from tests.e2e.regulator.test_inbox import _violations
from tests.integration.conftest import EXPIRY, LOT, House, code
from tests.integration.scans.test_record import PASSWORD, act
from traceability.parties import services as parties
from traceability.parties.models import Member
from traceability.products.models import TradeItem

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
HIDDEN = """[...document.querySelectorAll('.table-scroll')].filter(one => one.scrollWidth > one.clientWidth).length"""


@pytest.fixture
def stocked(house: House) -> House:
    act(house, "maker", "commission", [code("1"), code("2")], details={"lot": LOT, "expiry": EXPIRY.isoformat()})
    act(house, "maker", "ship", [code("1")], details={"receiver": "pharmacy", "despatch": "DA-1"})
    act(house, "pharmacy", "receive", [code("1")], details={"despatch": "DA-1"})
    parties.add_member(party=house.parties["pharmacy"], username="clerk", password=PASSWORD, role=Member.Role.OPERATOR)
    return house


def _open(
    chromium: Any, live_server: Any, width: int, language: str, *, scripts: bool = True, username: str = "clerk"
) -> Any:
    context = chromium.new_context(
        viewport={"width": width, "height": 740}, locale=language, java_script_enabled=scripts, base_url=live_server.url
    )
    page = context.new_page()
    page.goto("/portal/sign-in")
    page.fill("input[name=username]", username)
    page.fill("input[name=password]", PASSWORD)
    with page.expect_navigation():  # to its load: measured is the page behind the door, with its style
        page.click("main form button")
    return page


@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_the_menu_opens_by_one_button_and_closes_again(
    stocked: House, chromium: Any, live_server: Any, language: str
) -> None:
    page = _open(chromium, live_server, 360, language)
    header = page.locator(".site-header").bounding_box()
    assert header["height"] < 80, "one row"
    assert not page.locator("#nav").is_visible()
    page.click(".menu")
    assert _violations(page) == []
    page.keyboard.press("Escape")
    assert not page.locator("#nav").is_visible()
    page.click(".menu")
    page.click("#nav a[href='/portal/stock']")
    page.wait_for_url("**/portal/stock")
    page.context.close()


@pytest.mark.parametrize("language", ["en", "zh-CN"])
@pytest.mark.parametrize("face", ["portal", "regulator"])
def test_on_a_desk_all_sections_stand_in_one_row(
    stocked: House, chromium: Any, live_server: Any, language: str, face: str
) -> None:
    """Whichever of them is open, and bold; an administrator has the most."""
    party, role = ("maker", Member.Role.ADMIN) if face == "portal" else ("regulator", Member.Role.INSPECTOR)
    parties.add_member(party=stocked.parties[party], username="chief", password=PASSWORD, role=role)
    page = _open(chromium, live_server, 1280, language, username="chief")
    page.goto(f"/{face}/")
    for path in page.eval_on_selector_all("#nav a", "all => all.map(one => one.getAttribute('href'))"):
        page.goto(path)
        tops = page.eval_on_selector_all(
            "#nav > *", "all => all.map(one => Math.round(one.getBoundingClientRect().top))"
        )
        assert (len(tops) > 10, len(set(tops)), page.locator(".menu").is_visible()) == (True, 1, False), path
    page.context.close()


def test_on_a_desk_a_list_of_stock_fits(stocked: House, chromium: Any, live_server: Any) -> None:
    for row in (stocked.parties["pharmacy"], stocked.parties["pharmacy"].sites.get()):
        row.name = "Riverside Community Pharmacy"
        row.save()
    TradeItem.objects.update(name="Glarvia SoloPen", strength="100 IU/ml")
    page = _open(chromium, live_server, 1280, "en")
    for path in ("/portal/stock", "/portal/reports/stock-by-lot"):
        page.goto(path)
        assert page.locator("tbody tr").count() == 1, path
        assert page.evaluate(HIDDEN) == 0, path
    page.context.close()


def test_what_a_cell_says_in_several_parts_stays_beside_its_name(
    stocked: House, chromium: Any, live_server: Any
) -> None:
    parties.add_member(party=stocked.parties["regulator"], username="chief", password=PASSWORD, role="inspector")
    page = _open(chromium, live_server, 360, "en", username="chief")
    page.goto("/regulator/health")
    lefts = page.eval_on_selector_all(
        "td[data-label] > *",
        "all => all.map(one => one.getBoundingClientRect().left - one.parentElement.getBoundingClientRect().left)",
    )
    assert len(lefts) > 5
    assert min(lefts) > 100, "none slips below the name"
    assert page.evaluate(HIDDEN) == 0
    page.context.close()


@pytest.mark.parametrize(("language", "label"), [("en", "Product"), ("zh-CN", "药品")])
def test_a_row_is_a_card_with_all_that_it_says(
    stocked: House, chromium: Any, live_server: Any, language: str, label: str
) -> None:
    page = _open(chromium, live_server, 360, language)
    for path in ("/portal/stock", "/portal/shipments"):
        page.goto(path)
        assert page.evaluate(HIDDEN) == 0, path
        assert _violations(page) == [], path
        assert page.get_by_role("row").count() == 2, "still a table to those who listen"
        wraps = page.eval_on_selector_all("td.nowrap", "all => all.map(one => getComputedStyle(one).whiteSpace)")
        assert set(wraps) <= {"normal"}, "a moment may break where it does not fit"
    page.goto("/portal/stock")
    assert page.locator("td").first.get_attribute("data-label") == label
    page.context.close()


def test_without_script_the_table_is_there_and_scrolls(stocked: House, chromium: Any, live_server: Any) -> None:
    """The control: what makes the cards is the script, and nothing is lost without it."""
    page = _open(chromium, live_server, 360, "en", scripts=False)
    page.goto("/portal/stock")
    assert page.locator(".table.cards").count() == 0
    assert page.locator("tbody td").count() == 7
    page.context.close()
