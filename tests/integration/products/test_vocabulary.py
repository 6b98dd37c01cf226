"""Accepted master data as queries and deliveries read it."""

import pytest

from tests.integration.conftest import GTIN, House
from traceability.capture import vocabulary
from traceability.epcis.master_data import value_key
from traceability.parties.models import Site
from traceability.products.models import VocabularyAttribute, VocabularyEdge, VocabularyElement

PLACE = "https://id.gs1.org/414/9501101020016"


def _element(uri: str, kind: str = "Location", **attributes: str) -> None:
    row = VocabularyElement.objects.create(uri=uri, types=[kind])
    for name, value in attributes.items():
        VocabularyAttribute.objects.create(
            element=row, name=name, value=value, value_key=value_key(value), reporter="urn:dosetrail:party:maker"
        )


@pytest.mark.django_db
def test_descendants_are_the_places_themselves_and_all_below_also_in_a_circle() -> None:
    for parent, child in (("a:a", "a:b"), ("a:b", "a:c"), ("a:c", "a:a"), ("a:x", "a:y")):
        VocabularyEdge.objects.create(parent=parent, child=child)
    assert vocabulary.descendants(["a:a"]) == {"a:a", "a:b", "a:c"}
    assert vocabulary.descendants(["a:x", "a:unknown"]) == {"a:x", "a:y", "a:unknown"}
    assert vocabulary.descendants([]) == set()


def test_the_sites_of_a_party_lie_below_it_and_what_lies_below_them_too(house: House) -> None:
    maker = house.parties["maker"]
    site = Site.objects.get(id="maker-main")
    VocabularyEdge.objects.create(parent=site.uri, child=f"{site.uri}/254/ramp")
    gln = maker.identifiers.get(scheme="gln").value
    below = {site.uri, "urn:dosetrail:site:maker-main", f"{site.uri}/254/ramp"}
    for named in (maker.uri, f"https://id.gs1.org/417/{gln}", f"https://id.gs1.org/414/{gln}"):
        assert vocabulary.descendants([named]) == {named, *below}
    assert vocabulary.descendants([site.uri]) == {site.uri, f"{site.uri}/254/ramp"}


@pytest.mark.parametrize("name", ["city", "cbvmda:city", "urn:epcglobal:cbv:mda:city", "urn:epcglobal:cbv:mda#city"])
def test_attributes_are_found_however_their_name_is_spelled_in_our_rows_too(house: House, name: str) -> None:
    _element(PLACE, city="Basel")
    site = Site.objects.get(id="maker-main")
    assert vocabulary.with_attribute(name, ["Basel"]) == {PLACE}
    both = {PLACE, site.uri, "urn:dosetrail:site:maker-main"}
    assert both <= vocabulary.with_attribute(name, ["Basel", site.city])
    assert both <= vocabulary.having_attribute(name)
    assert vocabulary.with_attribute(name, ["Nowhere"]) == set()


def test_our_own_row_has_the_last_word(house: House) -> None:
    site = Site.objects.get(id="maker-main")
    _element(site.uri, city="Basel", state="BS")
    assert vocabulary.with_attribute("city", ["Basel"]) == set()
    assert vocabulary.with_attribute("state", ["BS"]) == {site.uri}
    (locations,) = vocabulary.header_for([site.uri])
    stated = {one["id"]: one["attribute"] for one in locations["vocabularyElementList"][0]["attributes"]}
    assert stated["urn:epcglobal:cbv:mda:city"] == site.city
    assert stated["urn:epcglobal:cbv:mda:state"] == "BS"


def test_a_header_says_what_is_accepted_of_products_lots_places_and_parties(house: House) -> None:
    maker, site = house.parties["maker"], Site.objects.get(id="maker-main")
    gln = maker.identifiers.get(scheme="gln").value
    pack = f"https://id.gs1.org/01/{GTIN}/21/s1"
    lists = vocabulary.header_for(
        [pack, f"https://id.gs1.org/01/{GTIN}/10/L1", site.uri, f"urn:epc:id:pgln:{gln[:7]}.{gln[7:12]}", "a:unknown"]
    )
    found = {
        (one["type"].rpartition(":")[2], element["id"]): {
            attribute["id"].rpartition(":")[2]: attribute["attribute"] for attribute in element["attributes"]
        }
        for one in lists
        for element in one["vocabularyElementList"]
    }
    assert found["EPCClass", f"https://id.gs1.org/01/{GTIN}"]["manufacturerOfTradeItemPartyName"] == maker.name
    lot = found["EPCClass", f"https://id.gs1.org/01/{GTIN}/10/L1"]
    assert lot == {"lotNumber": "L1", "itemExpirationDate": "2030-01-31"}
    assert found["Location", site.uri]["latitude"] == "31.2304"
    assert found["Party", f"https://id.gs1.org/417/{gln}"] == {"name": "Maker"}
    assert len(found) == 4


def test_a_header_of_many_takes_as_many_queries_as_one(house: House, django_assert_max_num_queries: object) -> None:
    ids = [f"https://id.gs1.org/01/{GTIN}/21/{number}" for number in range(300)]
    with django_assert_max_num_queries(10):  # type: ignore[operator]
        vocabulary.header_for([*ids, PLACE, house.place("maker")])
