"""WD_, EQATTR_ and HASATTR_ over HTTP: a partner's header, a steward's word, then the query that leans on it."""

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from tests.integration.api.test_capture import observed
from tests.integration.conftest import House
from tests.integration.portal.conftest import Portal, person
from tests.unit.epcis.test_master_data import element, header
from traceability.products import stewardship
from traceability.products.models import MasterDataProposal

__all__ = ["person"]

SHELF = "https://id.gs1.org/414/9501101020016/254/shelf"
ROOM = "https://id.gs1.org/414/9501101020016"
FREEZER = "https://id.gs1.org/414/9501101020016/254/freezer"


def found(house: House, **asked: str) -> int:
    query = "&".join(f"{name}={quote(value, safe='')}" for name, value in asked.items())
    answer = house.client("pharmacy").get(f"/epcis/events?{query}")
    assert answer.status_code == 200, answer.content
    return len(answer.json()["epcisBody"]["queryResults"]["resultsBody"]["eventList"])


def test_queries_lean_on_what_was_accepted_and_on_nothing_before(
    house: House, writer: Any, person: Callable[..., Portal]
) -> None:
    for number, place in enumerate((SHELF, FREEZER, ROOM, house.place("pharmacy")), start=1):
        event = observed(writer, str(number), readPoint={"id": place}, bizLocation={"id": place})
        assert house.capture("pharmacy", event).status_code == 202
    house.settle()
    listed = [
        element("https://example.com/region", children=(ROOM,)),
        element(ROOM, name="Room"),
        element(SHELF, name="Shelf", sst="shelf"),
        element(FREEZER, name="Freezer", sst="freezer"),
    ]
    assert house.post("pharmacy", "/epcis/capture", header(("Location", listed))).status_code == 202
    region = {"WD_readPoint": "https://example.com/region"}
    assert found(house, **region) == found(house, EQATTR_readPoint_sst="shelf") == 0
    member = person("regulator", "inspector").member
    for row in MasterDataProposal.objects.all():
        stewardship.accept(member=member, proposal_id=row.pk)
    assert found(house, **region) == 3
    assert found(house, WD_bizLocation=ROOM) == 3
    assert found(house, WD_bizLocation="urn:epc:id:sgln:9501101.02001.shelf") == 1
    assert found(house, WD_bizLocation="urn:dosetrail:party:pharmacy") == 1  # our own site
    assert found(house, EQATTR_readPoint_sst="shelf|freezer") == 2
    assert found(house, **{"EQATTR_bizLocation_cbvmda:sst": "freezer"}) == 1
    assert found(house, HASATTR_readPoint="sst") == 2
    assert found(house, EQATTR_readPoint_city="Shanghai") == 1  # our own site
    assert found(house, EQATTR_readPoint_name="nobody") == 0
