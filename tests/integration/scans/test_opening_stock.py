"""The shelves of a party that joins: known since that day, usable at once, and no alarm for any of it."""

from typing import Any

import pytest

from tests.integration.conftest import EXPIRY, LOT, House, code, pack
from tests.integration.scans.test_record import act
from traceability.alerts.models import Alert
from traceability.common.problems import ProblemError
from traceability.contracts import services as contracts
from traceability.custody import selectors as custody
from traceability.parties import services as parties
from traceability.scans import services as scans

PASSWORD = "a-long-demo-password"


@pytest.fixture
def judged(house: House) -> House:
    """With every default contract in force."""
    contracts.deploy_defaults()
    house.settle()
    return house


def member(house: House, role: str) -> Any:
    return parties.add_member(party=house.parties["pharmacy"], username=role, password=PASSWORD, role=role)


def test_goods_that_nobody_recorded_are_known_from_the_day_they_are_counted(judged: House) -> None:
    act(judged, "pharmacy", "opening_stock", [code("1"), code("2")], member=member(judged, "quality"))
    state = custody.state(pack("1"))
    assert state is not None
    assert (state.status, state.place, state.item.commissioned_index) == ("active", judged.place("pharmacy"), None)
    assert (state.item.lot, state.item.expiry) == (LOT, EXPIRY.isoformat())
    verdict = scans.preflight(
        party=judged.parties["pharmacy"], step="dispense", codes=[code("1")], place=judged.place("pharmacy")
    )
    assert verdict.verdict == "allow"
    act(judged, "pharmacy", "dispense", [code("1")])
    after = custody.state(pack("1"))
    assert after is not None
    assert after.status == "dispensed"
    assert not Alert.objects.exists()


def test_the_maker_s_words_count_when_they_come(judged: House, writer: Any) -> None:
    """Its commissioning happened earlier and arrives later: no clone, and the pack stays where it was counted."""
    from traceability.common.clock import now_ms
    from traceability.simulation import events

    act(judged, "pharmacy", "opening_stock", [code("1")], member=member(judged, "quality"))
    made = events.commission(
        type("Lot", (), {"number": LOT, "expiry": EXPIRY})(),
        [pack("1")],
        party=writer("maker"),
        at_ms=now_ms() - 86_400_000,
        event_id="urn:uuid:00000000-0000-4000-8000-0000000000aa",
    )
    assert judged.capture("maker", made).status_code == 202
    judged.settle()
    state = custody.state(pack("1"))
    assert state is not None
    assert state.item.commissioned_index is not None
    assert (state.status, state.place) == ("active", judged.place("pharmacy"))
    assert not Alert.objects.exists()


def test_without_the_mark_the_same_goods_are_unknown(judged: House) -> None:
    """The negative control: dispensing what nobody has counted or made is stopped."""
    verdict = scans.preflight(
        party=judged.parties["pharmacy"], step="dispense", codes=[code("9")], place=judged.place("pharmacy")
    )
    assert verdict.verdict == "stop"
    assert [reason.code for reason in verdict.reasons] == ["unknown"]


def test_it_needs_the_quality_role(judged: House) -> None:
    with pytest.raises(ProblemError) as refused:
        act(judged, "pharmacy", "opening_stock", [code("1")], member=member(judged, "operator"))
    assert refused.value.code == "role"
