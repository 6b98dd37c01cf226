"""The same thing asked again: of a nonce once, of an undo once, whatever broke off in between."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import transaction

from tests.integration.api.test_capture import observed
from tests.integration.conftest import EXPIRY, LOT, House, code, pack
from tests.integration.portal.conftest import Portal, act, person, stocked
from traceability.capture.models import CapturedEvent
from traceability.contracts import services as contracts
from traceability.contracts.models import Finding
from traceability.custody import selectors as custody
from traceability.epcis.context import DEFAULT_CONTEXT
from traceability.scans import answers, services, undo
from traceability.scans.models import ScanEvent

__all__ = ["person", "stocked"]
WHY = {"reason": "mistake"}


def scan(house: House, party: str, **call: Any) -> Any:
    return house.post(party, "/api/v1/scans", {"place": house.place(party), **call})


def undone(house: House, serial: str, **more: Any) -> Any:
    return scan(house, "pharmacy", step="undo", codes=[code(serial)], details=WHY, **more)


@pytest.fixture
def sold(stocked: House) -> House:
    """Two packs, sold together in one event."""
    contracts.deploy_defaults()
    act(stocked, "pharmacy", "dispense", [code("1"), code("2")])
    return stocked


def test_a_second_undo_waits_for_the_first(sold: House) -> None:
    """Each says anew what stays sold: two at once would sell twice what the other took back."""
    assert undone(sold, "1").status_code == 201
    second = undone(sold, "1")
    assert (second.status_code, second.json()["code"]) == (409, "nothing-to-undo")
    assert "on its way" in second.json()["detail"]
    assert undone(sold, "2").status_code == 409
    sold.settle()
    assert undone(sold, "2").status_code == 201
    sold.settle()
    assert not Finding.objects.exists()
    for serial in "12":
        asked = {"step": "dispense", "codes": [code(serial)], "place": sold.place("pharmacy")}
        assert sold.post("pharmacy", "/api/v1/preflight", asked).json()["verdict"] == "allow"


def test_without_the_wait_a_pack_is_sold_twice(sold: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """The negative control."""

    class Blind:
        objects = CapturedEvent.objects.none()

    assert undone(sold, "1").status_code == 201
    monkeypatch.setattr(undo, "CapturedEvent", Blind)
    assert undone(sold, "1").status_code == 201
    sold.settle()
    assert Finding.objects.filter(rule="double-dispense").exists()


def test_two_tabs_undo_once(sold: House, person: Callable[..., Portal]) -> None:
    portal = person("pharmacy")
    before = CapturedEvent.objects.count()
    for form in [portal.check("undo", [code("1")], reason="x", nonce=f"n{tab}")[0] for tab in range(2)]:
        portal.post("step/undo", form)
    assert CapturedEvent.objects.count() - before == 2  # the declaration, and what stays sold


@pytest.mark.parametrize("published", [False, True])
def test_an_undo_whose_answer_was_lost_is_answered_again(sold: House, published: bool) -> None:
    first = undone(sold, "1", nonce="u").json()["eventIDs"]
    ScanEvent.objects.filter(nonce="u").delete()  # the process ended between capture and answer
    count = CapturedEvent.objects.count()
    if published:
        sold.settle()
    again = undone(sold, "1", nonce="u")
    assert (again.status_code, again.json()["eventIDs"], CapturedEvent.objects.count()) == (201, first, count)


def meanwhile(monkeypatch: pytest.MonkeyPatch, act: Callable[[], object], *, judged_before: bool = False) -> None:
    """Do something as if another process did, around the moment at which preflight judges the next call."""
    judge = services._judge

    def late(scan: Any) -> Any:
        monkeypatch.setattr(services, "_judge", judge)
        verdict = judge(scan) if judged_before else None
        act()
        return verdict or judge(scan)

    monkeypatch.setattr(services, "_judge", late)


@pytest.mark.parametrize(("nonce", "status"), [("n", 201), ("m", 409)])
def test_what_the_same_call_did_meanwhile_does_not_stop_it(
    sold: House, monkeypatch: pytest.MonkeyPatch, nonce: str, status: int
) -> None:
    """Recorded after the nonce was looked for and before preflight judged. Another nonce is the negative control."""
    first: list[Any] = []
    meanwhile(monkeypatch, lambda: first.append(undone(sold, "1", nonce="n").json()["eventIDs"]))
    count = CapturedEvent.objects.count()
    second = undone(sold, "1", nonce=nonce)
    assert second.status_code == status
    assert (second.json().get("eventIDs") == first[0]) == (status == 201)
    assert CapturedEvent.objects.count() - count == 2  # the declaration, and what stays sold


@pytest.mark.parametrize(("step", "other"), [("dispense", "dispense"), ("dispense", "verify"), ("verify", "dispense")])
def test_a_nonce_that_another_scan_took_meanwhile_is_refused(
    stocked: House, monkeypatch: pytest.MonkeyPatch, step: str, other: str
) -> None:
    """It is not answered with what became of the other, and nothing is recorded of its own goods."""
    meanwhile(monkeypatch, lambda: scan(stocked, "pharmacy", step=other, codes=[code("2")], nonce="n"))
    refused = scan(stocked, "pharmacy", step=step, codes=[code("1")], nonce="n")
    assert (refused.status_code, refused.json()["code"]) == (409, "nonce-reused")
    assert ScanEvent.objects.get(nonce="n").codes == [code("2")]
    assert CapturedEvent.objects.filter(idempotency_key="scan:n").count() == (other == "dispense")


@pytest.mark.parametrize("nonce", ["", "n"])
def test_an_undo_that_another_forestalled_takes_no_earlier_dispensing(
    stocked: House, monkeypatch: pytest.MonkeyPatch, nonce: str
) -> None:
    act(stocked, "pharmacy", "dispense_part", [code("1")], quantity_left="3")
    act(stocked, "pharmacy", "dispense", [code("1")])
    done: list[Any] = []

    def other() -> None:
        done.append(undone(stocked, "1", nonce="m"))
        stocked.settle()

    meanwhile(monkeypatch, other, judged_before=True)
    second = undone(stocked, "1", nonce=nonce)
    assert (done[0].status_code, second.status_code, second.json()["code"]) == (201, 409, "undo-waiting")
    stocked.settle()
    located = custody.state(pack("1"))
    assert located is not None
    assert (located.status, located.item.left) == ("partially_dispensed", 3)


def test_events_and_answer_stand_or_fall_together(stocked: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """A call that breaks off where its answer is stored has recorded nothing; sent again it is recorded once."""
    call = {"step": "dispense", "codes": [code("1")], "nonce": "n"}
    before = CapturedEvent.objects.count()

    def breaks(_: Any) -> Any:
        raise InterruptedError

    with monkeypatch.context() as patched:
        patched.setattr(answers, "keep", breaks)
        with pytest.raises(InterruptedError):
            scan(stocked, "pharmacy", **call)
    assert (CapturedEvent.objects.count(), ScanEvent.objects.filter(nonce="n").count()) == (before, 0)
    assert scan(stocked, "pharmacy", **call).status_code == 201
    assert (CapturedEvent.objects.count(), ScanEvent.objects.filter(nonce="n").count()) == (before + 1, 1)


def test_a_nonce_stands_for_its_details_too(house: House) -> None:
    act(house, "maker", "commission", [code("1")], lot=LOT, expiry=EXPIRY.isoformat())
    call = {"step": "ship", "codes": [code("1")], "nonce": "n"}
    assert scan(house, "maker", **call, details={"receiver": "pharmacy"}).status_code == 201
    other = scan(house, "maker", **call, details={"receiver": "other"})
    assert (other.status_code, other.json()["code"]) == (409, "nonce-reused")


def test_a_nonce_whose_answer_was_lost_stands_for_its_codes(stocked: House) -> None:
    assert scan(stocked, "pharmacy", step="dispense", codes=[code("1")], nonce="n").status_code == 201
    ScanEvent.objects.filter(nonce="n").delete()
    other = scan(stocked, "pharmacy", step="dispense", codes=[code("2")], nonce="n")
    assert (other.status_code, other.json()["code"]) == (409, "nonce-reused")


def test_nonces_and_idempotency_keys_are_apart(stocked: House, writer: Any) -> None:
    event = {"@context": [DEFAULT_CONTEXT], **observed(writer, "9")}
    client = stocked.client("pharmacy")
    assert client.post("/epcis/events", event, "application/json", headers={"Idempotency-Key": "m"}).status_code == 201
    call = {"step": "dispense", "codes": [code("1")], "nonce": "m"}
    first = scan(stocked, "pharmacy", **call).json()["eventIDs"]
    ScanEvent.objects.filter(nonce="m").delete()
    assert scan(stocked, "pharmacy", **call).json()["eventIDs"] == first


def test_the_expiry_date_on_the_pack_is_the_lots(house: House) -> None:
    wrong = {"lot": LOT, "expiry": "2040-01-31"}
    answer = scan(house, "maker", step="commission", codes=[code("1")], details=wrong)
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (409, "expiry-mismatch")


@pytest.mark.parametrize("expiry", ["20300131", "2030-W05-4"])
def test_the_expiry_date_has_one_spelling(house: House, expiry: str) -> None:
    details = {"lot": LOT, "expiry": expiry}
    assert scan(house, "maker", step="commission", codes=[code("1")], details=details).status_code == 400


@pytest.mark.parametrize("number", ["50% off", "Order: 12 34", "订单:1", "DA%2F7"])
def test_any_document_number_will_do(house: House, number: str) -> None:
    act(house, "maker", "commission", [code("1")], lot=LOT, expiry=EXPIRY.isoformat())
    details = {"receiver": "pharmacy", "despatch": number}
    assert scan(house, "maker", step="ship", codes=[code("1")], details=details).status_code == 201


def test_nobody_ships_to_a_party_that_has_closed(house: House) -> None:
    act(house, "maker", "commission", [code("1")], lot=LOT, expiry=EXPIRY.isoformat())
    with transaction.atomic():
        type(house.parties["other"]).objects.filter(id="other").update(active=False)
    answer = scan(house, "maker", step="ship", codes=[code("1")], details={"receiver": "other"})
    assert (answer.status_code, answer.json()["code"]) == (400, "unknown-receiver")


@pytest.mark.parametrize(
    ("field", "value"), [("place", "a\0b"), ("override_reason", "a\0b"), ("override_reason", "x" * 501)]
)
def test_texts_that_cannot_be_kept_are_refused_before_anything_is(house: House, field: str, value: str) -> None:
    before = CapturedEvent.objects.count()
    call = {"step": "ship", "codes": [code("1")], "details": {"receiver": "pharmacy"}, "nonce": "q", field: value}
    answer = scan(house, "maker", **call)
    assert (answer.status_code, CapturedEvent.objects.count()) == (400, before)
