"""Parameters that lean on accepted master data: what lies below a place, and attributes."""

from typing import Any

import pytest

from tests.integration.api.test_capture import observed
from tests.integration.conftest import GTIN, House
from traceability.epcis.master_data import value_key
from traceability.products.models import VocabularyAttribute, VocabularyEdge, VocabularyElement
from traceability.queries import conditions

AREA = "https://example.com/area/east"
LOT = f"https://id.gs1.org/01/{GTIN}/10/L1"


@pytest.fixture
def described(house: House, writer: Any) -> str:
    """One event at the pharmacy's place, one at an extension of it, one elsewhere; the place has an area and a name."""
    place = house.place("pharmacy")
    for serial, where in (("1", place), ("2", f"{place}/254/fridge"), ("3", "https://id.gs1.org/414/9501101020016")):
        at = {"readPoint": {"id": where}, "bizLocation": {"id": where}}
        house.capture("pharmacy", observed(writer, serial, **at))
    amount = {"epcList": [], "quantityList": [{"epcClass": LOT, "quantity": 3}]}
    house.capture("pharmacy", observed(writer, "4", **amount))
    house.settle()
    VocabularyEdge.objects.create(parent=AREA, child=place)
    for uri, name, value in ((place, "climate", "cold"), (LOT, "colour", "red")):
        row = VocabularyElement.objects.create(uri=uri, types=["Location"])
        VocabularyAttribute.objects.create(
            element=row, name=name, value=value, value_key=value_key(value), reporter="urn:dosetrail:party:maker"
        )
    return place


@pytest.mark.parametrize(
    ("name", "value", "count"),
    [
        ("EQ_readPoint", "{place}", 2),
        ("WD_readPoint", "{place}", 3),
        ("WD_bizLocation", AREA, 3),
        ("WD_bizLocation", "https://example.com/area/west", 0),
        ("HASATTR_readPoint", "climate", 2),
        ("HASATTR_readPoint", "colour", 0),
        ("EQATTR_bizLocation_climate", "cold", 2),
        ("EQATTR_bizLocation_climate", "warm|mild", 0),
        ("EQATTR_epcClass_colour", "blue|red", 1),
        ("HASATTR_epcClass", "colour", 1),
    ],
)
def test_places_below_and_attributes(house: House, described: str, name: str, value: str, count: int) -> None:
    answer = house.client("regulator").get("/epcis/events", {name: value.format(place=described)})
    assert answer.status_code == 200, answer.content
    assert len(answer.json()["epcisBody"]["queryResults"]["resultsBody"]["eventList"]) == count


def test_more_than_a_statement_compares_is_refused(
    house: House, described: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conditions, "_MOST_URIS", 1)
    answer = house.client("regulator").get("/epcis/events", {"WD_readPoint": AREA})
    assert (answer.status_code, answer.json()["type"]) == (413, "epcisException:QueryTooComplexException")
