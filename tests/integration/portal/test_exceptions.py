"""The exceptions desk in the portal, and what of it the regulator sees."""

import html
import re
from collections.abc import Callable
from urllib.parse import parse_qs

from django.test import Client

from tests.integration.conftest import EXPIRY, GTIN, LOT, House, code, pack
from traceability.custody.models import ItemState, LotStatus
from traceability.exceptions.models import ExceptionItem
from traceability.gs1.digital_link import lot_class
from traceability.parties import services as parties
from traceability.scans import services as scans

from .conftest import PASSWORD, SSCC, Portal, act

Enter = Callable[..., Portal]


def open_one(portal: Portal, codes: list[str], **more: str) -> str:
    """Fill in the form; the address of the exception."""
    form = {"kind": "packaging", "comment": "the box is wet", "partner": "maker", **portal.form(codes), **more}
    answer = portal.post("exceptions/new", form)
    assert answer.status_code == 302, answer.content.decode()
    portal.house.settle()
    return str(answer["Location"]).removeprefix("/portal/")


def version(page: str) -> str:
    found = re.search(r'name="version" value="(\d+)"', page)
    assert found
    return found[1]


def test_from_opening_to_release(stocked: House, person: Enter) -> None:
    operator, quality = person("pharmacy"), person("pharmacy", "quality")
    path = open_one(operator, [code("1")], despatch="DA1")
    page = html.unescape(operator.get(path))
    assert "Packaging or label" in page
    assert "3 days left" in page, "of 72 hours some seconds have gone"
    assert "To: Maker" in page
    assert "致：Maker" in page
    assert "mailto:?subject=Exception%20" in page
    assert "Someone with the quality role can resolve it." in page
    assert ">On hold</span>" in operator.get("stock")
    assert "Exceptions that are not resolved: 1" in operator.get("")
    assert operator.post(path, {"action": "ask", "version": version(page)}).status_code == 302
    decide = {"action": "resolve", "release": "1", "comment": "only the outer carton", "version": "1"}
    assert quality.post(path, {**decide, "password": "wrong"}).status_code == 403
    assert quality.post(path, {**decide, "comment": "", "password": PASSWORD}).status_code == 403
    assert operator.post(path, {**decide, "password": PASSWORD}).status_code == 403
    assert quality.post(path, {"action": "resolve", "comment": "", "version": "1"}).status_code == 400
    assert quality.post(path, {**decide, "version": "0", "password": PASSWORD}).status_code == 409
    assert quality.post(path, {**decide, "password": PASSWORD}).status_code == 302
    stocked.settle()
    assert ItemState.objects.get(epc=pack("1")).held_index is None
    page = operator.get(path)
    assert "Resolved" in page
    assert 'value="resolve"' not in page
    assert "No exception fits this choice." in operator.get("exceptions")
    assert "only the outer carton" in quality.get(path)


def test_faults_are_named_at_their_field(stocked: House, person: Enter) -> None:
    portal = person("pharmacy")
    good = {"kind": "packaging", "comment": "wet", **portal.form([code("1")])}
    for change, words in (
        ({"kind": ""}, "Choose what is wrong."),
        ({"comment": ""}, "Write a comment"),
        ({"codes": ""}, "Give 1 to 1000 codes"),
        ({"codes": "hello"}, "An exception is about packs"),
        ({"place": "nowhere"}, "Choose one of your own places."),
    ):
        answer = portal.post("exceptions/new", {**good, **change})
        assert answer.status_code in {400, 403}
        assert words in answer.content.decode()
    assert not ExceptionItem.objects.exists()


def test_the_partner_sees_it_once_asked_and_a_stranger_never(stocked: House, person: Enter) -> None:
    portal, maker, stranger = person("pharmacy"), person("maker"), person("other")
    path = open_one(portal, [code("1")])
    maker.get(path, status=404)
    portal.post(path, {"action": "ask", "version": "0"})
    page = maker.get(path)
    assert "the box is wet" in page
    assert 'value="ask"' not in page
    assert ExceptionItem.objects.get().id in maker.get("exceptions", side="asked")
    home = maker.get("")
    assert "partners ask you to clear up: 1" in home
    assert "Exceptions that are not resolved" not in home, "that leads to the maker's own, of which there are none"
    assert maker.post(path, {"action": "escalate", "comment": "no", "version": "1"}).status_code == 404
    stranger.get(path, status=404)
    assert stranger.post(path, {"action": "ask", "version": "1"}).status_code == 404


def test_the_regulator_sees_what_was_brought_before_it(stocked: House, person: Enter) -> None:
    portal = person("pharmacy")
    path = open_one(portal, [code("1")])
    parties.add_member(party=stocked.parties["regulator"], username="i", password=PASSWORD, role="inspector")
    inspector = Client()
    assert inspector.login(username="i", password=PASSWORD)
    assert inspector.get(f"/regulator/{path}").status_code == 404
    assert portal.post(path, {"action": "escalate", "comment": "no answer", "version": "0"}).status_code == 302
    assert "no answer" in inspector.get(f"/regulator/{path}").content.decode()
    assert path.rpartition("/")[2] in inspector.get("/regulator/exceptions").content.decode()


def form_of(page: str) -> dict[str, list[str]]:
    found = re.search(r'href="/portal/exceptions/new\?([^"]*)"', page)
    assert found
    return parse_qs(html.unescape(found[1]))


def test_a_check_leads_to_the_form_with_the_goods_in_it(stocked: House, person: Enter) -> None:
    portal = person("pharmacy")
    _form, page = portal.check("receive", [code("77")], sender="maker", despatch="X1")
    given = form_of(page)
    assert given["kind"] == ["product-no-data"]
    assert given["code"] == [code("77")]
    assert (given["partner"], given["despatch"]) == (["maker"], ["X1"])
    shown = portal.client.get("/portal/exceptions/new", given).content.decode()
    assert html.escape(code("77")) in shown
    assert '<option value="maker" selected>' in shown
    _form, page = portal.check("receive", [f"(00){SSCC}"], despatch="DA2")
    assert "exceptions/new" not in page


def test_a_shipment_leads_there_with_what_is_missing_or_came_besides(stocked: House, person: Enter) -> None:
    act(stocked, "maker", "commission", [code("8"), code("9")], lot=LOT, expiry=EXPIRY.isoformat())
    act(stocked, "maker", "ship", [code("8")], receiver="pharmacy", despatch="DA9")
    act(stocked, "pharmacy", "receive", [code("8"), code("9")], despatch="DA9")
    given = form_of(person("pharmacy").get("shipment", despatch="urn:dosetrail:document:DA9"))
    assert (given["kind"], given["partner"]) == (["product-no-data"], ["maker"])
    assert given["code"] == ["(01)09521000001008(21)9"]
    assert "exceptions/new" not in person("maker").get("shipment", despatch="urn:dosetrail:document:DA9")


def test_goods_of_a_party_that_has_closed_are_taken_over(stocked: House, person: Enter) -> None:
    portal = person("pharmacy", "quality")
    path = open_one(portal, [code("77")], kind="product-no-data", nonce="second")
    assert "opening_stock" not in portal.get(path)
    stocked.parties["maker"].active = False
    stocked.parties["maker"].save()
    page = html.unescape(portal.get(path))
    assert "/portal/step/opening_stock?code=" in page
    scans.record(
        party=stocked.parties["pharmacy"], step="opening_stock", codes=[code("77")], place=stocked.place("pharmacy"),
        details={"reason": "Maker has closed"},
    )  # fmt: skip
    stocked.settle()
    decide = {"action": "resolve", "release": "1", "comment": "taken over", "version": "0", "password": PASSWORD}
    assert portal.post(path, decide).status_code == 302
    stocked.settle()
    state = ItemState.objects.get(epc=pack("77"))
    assert (state.status, state.lot, state.held_index) == ("active", LOT, None)


def test_what_it_waits_for_is_said_and_the_advice_as_it_is_printed(stocked: House, person: Enter) -> None:
    advice = "urn:epcglobal:cbv:bt:9521000800014:DA77"
    act(stocked, "maker", "commission", [code("8")], lot=LOT, expiry=EXPIRY.isoformat())
    act(stocked, "maker", "ship", [code("8")], receiver="pharmacy", despatch=advice)
    portal = person("pharmacy")
    missing = open_one(portal, [code("8")], kind="data-no-product", despatch=advice)
    page = html.unescape(portal.get(missing))
    assert "When the goods are received, or their despatch is called back, this is resolved by itself." in page
    assert "Despatch advice: DA77\n" in page
    assert advice not in page
    unrecorded = open_one(portal, [code("77")], kind="product-no-data", nonce="second")
    page = html.unescape(portal.get(unrecorded))
    assert "When the missing data arrives, this is resolved by itself and the goods are released." in page


def test_an_operator_opens_one_for_a_print_that_differs_and_reads_why_another_is_stopped(
    stocked: House, person: Enter
) -> None:
    portal = person("pharmacy")
    printed = code("1").replace(f"10{LOT}", "10L9")
    path = open_one(portal, [printed], kind="data-issue")
    assert "Put on hold by this" in portal.get(path)
    stocked.settle()
    assert ItemState.objects.get(epc=pack("1")).held_index is not None
    act(stocked, "pharmacy", "dispense", [code("2")])
    form = {"kind": "packaging", "comment": "torn", "nonce": "n9", **portal.form([code("2")])}
    page = html.unescape(portal.post("exceptions/new", {**form, "nonce": "n9"}).content.decode())
    assert "The check stops this." in page
    assert "(21)2: It has been dispensed already." in page, "and for which goods"


def test_goods_that_stay_on_hold_although_the_data_has_arrived_say_why(stocked: House, person: Enter) -> None:
    portal = person("pharmacy")
    path = open_one(portal, [code("1").replace(f"10{LOT}", "10L9")], kind="data-issue")
    assert "cannot be released by themselves" not in portal.get(path)
    ItemState.objects.filter(epc=pack("1")).update(lot="L9")  # as the maker's correction leaves it
    assert "cannot be released by themselves" not in portal.get(path), "nothing speaks against it"
    LotStatus.objects.create(lot_class=lot_class(GTIN, "L9"), recalled_index=1)
    page = portal.get(path)
    assert "cannot be released by themselves" in page
    assert "Its lot has been recalled." in page
