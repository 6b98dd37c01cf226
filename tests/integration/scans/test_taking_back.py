"""The last scans are taken back while nothing has been built on them, and by whom they may be."""

from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings

from tests.integration.conftest import EXPIRY, LOT, House, code, pack
from tests.integration.portal.conftest import CASE, PASSWORD, SSCC, act, stocked
from traceability.capture.models import PublishedEvent
from traceability.common.problems import ProblemError
from traceability.custody import selectors as custody
from traceability.custody.models import Containment, ItemState
from traceability.parties import services as parties
from traceability.parties.models import Member
from traceability.scans import taking_back
from traceability.scans.models import ScanEvent

__all__ = ["stocked"]


@pytest.fixture
def member(house: House) -> Callable[..., Member]:
    def add(party: str, role: str = "operator") -> Member:
        return parties.add_member(party=house.parties[party], username=f"{party}-{role}", password=PASSWORD, role=role)

    return add


def newest() -> ScanEvent:
    row = ScanEvent.objects.order_by("-id").first()
    assert row
    return row


def taken_back(house: House, who: Member, row: ScanEvent | None = None) -> None:
    taking_back.take_back(who, row or newest(), reason="wrong pallet")
    house.settle()


def refused(who: Member, row: ScanEvent | None = None) -> str:
    with pytest.raises(ProblemError) as caught:
        taking_back.take_back(who, row or newest(), reason="wrong pallet")
    assert taking_back.hindrance(row or newest(), who) == caught.value.code
    return caught.value.code


def test_a_receipt_is_taken_back_and_can_be_recorded_again(stocked: House, member: Any) -> None:
    act(stocked, "pharmacy", "receive", [f"(00){SSCC}"], despatch="DA2")
    row, who = newest(), member("pharmacy")
    taken_back(stocked, who, row)
    assert ItemState.objects.get(epc=CASE).status == "shipped"
    shipment = custody.shipment("urn:dosetrail:document:DA2")
    assert shipment is not None
    assert shipment.status == "open"
    kept = newest()
    assert (kept.step, kept.details["reason"], kept.member) == ("take_back", "wrong pallet", who.pseudonym)
    assert refused(who, row) == "taken-back"
    act(stocked, "pharmacy", "receive", [f"(00){SSCC}"], despatch="DA2")
    assert ItemState.objects.get(epc=CASE).status == "active"


def test_packing_and_unpacking_are_taken_back(stocked: House, member: Any) -> None:
    act(stocked, "pharmacy", "receive", [f"(00){SSCC}"], despatch="DA2")
    act(stocked, "pharmacy", "unpack", [f"(00){SSCC}"])
    assert not Containment.objects.filter(to_ms=None).exists()
    taken_back(stocked, member("pharmacy"))
    assert Containment.objects.filter(to_ms=None, parent=CASE).count() == 2


def test_every_event_of_a_step_is_declared(stocked: House, member: Any) -> None:
    two = [code("70"), code("71").replace(f"10{LOT}", "10L9")]
    act(stocked, "pharmacy", "opening_stock", two)
    row = newest()
    assert len(row.event_ids) == 2
    taken_back(stocked, member("pharmacy"), row)
    assert not ItemState.objects.filter(epc__in=[pack("70"), pack("71")]).exists()
    assert PublishedEvent.objects.exclude(declaration_ms=None).count() == 2


def test_not_after_another_has_acted(stocked: House, member: Any) -> None:
    act(stocked, "maker", "commission", [code("9")], lot=LOT, expiry=EXPIRY.isoformat())
    act(stocked, "maker", "ship", [code("9")], receiver="pharmacy", despatch="DA9")
    row, who = newest(), member("maker")
    act(stocked, "pharmacy", "receive", [code("9")])
    assert refused(who, row) == "acted-on-by-others"


def test_not_after_another_has_acted_on_what_lies_inside(stocked: House, member: Any) -> None:
    row = ScanEvent.objects.get(party="maker", details__despatch="urn:dosetrail:document:DA2")
    act(stocked, "pharmacy", "receive", [code("5")])
    assert refused(member("maker"), row) == "acted-on-by-others"


def test_one_s_own_later_step_goes_first(stocked: House, member: Any) -> None:
    act(stocked, "pharmacy", "receive", [f"(00){SSCC}"], despatch="DA2")
    first, who = newest(), member("pharmacy")
    act(stocked, "pharmacy", "stock", [f"(00){SSCC}"])
    assert refused(who, first) == "acted-on"
    taken_back(stocked, who)
    taken_back(stocked, who, first)
    assert ItemState.objects.get(epc=CASE).status == "shipped"


def test_not_before_it_is_published(stocked: House, member: Any) -> None:
    from traceability.scans import services as scans

    who = member("pharmacy")
    scans.record(
        party=stocked.parties["pharmacy"], step="stock", codes=[code("1")], place=stocked.place("pharmacy"), details={}
    )
    assert refused(who) == "not-published"
    stocked.settle()
    assert taking_back.hindrance(newest(), who) == ""


def test_the_window(stocked: House, member: Any) -> None:
    act(stocked, "pharmacy", "stock", [code("1")])
    who = member("pharmacy")
    ScanEvent.objects.filter(id=newest().id).update(
        scanned_ms=newest().scanned_ms - settings.TAKE_BACK_HOURS * 3_600_000 - 60_000
    )
    assert refused(who) == "too-late"


def test_the_place(stocked: House, member: Any) -> None:
    act(stocked, "pharmacy", "stock", [code("1")])
    who, quality = member("pharmacy"), member("pharmacy", "quality")
    site = stocked.parties["pharmacy"].sites.get()
    site.pk, site.gln = "branch", None
    site.save(force_insert=True)
    for one in (who, quality):
        one.site = site
    assert refused(who) == "elsewhere"
    assert taking_back.hindrance(newest(), quality) == ""


@pytest.mark.parametrize("step", ["dispense", "verify"])
def test_steps_with_rules_of_their_own_are_left_to_these(stocked: House, member: Any, step: str) -> None:
    act(stocked, "pharmacy", step, [code("1")])
    assert refused(member("pharmacy")) == "not-taken-back"


def test_a_hold_of_an_exception_is_not_taken_back_alone(stocked: House, member: Any) -> None:
    act(stocked, "pharmacy", "hold", [code("1")], reason="x")
    ScanEvent.objects.filter(id=newest().id).update(nonce="exception:abc:hold")
    assert refused(member("pharmacy")) == "of-an-exception"


def test_a_stranger_and_no_reason(stocked: House, member: Any) -> None:
    act(stocked, "pharmacy", "stock", [code("1")])
    with pytest.raises(ProblemError, match="not-found"):
        taking_back.take_back(member("other"), newest(), reason="mine")
    with pytest.raises(ProblemError, match="reason"):
        taking_back.take_back(member("pharmacy"), newest(), reason=" ")
    assert not PublishedEvent.objects.exclude(declaration_ms=None).exists()
