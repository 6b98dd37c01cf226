"""A regulator freezes a lot or a place: scanning stops, nobody else lifts it, and what moves anyway is a finding."""

import re
from typing import Any

import pytest
from django.test import Client

from tests.integration.conftest import EXPIRY, GTIN, LOT, House, code, pack
from tests.integration.scans.test_record import CASE, PASSWORD, act, codes_of
from traceability.alerts.models import Alert
from traceability.capture.models import PublishedEvent
from traceability.common.problems import ProblemError
from traceability.contracts import services as contracts
from traceability.contracts.models import Finding
from traceability.custody import stops
from traceability.custody.models import ItemState
from traceability.parties import services as parties
from traceability.parties.models import Member
from traceability.parties.services import ConfirmationError
from traceability.scans import freezing
from traceability.scans import services as scans
from traceability.visibility.rules import visible_indexes

LOT_CLASS = f"https://id.gs1.org/01/{GTIN}/10/{LOT}"


@pytest.fixture
def inspector(house: House) -> Member:
    return parties.add_member(
        party=house.parties["regulator"], username="inspector", password=PASSWORD, role=Member.Role.INSPECTOR
    )


@pytest.fixture
def stocked(house: House) -> House:
    """Two packs in a case at the pharmacy, two loose ones there."""
    contracts.deploy_defaults()
    made = [code(str(number)) for number in range(1, 5)]
    act(house, "maker", "commission", made, details={"lot": LOT, "expiry": EXPIRY.isoformat()})
    act(house, "maker", "pack", made[:2], details={"container": CASE})
    act(house, "maker", "ship", [CASE, *made[2:]], details={"receiver": "pharmacy", "despatch": "DA1"})
    act(house, "pharmacy", "receive", [CASE, *made[2:]])
    return house


def say(house: House, member: Member, what: str, of: str, *, reason: str = "suspected falsification") -> None:
    getattr(freezing, what)(member=member, password=PASSWORD, reason=reason, of=freezing.subject(of))
    house.settle()


def ask(house: House, step: str, codes: list[str], party: str = "pharmacy", **details: str) -> scans.Preflight:
    return scans.preflight(
        party=house.parties[party], step=step, codes=codes, place=house.place(party), details=details
    )


STEPS: list[tuple[str, dict[str, str]]] = [
    ("dispense", {}),
    ("dispense_part", {"quantity_left": "3"}),
    ("ship", {"receiver": "wholesaler"}),
    ("destroy", {"reason": "x"}),
    ("stock", {}),
]


@pytest.mark.parametrize("of", [LOT_CLASS, GTIN, "place"])
def test_what_is_frozen_stays_where_it_is_until_the_regulator_lets_go(
    stocked: House, inspector: Member, of: str
) -> None:
    named = stocked.place("pharmacy") if of == "place" else of
    for step, details in STEPS[:-1]:
        assert ask(stocked, step, [code("3")], **details).verdict != "stop", step  # control: nothing else stops it
    say(stocked, inspector, "freeze", named)
    reason = "place-frozen" if of == "place" else "frozen"
    for step, details in STEPS[:-1]:
        answer = ask(stocked, step, [code("3")], **details)
        assert (answer.verdict, reason in codes_of(answer)) == ("stop", True), step
    inside = ask(stocked, "ship", [CASE], receiver="wholesaler")
    assert inside.verdict == "stop"
    assert ("inside-frozen" in codes_of(inside)) is (of != "place")
    assert ask(stocked, "verify", [code("3")]).verdict == "warn"
    say(stocked, inspector, "unfreeze", named, reason="no falsification found")
    assert ask(stocked, "dispense", [code("3")]).verdict == "allow"


def test_goods_may_arrive_at_a_frozen_place_but_another_place_is_free(stocked: House, inspector: Member) -> None:
    act(stocked, "pharmacy", "ship", [code("4")], details={"receiver": "other"})
    say(stocked, inspector, "freeze", stocked.place("other"))
    assert ask(stocked, "receive", [code("4")], "other").verdict == "warn"
    act(stocked, "other", "receive", [code("4")])
    assert ask(stocked, "dispense", [code("4")], "other").verdict == "stop"
    assert ask(stocked, "dispense", [code("3")]).verdict == "allow"
    elsewhere = ask(stocked, "dispense", [code("4")])  # the pack is there, the scanner is here
    assert "at-frozen-place" in codes_of(elsewhere)


def test_a_party_cannot_lift_it(stocked: House, inspector: Member) -> None:
    say(stocked, inspector, "freeze", LOT_CLASS)
    lot = f"(01){GTIN}(10){LOT}"
    with pytest.raises(ProblemError) as stop:
        act(stocked, "maker", "release", [lot], details={"report": "R1", "reason": "fine"})
    assert stop.value.code == "preflight-stop"
    act(stocked, "maker", "release", [lot], details={"report": "R1", "reason": "fine"}, override_reason="we insist")
    status = stops.lot_status(GTIN, LOT)
    assert status is not None
    assert status.frozen_index is not None
    for party in ("maker", "pharmacy"):  # nor by the event that a regulator would send
        place = stocked.place("pharmacy")
        event = _event("inspecting", "conformant") | {"epcList": [place], "bizLocation": {"id": place}}
        say(stocked, inspector, "freeze", place) if party == "maker" else None
        assert stocked.capture(party, event).status_code == 202
        stocked.settle()
        assert stops.frozen_places([place, f"{place}/254/7"]).keys() == {place, f"{place}/254/7"}


def test_nobody_else_freezes(stocked: House) -> None:
    place = stocked.place("pharmacy")
    event = _event("holding", "unavailable")
    stocked.capture("other", event | {"epcList": [place], "bizLocation": {"id": place}})
    stocked.capture("other", event | {"quantityList": [{"epcClass": LOT_CLASS}]})
    stocked.settle()
    assert ask(stocked, "dispense", [code("3")]).verdict == "allow"
    assert stops.freezes() == []
    assert not ItemState.objects.filter(epc=place).exists()  # a place is no goods


def test_the_regulators_own_system_freezes_by_the_same_event(stocked: House) -> None:
    event = _event("holding", "unavailable") | {"quantityList": [{"epcClass": LOT_CLASS}]}
    assert stocked.capture("regulator", event).status_code == 202
    stocked.settle()
    assert ask(stocked, "dispense", [code("3")]).verdict == "stop"


@pytest.mark.parametrize("of", [LOT_CLASS, "place"])
def test_done_anyway_it_is_a_finding_and_an_alert(stocked: House, inspector: Member, of: str) -> None:
    named = stocked.place("pharmacy") if of == "place" else of
    act(stocked, "pharmacy", "dispense", [code("4")])  # before: no finding
    say(stocked, inspector, "freeze", named)
    act(stocked, "pharmacy", "dispense", [code("3")], override_reason="patient in need")
    act(stocked, "pharmacy", "ship", [CASE], details={"receiver": "maker"}, override_reason="way back")
    found = Finding.objects.filter(rule="movement-after-freeze", retracted_index=None)
    suffix = "place" if of == "place" else "lot"
    assert {(row.subject, row.code) for row in found} == {
        (pack("3"), f"movement-after-freeze-{suffix}"),
        (CASE, f"movement-after-freeze-{suffix}"),
    }
    assert Alert.objects.filter(rule="movement-after-freeze").count() == 2


def test_a_freeze_declared_void_takes_its_findings_back(stocked: House, inspector: Member) -> None:
    event = _event("holding", "unavailable") | {
        "eventID": "urn:uuid:6f0e1f0c-94d5-4c0f-8f0b-3a8f2f6f6f01",
        "quantityList": [{"epcClass": LOT_CLASS}],
    }
    stocked.capture("regulator", event)
    stocked.settle()
    act(stocked, "pharmacy", "dispense", [code("3")], override_reason="x")
    assert Finding.objects.filter(rule="movement-after-freeze", retracted_index=None).count() == 1
    void = {"declarationTime": event["eventTime"], "reason": "did_not_occur"}
    assert stocked.capture("regulator", event | {"errorDeclaration": void}).status_code == 202
    stocked.settle()
    assert not Finding.objects.filter(rule="movement-after-freeze", retracted_index=None).exists()
    assert stops.freezes() == []


def test_who_may_read_a_freeze(stocked: House, inspector: Member) -> None:
    """Of a lot everybody, of a place whose place it is; a stranger's word about the place opens nothing."""
    place = stocked.place("pharmacy")
    stocked.capture("other", _event("holding", "unavailable") | {"epcList": [place]})
    stocked.settle()
    say(stocked, inspector, "freeze", LOT_CLASS)
    say(stocked, inspector, "freeze", place)
    lot, site = PublishedEvent.objects.filter(biz_step="holding", reporter=inspector.party.uri).order_by("index")
    seen = {name: visible_indexes([lot.index, site.index], stocked.parties[name]) for name in stocked.parties}
    assert seen["pharmacy"] == {lot.index, site.index}
    assert seen["other"] == seen["maker"] == {lot.index}


def test_password_reason_and_role_are_asked_for(stocked: House, inspector: Member) -> None:
    of = freezing.subject(LOT_CLASS)
    for more in ({"password": "wrong", "reason": "x"}, {"password": PASSWORD, "reason": " "}):
        with pytest.raises(ConfirmationError):
            freezing.freeze(member=inspector, of=of, **more)
    stranger = parties.add_member(
        party=stocked.parties["maker"], username="maker", password=PASSWORD, role=Member.Role.ADMIN
    )
    with pytest.raises(ProblemError) as refused:
        freezing.freeze(member=stranger, password=PASSWORD, reason="x", of=of)
    assert refused.value.status == 403
    stocked.settle()
    assert stops.freezes() == []
    say(stocked, inspector, "freeze", LOT_CLASS)
    with pytest.raises(ProblemError) as again:
        freezing.freeze(member=inspector, password=PASSWORD, reason="x", of=of)
    assert (again.value.status, again.value.code) == (409, "frozen-already")


def test_a_freeze_can_be_named_in_many_ways(stocked: House) -> None:
    site = stocked.parties["pharmacy"].sites.get()
    for text in (site.uri, site.gln, f"(414){site.gln}"):
        assert freezing.subject(str(text)) == freezing.Subject("place", site.uri)
    for text in (LOT_CLASS, f"(01){GTIN}(10){LOT}", code("3"), pack("3")):
        assert freezing.subject(text).uri == LOT_CLASS
    assert freezing.subject(GTIN).kind == "product"
    for text in ("", "nonsense", CASE, "https://id.gs1.org/414/9521000000001", pack("unseen")):
        with pytest.raises(ProblemError):
            freezing.subject(text)


def test_the_inspectors_pages(stocked: House, inspector: Member) -> None:
    client = Client()
    assert client.login(username="inspector", password=PASSWORD)
    assert "Nothing is frozen." in client.get("/regulator/freezes").content.decode()
    found = client.get("/regulator/freezes", {"q": "pharmacy si"}).content.decode()
    assert "pharmacy site" in found
    assert "No lot, product or place" in client.get("/regulator/freezes", {"q": "no such place"}).content.decode()
    path = f"/regulator/freezes/one?of={LOT_CLASS}"
    wrong = client.post(path, {"action": "freeze", "reason": "why", "password": "wrong"})
    assert wrong.status_code == 403
    assert "The password is not right" in wrong.content.decode()
    done = client.post(path, {"action": "freeze", "reason": "why", "password": PASSWORD})
    assert done.status_code == 302
    page = client.get(done["Location"]).content.decode()
    assert "data-wait" in page
    assert 'value="freeze"' not in page, "what is on its way is not asked for once more"
    stocked.settle()
    assert "data-wait" not in client.get(done["Location"]).content.decode()
    page = client.get(path).content.decode()
    assert "End the freeze" in page
    figures = [int(one) for one in re.findall(r"<dd>(\d+)</dd>", page)]
    assert figures[0] == sum(figures[1:]) > 0, "made = held + on the way + dispensed + ... : all of it is shown"
    assert "<p>why</p>" in page
    assert f"(01){GTIN}(10){LOT}" in client.get("/regulator/freezes").content.decode()
    again = client.post(path, {"action": "freeze", "reason": "why", "password": PASSWORD})
    assert again.status_code == 409
    assert client.get("/regulator/freezes/one?of=nothing").status_code == 302


def test_holders_and_patients_are_told(stocked: House, inspector: Member) -> None:
    parties.add_member(
        party=stocked.parties["pharmacy"], username="clerk", password=PASSWORD, role=Member.Role.OPERATOR
    )
    client = Client()
    assert client.login(username="clerk", password=PASSWORD)
    address = f"/01/{GTIN}/21/3"
    assert 'data-outcome="frozen"' not in Client().get(address).content.decode()
    say(stocked, inspector, "freeze", stocked.place("pharmacy"))
    assert ">Frozen by the authority</span>" in client.get("/portal/stock").content.decode()
    assert 'data-outcome="frozen"' in Client().get(address).content.decode()
    say(stocked, inspector, "unfreeze", stocked.place("pharmacy"))
    assert 'data-outcome="frozen"' not in Client().get(address).content.decode()
    say(stocked, inspector, "freeze", LOT_CLASS)
    assert 'data-outcome="frozen"' in Client().get(address).content.decode()
    assert "Stopped by the medicines authority" in Client().get(f"/01/{GTIN}/10/{LOT}").content.decode()


def _event(step: str, disposition: str) -> dict[str, Any]:
    return {
        "type": "ObjectEvent",
        "action": "OBSERVE",
        "eventTime": "2026-06-01T00:00:00.000Z",
        "eventTimeZoneOffset": "+00:00",
        "bizStep": step,
        "disposition": disposition,
    }
