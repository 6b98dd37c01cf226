"""From a document to committed events, and from an event to what the house reads in it."""

from copy import deepcopy
from decimal import Decimal

import pytest

from traceability.epcis import document as documents
from traceability.epcis import event as events

from .samples import CONTEXT, EVENTS, PACK, bare, document, event, query_document

OURS = {"ours": "https://ours.example/ns/"}


def test_committed_events_carry_their_own_context_and_no_record_time():
    source = document(event("ObjectEvent", recordTime="2026-03-01T12:00:01Z"), event("AssociationEvent"))
    before = deepcopy(source)
    with_extension, plain = documents.events(source)
    assert with_extension["@context"] == [CONTEXT, OURS]
    assert plain["@context"] == [CONTEXT]
    assert "recordTime" not in with_extension
    assert {**with_extension, "@context": 0} == {**event("ObjectEvent"), "@context": 0}
    assert source == before


def test_prefixes_used_in_values_are_copied_too():
    (found,) = documents.events(document(event("AssociationEvent", bizStep="ours:blessing")))
    assert found["@context"] == [CONTEXT, OURS]


def test_the_event_s_own_context_wins_and_stays():
    own = {"theirs": "https://t.example/", "ours": "https://other.example/"}
    (found,) = documents.events(document(event("ObjectEvent", **{"@context": own, "theirs:x": 1})))
    assert found["@context"] == [CONTEXT, {"ours": "https://other.example/", "theirs": "https://t.example/"}]


def test_prefixes_of_the_extension_header_are_copied():
    (found,) = documents.events(document(event("ObjectEvent"), **{"@context": CONTEXT}), extensions=OURS)
    assert found["@context"] == [CONTEXT, OURS]


def test_query_documents_give_the_same_events():
    assert documents.events(query_document(event("ObjectEvent"))) == documents.events(document(event("ObjectEvent")))


@pytest.mark.parametrize("kind", EVENTS)
def test_committing_twice_changes_nothing(kind):
    once = documents.bare(bare(kind))
    assert documents.bare(once) == once


def test_reading_the_rich_event():
    view = events.read(bare("ObjectEvent"))
    assert (view.type, view.action, view.biz_step, view.disposition) == (
        "ObjectEvent", "ADD", "commissioning", "active",
    )  # fmt: skip
    assert (view.event_time_ms, view.offset_minutes) == (1_772_337_600_250, 480)
    assert (view.read_point, view.biz_location) == ("https://id.gs1.org/414/4012345000054",) * 2
    assert view.epcs == (("epc", PACK + "A1"), ("epc", PACK + "A2"))
    assert view.classes == (("quantity", "https://id.gs1.org/01/04012345123456/10/998877", Decimal("2.5"), "KGM"),)
    assert view.biz_transactions == (("po", "urn:epc:id:gdti:0614141.00001.1618034"),)
    assert view.sources == (("owning_party", "urn:dosetrail:party:maker"),)
    assert view.destinations == (("owning_party", "https://id.gs1.org/417/4012345000054"),)
    assert (view.lot, view.expiry) == ("998877", "2028-02-29")
    assert (view.persistent_set, view.persistent_unset) == (("completeness_verified",), ("completeness_inferred",))
    assert view.error_declaration == events.ErrorDeclaration(
        1_772_409_600_000, "incorrect_data", ("urn:uuid:404d95fc-9457-4a51-bd6a-0bba133845a8",)
    )
    assert view.sensor_elements[0]["sensorReport"][0]["value"] == 5.25
    assert list(view.extensions) == ["ours:note"]


def test_roles_of_the_other_types():
    case = "https://id.gs1.org/00/106141412345678908"
    packed = events.read(bare("AggregationEvent"))
    assert packed.epcs == (("parent", case), ("child", PACK + "A1"), ("child", PACK + "A2"))
    assert packed.classes == (("child_quantity", "https://id.gs1.org/01/04012345123456/10/998877", Decimal(10), ""),)
    made = events.read(bare("TransformationEvent"))
    assert made.epcs == (("input", PACK + "A1"), ("output", PACK + "B1"))
    assert [role for role, *_ in made.classes] == ["input_quantity", "output_quantity"]
    assert (made.action, made.lot) == ("", "998878")
    assert events.read(bare("ours:Stocktake")).extensions == {"ours:found": 12}


def test_two_spellings_of_one_thing_are_one_thing():
    spelled = ["urn:epc:id:sgtin:0614141.812345.6789", "https://x.example/01/80614141123458/10/L/21/6789"]
    view = events.read(bare("ObjectEvent", epcList=spelled))
    assert view.epcs == (("epc", "https://id.gs1.org/01/80614141123458/21/6789"),)


@pytest.mark.parametrize("word", ["shipping", "https://ref.gs1.org/cbv/BizStep-shipping", "cbv:BizStep-shipping"])
def test_spellings_of_a_word(word):
    assert events.read(bare("ObjectEvent", bizStep=word)).biz_step == "shipping"


def test_custom_words_stay_as_they_are():
    assert events.read(bare("ObjectEvent", bizStep="https://ours.example/s")).biz_step == "https://ours.example/s"


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("1970-01-01T01:00:00.001+01:00", 1),
        ("1969-12-31T23:59:59.999Z", -1),
        ("2026-03-01T12:00:00.1239+08:00", 1_772_337_600_123),
        ("2026-03-01T12:00:00.5-00:30", 1_772_368_200_500),
    ],
)
def test_times_in_milliseconds(text, ms):
    assert events.time_ms(text) == ms


def test_offsets_in_minutes():
    assert [events.offset_minutes(text) for text in ("+08:00", "-03:30", "+00:00")] == [480, -210, 0]
