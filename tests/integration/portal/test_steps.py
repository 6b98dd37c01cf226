"""A step in the portal: checked first, recorded once and on purpose."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.integration.conftest import EXPIRY, GTIN, LOT, House, code, pack
from tests.integration.recalls.conftest import published
from traceability.capture.models import PublishedEvent
from traceability.custody import selectors as custody
from traceability.custody import stops
from traceability.parties.models import Party
from traceability.scans import services as scans
from traceability.scans.models import ScanEvent

from .conftest import CASE, PASSWORD, SSCC, Portal, act

Enter = Callable[..., Portal]


def sales() -> int:
    return PublishedEvent.objects.filter(biz_step="dispensing", declaration_ms=None).count()


def test_a_pharmacy_dispenses(stocked: House, person: Enter) -> None:
    portal = person("pharmacy")
    form, page = portal.check("dispense", [code("1"), code("2")])
    assert "Nothing speaks against it" in page
    assert re.search(rf"\(01\){GTIN}\(10\){LOT}</dt><dd>2</dd>", page)
    assert sales() == 0, "a check records nothing"
    shown = portal.record("dispense", [code("1"), code("2")])
    assert sales() == 1
    assert f'href="/01/{GTIN}/21/1"' in shown
    row = ScanEvent.objects.get(step="dispense")
    assert row.statement_hashes[0][:12] in shown
    assert row.member == portal.member.pseudonym
    assert "Submitted" in shown
    assert "data-wait" not in shown
    assert custody.states([pack("1")])[pack("1")].status == "dispensed"
    assert form["checked"]


def test_before_publication_it_says_submitted(stocked: House, person: Enter) -> None:
    portal = person("pharmacy")
    form, _page = portal.check("dispense", [code("1")])
    answer = portal.post("step/dispense", form)
    shown = portal.client.get(answer["Location"]).content.decode()
    assert "data-wait" in shown
    stocked.settle()
    assert "data-wait" not in portal.client.get(answer["Location"]).content.decode()


def test_submitted_twice_it_is_recorded_once(stocked: House, person: Enter) -> None:
    portal = person("pharmacy")
    form, _page = portal.check("dispense", [code("1")])
    first = portal.post("step/dispense", form)
    stocked.settle()  # by now the pack is dispensed, and a new check would stop
    second = portal.post("step/dispense", form)
    stocked.settle()
    assert first["Location"] == second["Location"]
    assert sales() == 1
    assert ScanEvent.objects.filter(step="dispense").count() == 1


def test_what_the_same_form_did_meanwhile_is_shown_and_no_reason_against_it(
    stocked: House, person: Enter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sent twice at one moment: the first was recorded while the second was on its way to the check."""
    portal = person("pharmacy")
    form, _page = portal.check("dispense", [code("1")])
    check, first = scans.preflight, []

    def late(**call: Any) -> Any:
        monkeypatch.setattr(scans, "preflight", check)
        first.append(portal.post("step/dispense", form))
        stocked.settle()
        return check(**call)

    monkeypatch.setattr(scans, "preflight", late)
    second = portal.post("step/dispense", form)
    assert (second.status_code, second.get("Location")) == (302, first[0]["Location"])
    assert sales() == 1


def test_other_codes_under_the_same_nonce_are_not_taken_for_the_same(stocked: House, person: Enter) -> None:
    portal = person("pharmacy")
    portal.record("dispense", [code("1")])
    portal.record("dispense", [code("2")])
    assert sales() == 2


def test_nothing_is_recorded_unchecked(stocked: House, person: Enter) -> None:
    portal = person("pharmacy")
    page = portal.post("step/dispense", {**portal.form([code("1")]), "action": "record"}).content.decode()
    assert "Not recorded yet" in page
    form, _page = portal.check("dispense", [code("1")])
    page = portal.post("step/dispense", {**form, "codes": code("2")}).content.decode()
    assert "Not recorded yet" in page
    stocked.settle()
    assert sales() == 0


def test_what_changed_since_the_check_is_shown_first(stocked: House, person: Enter) -> None:
    portal = person("pharmacy", "quality")
    form, _page = portal.check("dispense", [code("1")])
    act(stocked, "pharmacy", "dispense", [code("1")])
    page = portal.post("step/dispense", {**form, "override_reason": "no"}).content.decode()
    assert "Not recorded yet" in page
    assert "It has been dispensed already." in page
    stocked.settle()
    assert sales() == 1


def test_a_stop_names_every_reason_and_the_operator_cannot_pass(stocked: House, person: Enter) -> None:
    act(stocked, "pharmacy", "dispense", [code("1")])
    portal = person("pharmacy")
    form, page = portal.check("dispense", [code("1"), code("unheard-of")])
    assert "It has been dispensed already." in page
    assert "Nothing is recorded of this code yet." in page
    assert "Someone with the quality role can" in page
    assert 'value="record"' not in page
    answer = portal.post("step/dispense", {**form, "override_reason": "I want to"})
    assert answer.status_code == 409
    assert "The check stops this. Nothing was recorded." in answer.content.decode()
    stocked.settle()
    assert sales() == 1


def test_quality_passes_a_stop_with_a_reason_only(stocked: House, person: Enter) -> None:
    act(stocked, "pharmacy", "dispense", [code("1")])
    portal = person("pharmacy", "quality")
    form, page = portal.check("dispense", [code("1")])
    assert 'name="override_reason"' in page
    assert portal.post("step/dispense", form).status_code == 409
    answer = portal.post("step/dispense", {**form, "override_reason": "returned unopened, seen by me"})
    assert answer.status_code == 302
    assert "returned unopened, seen by me" in portal.client.get(answer["Location"]).content.decode()
    stocked.settle()
    assert sales() == 2


def test_a_release_needs_quality_and_the_password(stocked: House, person: Enter) -> None:
    lot, given = f"(01){GTIN}(10){LOT}", {"report": "COA-1", "reason": "results in order"}
    operator = person("maker")
    form, page = operator.check("release", [lot], **given)
    assert "Only people with the quality role" in page
    assert 'value="record"' not in page
    assert operator.post("step/release", {**form, "password": PASSWORD}).status_code == 403
    portal = person("maker", "quality")
    form, page = portal.check("release", [lot], **given)
    assert 'name="password"' in page
    answer = portal.post("step/release", {**form, "password": "not-my-password"})
    assert answer.status_code == 403
    assert "The password is not right. Nothing was recorded." in answer.content.decode()
    assert portal.post("step/release", form).status_code == 403
    stocked.settle()
    assert stops.lot_status(GTIN, LOT) is None
    assert portal.post("step/release", {**form, "password": PASSWORD}).status_code == 302
    stocked.settle()
    status = stops.lot_status(GTIN, LOT)
    assert status is not None
    assert status.released_index is not None


def test_nobody_recalls_alone(stocked: House, person: Enter) -> None:
    """What was a step of one person is a draft that two sign."""
    portal = person("maker", "quality")
    assert portal.client.get("/portal/step/recall").status_code == 404
    assert "/portal/recalls" in portal.get("")
    published(stocked)
    assert "Its lot has been recalled." in person("pharmacy").check("dispense", [code("1")])[1]


def test_a_lot_is_named_by_its_digital_link_too(stocked: House, person: Enter) -> None:
    portal = person("maker", "quality")
    link = f"https://id.gs1.org/01/{GTIN}/10/{LOT}"
    form, _page = portal.check("release", [link], reason="conformant", report="IR-7")
    assert portal.post("step/release", {**form, "password": PASSWORD}).status_code == 302
    page = portal.check("release", [code("1")], reason="conformant", report="IR-7")[1]
    assert "This step is about a lot" in page


def test_receiving_compares_with_the_despatch_advice(stocked: House, person: Enter) -> None:
    portal = person("pharmacy")
    page = portal.get("step/receive")
    assert '<option value="DA2">' in page
    assert '<option value="DA1">' not in page
    _form, page = portal.check("receive", [code("1")], despatch="DA2")
    figures = (
        r"on the despatch advice</dt><dd>2<.*in cases too</dt><dd>1<.*missing</dt><dd>2<.*not on the advice</dt><dd>1<"
    )
    assert re.search(figures, page, re.S), "packs, as the shipment's page counts them: two in the case"
    _form, page = portal.check("receive", [f"(00){SSCC}"], despatch="DA2")
    figures = (
        r"on the despatch advice</dt><dd>2<.*in cases too</dt><dd>2<.*missing</dt><dd>0<.*not on the advice</dt><dd>0<"
    )
    assert re.search(figures, page, re.S)
    shown = portal.record("receive", [f"(00){SSCC}"], despatch="DA2", sender="maker")
    assert f"(00){SSCC}" in shown
    assert "DA2" not in portal.get("step/receive").split("<datalist")[-1]


@pytest.mark.parametrize("scanned", [f"(00){SSCC}", code("5")], ids=["the case", "a pack in it"])
def test_a_receipt_finds_its_despatch_advice_by_the_goods(stocked: House, person: Enter, scanned: str) -> None:
    portal = person("pharmacy")
    form, page = portal.check("receive", [scanned])
    assert "these goods are on despatch advice DA2" in page
    assert 'name="despatch" type="text" list="list_despatch" value="DA2"' in page
    assert '<option value="maker" selected>' in page
    emptied = portal.post(
        "step/receive", {**form, "action": "check", "despatch": "", "offered": "DA2"}
    ).content.decode()
    assert "these goods are on despatch advice" not in emptied, "who empties the field wants none"
    assert "Packs on the despatch advice" not in emptied
    page = portal.record("receive", [scanned], despatch="DA2", sender="maker", offered="DA2")
    assert "Recorded" in page
    row = custody.shipment("urn:dosetrail:document:DA2")
    assert row is not None
    assert len(row.received) == 1


def test_a_return_names_the_shipment_that_it_came_by(stocked: House, person: Enter) -> None:
    act(stocked, "pharmacy", "ship", [code("1")], receiver="maker", despatch="RT1")
    portal = person("maker")
    _form, page = portal.check("return_in", [code("1")])
    assert "these goods are on despatch advice RT1" in page
    portal.record("return_in", [code("1")], despatch="RT1", sender="pharmacy", offered="RT1")
    row = custody.shipment("urn:dosetrail:document:RT1")
    assert row is not None
    assert row.status == "received", "who sent it back sees that it has arrived"


def test_a_country_is_asked_for_in_words_of_the_page(stocked: House, person: Enter) -> None:
    portal = person("maker")
    answer = portal.post("step/export", {**portal.form([code("5")], country="Netherlands"), "action": "check"})
    assert "two capital letters" in answer.content.decode()
    assert "It could not be recorded" not in answer.content.decode(), "the room's own words are English only"
    act(stocked, "maker", "commission", [code("9")], lot=LOT, expiry=EXPIRY.isoformat())
    _form, page = portal.check("export", [code("9")], country="nl")
    assert 'value="NL"' in page


def test_a_receipt_of_two_shipments_at_once_is_left_to_the_person(stocked: House, person: Enter) -> None:
    act(stocked, "maker", "commission", [code("7")], lot=LOT, expiry=EXPIRY.isoformat())
    act(stocked, "maker", "ship", [code("7")], receiver="pharmacy", despatch="urn:epcglobal:cbv:bt:9521000000008:N7")
    portal = person("pharmacy")
    _form, page = portal.check("receive", [f"(00){SSCC}", code("7")])
    assert "these goods are on despatch advice" not in page
    _form, page = portal.check("receive", [code("7")], despatch="N7")
    assert "Packs on the despatch advice" in page, (
        "a number as it is printed finds the one that the sender's data names"
    )
    _form, page = portal.check("receive", [code("7")], despatch="N8")
    assert 'value="N8"' in page
    _form, page = person("other").check("receive", [code("7")])
    assert "these goods are on despatch advice" not in page, "nobody is told what travels to others"


def test_a_maker_commissions_packs_and_ships_them(house: House, person: Enter) -> None:
    portal = person("maker")
    portal.record("commission", [code("a"), code("b")])  # lot and expiry come from the code itself
    located = custody.states([pack("a")])[pack("a")]
    assert (located.item.lot, located.item.expiry[:10]) == (LOT, EXPIRY.isoformat())
    portal.record("pack", [code("a"), code("b")], container=f"(00){SSCC}")
    portal.record("ship", [CASE], receiver="wholesaler", despatch="D-9")
    assert custody.states([pack("a")])[pack("a")].status == "shipped"


def test_every_fault_of_a_form_is_named(stocked: House, person: Enter) -> None:
    portal = person("maker")
    form = portal.form(["(01)09521000001009(21)x", "]d2(oops"], expiry="soon")
    answer = portal.post("step/commission", {**form, "action": "check"})
    page = answer.content.decode()
    assert answer.status_code == 400
    assert page.count("cannot be read") >= 1
    assert "Fill in: Lot number." in page
    assert "as year-month-day" in page
    empty = portal.post("step/ship", portal.form([])).content.decode()
    assert "Scan or type at least one code." in empty
    assert "Fill in: Receiver." in empty
    assert "18 digits" in portal.post("step/pack", portal.form([code("1")], container=code("2"))).content.decode()


def test_refusals_of_the_room_are_put_in_words(stocked: House, person: Enter) -> None:
    portal = person("pharmacy")
    for step, codes, more, words in (
        ("dispense", [code("1")], {"place": stocked.place("other")}, "Choose one of your own places."),
        ("receive", [code("1")], {"sender": "nobody"}, "Choose the sender from the list."),
        ("dispense_part", [code("1")], {"quantity_left": "some"}, "as a whole number"),
    ):
        answer = portal.post(f"step/{step}", {**portal.form(codes), **more, "action": "check"})
        assert answer.status_code in {400, 403}
        assert words in answer.content.decode()


def test_a_separator_survives_the_form(stocked: House, person: Enter) -> None:
    raw = f"01{GTIN}10{LOT}\x1d21odd"
    page = person("pharmacy").check("verify", [f"{raw}\r"])[1]
    assert f"{raw}</textarea>" in page
    assert "(21)odd" in page


def test_verify_records_nothing(stocked: House, person: Enter) -> None:
    portal = person("pharmacy")
    form, page = portal.check("verify", [code("1")])
    assert "Nothing is recorded in this task." in page
    assert 'value="record"' not in page
    before = PublishedEvent.objects.count()
    portal.post("step/verify", form)
    stocked.settle()
    assert PublishedEvent.objects.count() == before


def test_undo_takes_back_the_last_dispensing(stocked: House, person: Enter) -> None:
    portal = person("pharmacy")
    portal.record("dispense", [code("3")])
    portal.record("undo", [code("3")], reason="wrong patient")
    assert custody.states([pack("3")])[pack("3")].status == "active"


def test_a_result_belongs_to_its_party(stocked: House, person: Enter) -> None:
    portal = person("pharmacy")
    portal.record("dispense", [code("1")])
    nonce = ScanEvent.objects.get(step="dispense").nonce
    portal.get(f"recorded/{nonce}")
    person("other").get(f"recorded/{nonce}", status=404)


@pytest.mark.parametrize("step", ["hold", "destroy", "stolen"])
def test_steps_with_a_reason(stocked: House, person: Enter, step: str) -> None:
    portal = person("pharmacy")
    assert portal.post(f"step/{step}", portal.form([code("4")])).status_code == 400
    assert "Recorded" in portal.record(step, [code("4")], reason="damaged box")


def test_the_receiver_list_leaves_out_oneself_and_the_regulator(house: House, person: Enter) -> None:
    page = person("wholesaler").get("step/ship")
    assert '<option value="pharmacy">' in page
    assert '<option value="wholesaler">' not in page
    assert '<option value="regulator">' not in page
    Party.objects.filter(id="pharmacy").update(active=False)
    assert '<option value="pharmacy">' not in person("wholesaler", "quality").get("step/ship")


def test_a_step_is_taken_back_where_it_was_recorded(stocked: House, person: Enter) -> None:
    portal, stranger = person("pharmacy"), person("other")
    form, _page = portal.check("stock", [code("1")])
    where = portal.post("step/stock", form)["Location"]
    assert "Take it back" not in portal.client.get(where).content.decode(), "not on the log yet"
    stocked.settle()
    assert "Take it back" in portal.client.get(where).content.decode()
    refused = portal.client.post(f"{where}/take-back", {"reason": ""})
    assert refused.status_code == 400
    assert "Say why it is taken back." in refused.content.decode()
    assert stranger.client.post(f"{where}/take-back", {"reason": "mine"}).status_code == 404
    assert portal.client.post(f"{where}/take-back", {"reason": "wrong shelf"}).status_code == 302
    stocked.settle()
    shown = portal.client.get(where).content.decode()
    assert "Taken back" in shown
    assert "Take it back" not in shown
    assert PublishedEvent.objects.filter(biz_step="stocking", declaration_ms=None, voided_by=None).count() == 0
    assert portal.client.post(f"{where}/take-back", {"reason": "again"}).status_code == 409


def test_what_was_recorded_lately_is_found_again(stocked: House, person: Enter) -> None:
    portal, colleague, stranger = person("pharmacy"), person("pharmacy", "quality"), person("other")
    form, _page = portal.check("stock", [code("1"), code("2")])
    where = portal.post("step/stock", form)["Location"]
    assert where in portal.get(""), "on the tasks' page stand the newest"
    link = f'<a href="{where}">Put into stock</a>'
    page = portal.get("recorded")
    assert link in page
    assert "Submitted" in page
    assert "and 1 more" in page
    assert page.count("a system") == 1, "the receipt of the four packs came through the room itself"
    stocked.settle()
    assert "pharmacy-operator" in colleague.get("recorded")
    assert link not in colleague.get("recorded", mine="1")
    assert where not in stranger.get("recorded")
    portal.client.post(f"{where}/take-back", {"reason": "wrong shelf"})
    page = portal.get("recorded")
    assert page.count("Declared void") == 1, "before the log has published it as well"
    assert page.count("Published") == 1
    assert "Take it back" not in page, "what took it back is no step of its own"


def test_the_list_of_what_was_recorded_costs_the_same_however_long_it_is(stocked: House, person: Enter) -> None:
    portal = person("pharmacy")
    queries = []
    for serial in ("1", "2", "3"):
        act(stocked, "pharmacy", "stock", [code(serial)])
        with CaptureQueriesContext(connection) as captured:
            portal.get("recorded")
        queries.append(len(captured))
    assert len(set(queries)) == 1
