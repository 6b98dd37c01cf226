"""Products, lots and places over HTTP: the owner's to change, by version; faults named by field; each change logged."""

import json
from typing import Any

import pytest

from tests.integration.conftest import GTIN, LOT, House
from traceability.common.models import MasterVersion
from traceability.products.models import Lot, TradeItem

ITEM = {
    "gtin": "09521000002005", "name": "Novo", "genericName": "insulin", "strength": "100 IU", "packSize": "1 pen",
    "authorisation": "MA-2", "profile": "fridge",
}  # fmt: skip
PLACE = {
    "name": "Cold room", "gln": None, "latitude": 31.2, "longitude": 121.4, "timeZone": "Asia/Shanghai",
    "city": "Shanghai", "country": "CN",
}  # fmt: skip
NEW = {"If-None-Match": "*"}


def put(house: House, party: str, path: str, body: Any, headers: dict[str, str] | None = None) -> Any:
    data = json.dumps(body).encode()
    return house.client(party).put(f"/api/v1/{path}", data, content_type="application/json", headers=headers or {})


def get(house: House, party: str, path: str) -> Any:
    return house.client(party).get(f"/api/v1/{path}")


def test_a_product_is_made_read_and_changed_and_each_is_a_version_on_the_log(house: House) -> None:
    made = put(house, "maker", "products/novo", ITEM, NEW)
    assert (made.status_code, made.json()["manufacturer"]) == (201, "maker")
    read = get(house, "maker", "products/novo")
    assert (read.json(), read["ETag"]) == (made.json(), made["ETag"])
    changed = put(house, "maker", "products/novo", {**ITEM, "name": "Novo 2"}, {"If-Match": read["ETag"]})
    assert (changed.status_code, changed.json()["name"]) == (200, "Novo 2")
    assert changed["ETag"] != read["ETag"]
    house.settle()
    versions = MasterVersion.objects.filter(subject="item:novo").order_by("index")
    assert [one.body["name"] for one in versions] == ["Novo", "Novo 2"]


def test_a_change_on_top_of_another_is_refused(house: House) -> None:
    """The lost update: two read the same version; without the guard the second would undo the first."""
    tag = put(house, "maker", "products/novo", ITEM, NEW)["ETag"]
    assert put(house, "maker", "products/novo", {**ITEM, "name": "A"}, {"If-Match": tag}).status_code == 200
    late = put(house, "maker", "products/novo", {**ITEM, "name": "B"}, {"If-Match": tag})
    assert (late.status_code, late.json()["code"]) == (412, "version-changed")
    assert put(house, "maker", "products/novo", ITEM, NEW).status_code == 412
    blind = put(house, "maker", "products/novo", ITEM)
    assert (blind.status_code, blind.json()["code"]) == (428, "version-missing")
    assert TradeItem.objects.get(id="novo").name == "A"


@pytest.mark.parametrize(
    ("path", "body", "field", "status"),
    [
        ("products/novo", {**ITEM, "gtin": "09521000002006"}, "gtin", 400),
        ("products/novo", {**ITEM, "gtin": None}, "gtin", 400),
        ("products/novo", {**ITEM, "gtin": GTIN}, "gtin", 409),
        ("products/novo", {**ITEM, "name": ""}, "name", 400),
        ("products/novo", {**ITEM, "name": "a\0b"}, "name", 400),
        ("products/novo", {**ITEM, "name": "x" * 201}, "name", 400),
        ("products/novo", {**ITEM, "genericName": 7}, "genericName", 400),
        ("products/novo", {**ITEM, "profile": "warm"}, "profile", 400),
        ("products/novo", {**ITEM, "nmpaPrefix": "12"}, "nmpaPrefix", 400),
        ("products/novo", {**ITEM, "colour": "red"}, "colour", 400),
        ("products/novo", {"name": "x"}, "strength", 400),
        ("lots/glarvia/N1", {"productionDate": "2026-02-30", "expiryDate": "2030-01-01"}, "productionDate", 400),
        ("lots/glarvia/N1", {"productionDate": "2026-02-03", "expiryDate": "2026-01-01"}, "expiryDate", 400),
        ("places/cold", {**PLACE, "latitude": 91}, "latitude", 400),
        ("places/cold", {**PLACE, "latitude": True}, "latitude", 400),
        ("places/cold", {**PLACE, "longitude": 1e300}, "longitude", 400),
        ("places/cold", {**PLACE, "timeZone": "Shanghai"}, "timeZone", 400),
        ("places/cold", {**PLACE, "gln": "9521000800008"}, "gln", 400),
        ("places/cold", {**PLACE, "country": "CHN"}, "country", 400),
    ],
)
def test_a_fault_is_named_by_its_field_and_nothing_is_stored(
    house: House, path: str, body: Any, field: str, status: int
) -> None:
    before = MasterVersion.objects.count()
    answer = put(house, "maker", path, body, NEW)
    assert answer.status_code == status, answer.content
    assert field in {one["field"] for one in answer.json()["errors"]}
    assert get(house, "maker", path).status_code == 404
    house.settle()
    assert MasterVersion.objects.count() == before


def test_lots_and_places_are_made_and_changed(house: House) -> None:
    lot = {"productionDate": "2026-01-02", "expiryDate": "2030-02-28"}
    assert put(house, "maker", "lots/glarvia/A%2FB", lot, NEW).status_code == 201
    assert get(house, "maker", "lots/glarvia/A%2FB").json() == {"product": "glarvia", "number": "A/B", **lot}
    assert [one["number"] for one in get(house, "maker", "lots/glarvia").json()] == [LOT, "A/B"]
    made = put(house, "pharmacy", "places/cold", PLACE, NEW)
    assert (made.status_code, made.json()["uri"]) == (201, "urn:dosetrail:site:cold")
    moved = put(house, "pharmacy", "places/cold", {**PLACE, "latitude": 31.3}, {"If-Match": made["ETag"]})
    assert (moved.status_code, moved.json()["latitude"]) == (200, 31.3)
    assert Lot.objects.filter(number="A/B").count() == 1


def test_what_is_another_s_is_not_changed_and_only_products_are_read(house: House) -> None:
    assert get(house, "pharmacy", "products/glarvia").json()["gtin"] == GTIN
    taken = put(house, "pharmacy", "products/glarvia", ITEM, {"If-Match": "*"})
    assert (taken.status_code, taken.json()["code"]) == (403, "not-yours")
    assert put(house, "pharmacy", "places/maker-main", PLACE, NEW).status_code == 403
    assert (
        put(
            house, "pharmacy", "lots/glarvia/N1", {"productionDate": "2026-01-01", "expiryDate": "2030-01-01"}, NEW
        ).status_code
        == 404
    )
    for path in ("lots/glarvia", f"lots/glarvia/{LOT}", "places/maker-main"):
        assert get(house, "pharmacy", path).status_code == 404
    assert get(house, "pharmacy", "products").json() == []
    assert [one["id"] for one in get(house, "pharmacy", "places").json()] == ["pharmacy-main"]


def test_lists_are_paged(house: House) -> None:
    for number in range(3):
        assert (
            put(
                house,
                "maker",
                f"lots/glarvia/N{number}",
                {"productionDate": "2026-01-01", "expiryDate": "2030-01-01"},
                NEW,
            ).status_code
            == 201
        )
    first = get(house, "maker", "lots/glarvia?perPage=3")
    assert len(first.json()) == 3
    second = house.client("maker").get(first["Link"].partition(">")[0][1:])
    assert [one["number"] for one in second.json()] == ["N2"]
    assert "Link" not in second
    assert get(house, "maker", "lots/glarvia?colour=red").status_code == 400
