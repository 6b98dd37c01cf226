"""Whose calendar: a day is that of the place where the goods are, whole, and the same for every reader."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime
from typing import Any

import pytest
from django.test import Client

from ledger import api as ledger
from tests.integration.conftest import EXPIRY, GTIN, LOT, House, Written, code, pack
from tests.integration.scans.test_hospital import hospital, nurse, site
from tests.integration.scans.test_profile import Change, ask, rules
from tests.integration.scans.test_record import act
from traceability.common import clock
from traceability.custody.models import ItemState
from traceability.parties.models import Site
from traceability.products.models import Lot
from traceability.simulation import bootstrap
from traceability.simulation import events as written
from traceability.simulation.world import make_world

__all__ = ["hospital", "nurse", "rules"]


def ms(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp() * 1000)


def at(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    """What the pool of opened packs and preflight take for now."""
    for room in ("traceability.web.portal.open_pack_views", "traceability.scans.reading"):
        monkeypatch.setattr(f"{room}.now_ms", lambda: ms(text))


@pytest.fixture
def berlin(hospital: House, nurse: Client, rules: Change) -> Client:
    """The ward lies in Berlin; pack 1, opened on the 15th, is good until the day on which summer time begins."""
    Site.objects.filter(id="ward").update(time_zone="Europe/Berlin")
    rules(open_pack_days=14)
    ItemState.objects.filter(epc=pack("1")).update(opened_ms=ms("2026-03-14T23:30:00+00:00"))  # the 15th in Berlin
    return nurse


@pytest.mark.parametrize(
    ("now", "is_late"), [("2026-03-29T21:59:59.999+00:00", False), ("2026-03-29T22:00:00+00:00", True)]
)
def test_an_opened_pack_is_good_through_its_last_day(
    berlin: Client, hospital: House, monkeypatch: pytest.MonkeyPatch, now: str, is_late: bool
) -> None:
    """The pool says what preflight says, also when that day has 23 hours."""
    at(monkeypatch, now)
    page = berlin.get("/portal/open-packs").content.decode()
    shown = page.split('id="pack_1"', 1)[1].split("</section>", 1)[0]
    assert "2026-03-29</dd>" in shown
    assert ("Open for too long" in shown) is is_late
    stopped = ask(hospital, "dispense_part", [code("1")], "hospital", site(hospital, "ward"), quantity_left="3")
    assert ("open-too-long" in stopped) is is_late


@pytest.mark.parametrize(
    ("now", "is_late"), [("2030-01-31T22:59:59.999+00:00", False), ("2030-01-31T23:00:00+00:00", True)]
)
def test_the_pool_lets_a_pack_be_given_on_its_last_day_and_not_after(
    berlin: Client, hospital: House, rules: Change, monkeypatch: pytest.MonkeyPatch, now: str, is_late: bool
) -> None:
    rules(open_pack_days=None)
    at(monkeypatch, now)
    page = berlin.get("/portal/open-packs").content.decode()
    assert ("Expired" in page) is is_late
    stopped = ask(hospital, "dispense_part", [code("1")], "hospital", site(hospital, "ward"), quantity_left="3")
    assert ("expired" in stopped) is is_late


def test_the_last_day_that_there_is_passes_no_limit(
    berlin: Client, hospital: House, rules: Change, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As some write who mean that it does not expire."""

    Lot.objects.update(expiry_date=date.max)
    page = berlin.get("/portal/open-packs")
    assert (page.status_code, "Expired" in page.content.decode()) == (200, False)


@pytest.mark.parametrize(
    ("offset", "now", "outcome"),
    [
        ("+08:00", "2030-01-31T15:59:59.999+00:00", "fine"),
        ("+08:00", "2030-01-31T16:00:00+00:00", "expired"),
        ("-05:00", "2030-02-01T04:59:59.999+00:00", "fine"),
        ("-05:00", "2030-02-01T05:00:00+00:00", "expired"),
    ],
)
def test_under_way_a_pack_expires_by_the_offset_of_its_last_event(
    house: House,
    writer: Callable[[str], Written],
    monkeypatch: pytest.MonkeyPatch,
    offset: str,
    now: str,
    outcome: str,
) -> None:
    act(house, "maker", "commission", [code("1")], details={"lot": LOT, "expiry": EXPIRY.isoformat()})
    maker = writer("maker")
    maker.offset = offset
    event: dict[str, Any] = written.event(
        "ObjectEvent", party=maker, at_ms=clock.now_ms(), event_id="urn:uuid:under-way",
        step="shipping", action="OBSERVE", epcList=[pack("1")],
    )  # fmt: skip
    del event["bizLocation"]
    house.capture("maker", event)
    house.settle()
    monkeypatch.setattr("traceability.common.clock.now_ms", lambda: ms(now))
    page = Client().get(f"/01/{GTIN}/10/{LOT}/21/1?17={EXPIRY:%y%m%d}").content.decode()
    assert ('data-outcome="expired"' in page) is (outcome == "expired")


def test_the_demo_is_founded_whatever_day_its_first_lot_was_made(db: None) -> None:
    """On a 29th of February too."""
    ledger.initialise(operator_name="test")
    world = make_world(seed=1, first_day=date(2029, 1, 1), lots=1)
    world.lots[0] = replace(world.lots[0], produced=date(2028, 2, 29))
    maker = next(one for one in world.parties.values() if one.role == "manufacturer")
    licence = bootstrap._party(world, maker.id).licences.get()
    assert licence.valid_from < date(2028, 2, 29) < licence.valid_to
