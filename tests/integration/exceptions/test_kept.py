"""Large shipments: compared ahead of the page, kept in pieces, and never shown beside a list that was replaced."""

import html
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.integration.conftest import EXPIRY, GTIN, LOT, House, code
from tests.integration.portal.conftest import Portal, act, person, stocked
from tests.integration.portal.test_expected import DA7, give
from tests.integration.portal.test_shipment import DA1, lines
from traceability.exceptions import expected, kept, overview
from traceability.exceptions.models import KeptOverview, KeptRows
from traceability.web.portal import shipment_views

__all__ = ["person", "stocked"]
Enter = Callable[..., Portal]
LISTED = "\n".join([code("2"), code("3"), code("4"), code("77"), f"(01){GTIN}(10)L9(21)5"])


@pytest.fixture
def large(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Set from how many things on a shipment is large; pieces have two rows."""
    monkeypatch.setattr(kept, "ROWS", 2)

    def set_limit(things: int) -> None:
        monkeypatch.setattr(kept, "LIVE", things)

    return set_limit


def shown(portal: Portal, despatch: str = DA1, **more: str) -> str:
    return html.unescape(portal.get("shipment", despatch=despatch, **more))


def main_of(page: str) -> str:
    return page.partition("<main")[2].partition("</main>")[0]


def test_what_is_kept_says_what_is_worked_out_while_one_waits(stocked: House, person: Enter, large: Any) -> None:
    portal = person("pharmacy")
    give(portal, LISTED, "DA1")
    live = shown(portal)
    assert "On your list, not on the recorded despatch: 2" in live
    assert not KeptOverview.objects.exists()
    large(3)
    assert "both sides are being compared" in shown(portal)
    assert lines(shown(portal)) == {}
    assert kept.run_once()
    assert main_of(shown(portal)) == main_of(live)
    assert not kept.run_once(), "nobody waits for another"


@pytest.mark.parametrize("things", [3, 1000])
def test_the_page_of_a_large_one_reads_none_of_its_goods(
    stocked: House, person: Enter, large: Any, things: int
) -> None:
    """The control is a small one, whose goods are read while the page waits."""
    portal = person("pharmacy")
    give(portal, LISTED, "DA1")
    large(things)
    shown(portal)
    kept.run_once()
    with CaptureQueriesContext(connection) as found:
        assert "Line by line" in shown(portal)
    heavy = re.compile(r'SELECT[^;]*"(?:things|despatched)"(?! *\))[^;]*FROM')
    reads = [one["sql"] for one in found if heavy.search(one["sql"].partition(" WHERE ")[0])]
    assert bool(reads) is (things > 3), reads


def test_when_the_log_goes_on_the_page_says_so_until_it_is_compared_anew(
    stocked: House, person: Enter, large: Any
) -> None:
    large(1)
    portal = person("pharmacy")
    give(portal, f"{code('61')}\n{code('62')}")
    shown(portal, DA7)
    kept.run_once()
    assert "Expected, nothing received yet" in shown(portal, DA7)
    act(stocked, "pharmacy", "receive", [code("61")], despatch="DA7")
    page = shown(portal, DA7)
    assert "Compared as of log entry" in page
    assert "Expected, nothing received yet" in page, "what was true then, and the page says when"
    assert kept.run_once()
    page = shown(portal, DA7)
    assert "Compared as of log entry" not in page
    assert sorted(lines(page).values()) == ["Not received", "Received"]


def test_what_was_compared_with_a_list_is_gone_with_the_list(stocked: House, person: Enter, large: Any) -> None:
    large(1)
    portal = person("pharmacy")
    for _ in range(2):
        give(portal, f"{code('61')}\n{code('62')}")
        assert "both sides are being compared" in shown(portal, DA7)
        kept.run_once()
        assert len(lines(shown(portal, DA7))) == 2
    give(portal, f"gtin,quantity\n{GTIN},5", "DA7", "order")
    assert not KeptRows.objects.exists()
    assert "both sides are being compared" in shown(portal, DA7)


def test_a_list_that_comes_while_the_earlier_one_is_compared_wins(
    stocked: House, person: Enter, large: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    large(1)
    portal = person("pharmacy")
    give(portal, f"{code('61')}\n{code('62')}")
    shown(portal, DA7)
    original = overview.work_out

    def meanwhile(subject: overview.Subject) -> Any:
        found = original(subject)
        expected.store(subject.party, expected.Given("DA7", "advice", f"{code('63')}\n{code('64')}".encode()))
        return found

    with monkeypatch.context() as patch:
        patch.setattr(overview, "work_out", meanwhile)
        assert kept.run_once()
    assert "both sides are being compared" in shown(portal, DA7)
    kept.run_once()
    assert sorted(one[-2:] for one in lines(shown(portal, DA7))) == ["63", "64"]


def test_an_order_concerns_the_shipments_that_name_it(stocked: House, person: Enter, large: Any) -> None:
    codes = [code(serial) for serial in ("41", "42")]
    act(stocked, "maker", "commission", codes, lot=LOT, expiry=EXPIRY.isoformat())
    act(stocked, "maker", "ship", codes, receiver="pharmacy", despatch="DB1", order="PO5")
    large(1)
    portal = person("pharmacy")
    page = "urn:dosetrail:document:DB1"
    shown(portal, page)
    kept.run_once()
    assert "Ordered" not in shown(portal, page)
    give(portal, f"gtin,quantity\n{GTIN},4", "PO9", "order")
    assert "being compared" not in shown(portal, page), "another order is none of its business"
    give(portal, f"gtin,quantity\n{GTIN},4", "PO5", "order")
    assert "both sides are being compared" in shown(portal, page)
    kept.run_once()
    assert '<td class="num">4</td>' in shown(portal, page)


def test_long_tables_are_shown_page_by_page(
    stocked: House, person: Enter, large: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    large(1)
    monkeypatch.setattr(shipment_views, "PAGE_SIZE", 3)
    portal = person("pharmacy")
    give(portal, "gtin,lot,quantity\n" + "".join(f"{GTIN},L{number},2\n" for number in range(7)))
    shown(portal, DA7)
    kept.run_once()
    page = shown(portal, DA7)
    assert "Show all 7" in page
    assert page.count("<td>L") == 3
    seen = [shown(portal, DA7, show="lots", page=str(number)) for number in (1, 2, 3)]
    assert [len(re.findall("<td>L", one)) for one in seen] == [3, 3, 1]
    assert "By lot: 7" in seen[0]
    assert "3 / 3" in seen[2]
    assert "Direction" in shown(portal, DA7, show="wish"), "no such table: the page"
    person("other").get("shipment", status=404, despatch=DA7, show="lots")


def test_each_party_has_its_own(stocked: House, person: Enter, large: Any) -> None:
    """A receipt that does not name the sender is the receiver's to see, and not the sender's."""
    large(0)
    act(stocked, "pharmacy", "receive", [code("5"), code("6")])
    document = "urn:dosetrail:document:DA2"
    for name, told in (("pharmacy", "Matched by content"), ("maker", "On the way")):
        portal = person(name)
        shown(portal, document)
        kept.run_once()
        assert told in shown(portal, document)
    assert KeptOverview.objects.count() == 2
