"""A recall drill is recorded and changes nothing: neither what may be sold nor what patients read."""

from typing import Any

import pytest
from django.test import Client

from tests.integration.conftest import EXPIRY, GTIN, LOT, House, code, recall_event
from tests.integration.scans.test_record import act
from traceability.capture.models import PublishedEvent
from traceability.contracts.models import RecallMark
from traceability.custody import stops
from traceability.scans import services as scans


@pytest.mark.parametrize("is_drill", [True, False])
def test_a_drill_recalls_nothing(house: House, writer: Any, is_drill: bool) -> None:
    """The negative control is the same event without the mark."""
    act(house, "maker", "commission", [code("1")], details={"lot": LOT, "expiry": EXPIRY.isoformat()})
    act(house, "maker", "ship", [code("1")], details={"receiver": "pharmacy"})
    act(house, "pharmacy", "receive", [code("1")])
    event_id = "urn:uuid:22222222-0000-4000-8000-000000000007"
    house.capture("maker", {**recall_event(writer("maker"), event_id), "https://example.org/drill": is_drill})
    house.settle()
    assert PublishedEvent.objects.filter(event_id=event_id).exists()

    status = stops.lot_status(GTIN, LOT)
    assert (status is not None and status.recalled_index is not None) is not is_drill
    assert RecallMark.objects.exists() is not is_drill
    ask = {"party": house.parties["pharmacy"], "step": "dispense", "place": house.place("pharmacy")}
    reasons = scans.preflight(codes=[code("1")], **ask).reasons  # type: ignore[arg-type]
    assert {one.code for one in reasons} == (set() if is_drill else {"recalled"})
    page = Client().get(f"/01/{GTIN}/21/1").content.decode()
    assert ("Recall notice" in page) is not is_drill
