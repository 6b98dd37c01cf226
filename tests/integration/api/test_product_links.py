"""Links that makers register, over HTTP: by version, each change logged; another party's are not changed."""

from typing import Any

import pytest

from tests.integration.api.test_products import ITEM, NEW, get, put
from tests.integration.conftest import GTIN, LOT, House
from traceability.common.models import MasterVersion
from traceability.parties.models import PartyKey
from traceability.products.models import LinkSet

LEAFLET = {
    "linkType": "gs1:epil", "href": "https://leaflets.example.com/glarvia/en", "title": "Package leaflet",
    "hreflang": "en", "type": "text/html", "default": True,
}  # fmt: skip
SHORT = {"linkType": "gs1:smpc", "href": "https://leaflets.example.com/glarvia/smpc", "title": "SmPC"}
OF_PRODUCT, OF_LOT = "products/glarvia/links", f"products/glarvia/links/{LOT}"


def delete(house: House, party: str, path: str, tag: str = "") -> Any:
    return house.client(party).delete(f"/api/v1/{path}", headers={"If-Match": tag} if tag else {})


@pytest.mark.parametrize("path", [OF_PRODUCT, OF_LOT])
def test_links_are_registered_read_changed_and_removed_and_each_is_a_version(house: House, path: str) -> None:
    assert get(house, "maker", path).status_code == 404
    made = put(house, "maker", path, {"links": [LEAFLET, SHORT]}, NEW)
    assert made.status_code == 201, made.content
    expected = [LEAFLET, {**SHORT, "hreflang": "", "type": "text/html", "default": False}]
    assert made.json() == {"product": "glarvia", "lot": LOT if path == OF_LOT else None, "links": expected}
    read = get(house, "maker", path)
    assert (read.json(), read["ETag"]) == (made.json(), made["ETag"])
    changed = put(house, "maker", path, {"links": [SHORT]}, {"If-Match": read["ETag"]})
    assert (changed.status_code, len(changed.json()["links"])) == (200, 1)
    assert delete(house, "maker", path, changed["ETag"]).status_code == 204
    assert get(house, "maker", path).status_code == 404
    assert delete(house, "maker", path, changed["ETag"]).status_code == 404
    assert not LinkSet.objects.exists()
    house.settle()
    subject = f"links:glarvia:{LOT}" if path == OF_LOT else "links:glarvia"
    versions = [one.body for one in MasterVersion.objects.filter(subject=subject).order_by("index")]
    assert [[link["kind"] for link in one["links"]] for one in versions] == [["epil", "smpc"], ["smpc"], []]
    assert {one["gtin"] for one in versions} == {GTIN}


def test_a_lot_with_a_slash_has_links_of_its_own(house: House) -> None:
    dates = {"productionDate": "2026-01-02", "expiryDate": "2030-02-28"}
    assert put(house, "maker", "lots/glarvia/A%2FB", dates, NEW).status_code == 201
    assert put(house, "maker", "products/glarvia/links/A%2FB", {"links": [LEAFLET]}, NEW).status_code == 201
    assert get(house, "maker", "products/glarvia/links/A%2FB").json()["lot"] == "A/B"
    assert get(house, "maker", OF_PRODUCT).status_code == 404


def test_a_change_on_top_of_another_is_refused(house: House) -> None:
    """The lost update: two read the same version; without the guard the second would undo the first."""
    tag = put(house, "maker", OF_PRODUCT, {"links": [LEAFLET]}, NEW)["ETag"]
    assert put(house, "maker", OF_PRODUCT, {"links": [LEAFLET, SHORT]}, {"If-Match": tag}).status_code == 200
    late = put(house, "maker", OF_PRODUCT, {"links": [SHORT]}, {"If-Match": tag})
    assert (late.status_code, late.json()["code"]) == (412, "version-changed")
    assert put(house, "maker", OF_PRODUCT, {"links": [SHORT]}, NEW).status_code == 412
    assert delete(house, "maker", OF_PRODUCT, tag).status_code == 412
    blind = put(house, "maker", OF_PRODUCT, {"links": [SHORT]})
    assert (blind.status_code, blind.json()["code"]) == (428, "version-missing")
    assert delete(house, "maker", OF_PRODUCT).status_code == 428
    assert len(get(house, "maker", OF_PRODUCT).json()["links"]) == 2


def test_the_same_links_again_are_no_new_version(house: House) -> None:
    tag = put(house, "maker", OF_PRODUCT, {"links": [LEAFLET]}, NEW)["ETag"]
    again = put(house, "maker", OF_PRODUCT, {"links": [LEAFLET]}, {"If-Match": tag})
    assert (again.status_code, again["ETag"]) == (200, tag)
    house.settle()
    assert MasterVersion.objects.filter(subject="links:glarvia").count() == 1


def test_another_s_links_are_read_of_a_product_and_never_changed(house: House) -> None:
    tags = {path: put(house, "maker", path, {"links": [LEAFLET]}, NEW)["ETag"] for path in (OF_PRODUCT, OF_LOT)}
    for caller in ("regulator", "wholesaler", "pharmacy", "other"):
        assert get(house, caller, OF_PRODUCT).json()["links"] == [LEAFLET]
        assert get(house, caller, OF_LOT).status_code == 404
        for path in (OF_PRODUCT, OF_LOT, "products/glarvia/links/NEVER"):
            headers = {"If-Match": tags.get(path, '"0"')}
            taken = put(house, caller, path, {"links": [SHORT]}, headers)
            assert (taken.status_code, taken.json()["code"]) == (403, "not-yours")
            assert delete(house, caller, path, headers["If-Match"]).json()["code"] == "not-yours"
    assert get(house, "maker", OF_LOT).json()["links"] == [LEAFLET]
    for path in ("products/none/links", "products/glarvia/links/NEVER"):
        assert put(house, "maker", path, {"links": [SHORT]}, NEW).status_code == 404


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "links"), ({"links": []}, "links"), ({"links": {}}, "links"), ({"links": [LEAFLET], "x": 1}, "x"),
        ({"links": [7]}, "links/0"), ({"links": [{**LEAFLET, "rel": "x"}]}, "links/0/rel"),
        ({"links": [{"linkType": "gs1:epil", "title": "x"}]}, "links/0/href"),
        ({"links": [{**LEAFLET, "default": "yes"}]}, "links/0/default"),
        ({"links": [{**LEAFLET, "title": 7}]}, "links/0/title"),
        ({"links": [LEAFLET, {**SHORT, "linkType": "epil"}]}, "links/1/linkType"),
        ({"links": [LEAFLET, {**SHORT, "linkType": "gs1:defaultLink"}]}, "links/1/linkType"),
        ({"links": [LEAFLET, {**SHORT, "href": "http://a.example/"}]}, "links/1/href"),
        ({"links": [LEAFLET, {**SHORT, "href": "https://u:p@a.example/"}]}, "links/1/href"),
        ({"links": [LEAFLET, {**SHORT, "hreflang": "English"}]}, "links/1/hreflang"),
        ({"links": [LEAFLET, {**SHORT, "type": "html"}]}, "links/1/type"),
        ({"links": [LEAFLET, {**SHORT, "title": "a\0b"}]}, "links/1/title"),
        ({"links": [LEAFLET, LEAFLET]}, "links/1/href"),
        ({"links": [{**SHORT, "href": f"https://a.example/{n}"} for n in range(51)]}, "links"),
    ],
)  # fmt: skip
def test_a_fault_is_named_by_its_place_and_nothing_is_stored(house: House, body: Any, field: str) -> None:
    answer = put(house, "maker", OF_PRODUCT, body, NEW)
    assert (answer.status_code, answer.json()["code"]) == (400, "master-data"), answer.content
    assert field in {one["field"] for one in answer.json()["errors"]}
    assert not LinkSet.objects.exists()


def test_without_a_key_to_sign_with_nothing_changes(house: House) -> None:
    PartyKey.objects.filter(party=house.parties["maker"]).delete()
    changes = {OF_PRODUCT: {"links": [LEAFLET]}, "products/novo": ITEM}
    for path, body in changes.items():
        answer = put(house, "maker", path, body, NEW)
        assert (answer.status_code, answer.json()["code"]) == (409, "no-signing-key")
        assert get(house, "maker", path).status_code == 404
