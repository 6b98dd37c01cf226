"""The rules of dispensing, undo, returns and destruction: as core has them, and otherwise under another profile."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.test import Client

from tests.integration.conftest import EXPIRY, GTIN, LOT, House, code, pack
from tests.integration.scans.test_record import CASE, PASSWORD, act
from traceability.capture import selectors as captured
from traceability.capture.models import PublishedEvent
from traceability.common import clock
from traceability.common.problems import ProblemError
from traceability.custody import selectors as custody
from traceability.parties import services as parties
from traceability.parties.models import Member
from traceability.scans import in_force
from traceability.scans import services as scans
from traceability.scans.models import ScanEvent

DAY = 86_400
Change = Callable[..., None]


@pytest.fixture
def rules(settings: Any, tmp_path: Path) -> Change:
    """Run the house under a profile that differs from core in some rules."""

    def change(**values: Any) -> None:
        body = json.loads(Path(settings.PROFILE_FILE).read_text())
        for name, value in values.items():
            body["rules"][name]["value"] = value
        path = tmp_path / f"profile-{len(list(tmp_path.iterdir()))}.json"
        path.write_text(json.dumps(body | {"id": "other"}))
        settings.PROFILE_FILE = str(path)

    return change


@pytest.fixture
def stocked(house: House) -> House:
    """Packs 1 to 4 loose, 5 and 6 in a case, at the pharmacy."""
    made = [code(str(number)) for number in range(1, 7)]
    act(house, "maker", "commission", made, details={"lot": LOT, "expiry": EXPIRY.isoformat()})
    act(house, "maker", "pack", made[4:], details={"container": CASE})
    act(house, "maker", "ship", [*made[:4], CASE], details={"receiver": "pharmacy"})
    act(house, "pharmacy", "receive", [*made[:4], CASE])
    return house


def ask(
    house: House, step: str, codes: list[str], party: str = "pharmacy", place: str = "", **details: str
) -> set[str]:
    """The reason codes that stop a step; none when it may be done."""
    answer = scans.preflight(
        party=house.parties[party], step=step, codes=codes, place=place or house.place(party), details=details
    )
    return {reason.code for reason in answer.reasons if reason.verdict == "stop"}


def test_the_window_of_an_undo_is_the_profiles(stocked: House, rules: Change, monkeypatch: pytest.MonkeyPatch) -> None:
    act(stocked, "pharmacy", "dispense", [code("1")])
    start = clock.now_ms()
    monkeypatch.setattr("traceability.scans.reading.now_ms", lambda: start + 5 * DAY * 1000)
    assert ask(stocked, "undo", [code("1")], reason="x") == set()
    rules(undo_days=4)
    assert ask(stocked, "undo", [code("1")], reason="x") == {"undo-too-late"}
    monkeypatch.setattr("traceability.scans.reading.now_ms", lambda: start + 11 * DAY * 1000)
    rules(undo_days=10)
    assert ask(stocked, "undo", [code("1")], reason="x") == {"undo-too-late"}
    rules(undo_days=30)
    assert ask(stocked, "undo", [code("1")], reason="x") == set()


def test_the_place_of_an_undo(stocked: House, rules: Change) -> None:
    act(stocked, "pharmacy", "dispense", [code("1")])
    here = stocked.place("pharmacy")
    branch = parties.save_site(
        id="branch", party=stocked.parties["pharmacy"], name="Branch", gln="9521000970007", latitude_e6=1,
        longitude_e6=1, time_zone="Asia/Shanghai", city="Shanghai", country="CN",
    )  # fmt: skip
    stocked.settle()
    assert ask(stocked, "undo", [code("1")], place=branch.uri, reason="x") == {"undo-elsewhere"}
    assert ask(stocked, "undo", [code("1")], place=here, reason="x") == set()
    rules(undo_same_place=False)
    assert ask(stocked, "undo", [code("1")], place=branch.uri, reason="x") == set()
    assert ask(stocked, "undo", [code("1")], "other", reason="x") == {"undo-elsewhere"}  # never by another party


def test_an_undo_after_a_recall(stocked: House, rules: Change) -> None:
    act(stocked, "pharmacy", "dispense", [code("1")])
    recall = {
        "type": "ObjectEvent", "action": "OBSERVE", "eventTime": "2026-02-01T00:00:00.000Z",
        "eventTimeZoneOffset": "+00:00", "bizStep": "holding", "persistentDisposition": {"set": ["recalled"]},
        "quantityList": [{"epcClass": f"https://id.gs1.org/01/{GTIN}/10/{LOT}"}],
    }  # fmt: skip
    assert stocked.capture("maker", recall).status_code == 202
    stocked.settle()
    assert ask(stocked, "undo", [code("1")], reason="x") == {"recalled"}
    rules(undo_recalled=True)
    assert ask(stocked, "undo", [code("1")], reason="x") == set()


def test_the_same_pack_scanned_twice_is_told_apart(stocked: House, rules: Change) -> None:
    act(stocked, "pharmacy", "dispense", [code("1")])
    assert ask(stocked, "dispense", [code("1")]) == {"double-scan", "is-dispensed"}
    assert ask(stocked, "dispense", [code("1")], "other") >= {"is-dispensed"}
    assert "double-scan" not in ask(stocked, "dispense", [code("1")], "other")
    rules(double_scan_s=0)
    assert ask(stocked, "dispense", [code("1")]) == {"is-dispensed"}


def test_what_a_patient_brings_back_never_goes_out_again(stocked: House, rules: Change) -> None:
    act(stocked, "pharmacy", "dispense", [code("1")])
    act(stocked, "pharmacy", "return_in", [code("1")])
    for step, details in (("verify_return", {}), ("release_hold", {"reason": "x"}), ("dispense", {}), ("stock", {})):
        assert "from-patient" in ask(stocked, step, [code("1")], **details), step
    assert ask(stocked, "destroy", [code("1")], reason="returned by a patient") == set()
    rules(return_dispensed_saleable=True)
    assert ask(stocked, "verify_return", [code("1")]) == set()


def test_an_undone_sale_was_none(stocked: House) -> None:
    act(stocked, "pharmacy", "dispense", [code("1")])
    act(stocked, "pharmacy", "undo", [code("1")], details={"reason": "wrong pack"})
    assert ask(stocked, "dispense", [code("1")]) == set()


def test_a_return_goes_back_into_stock_when_each_pack_was_verified(stocked: House, rules: Change) -> None:
    """DSCSA: each package or sealed homogeneous case, before it is sold again."""
    act(stocked, "pharmacy", "ship", [code("1"), code("2"), CASE], details={"receiver": "wholesaler"})
    back = [code("1"), code("2"), CASE]
    act(stocked, "wholesaler", "return_in", back, details={"rma": "RMA-7"})
    ship = {"receiver": "other"}
    assert ask(stocked, "ship", back, "wholesaler", **ship) == {"held"}
    assert ask(stocked, "release_hold", back, "wholesaler", reason="looks fine") == {"unverified"}
    assert ask(stocked, "verify_return", [code("1")], "wholesaler") == set()
    assert ask(stocked, "verify_return", [pack("1")], "wholesaler") == {"print-missing"}
    other_lot = code("1").replace(f"10{LOT}", "10L9")
    assert ask(stocked, "verify_return", [other_lot], "wholesaler") == {"lot-mismatch"}
    assert ask(stocked, "verify_return", [code("9")], "wholesaler") == {"unknown"}
    act(stocked, "wholesaler", "verify_return", [code("1"), CASE])
    assert ask(stocked, "ship", [code("1"), CASE], "wholesaler", **ship) == set()
    assert ask(stocked, "ship", [code("2")], "wholesaler", **ship) == {"held"}
    assert ask(stocked, "verify_return", [code("1")], "wholesaler") == {"not-a-return"}
    rules(return_verified=False)
    assert ask(stocked, "release_hold", [code("2")], "wholesaler", reason="looks fine") == set()


def test_a_pallet_is_verified_case_by_case(stocked: House) -> None:
    pallet = "https://id.gs1.org/00/395210000001002067"
    act(stocked, "maker", "commission", [code("7")], details={"lot": LOT, "expiry": EXPIRY.isoformat()})
    act(stocked, "pharmacy", "ship", [CASE], details={"receiver": "wholesaler"})
    act(stocked, "wholesaler", "receive", [CASE])
    act(stocked, "wholesaler", "pack", [CASE], details={"container": pallet})
    act(stocked, "wholesaler", "ship", [pallet], details={"receiver": "other"})
    act(stocked, "wholesaler", "return_in", [pallet])
    assert ask(stocked, "verify_return", [pallet], "wholesaler") == {"verify-each"}
    assert ask(stocked, "verify_return", [CASE], "wholesaler") == set()
    act(stocked, "wholesaler", "verify_return", [CASE])
    assert ask(stocked, "ship", [CASE], "wholesaler", receiver="other") == set()
    assert ask(stocked, "ship", [pallet], "wholesaler", receiver="other") == {"held"}


def test_verifying_a_return_lifts_no_other_hold(stocked: House) -> None:
    act(stocked, "pharmacy", "ship", [code("1")], details={"receiver": "wholesaler"})
    act(stocked, "wholesaler", "return_in", [code("1")])
    act(stocked, "wholesaler", "hold", [code("1")], details={"reason": "crushed"})
    assert ask(stocked, "verify_return", [code("1")], "wholesaler") == {"not-a-return"}
    assert ask(stocked, "release_hold", [code("1")], "wholesaler", reason="x") == set()


def test_destruction_names_a_witness_where_the_profile_asks_for_one(stocked: House, rules: Change) -> None:
    party = stocked.parties["pharmacy"]
    people = [
        parties.add_member(party=party, username=name, password=PASSWORD, role=Member.Role.QUALITY)
        for name in ("one", "two")
    ]
    parties.add_member(party=stocked.parties["maker"], username="stranger", password=PASSWORD, role=Member.Role.ADMIN)
    act(stocked, "pharmacy", "destroy", [code("1")], details={"reason": "broken"}, member=people[0])
    rules(destroy_witness=True)
    why = {"reason": "broken"}
    for witness in ({}, {"witness": "one"}, {"witness": "stranger"}, {"witness": "nobody"}):
        with pytest.raises(ProblemError) as refused:
            act(stocked, "pharmacy", "destroy", [code("2")], details=why | witness, member=people[0])
        assert refused.value.status == 400, witness
    done = act(stocked, "pharmacy", "destroy", [code("2")], details=why | {"witness": "two"}, member=people[0])
    event = PublishedEvent.objects.get(event_id=done.event_ids[0])
    assert captured.bodies([event.index])[event.index]["dosetrail:witness"] == people[1].pseudonym
    client = Client()
    assert client.login(username="one", password=PASSWORD)
    form = client.get("/portal/step/destroy").content.decode()
    assert '<option value="two">two</option>' in form
    assert '<option value="one">one</option>' not in form


def test_an_opened_pack_knows_what_is_left(stocked: House, rules: Change, monkeypatch: pytest.MonkeyPatch) -> None:
    act(stocked, "pharmacy", "dispense_part", [code("1")], details={"quantity_left": "3"})
    found = custody.state(pack("1"))
    assert found is not None
    assert (found.item.left, found.item.opened_ms) == (3, found.item.last_time_ms)
    assert ask(stocked, "dispense_part", [code("1")], quantity_left="3") == {"not-less"}
    assert ask(stocked, "dispense_part", [code("1")], quantity_left="2") == set()
    start = clock.now_ms()
    monkeypatch.setattr("traceability.scans.reading.now_ms", lambda: start + 20 * DAY * 1000)
    assert ask(stocked, "dispense_part", [code("1")], quantity_left="2") == set()
    rules(open_pack_days=14)
    assert ask(stocked, "dispense_part", [code("1")], quantity_left="2") == {"open-too-long"}
    assert ask(stocked, "dispense", [code("1")]) == {"open-too-long"}
    monkeypatch.undo()
    act(stocked, "pharmacy", "dispense", [code("1")])
    found = custody.state(pack("1"))
    assert found is not None
    assert (found.status, found.item.left) == ("dispensed", 0)
    act(stocked, "pharmacy", "undo", [code("1")], details={"reason": "wrong pack"})
    found = custody.state(pack("1"))
    assert found is not None
    assert (found.status, found.item.left) == ("partially_dispensed", 3)


def test_each_scan_says_under_which_profile_it_was_judged(stocked: House, rules: Change) -> None:
    act(stocked, "pharmacy", "dispense", [code("1")])
    rules(undo_days=3)
    act(stocked, "pharmacy", "dispense", [code("2")])
    told = ScanEvent.objects.filter(step="dispense").order_by("id").values_list("profile", flat=True)
    assert list(told) == ["core/1", "other/1"]


def test_a_profile_that_does_not_fit_stops_the_house(settings: Any, tmp_path: Path) -> None:
    (tmp_path / "broken.json").write_text("{}")
    for name in ("broken.json", "missing.json"):
        settings.PROFILE_FILE = str(tmp_path / name)
        with pytest.raises(ImproperlyConfigured, match="DOSETRAIL_PROFILE"):
            in_force.current()
