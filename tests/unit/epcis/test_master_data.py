"""Header master data: names in any spelling are one name; what is wrong is named with its place in the header."""

import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from traceability.epcis import context, master_data, validation

GTIN_CLASS = "urn:epc:idpat:sgtin:030001.0012345.*"
PLACE = "urn:epc:id:sgln:030001.111111.0"


def header(*vocabularies: tuple[str, list[dict[str, Any]]], prefixes: dict[str, str] | None = None) -> dict[str, Any]:
    """A document without events whose header has these vocabularies."""
    return {
        "@context": [context.DEFAULT_CONTEXT, *([prefixes] if prefixes else [])],
        "type": "EPCISDocument",
        "schemaVersion": "2.0",
        "creationDate": "2026-01-01T00:00:00Z",
        "epcisHeader": {
            "epcisMasterData": {
                "vocabularyList": [{"type": kind, "vocabularyElementList": listed} for kind, listed in vocabularies]
            }
        },
        "epcisBody": {"eventList": []},
    }


def element(uri: str, children: tuple[str, ...] = (), **attributes: Any) -> dict[str, Any]:
    listed = [{"id": f"cbvmda:{name}", "attribute": value} for name, value in attributes.items()]
    return {"id": uri, "attributes": listed, **({"children": list(children)} if children else {})}


def test_an_element_is_known_by_its_canonical_name_and_its_attributes_by_cbvs_words() -> None:
    (one,) = master_data.elements(
        header(("urn:epcglobal:epcis:vtype:EPCClass", [element(GTIN_CLASS, regulatedProductName="Epcistra")]))
    )
    assert (one.uri, one.types) == ("https://id.gs1.org/01/00300010123455", ("EPCClass",))
    assert one.attributes == {"regulatedProductName": "Epcistra"}


@pytest.mark.parametrize(
    "name",
    ["city", "cbvmda:city", "urn:epcglobal:cbv:mda:city", "urn:epcglobal:cbv:mda#city"],
)
def test_names_of_attributes_in_every_spelling(name: str) -> None:
    assert master_data.attribute_name(name) == "city"
    assert master_data.attribute_name(master_data.full_name("city")) == "city"


def test_names_of_ones_own_are_expanded_by_the_documents_prefixes() -> None:
    document = header(
        ("EPCClass", [{"id": GTIN_CLASS, "attributes": [{"id": "ex:colour", "attribute": "red"}]}]),
        prefixes={"ex": "https://example.com/"},
    )
    assert not validation.validate_document(document)
    (one,) = master_data.elements(document)
    assert one.attributes == {"https://example.com/colour": "red"}


def test_one_thing_in_two_vocabularies_is_one_element_and_a_repeated_name_holds_every_value() -> None:
    places = [element(PLACE, name="A", city="B")]
    (one,) = master_data.elements(
        header(("ReadPoint", places), ("urn:epcglobal:epcis:vtype:BusinessLocation", [element(PLACE, name="C")]))
    )
    assert one.types == ("BusinessLocation", "ReadPoint")
    assert one.attributes == {"name": ["A", "C"], "city": "B"}


def test_the_same_said_in_another_order_is_the_same() -> None:
    listed = [element(PLACE, name="A"), element(PLACE, name="B"), element(PLACE, city="C"), element(GTIN_CLASS)]
    found = {
        tuple(one.digest for one in master_data.elements(header(("Location", list(order)))))
        for order in itertools.permutations(listed)
    }
    assert len(found) == 1


def test_the_extension_of_a_place_lies_in_it_and_a_sub_site_in_its_site() -> None:
    uri = master_data.canonical("urn:epc:id:sgln:030001.111111.dock")
    assert master_data.parents_of(uri, {}) == ["https://id.gs1.org/414/0300011111116"]
    inside = master_data.parents_of("https://example.com/dock", {"site": "0300011111116"})
    assert inside == ["https://id.gs1.org/414/0300011111116"]
    assert master_data.parents_of("https://id.gs1.org/414/0300011111116", {"site": "0300011111116"}) == []


LIST = "/epcisHeader/epcisMasterData/vocabularyList"
BAD: list[tuple[Any, str, str]] = [
    ([{"type": "Nonsense", "vocabularyElementList": []}], "/0/type", "uri"),
    ([{"vocabularyElementList": []}], "/0/type", "missing"),
    ([{"type": "EPCClass", "vocabularyElementList": [{}]}], "/0/vocabularyElementList/0/id", "missing"),
    (
        [{"type": "EPCClass", "vocabularyElementList": [{"id": "urn:epc:idpat:sgtin:0.*"}]}],
        "/0/vocabularyElementList/0/id",
        "gs1-",
    ),
    (
        [{"type": "Location", "vocabularyElementList": [{"id": PLACE, "children": ["no uri"]}]}],
        "/0/vocabularyElementList/0/children/0",
        "uri",
    ),
    (
        [{"type": "Location", "vocabularyElementList": [element(PLACE, name="x" * (master_data.MAX_VALUE + 1))]}],
        "/0/vocabularyElementList/0/attributes/0/attribute",
        "length",
    ),
    (
        [{"type": "Location", "vocabularyElementList": [element(PLACE, name={"a": ["\0"]})]}],
        "/0/vocabularyElementList/0/attributes/0/attribute",
        "control-character",
    ),
    ([{"type": "Location", "vocabularyElementList": [{"id": f"a:{n}"} for n in range(5_001)]}], "", "length"),
    ({"not": "a list"}, "", "type"),
]


@pytest.mark.parametrize(("vocabularies", "pointer", "code"), BAD)
def test_a_fault_in_the_header_is_named_with_its_place(vocabularies: Any, pointer: str, code: str) -> None:
    document = header()
    document["epcisHeader"]["epcisMasterData"]["vocabularyList"] = vocabularies
    faults = validation.validate_document(document)
    assert [(fault.event_index, fault.pointer) for fault in faults] == [(None, LIST + pointer)]
    assert faults[0].code.startswith(code)


_TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=5)
_VALUE = st.recursive(_TEXT | st.integers(0, 9) | st.booleans(), lambda inner: st.lists(inner, max_size=2))
_ELEMENT = st.builds(
    lambda uri, attributes, children: {
        "id": uri,
        "attributes": [{"id": f"cbvmda:{name}", "attribute": value} for name, value in attributes],
        "children": children,
    },
    st.sampled_from([PLACE, GTIN_CLASS, "a:b"]),
    st.lists(st.tuples(st.sampled_from(["name", "city", "site"]), _VALUE), max_size=4),
    st.lists(st.sampled_from([PLACE, "a:b", "a:c"]), max_size=3),
)


@given(st.lists(_ELEMENT, max_size=4))
def test_whatever_is_valid_can_be_read(listed: list[dict[str, Any]]) -> None:
    document = header(("Location", listed))
    assert not validation.validate_document(document)
    for one in master_data.elements(document):
        assert len(one.digest) == 64
        assert one.uri not in one.children
        master_data.parents_of(one.uri, one.attributes)
