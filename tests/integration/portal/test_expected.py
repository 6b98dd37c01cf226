"""Despatch lists and orders: kept whole or not at all, and compared with what is recorded and received."""

import html
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.integration.conftest import EXPIRY, GTIN, LOT, House, code, pack
from traceability.exceptions import arrivals, despatch_list, expected, services
from traceability.exceptions.models import ExceptionItem, ExpectedList

from .conftest import SSCC, Portal, act
from .test_shipment import DA1, DA2, lines

Enter = Callable[..., Portal]
DA7 = "urn:dosetrail:document:DA7"
ROW = re.compile(
    r'<tr><th scope="row">([^<]*)</th>' + r'<td class="num">(?:<strong>)?([\d–]+)(?:</strong>)?</td>' * 6 + "</tr>"
)


def give(portal: Portal, content: str, number: str = "DA7", kind: str = "advice", **more: str) -> Any:
    return portal.post("expected", {"number": number, "kind": kind, "content": content, **more})


def shown(portal: Portal, content: str, number: str = "DA7", kind: str = "advice", **more: str) -> str:
    """The shipment's page after the list was given."""
    answer = give(portal, content, number, kind, **more)
    assert answer.status_code == 302, answer.content.decode()[:3000]
    return html.unescape(portal.client.get(answer["Location"]).content.decode())


def compared(page: str) -> list[tuple[str, ...]]:
    """Ordered, advised, despatched, received, missing, surplus of each product."""
    return [row[1:] for row in ROW.findall(page)]


def made(house: House, *serials: str) -> list[str]:
    codes = [code(serial) for serial in serials]
    act(house, "maker", "commission", codes, lot=LOT, expiry=EXPIRY.isoformat())
    return codes


def test_a_list_alone_is_the_expected_side(stocked: House, person: Enter) -> None:
    """The supplier's file never came: its paper did. Two are received of three, and one that is not on it."""
    made(stocked, "21", "22", "24")
    portal = person("pharmacy")
    page = shown(portal, "\n".join(code(serial) for serial in ("21", "22", "23")), partner="maker")
    assert "Expected, nothing received yet" in page
    assert set(lines(page).values()) == {"Not received"}
    assert "nothing is recorded of them: 1" in page
    assert compared(page) == [("–", "3", "–", "0", "3", "0")]
    assert "/portal/step/receive?despatch=DA7" in page
    act(stocked, "pharmacy", "receive", [code("21"), code("22"), code("24")], despatch="DA7")
    page = html.unescape(portal.get("shipment", despatch=DA7))
    assert "Partly received" in page
    assert {goods[-2:]: state for goods, state in lines(page).items()} == {
        "21": "Received", "22": "Received", "23": "Not received", "24": "Not on the despatch",
    }  # fmt: skip
    assert compared(page) == [("–", "3", "–", "3", "0", "0")]
    assert "kind=data-no-product" in page
    assert "partner=maker" in page


def test_what_came_without_a_number_is_matched_by_content(stocked: House, person: Enter) -> None:
    made(stocked, "21", "22")
    portal = person("pharmacy")
    act(stocked, "pharmacy", "receive", [code("21")])
    page = shown(portal, f"gtin,lot,expiry,serial\n{GTIN},{LOT},{EXPIRY},21\n{GTIN},{LOT},{EXPIRY},22")
    assert "Matched by content" in page
    assert sorted(lines(page).values()) == ["Not received", "Received"]
    act(stocked, "other", "receive", [code("22")])
    page = html.unescape(portal.get("shipment", despatch=DA7))
    assert sorted(lines(page).values()) == ["Not received", "Received"], "another's receipt is none of this"


def test_a_case_on_the_list_is_received_by_its_packs(stocked: House, person: Enter) -> None:
    portal = person("pharmacy")
    act(stocked, "pharmacy", "receive", [code("5"), code("6")], despatch="DA7")
    assert lines(shown(portal, SSCC)) == {f"(00){SSCC}": "Received"}


def test_amounts_are_compared_by_product_and_lot(stocked: House, person: Enter) -> None:
    portal = person("pharmacy")
    codes = made(stocked, *(str(number) for number in range(30, 35)))
    page = shown(portal, f"gtin;lot;quantity\n{GTIN};{LOT};6\n{GTIN};L9;1")
    assert compared(page) == [("–", "7", "–", "0", "7", "0")]
    act(stocked, "pharmacy", "receive", codes, despatch="DA7")
    page = html.unescape(portal.get("shipment", despatch=DA7))
    assert compared(page) == [("–", "7", "–", "5", "2", "0")]
    assert f'<td>{LOT}</td><td class="num">6</td><td class="num">5</td><td class="num">1</td>' in page
    assert '<td>L9</td><td class="num">1</td><td class="num">0</td><td class="num">1</td>' in page
    assert "Partly received" in page
    assert set(lines(page).values()) == {"Received"}, "no single pack is besides where none was named"
    page = shown(portal, f"gtin,quantity\n{GTIN},3")
    assert "More than was despatched" in page
    assert compared(page) == [("–", "3", "–", "5", "0", "2")]
    assert ExpectedList.objects.count() == 1, "the later list takes the place of the earlier one"


def test_a_list_is_held_against_the_record(stocked: House, person: Enter) -> None:
    """On record: packs 1 to 4. On the list: 2 to 5, one of them with another lot; and the order says ten."""
    portal = person("pharmacy")
    listed = [code(serial) for serial in "234"] + [f"(01){GTIN}(10)L9(21)5"]
    page = shown(portal, "\n".join(listed), "DA1")
    assert "On your list, not on the recorded despatch: 1" in page
    assert "On the recorded despatch, not on your list: 1" in page
    assert "Recorded with another lot or expiry date: 1" in page
    assert "nothing is recorded of them" not in page
    assert compared(page) == [("–", "4", "4", "4", "0", "0")]
    assert set(lines(page).values()) == {"Received"}, "the record stays the expected side"
    assert compared(shown(portal, f"gtin,quantity\n{GTIN},10", "DA1", "order")) == [("10", "4", "4", "4", "0", "0")]


def test_an_order_finds_the_deliveries_that_name_it(stocked: House, person: Enter) -> None:
    first, second = made(stocked, "41", "42"), made(stocked, "43")
    for number, codes in (("DB1", first), ("DB2", second)):
        act(stocked, "maker", "ship", codes, receiver="pharmacy", despatch=number, order="PO5")
    act(stocked, "pharmacy", "receive", first, despatch="DB1")
    portal = person("pharmacy")
    shown(portal, f"gtin,quantity\n{GTIN},4", "PO4", "order")
    page = shown(portal, f"gtin,quantity\n{GTIN},4", "PO5", "order")
    shipments = portal.get("shipments")
    assert "PO4" in shipments
    assert "PO5" not in shipments, "deliveries that name it are recorded"
    assert compared(page) == [("4", "–", "–", "2", "2", "0")]
    page = html.unescape(portal.get("shipment", despatch="urn:dosetrail:document:DB1"))
    assert compared(page) == [("4", "–", "2", "2", "0", "0")]
    act(stocked, "pharmacy", "receive", second, despatch="DB2")
    page = html.unescape(portal.get("shipment", despatch="urn:dosetrail:document:PO5"))
    assert compared(page) == [("4", "–", "–", "3", "1", "0")]


def test_lists_of_which_nothing_is_recorded_stand_among_the_shipments(stocked: House, person: Enter) -> None:
    portal = person("pharmacy")
    shown(portal, code("50"))
    assert "nothing recorded yet" in portal.get("shipments")
    act(stocked, "pharmacy", "receive", [code("50")], despatch="DA7")
    assert "nothing recorded yet" not in portal.get("shipments")


def test_a_list_opens_nothing_of_others(stocked: House, person: Enter) -> None:
    """A stranger that gives a list under another's number sees its own list, and no event, line or receipt."""
    stranger = person("other")
    for serial in ("1", "5"):
        page = shown(stranger, code(serial), "DA1")
        assert "Nothing is recorded of this that you may see" in page
        assert lines(page) == {f"(01){GTIN}(21){serial}": "Not received"}
        assert "Pharmacy" not in page
        assert "Maker" not in page.partition("<dl")[2].partition("</dl>")[0]
    for owner in ("pharmacy", "maker"):
        assert "despatch list</h2>" not in (page := person(owner).get("shipment", despatch=DA1))
        assert "Ordered, advised, received" not in page
    person("wholesaler").get("shipment", status=404, despatch=DA2)


@pytest.mark.parametrize(
    ("content", "more", "told"),
    [
        ("hello\n" + code("1"), {}, "Not a code of a pack, case or pallet"),
        (f"gtin,quantity\n{GTIN},x", {}, "Not a possible amount"),
        (code("1"), {"kind": "order"}, "An order has no serial numbers"),
        ("", {}, "The list is empty"),
        (code("1"), {"number": " "}, "It could not be recorded"),
        (code("1"), {"kind": "wish"}, "It could not be recorded"),
    ],
)
def test_a_fault_is_told_by_its_line_and_nothing_is_kept(
    house: House, person: Enter, content: str, more: dict[str, str], told: str
) -> None:
    answer = give(person("pharmacy"), content, **more)
    assert answer.status_code == 400
    assert told in html.unescape(answer.content.decode())
    assert not ExpectedList.objects.exists()


def test_a_file_is_read_and_one_that_is_too_large_is_not(
    house: House, person: Enter, monkeypatch: pytest.MonkeyPatch
) -> None:
    portal = person("pharmacy")

    def upload(content: bytes) -> Any:
        file = SimpleUploadedFile("list.csv", content)
        return portal.post("expected", {"number": "DA7", "kind": "advice", "content": "", "file": file})

    monkeypatch.setattr(despatch_list, "MAX_BYTES", 60)
    assert upload(b"x" * 61).status_code == 400
    assert not ExpectedList.objects.exists()
    assert upload(code("1").encode()).status_code == 302
    assert ExpectedList.objects.get().things == [[pack("1"), LOT, EXPIRY.isoformat()]]


def test_a_longer_list_takes_no_more_statements(stocked: House, person: Enter) -> None:
    portal = person("pharmacy")

    def statements(count: int) -> int:
        shown(portal, "\n".join(code(f"N{number}") for number in range(count)))
        with CaptureQueriesContext(connection) as found:
            portal.get("shipment", despatch=DA7)
        return len(found)

    assert statements(2) == statements(80)


def listed(house: House, portal: Portal, *codes: str) -> None:
    expected.store(
        portal.member.party, expected.Given("DA7", "advice", "\n".join(codes).encode()), member=portal.member
    )


def opened(house: House, portal: Portal, codes: list[str], kind: str) -> ExceptionItem:
    what = services.Opening(kind, codes, house.place("pharmacy"), "by the list", despatch="DA7")
    item = services.open_item(portal.member, what)
    house.settle()
    item.refresh_from_db()
    return item


def test_goods_that_only_a_list_advised_are_missing_until_they_are_received(stocked: House, person: Enter) -> None:
    """The record has them at their maker still: that they are not under way says nothing of a paper that says so."""
    made(stocked, "61")
    portal = person("pharmacy", "quality")
    listed(stocked, portal, code("61"))
    item = opened(stocked, portal, [code("61")], "data-no-product")
    assert item.waits
    assert arrivals.look() == 0
    act(stocked, "pharmacy", "receive", [code("61")], despatch="DA7")
    assert arrivals.look() == 1
    item.refresh_from_db()
    assert item.state == "resolved"


@pytest.mark.parametrize(("role", "released"), [("quality", 1), ("operator", 0)])
def test_a_list_that_comes_late_stands_for_the_missing_despatch(
    stocked: House, person: Enter, role: str, released: int
) -> None:
    """Only one that someone with the quality role stored: an operator's paper releases nothing from hold."""
    made(stocked, "62")
    act(stocked, "pharmacy", "receive", [code("62")], despatch="DA7")
    portal = person("pharmacy", role)
    assert opened(stocked, portal, [code("62")], "product-no-data").waits
    assert arrivals.look() == 0
    listed(stocked, portal, code("62"))
    act(stocked, "pharmacy", "stock", [code("1")])
    assert arrivals.look() == released
