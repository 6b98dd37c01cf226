"""CBV 2.0's words, copied from its tables: how many, each in every spelling, where each may stand; no near miss."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from traceability.epcis import document as documents
from traceability.epcis import event as events
from traceability.epcis import vocabulary as cbv
from traceability.epcis.event_hash import event_hash
from traceability.epcis.validation import validate_document, validate_event
from traceability.epcis.vocabulary import Vocabulary

from . import samples, xml_samples
from .rule_table import GLN, TIME, URI
from .test_xml_reading import read

WEB, URN = "https://ref.gs1.org/cbv/", "urn:epcglobal:cbv:"
Members = dict[str, Any]


@dataclass(frozen=True)
class Words:
    """`web` and `curie` stand before a word in JSON and XML, `urn` in XML alone ('' = CBV has none)."""

    vocabulary: Vocabulary
    count: int
    web: tuple[str, ...]
    urn: str
    words: str

    def all(self) -> list[str]:
        return self.words.split()


def _cbv(vocabulary: Vocabulary, count: int, web: str, urn: str, words: str) -> Words:
    return Words(vocabulary, count, (f"{WEB}{web}-", f"cbv:{web}-"), f"{URN}{urn}:", words)


_GS1 = ("https://gs1.org/voc/", "https://ref.gs1.org/voc/", "gs1:")
BIZ_STEP = _cbv(
    cbv.BIZ_STEP,
    41,
    "BizStep",
    "bizstep",
    """accepting arriving assembling collecting commissioning consigning creating_class_instance cycle_counting
    decommissioning departing destroying disassembling dispensing encoding entering_exiting holding inspecting
    installing killing loading other packing picking receiving removing repackaging repairing replacing reserving
    retail_selling sampling sensor_reporting shipping staging_outbound stock_taking stocking storing transporting
    unloading unpacking void_shipping""",
)
DISPOSITION = _cbv(
    cbv.DISPOSITION,
    33,
    "Disp",
    "disp",
    """active available completeness_inferred completeness_verified conformant container_closed container_open damaged
    destroyed dispensed disposed encoded expired in_progress in_transit inactive mismatch_class mismatch_instance
    mismatch_quantity needs_replacement no_pedigree_match non_conformant non_sellable_other partially_dispensed
    recalled reserved retail_sold returned sellable_accessible sellable_not_accessible stolen unavailable unknown""",
)
TRANSACTION = _cbv(
    cbv.BIZ_TRANSACTION_TYPE,
    13,
    "BTT",
    "btt",
    "bol cert desadv inv pedigree po poc prodorder recadv rma testprd testres upevt",
)
PARTNER = _cbv(cbv.SOURCE_DESTINATION_TYPE, 3, "SDT", "sdt", "owning_party possessing_party location")
REASON = _cbv(cbv.ERROR_REASON, 2, "ER", "er", "did_not_occur incorrect_data")
COMPONENT = _cbv(
    cbv.COMPONENT,
    14,
    "Comp",
    "comp",
    """x y z axial_distance azimuth height spherical_radius polar_angle elevation_angle easting northing latitude
    longitude altitude""",
)
EXCEPTION = Words(cbv.SENSOR_EXCEPTION, 2, _GS1, "", "ALARM_CONDITION ERROR_CONDITION")
MEASUREMENT = Words(
    cbv.MEASUREMENT_TYPE,
    72,
    _GS1,
    "",
    """AbsoluteHumidity AbsorbedDose AbsorbedDoseRate Acceleration Radioactivity Altitude AmountOfSubstance
    AmountOfSubstancePerUnitVolume Angle AngularAcceleration AngularMomentum AngularVelocity Area Capacitance
    Conductance Conductivity Count Density Dimensionless DoseEquivalent DoseEquivalentRate DynamicViscosity
    ElectricCharge ElectricCurrent ElectricCurrentDensity ElectricFieldStrength Energy Exposure Force Frequency
    Illuminance Inductance Irradiance KinematicViscosity Length LinearMomentum Luminance LuminousFlux
    LuminousIntensity MagneticFlux MagneticFluxDensity MagneticVectorPotential Mass MassConcentration MassFlowRate
    MassPerAreaTime MemoryCapacity MolalityOfSolute MolarEnergy MolarMass MolarVolume Power Pressure RadiantFlux
    RadiantIntensity RelativeHumidity Resistance Resistivity SolidAngle SpecificVolume Speed SurfaceDensity
    SurfaceTension Temperature Time Torque Voltage Volume VolumeFlowRate VolumeFraction VolumetricFlux Wavenumber""",
)
VOCABULARIES = (BIZ_STEP, DISPOSITION, TRANSACTION, PARTNER, REASON, COMPONENT, EXCEPTION, MEASUREMENT)


@dataclass(frozen=True)
class Place:
    """Where a word stands: the members of an event, the pointer within it, the element of XML."""

    words: Words
    field: str
    members: Callable[[str], Members]
    xml: str

    def __str__(self) -> str:
        return self.field


def _report(member: str, **more: str) -> Callable[[str], Members]:
    return lambda word: {"sensorElementList": [{"sensorReport": [{**more, member: word}]}]}


def _sensed(attributes: str) -> str:
    return f"<sensorElementList><sensorElement><sensorReport {attributes}/></sensorElement></sensorElementList>"


_SENSED = "sensorElementList/0/sensorReport/0"
PLACES = (
    Place(BIZ_STEP, "bizStep", lambda word: {"bizStep": word}, "<bizStep>{}</bizStep>"),
    Place(DISPOSITION, "disposition", lambda word: {"disposition": word}, "<disposition>{}</disposition>"),
    *(
        Place(
            DISPOSITION,
            f"persistentDisposition/{name}/0",
            lambda word, name=name: {"persistentDisposition": {name: [word]}},
            f"<persistentDisposition><{name}>{{}}</{name}></persistentDisposition>",
        )
        for name in ("set", "unset")
    ),
    Place(
        TRANSACTION,
        "bizTransactionList/0/type",
        lambda word: {"bizTransactionList": [{"type": word, "bizTransaction": URI}]},
        f'<bizTransactionList><bizTransaction type="{{}}">{URI}</bizTransaction></bizTransactionList>',
    ),
    *(
        Place(
            PARTNER,
            f"{name}List/0/type",
            lambda word, name=name: {f"{name}List": [{"type": word, name: GLN}]},
            f'<{name}List><{name} type="{{}}">{GLN}</{name}></{name}List>',
        )
        for name in ("source", "destination")
    ),
    Place(
        REASON,
        "errorDeclaration/reason",
        lambda word: {"errorDeclaration": {"declarationTime": TIME, "reason": word}},
        f"<errorDeclaration><declarationTime>{TIME}</declarationTime><reason>{{}}</reason></errorDeclaration>",
    ),
    Place(
        COMPONENT, f"{_SENSED}/component", _report("component", type="Angle"), _sensed('type="Angle" component="{}"')
    ),
    Place(EXCEPTION, f"{_SENSED}/exception", _report("exception"), _sensed('exception="{}"')),
    Place(MEASUREMENT, f"{_SENSED}/type", _report("type"), _sensed('type="{}"')),
)
_BARE: Members = {"bizStep": None}


def in_json(place: Place, term: str) -> Members:
    """A bare event with the term at the place, and little else."""
    return {"@context": [samples.CONTEXT], **samples.event("AssociationEvent", **{**_BARE, **place.members(term)})}


def json_faults(place: Place, term: str, *, cbv_compliant: bool = False) -> list[tuple[str, str]]:
    event = {"bizStep": "holding", **in_json(place, term)}
    return [(one.pointer[1:], one.code) for one in validate_event(event, cbv_compliant=cbv_compliant)]


def in_xml(place: Place, term: str) -> bytes:
    event = xml_samples.EVENTS_2_0["AssociationEvent"]
    before, step, rest = event.partition("<bizStep>")
    assert step
    return xml_samples.document(before + place.xml.format(term) + rest.partition("</bizStep>")[2])


def at(event: Any, field: str) -> Any:
    for step in field.split("/"):
        event = event[int(step) if step.isdigit() else step]
    return event


def xml_faults(place: Place, term: str) -> list[tuple[str, str]]:
    return [(one.field, one.code) for one in validate_document(read(in_xml(place, term)))]


def from_xml(place: Place, term: str) -> Members:
    (event,) = read(in_xml(place, term))["epcisBody"]["eventList"]
    return dict(event)


def meaning(event: Members) -> tuple[Any, ...]:
    """What the house reads of an event, and its hash; no part of it depends on how a word is spelled."""
    view = {name: one for name, one in vars(events.read(event)).items() if name != "sensor_elements"}
    return event_hash(event), view


def near_misses(word: str) -> Iterator[str]:
    yield from (word + "x", f"x{word}", word.swapcase(), f"{word} ", word.replace("_", "-") + "_")


@pytest.mark.parametrize("words", VOCABULARIES, ids=lambda one: one.vocabulary.name)
def test_the_words_are_those_of_the_standard_and_as_many(words: Words) -> None:
    assert words.vocabulary.words - words.vocabulary.lenient == set(words.all())
    assert len(words.all()) == len(set(words.all())) == words.count


def spellings(place: Place, word: str) -> list[str]:
    """Those that JSON and XML share."""
    return [word, *(before + word for before in place.words.web)]


@pytest.mark.parametrize("place", PLACES, ids=str)
def test_each_word_passes_in_each_spelling_and_is_one_word(place: Place) -> None:
    for word in place.words.all():
        plain = meaning(in_json(place, word))
        for term in spellings(place, word):
            assert json_faults(place, term, cbv_compliant=True) == [], term
            assert meaning(in_json(place, term)) == plain, term


@pytest.mark.parametrize("place", PLACES, ids=str)
def test_each_word_comes_out_of_xml_bare(place: Place) -> None:
    """But an exception, which the JSON twins of foreign XML leave as it is spelled; the hash knows one word."""
    for word in place.words.all():
        plain = event_hash(documents.bare(from_xml(place, word)))
        for term in [*spellings(place, word), *([place.words.urn + word] if place.words.urn else [])]:
            assert xml_faults(place, term) == [], term
            event = from_xml(place, term)
            assert at(event, place.field) == (term if place.words is EXCEPTION else word), term
            assert event_hash(documents.bare(event)) == plain, term


@pytest.mark.parametrize("place", [place for place in PLACES if place.words.urn], ids=str)
def test_json_refuses_the_urn_of_each_word(place: Place) -> None:
    for word in place.words.all():
        assert json_faults(place, place.words.urn + word) == [(place.field, "cbv-urn")], word


@pytest.mark.parametrize("place", PLACES, ids=str)
def test_a_near_miss_of_each_word_is_refused_in_each_spelling(place: Place) -> None:
    words = place.words.all()
    refused = [(place.field, "unknown-term")]
    for missed in (one for word in words for one in near_misses(word) if one not in words):
        assert [term for term in spellings(place, missed) if json_faults(place, term) != refused] == []
        if missed.strip() not in words:  # white space around a text is not read
            assert xml_faults(place, place.words.urn + missed) == refused, missed


@pytest.mark.parametrize("place", PLACES, ids=str)
def test_no_word_is_one_of_another_vocabulary(place: Place) -> None:
    own = place.words.all()[0]
    for other in VOCABULARIES:
        if not set(other.web) & set(place.words.web):
            for before in other.web:
                assert json_faults(place, before + own) == [(place.field, "unknown-term")], before
                assert xml_faults(place, before + own) == [(place.field, "unknown-term")], before
            if other.urn and place.words.urn:
                assert xml_faults(place, other.urn + own) == [(place.field, "cbv-urn")], other.urn
