"""The pages of a recall: draft, two signatures, who was told, the call list; and the notice that a holder answers."""

import csv
import html
import io
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from tests.integration.conftest import GTIN, LOT, House, pack
from tests.integration.portal.conftest import CASE, PASSWORD, Portal
from tests.integration.portal.conftest import person as enter
from traceability.common import clock
from traceability.gs1.digital_link import lot_class
from traceability.recalls import reach
from traceability.recalls.models import Acknowledgement, Notice, Recall
from traceability.web.portal import recall_views

from .conftest import GIVEN, look, person, published

__all__ = ["enter"]
FORM = {**GIVEN, "lots": f"(01){GTIN}(10){LOT}\n", "drill": "", "deliver_hours": "", "answer_hours": ""}


def signed_in(house: House, party: str, name: str, role: str = "quality") -> Client:
    person(house, party, name, role)
    client = Client()
    assert client.login(username=name, password=PASSWORD)
    return client


def definition(page: str) -> str:
    found = re.search(r'name="definition" value="([0-9a-f]{64})"', page)
    assert found, page
    return found[1]


@pytest.mark.parametrize(("party", "face"), [("maker", "portal"), ("regulator", "regulator")])
def test_from_draft_to_publication(stocked: House, party: str, face: str) -> None:
    one, two = signed_in(stocked, party, "one"), signed_in(stocked, party, "two")
    assert "No recall is on record here." in one.get(f"/{face}/recalls").content.decode()
    answer = one.post(f"/{face}/recalls/new", FORM)
    assert answer.status_code == 302
    page = one.get(answer["Location"]).content.decode()
    assert "8 = 5 + 2 + 1 + 0 + 0 + 0" in page
    assert "Glarvia" in page
    assert "Pharmacy" not in page, "who holds it is told once it is recalled"
    sign = {"action": "sign", "definition": definition(page), "password": PASSWORD}
    refused = one.post(answer["Location"], {**sign, "password": "wrong-password"})
    assert refused.status_code == 403
    assert "The password is not right. Nothing was recorded." in refused.content.decode()
    assert one.post(answer["Location"], sign).status_code == 302
    page = one.get(answer["Location"]).content.decode()
    assert "You have signed this text." in page
    assert "Signed by one" in page
    assert one.post(answer["Location"], sign).status_code == 409
    homes = [client.get(f"/{face}/").content.decode() for client in (one, two)]
    assert ["wait for a second person: 1" in home for home in homes] == [False, True]
    assert two.post(answer["Location"], sign).status_code == 302
    look(stocked)
    page = two.get(answer["Location"]).content.decode()
    assert "Published" in page
    assert "Pharmacy" in page
    assert "Answered: 0 of 2 organisations" in page
    assert "8 = 5 + 2 + 1 + 0 + 0 + 0" in page


def test_a_draft_with_faults_names_each(stocked: House) -> None:
    client = signed_in(stocked, "maker", "one")
    answer = client.post("/portal/recalls/new", {"lots": "nonsense", "reason": ""})
    page = answer.content.decode()
    assert answer.status_code == 400
    for text in ("nonsense: This is no lot", "Choose the class.", "Say why, in 1 to 1000 characters."):
        assert text in page
    assert not Recall.objects.exists()


def test_a_draft_sent_twice_is_one(stocked: House) -> None:
    """With two, two people may sign one each. Another page, or other content, is the control."""
    client = signed_in(stocked, "maker", "one")
    assert 'name="nonce"' in client.get("/portal/recalls/new").content.decode()
    sent = [{"nonce": "n"}, {"nonce": "n"}, {"nonce": "m"}, {"nonce": "n", "reason": "Leaking pens."}]
    made = [client.post("/portal/recalls/new", {**FORM, **more})["Location"] for more in sent]
    assert (made[0] == made[1], len(set(made))) == (True, 3)


def test_a_draft_is_changed_and_thrown_away(stocked: House) -> None:
    client = signed_in(stocked, "maker", "one")
    where = client.post("/portal/recalls/new", FORM)["Location"]
    page = client.get(f"{where}/edit").content.decode()
    assert f"{GTIN} {LOT}" in page
    changed = {**FORM, "reason": "Leaking pens.", "definition": definition(page)}
    assert client.post(f"{where}/edit", changed).status_code == 302
    assert client.post(f"{where}/edit", changed).status_code == 409, "another has changed it meanwhile"
    page = client.get(where).content.decode()
    assert "Leaking pens." in page
    assert client.post(where, {"action": "discard", "definition": definition(page)}).status_code == 302
    assert not Recall.objects.exists()


def test_what_is_another_s_is_not_there(stocked: House) -> None:
    recall = published(stocked)
    look(stocked)
    theirs = Notice.objects.get(party="maker")
    pharmacy = signed_in(stocked, "pharmacy", "chemist")
    paths = ["", "/edit", "/calls", "/holders.csv"]
    statuses = {path: pharmacy.get(f"/portal/recalls/{recall.id}{path}").status_code for path in paths}
    assert statuses == {"": 404, "/edit": 403, "/calls": 404, "/holders.csv": 404}
    for path in (f"recall-notices/{theirs.id}", f"recall-notices/{theirs.id}/packs.csv"):
        assert pharmacy.get(f"/portal/{path}").status_code == 404
    assert pharmacy.get("/portal/recalls/new").status_code == 403
    assert pharmacy.get("/regulator/recalls").status_code == 403
    page = pharmacy.get("/portal/recall-notices").content.decode()
    assert page.count("/portal/recall-notices/") == 1
    inspector = signed_in(stocked, "regulator", "inspector", "inspector")
    assert "Pharmacy" in inspector.get(f"/regulator/recalls/{recall.id}").content.decode()
    draft = signed_in(stocked, "maker", "three").post("/portal/recalls/new", FORM)["Location"]
    assert inspector.get(draft.replace("portal", "regulator")).status_code == 404, "a draft is its owner's"


def test_a_holder_opens_and_answers(stocked: House) -> None:
    recall = published(stocked)
    look(stocked)
    client = signed_in(stocked, "pharmacy", "chemist", "operator")
    assert "Recall notices to answer: 1." in client.get("/portal/").content.decode()
    where = f"/portal/recall-notices/{Notice.objects.get(party='pharmacy').id}"
    page = client.get(where).content.decode()
    assert f"(00){CASE.rpartition('/')[2]}" in page
    assert Notice.objects.get(party="pharmacy").opened_ms is not None
    answer = client.post(where, {"version": "1", "set_aside": "4"})
    assert answer.status_code == 400
    assert "The numbers do not add up" in answer.content.decode()
    assert 'value="4"' in answer.content.decode(), "what was typed stays"
    for wrong in ({"set_aside": "many"}, {"set_aside": "5", "version": "7"}, {"set_aside": "5", "version": "x"}):
        assert client.post(where, {"version": "1", **wrong}).status_code in {400, 409}
    assert not Acknowledgement.objects.exists()
    assert client.post(where, {"version": "1", "set_aside": "4", "sold": "1"}).status_code == 302
    assert Acknowledgement.objects.get().counts["sold"] == 1
    late = signed_in(stocked, "pharmacy", "colleague", "operator").post(where, {"version": "1", "set_aside": "5"})
    assert late.status_code == 409
    assert "A colleague has answered meanwhile." in late.content.decode()
    assert Acknowledgement.objects.count() == 1
    rows = list(csv.DictReader(io.StringIO(client.get(f"{where}/packs.csv").getvalue().decode("utf-8-sig"))))
    assert {row["epc"] for row in rows} == {pack(n) for n in "123456"}
    owner = signed_in(stocked, "maker", "maker-one")
    page = owner.get(f"/portal/recalls/{recall.id}").content.decode()
    assert "Answered: 1 of 2 organisations" in page
    assert "chemist" in page, "who opened it, by name"
    lines = owner.get(f"/portal/recalls/{recall.id}/holders.csv").getvalue().decode("utf-8-sig")
    shown = {row["organisation"]: row for row in csv.DictReader(io.StringIO(lines))}
    assert (shown["Pharmacy"]["packs"], shown["Pharmacy"]["set_aside"], shown["Pharmacy"]["sold"]) == ("5", "4", "1")
    assert (shown["Maker"]["answered"], shown["Pharmacy"]["channel"]) == ("", "portal")


def test_the_call_list_is_printed_and_calls_are_noted(stocked: House, settings: Any) -> None:
    recall = published(stocked)
    look(stocked)
    chief = signed_in(stocked, "pharmacy", "chief", "admin")
    contact = {"name": "Ms Wang", "phone": "+86 21 1234", "email": "wang@example.org"}
    refused = chief.post("/portal/recalls", {**contact, "email": "no address"})
    assert refused.status_code == 400
    assert 'value="Ms Wang"' in refused.content.decode(), "what was typed stays, also where none was given before"
    assert chief.post("/portal/recalls", contact).status_code == 302
    owner = signed_in(stocked, "maker", "maker-one")
    where = f"/portal/recalls/{recall.id}/calls"
    assert "Nobody has to be called" in owner.get(where).content.decode()
    try:
        clock.set_simulated_ms(clock.now_ms() + 25 * reach.HOUR_MS)
        owner = signed_in(stocked, "maker", "maker-one")
        page = owner.get(where).content.decode()
        assert "+86 21 1234" in page
        notice = Notice.objects.get(party="pharmacy")
        assert owner.post(where, {"notice": notice.id, "remark": ""}).status_code == 400
        assert owner.post(where, {"notice": notice.id, "remark": "Spoke to Ms Wang."}).status_code == 302
        assert "Spoke to Ms Wang." in owner.get(where).content.decode()
        assert Notice.objects.get(party="pharmacy").delivered_ms is not None
    finally:
        clock.set_simulated_ms(0)


def test_closed_it_tells_nobody_more(stocked: House) -> None:
    recall = published(stocked)
    look(stocked)
    owner = signed_in(stocked, "maker", "maker-one")
    where = f"/portal/recalls/{recall.id}"
    assert owner.post(where, {"action": "close", "remark": ""}).status_code == 400
    assert owner.post(where, {"action": "close", "remark": "All packs came back."}).status_code == 302
    assert "All packs came back." in owner.get(where).content.decode()
    assert look(stocked) == 0


def test_patients_read_why_and_of_a_drill_nothing(stocked: House, enter: Callable[..., Portal]) -> None:
    published(stocked, drill=True, reason="Only practising.")
    lot_path = lot_class(GTIN, LOT).removeprefix("https://id.gs1.org")
    for path in (f"/01/{GTIN}/21/1", lot_path):
        assert "practising" not in Client().get(path).content.decode()
    published(stocked)
    for path in (f"/01/{GTIN}/21/1", lot_path):
        page = Client().get(path).content.decode()
        assert "Particles were found in a retained sample." in page
        assert "Class 1: may do serious harm" in page
        assert "practising" not in page


def test_a_notice_asks_first_and_lists_packs_in_short(stocked: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Three loose packs in stock, one sold, a case of two on the way: of each the number, of their packs the first."""
    monkeypatch.setattr(recall_views, "FEW", 1)
    monkeypatch.setattr(recall_views, "SHOWN", 4)
    published(stocked)
    look(stocked)
    client = signed_in(stocked, "pharmacy", "chemist", "operator")
    where = f"/portal/recall-notices/{Notice.objects.get(party='pharmacy').id}"
    page = client.get(where).content.decode()
    case = CASE.rpartition("/")[2]
    assert page.index("Answer this notice") < page.index("The packs: 6") < page.index(case)
    assert re.findall(r"<strong>(\d) packs?</strong>", page) == ["2", "3", "1"], "what was sold comes last"
    assert page.count("<li>(01)") == 4
    shown = re.findall(r'href="\?(show=packs[^"]+)"', page)
    assert len(shown) == 1, "case and sold pack are listed whole, of the packs in stock the first"
    loose = html.unescape(shown[0])
    alone = client.get(f"{where}?{loose}").content.decode()
    assert "Loose packs: 3" in alone
    assert alone.count("<li>(01)") == 3
    monkeypatch.setattr(recall_views, "SPOTS", 1)
    second = client.get(f"{where}?page=2").content.decode()
    assert "2 / 3" in second
    assert re.findall(r"<strong>(\d) packs?</strong>", second) == ["3"]
    monkeypatch.setattr(recall_views, "PAGE_SIZE", 1)
    monkeypatch.setattr(recall_views, "MAX_PAGES", 2)
    alone = client.get(f"{where}?{loose}&page=2").content.decode()
    assert 'start="2"' in alone
    assert "1 more packs are in the CSV." in alone
    moved = client.get(f"{where}?show=packs&container=&place=elsewhere&status=active")
    assert moved["Location"] == where
