"""Scanning: asked first, recorded once, undone by who did it; each role's steps end to end."""

from typing import Any

import pytest

from tests.integration.conftest import EXPIRY, LOT, House, code, pack, recall_event
from tests.integration.recalls.conftest import published
from traceability.capture.models import PublishedEvent
from traceability.common import clock
from traceability.common.problems import ProblemError
from traceability.custody import selectors as custody
from traceability.custody import stops
from traceability.custody.models import Shipment
from traceability.parties import services as parties
from traceability.scans import services as scans
from traceability.scans.models import ScanEvent

CASE = "https://id.gs1.org/00/395210000001001060"
PASSWORD = "a-long-demo-password"


def act(house: House, party: str, step: str, codes: list[str], **more: Any) -> scans.Recorded:
    """Record a step at the party's place and let the house see it."""
    recorded = scans.record(party=house.parties[party], step=step, codes=codes, place=house.place(party), **more)
    house.settle()
    return recorded


@pytest.fixture
def shipped(house: House) -> House:
    """Two packs in a case, shipped from the maker to the pharmacy."""
    act(house, "maker", "commission", [code("1"), code("2")], details={"lot": LOT, "expiry": EXPIRY.isoformat()})
    act(house, "maker", "pack", [code("1"), code("2")], details={"container": CASE})
    act(house, "maker", "ship", [CASE], details={"receiver": "pharmacy", "despatch": "DA1"})
    return house


@pytest.fixture
def stocked(shipped: House) -> House:
    """The same, received and unpacked by the pharmacy."""
    act(shipped, "pharmacy", "receive", [CASE], details={"despatch": "urn:dosetrail:document:DA1", "sender": "maker"})
    act(shipped, "pharmacy", "unpack", [CASE])
    return shipped


def codes_of(answer: scans.Preflight) -> set[str]:
    return {reason.code for reason in answer.reasons}


def test_a_pack_travels_from_the_factory_to_the_patient(stocked: House) -> None:
    done = act(stocked, "pharmacy", "dispense", [code("1")])
    assert done.preflight.verdict == "allow"
    one, two = custody.state(pack("1")), custody.state(pack("2"))
    assert one is not None
    assert two is not None
    assert (one.status, two.status) == ("dispensed", "active")
    assert two.place == stocked.place("pharmacy")
    assert two.item.lot == LOT
    steps = [PublishedEvent.objects.get(index=step.index).biz_step for step in custody.history(pack("1"))]
    assert steps == ["commissioning", "packing", "shipping", "receiving", "unpacking", "dispensing"]


def test_while_in_a_case_a_pack_is_where_its_case_is(shipped: House) -> None:
    located = custody.state(pack("1"))
    assert located is not None
    assert (located.status, located.path) == ("shipped", (CASE,))
    assert scans.preflight(
        party=shipped.parties["pharmacy"], step="dispense", codes=[code("1")], place=shipped.place("pharmacy")
    ).verdict == "stop"  # fmt: skip


def test_a_second_dispensing_is_stopped_and_recorded_only_with_a_reason(stocked: House) -> None:
    act(stocked, "pharmacy", "dispense", [code("1")])
    with pytest.raises(ProblemError) as stop:
        act(stocked, "pharmacy", "dispense", [code("1")])
    assert (stop.value.status, stop.value.code) == (409, "preflight-stop")
    done = act(stocked, "pharmacy", "dispense", [code("1")], override_reason="label mix-up, see note 7")
    body = PublishedEvent.objects.get(event_id=done.event_ids[0])
    assert body.biz_step == "dispensing"
    assert ScanEvent.objects.filter(step="dispense").count() == 3  # the refused one is kept too


def test_an_operator_cannot_override_and_quality_can(stocked: House) -> None:
    act(stocked, "pharmacy", "dispense", [code("1")])
    people = {
        role: parties.add_member(party=stocked.parties["pharmacy"], username=f"p-{role}", password=PASSWORD, role=role)
        for role in ("operator", "quality")
    }
    with pytest.raises(ProblemError):
        act(stocked, "pharmacy", "dispense", [code("1")], member=people["operator"], override_reason="because")
    assert act(
        stocked, "pharmacy", "dispense", [code("1")], member=people["quality"], override_reason="because"
    ).event_ids


def test_the_same_nonce_records_once(stocked: House) -> None:
    first = act(stocked, "pharmacy", "dispense", [code("1")], nonce="n1")
    again = act(stocked, "pharmacy", "dispense", [code("1")], nonce="n1")
    assert first.event_ids == again.event_ids
    assert PublishedEvent.objects.filter(biz_step="dispensing").count() == 1


def test_undo_makes_the_pack_dispensable_again_and_only_by_who_dispensed(stocked: House) -> None:
    act(stocked, "pharmacy", "dispense", [code("1")])
    with pytest.raises(ProblemError) as refused:
        act(stocked, "other", "undo", [code("1")], details={"reason": "mistake"})
    assert refused.value.code == "nothing-to-undo"
    act(stocked, "pharmacy", "undo", [code("1")], details={"reason": "wrong patient"})
    located = custody.state(pack("1"))
    assert located is not None
    assert located.status == "active"
    assert act(stocked, "pharmacy", "dispense", [code("1")]).preflight.verdict == "allow"


def test_what_is_held_or_recalled_is_stopped(stocked: House) -> None:
    act(stocked, "pharmacy", "hold", [code("2")], details={"reason": "damaged box"})
    ask = {"party": stocked.parties["pharmacy"], "step": "dispense", "place": stocked.place("pharmacy")}
    assert codes_of(scans.preflight(codes=[code("2")], **ask)) == {"held"}  # type: ignore[arg-type]
    act(stocked, "pharmacy", "release_hold", [code("2")], details={"reason": "looked at it"})
    assert scans.preflight(codes=[code("2")], **ask).verdict == "allow"  # type: ignore[arg-type]
    published(stocked)
    assert codes_of(scans.preflight(codes=[code("2")], **ask)) == {"recalled"}  # type: ignore[arg-type]


def test_a_recall_by_someone_without_authority_changes_nothing(stocked: House, writer: Any) -> None:
    stocked.capture("other", recall_event(writer("other"), "urn:uuid:22222222-0000-4000-8000-000000000001"))
    stocked.settle()
    status = stops.lot_status("09521000001008", LOT)
    assert status is None or status.recalled_index is None


def test_expiry_is_judged_by_the_day_at_the_place(stocked: House, settings: Any, tmp_path: Any) -> None:
    settings.CLOCK_FILE = str(tmp_path / "clock")
    ask = {"party": stocked.parties["pharmacy"], "step": "dispense", "place": stocked.place("pharmacy")}
    midnight_in_shanghai = 1_896_105_600_000  # 2030-02-01T00:00:00+08:00: the day after the last valid one
    clock.set_simulated_ms(midnight_in_shanghai - 1)
    assert scans.preflight(codes=[code("2")], **ask).verdict == "allow"  # type: ignore[arg-type]
    clock.set_simulated_ms(midnight_in_shanghai)
    assert codes_of(scans.preflight(codes=[code("2")], **ask)) == {"expired"}  # type: ignore[arg-type]


def test_a_short_delivery_is_told_before_it_is_recorded(shipped: House) -> None:
    other_case = "https://id.gs1.org/00/395210000001002029"
    act(
        shipped,
        "maker",
        "ship",
        [CASE, other_case],
        details={"receiver": "pharmacy", "despatch": "DA2"},
        override_reason="x",
    )
    answer = scans.preflight(
        party=shipped.parties["pharmacy"],
        step="receive",
        codes=[CASE],
        place=shipped.place("pharmacy"),
        details={"despatch": "urn:dosetrail:document:DA2"},
    )
    assert {(reason.code, reason.epc) for reason in answer.reasons} == {("short", other_case)}


@pytest.mark.parametrize(
    ("change", "code_"),
    [
        ({"step": "commission"}, "not-your-step"),
        ({"step": "fly"}, "unknown-step"),
        ({"codes": []}, "codes"),
        ({"place": "https://id.gs1.org/414/4012345000009"}, "not-your-place"),
        ({"codes": ["]d20109521000001009\x1d211"]}, "code-check-digit"),
        ({"step": "ship"}, "details-missing"),
    ],
)
def test_a_call_that_makes_no_sense_is_refused_by_name(stocked: House, change: dict[str, Any], code_: str) -> None:
    call = {"step": "dispense", "codes": [code("1")], "place": stocked.place("pharmacy"), **change}
    with pytest.raises(ProblemError) as refused:
        scans.record(party=stocked.parties["pharmacy"], **call)
    assert refused.value.code == code_


def test_over_http_an_erp_asks_and_records(stocked: House) -> None:
    body = {"step": "dispense", "codes": [code("1")], "place": stocked.place("pharmacy")}
    assert stocked.post("pharmacy", "/api/v1/preflight", body).json() == {"verdict": "allow", "reasons": []}
    answer = stocked.post("pharmacy", "/api/v1/scans", body)
    assert answer.status_code == 201
    assert len(answer.json()["eventIDs"]) == 1
    stocked.settle()
    assert stocked.post("pharmacy", "/api/v1/scans", body).status_code == 409
    assert stocked.post("pharmacy", "/api/v1/scans", body | {"colour": 1}).json()["code"] == "unknown-member"


def test_a_bare_despatch_number_means_the_same_on_both_sides(stocked: House) -> None:
    """What the sender's system calls DA-7 the receiver's may call by its URI."""
    sent = {"step": "ship", "codes": [code("1")], "place": stocked.place("pharmacy")}
    details = {"receiver": "other", "despatch": "DA-7"}
    assert stocked.post("pharmacy", "/api/v1/scans", sent | {"details": details}).status_code == 201
    stocked.settle()
    for despatch in ("DA-7", "urn:dosetrail:document:DA-7"):
        got = {"step": "receive", "codes": [code("1")], "place": stocked.place("other")}
        got["details"] = {"despatch": despatch}
        assert stocked.post("other", "/api/v1/preflight", got).json() == {"verdict": "allow", "reasons": []}
    assert stocked.post("other", "/api/v1/scans", got).status_code == 201
    stocked.settle()
    assert Shipment.objects.get(despatch="urn:dosetrail:document:DA-7").status == "received"


@pytest.mark.parametrize("step", ["destroy", "stolen", "hold"])
def test_nobody_takes_anothers_goods_out_of_sale_by_mistake(stocked: House, step: str) -> None:
    """Where it lies it goes without a word; elsewhere it needs a reason, which becomes part of the event."""
    call = {"step": step, "codes": [code("1")], "place": stocked.place("other"), "details": {"reason": "broken"}}
    answer = stocked.post("other", "/api/v1/scans", call)
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (409, "elsewhere")
    stocked.settle()
    asked = {"step": "dispense", "codes": [code("1")], "place": stocked.place("pharmacy")}
    assert stocked.post("pharmacy", "/api/v1/preflight", asked).json()["verdict"] == "allow"
    own = {**call, "place": stocked.place("pharmacy")}
    assert stocked.post("pharmacy", "/api/v1/preflight", own).json()["verdict"] == "allow"
    assert stocked.post("other", "/api/v1/scans", {**call, "override_reason": "they asked us"}).status_code == 201
