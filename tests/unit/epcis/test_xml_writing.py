"""XML out: what is written reads back as what it was, stands where the schemas want it, and loses nothing."""

import json
import re
from functools import partial
from xml.etree import ElementTree

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from traceability.epcis import document as documents
from traceability.epcis import event as events
from traceability.epcis import vocabulary
from traceability.epcis.validation import validate_document
from traceability.epcis.xml.markup import WriteError
from traceability.epcis.xml.spelling import Spelling
from traceability.epcis.xml.writer import write
from traceability.gs1 import urn

from . import samples, xml_samples
from .test_xml_reading import HEADER, read

VERSIONS = ("2.0", "1.2")


def written(document, **options):
    return b"".join(write(document, **options))


def back(document, **options):
    """The document after it went through XML."""
    return read(written(document, **options))


def said(value, namespaces):
    """What JSON-LD says, whatever its spelling: names and values of extensions as XML has them."""
    if isinstance(value, dict):
        members = {}
        for name, one in value.items():
            members.setdefault(_full(name, namespaces), []).append(said(one, namespaces))
        found = {name: _as_set(said(ones, namespaces)) for name, ones in members.items()}
        return {name: one for name, one in found.items() if one != []} or ""
    if isinstance(value, list):
        found = [one for item in value for one in _as_list(said(item, namespaces))]
        return found[0] if len(found) == 1 else found
    if value is None or isinstance(value, str):
        word = vocabulary.bare(value) if value else value
        bare = vocabulary.SENSOR_EXCEPTION.bare(word or "")
        return bare if bare in vocabulary.SENSOR_EXCEPTIONS else word
    return json.dumps(int(value) if isinstance(value, float) and abs(value) < 2**53 and value.is_integer() else value)


def _as_set(value):
    """Lists without their order, which JSON-LD gives no meaning."""
    return sorted(value, key=partial(json.dumps, sort_keys=True)) if isinstance(value, list) else value


def _as_list(value):
    return value if isinstance(value, list) else [value]


def _full(name, namespaces):
    prefix, colon, local = name.partition(":")
    return namespaces[prefix] + local if colon and prefix in namespaces else name


def views(document):
    """What the house reads in each event, and all that it says, extensions as JSON-LD has them."""
    found = []
    for event in documents.events(document):
        namespaces = events.namespaces(event)
        view = dict(vars(events.read(event)))
        view["type"] = _full(view["type"], namespaces)
        view["extensions"], view["ilmd"] = (said(view[name], namespaces) or {} for name in ("extensions", "ilmd"))
        view["sensor_elements"] = said(list(view["sensor_elements"]), namespaces)
        content = {name: value for name, value in event.items() if name not in ("@context", "type")}
        found.append((view, said(content, namespaces)))
    return found


@pytest.mark.parametrize("cbv", ["urn", "web", "as-is"])
@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("wrap", [samples.document, samples.query_document])
@pytest.mark.parametrize("kind", samples.EVENTS)
def test_what_is_written_reads_back(kind, wrap, version, cbv):
    document = wrap(samples.event(kind, recordTime="2026-03-01T12:00:01Z"))
    found = back(document, version=version, spelling=Spelling(cbv=cbv))
    assert validate_document(found) == []
    assert views(found) == views(document)
    assert found["schemaVersion"] == version
    assert found["type"] == document["type"]
    assert b"recordTime>2026-03-01T12:00:01Z<" in written(document, version=version)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("kind", ["AggregationEvent", "TransactionEvent", "AssociationEvent", "TransformationEvent"])
def test_everything_stands_where_the_hand_written_document_has_it(kind, version):
    plain = partial(ElementTree.canonicalize, strip_text=True, rewrite_prefixes=True)
    hand = xml_samples.document(xml_samples.EVENTS[version][kind], version=version).decode()
    assert plain(written(samples.document(samples.event(kind)), version=version).decode()) == plain(hand)


def test_the_rich_event_stands_in_the_order_of_the_schemas():
    document = samples.document(samples.event("ObjectEvent"))
    base = ["eventTime", "eventTimeZoneOffset"]
    middle = ["epcList", "action", "bizStep", "disposition", "readPoint", "bizLocation", "bizTransactionList"]
    late, own = ["quantityList", "sourceList", "destinationList"], "{https://ours.example/ns/}note"
    new = ["sensorElementList", "persistentDisposition"]
    (event,) = ElementTree.fromstring(written(document)).iter("ObjectEvent")
    identity = ["eventID", "errorDeclaration"]
    assert [one.tag for one in event] == [*base, *identity, "certificationInfo", *middle, *late, *new, "ilmd", own]
    (event,) = ElementTree.fromstring(written(document, version="1.2")).iter("ObjectEvent")
    assert [one.tag for one in event] == [*base, "baseExtension", *middle, "extension", own]
    assert [one.tag for one in event.find("baseExtension")] == [*identity, "extension"]
    assert [one.tag for one in event.find("extension")] == [*late, "ilmd", "extension"]
    assert [one.tag for one in event.find("extension/extension")] == new


def test_words_as_urns_as_web_uris_and_as_they_are():
    event = samples.event("AssociationEvent", disposition="https://ref.gs1.org/cbv/Disp-active")
    expected = {
        "urn": ("urn:epcglobal:cbv:bizstep:assembling", "urn:epcglobal:cbv:disp:active"),
        "web": ("https://ref.gs1.org/cbv/BizStep-assembling", "https://ref.gs1.org/cbv/Disp-active"),
        "as-is": ("urn:epcglobal:cbv:bizstep:assembling", "https://ref.gs1.org/cbv/Disp-active"),
    }
    for cbv, words in expected.items():
        root = ElementTree.fromstring(written(samples.document(event), spelling=Spelling(cbv=cbv)))
        assert (root.find(".//bizStep").text, root.find(".//disposition").text) == words
    own = samples.event("AssociationEvent", bizStep="ours:blessing")
    assert ElementTree.fromstring(written(samples.document(own))).find(".//bizStep").text == "ours:blessing"


def test_epcs_as_urns_where_the_company_prefix_is_known():
    spelling = Spelling(epc=lambda uri: urn.with_prefixes(uri, {"9521141"}))
    document = samples.document(samples.event("ObjectEvent"))
    data = written(document, version="1.2", spelling=spelling)
    assert b"<epc>urn:epc:id:sgtin:9521141.001234.A1</epc>" in data
    assert b"https://id.gs1.org/414/4012345000054" in data
    assert [view for view, _ in views(read(data))] == [view for view, _ in views(document)]


@pytest.mark.parametrize("version", VERSIONS)
def test_a_list_that_the_schemas_want_is_there_if_empty(version):
    """GS1's schemas of both versions require these; other people's of 2.0 do not, and take an empty one."""
    for kind, name in (("ObjectEvent", "epcList"), ("AggregationEvent", "childEPCs"), ("TransactionEvent", "epcList")):
        document = samples.document(samples.event(kind, **{name: None}))
        data = written(document, version=version)
        assert f"<{name}/>".encode() in data
        assert views(read(data)) == views(document)
    assert b"childEPCs" not in written(samples.document(samples.event("AssociationEvent", childEPCs=None)))


def test_master_data_is_named_as_the_events_name_it():
    listed = [
        {"id": f"https://id.gs1.org/{path}", "attributes": [], "children": ["https://id.gs1.org/414/9521141000014"]}
        for path in ("01/09521141012345", "01/09521141012345/10/L1", "414/9521141000007", "417/9521141000007")
    ]
    master_data = {"vocabularyList": [{"type": "urn:epcglobal:epcis:vtype:EPCClass", "vocabularyElementList": listed}]}
    document = samples.document(samples.event("ObjectEvent"), epcisHeader={"epcisMasterData": master_data})
    spelling = Spelling(epc=lambda uri: urn.with_prefixes(uri, {"9521141"}))
    data = written(document, version="1.2", spelling=spelling).decode()
    assert re.findall('<VocabularyElement id="([^"]+)"', data) == [
        "urn:epc:idpat:sgtin:9521141.001234.*", "urn:epc:class:lgtin:9521141.001234.L1",
        "urn:epc:id:sgln:9521141.00000.0", "urn:epc:id:pgln:9521141.00000",
    ]  # fmt: skip
    assert data.count("<id>urn:epc:id:sgln:9521141.00001.0</id>") == 4
    assert 'id="https://id.gs1.org/01/09521141012345"' in written(document).decode()


@pytest.mark.parametrize("version", VERSIONS)
def test_lists_that_the_schemas_have_only_with_members_are_left_out_if_empty(version):
    empty = {name: [] for name in ("bizTransactionList", "sourceList", "destinationList", "sensorElementList")}
    document = samples.document(samples.event("ObjectEvent", **empty, epcList=[]))
    data = written(document, version=version).decode()
    assert [name for name in empty if name in data] == []
    assert "<epcList/>" in data
    assert views(read(data.encode())) == views(document)


@pytest.mark.parametrize("version", VERSIONS)
def test_the_header_goes_out_as_it_came_in(version):
    data = xml_samples.document(header=HEADER.format(before="<extension>", after="</extension>"), version=version)
    document = read(data)
    found = back(document, version=version)
    for name in ("epcisHeader", "sender", "receiver", "instanceIdentifier", "creationDate"):
        assert found[name] == document[name]


def test_a_header_is_made_of_what_the_document_says():
    statement = {
        "gs1ushc:dscsaTransactionStatement": {
            "gs1ushc:affirmTransactionStatement": "true",
            "gs1ushc:legalNotice": "Seller has complied with each applicable subsection of FDCA Sec. 581(27)(A)–(G).",
        }
    }
    parties = {"sender": "https://id.gs1.org/417/4012345000054", "receiver": "urn:dosetrail:party:wholesaler"}
    document = samples.document(samples.event("ObjectEvent"), epcisHeader=statement, instanceIdentifier="47", **parties)
    data = written(document, version="1.2")
    root = ElementTree.fromstring(data)
    business = "{http://www.unece.org/cefact/namespaces/StandardBusinessDocumentHeader}"
    header = root.find("EPCISHeader")
    assert header[0].tag == f"{business}StandardBusinessDocumentHeader"
    assert [one.tag.removeprefix(business) for one in header[0]] == [
        "HeaderVersion", "Sender", "Receiver", "DocumentIdentification",
    ]  # fmt: skip
    affirm = "{http://epcis.gs1us.org/hc/ns}dscsaTransactionStatement/{http://epcis.gs1us.org/hc/ns}affirmTransactionStatement"
    assert header.find(affirm).text == "true"
    found = read(data)
    # A receiver's gateway looks for a GLN under the authority GS1, and not for an address.
    assert {name: found[name] for name in parties} == {**parties, "sender": "4012345000054"}
    sender, receiver = (header[0][place][0] for place in (1, 2))
    assert (sender.get("Authority"), receiver.get("Authority")) == ("GS1", None)
    assert found["epcisHeader"]["gs1ushc:dscsaTransactionStatement"] == statement["gs1ushc:dscsaTransactionStatement"]
    assert validate_document(found) == []


def test_events_are_written_one_at_a_time():
    def endless():
        while True:
            yield samples.event("ObjectEvent")

    pieces = write(samples.document(epcisBody={"eventList": endless()}))
    assert sum(b"<ObjectEvent" in next(pieces) for _ in range(50)) >= 45


ODD_NAMES = {
    "https://theirs.example/vocabulary/word": "a URI",
    "https://theirs.example/7/42": "no part of it is a name",
    "https://theirs.example/1st": "its last part begins with a digit",
    "ours:1st": "a CURIE of the same kind",
    "ours:a/b": "a path",
    "ours:42": "only digits",
    "urn:theirs:x": "a URN",
    "urn:epcglobal:cbv:mda:colour": "the full name of cbvmda:colour",
    "epcis:x": "a prefix that the standard gives two meanings",
    "xmlish:x": "a prefix that XML keeps for itself",
}
ODD_VALUES = {
    "ours:markup": "<a> & \"b\" 'c' ]]> <!-- d -->",
    "ours:space": "  two  \n lines\t",
    "ours:return": "a\r\nb\rc",
    "ours:empty": "",
    "ours:null": None,
    "ours:letters": "größer 药品 𝄞",
    "ours:numbers": [1, 2.5, 1e-7, 1e22, -3],
    "ours:truths": [True, False],
    "ours:nested": [[1, [2]], {"ours:a": [{"ours:b": "x"}, {"plain": "y", "two words": "z", "xmlns": "w"}]}],
    "ours:weight": {"unit": "KGM", "ours:by": "me & <you>\n", "name": "n", "rdf:value": "3.5"},
    "ours:padded": {"unit": "KGM", "rdf:value": " 3.5 "},
    "ours:mixed": {"rdf:value": "text", "ours:inner": {"ours:a": "b"}},
    "ours:value": {"rdf:value": {"ours:a": "b"}},
    "ours:blank": {"unit": "KGM", "rdf:value": ""},
    "ours:twice": {"rdf:value": "x", "ours:a": "b", f"{xml_samples.OURS}a": "c", "same:a": "d"},
    "ours:@id": {"@id": "urn:x:y", "@type": "ours:T"},
}


def odd(**members):
    """A document of one event with members of someone's own."""
    own = {"ours": xml_samples.OURS, "xmlish": "https://xmlish.example/", "name": "https://name.example/"}
    own["same"] = xml_samples.OURS
    event = {**samples.event("AssociationEvent"), **members}
    return samples.document(event, **{"@context": [samples.CONTEXT, own]})


@pytest.mark.parametrize("version", VERSIONS)
def test_names_that_are_none_in_xml_come_back(version):
    document = odd(**ODD_NAMES)
    assert validate_document(document) == []
    assert validate_document(back(document, version=version)) == []
    assert views(back(document, version=version)) == views(document)


@pytest.mark.parametrize("name", ODD_VALUES)
def test_values_of_all_kinds_come_back(name):
    document = odd(**{name: ODD_VALUES[name]})
    assert views(back(document)) == views(document)


def test_a_type_of_one_s_own_may_have_any_name():
    for kind in ("ours:Stocktake", "https://theirs.example/Stocktake", "https://theirs.example/7", "ours:7"):
        document = odd(type=kind)
        assert validate_document(document) == []
        assert views(back(document)) == views(document), kind


def test_sensor_members_of_one_s_own_are_attributes_and_elements_where_they_cannot_be():
    report = {"type": "Temperature", "value": 5, "ours:n": 7, "ours:1st": "x", "ours:deep": {"ours:a": "b"}}
    report |= {"ours:a": 1, "same:a": 2}
    report["stringValue"] = ' "5"\n'
    document = odd(
        sensorElementList=[{"sensorMetadata": {"ours:by": "me"}, "sensorReport": [report], "ours:x": ["y", "z"]}]
    )
    assert validate_document(document) == []
    assert b'ours:by="me"' in written(document)
    assert views(back(document)) == views(document)


def test_what_xml_cannot_carry_is_refused_with_its_event():
    document = samples.document(samples.event("AssociationEvent"), samples.event("ObjectEvent", **{"ours:x": "\x01"}))
    with pytest.raises(WriteError, match=r"^event 1: .*U\+0001") as raised:
        written(document)
    assert raised.value.code == "xml-character"
    for text in ("\x0b", "\ufffe", "\ud800"):
        with pytest.raises(WriteError):
            written(odd(**{"ours:x": {"unit": text, "rdf:value": "1"}}))
    with pytest.raises(WriteError, match="has no place"):
        written(samples.document(**{"ours:x": {"a": 1}}))
    assert back(samples.document(**{"ours:x": "y", "id": "urn:x:y"}))["ours:x"] == "y"


def test_names_that_xml_keeps_for_itself():
    found = read(written(samples.document(samples.event("AssociationEvent"))).replace(
        b"<AssociationEvent>",
        b'<AssociationEvent xmlns:ours="urn:o:" xml:lang="de"><ours:name xml:lang="zh">\xe8\x8d\xaf</ours:name>',
    ))  # fmt: skip
    assert validate_document(found) == []
    assert found["epcisBody"]["eventList"][0]["ours:name"] == {"xml:lang": "zh", "rdf:value": "药"}
    assert views(back(found)) == views(found)
    xmlns = {"a": "http://www.w3.org/2000/xmlns/", "xml": "http://www.w3.org/XML/1998/namespace"}
    for name in ("a:b", "xml:space"):
        document = odd(**{name: "x"}) | {"@context": [samples.CONTEXT, xmlns]}
        with pytest.raises(WriteError, match="something of its own"):
            written(document)


names = st.sampled_from(
    [*ODD_NAMES, "ours:a", "same:a", f"{xml_samples.OURS}a", "ours:b", "cbvmda:lotNumber", "gs1:x", "rdfs:comment"]
)
texts = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cc", "Cs"), exclude_characters="\ufffe\uffff"), max_size=12
)
scalars = st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.floats(-1e15, 1e15) | texts
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(names | texts | st.just("rdf:value"), inner, max_size=3)
    ),
    max_leaves=6,
)
numbers = st.integers(0, 10**6) | st.floats(1e-9, 1e15)
quantities = st.fixed_dictionaries(
    {"epcClass": st.sampled_from([samples.LOT, "urn:epc:idpat:sgtin:4012345.066666.*"])},
    optional={"quantity": numbers, "uom": st.sampled_from(["KGM", "EA"])},
)
reports = st.fixed_dictionaries(
    {"type": st.sampled_from(["Temperature", "gs1:Mass", "ours:mood"])},
    optional={
        "value": numbers,
        "booleanValue": st.booleans(),
        "stringValue": texts.filter(bool),
        "component": st.sampled_from(["x", "cbv:Comp-y"]),
        "exception": st.sampled_from(["ALARM_CONDITION", "gs1:ERROR_CONDITION"]),
        "ours:own": values,
    },
)
sensors = st.fixed_dictionaries(
    {"sensorReport": st.lists(reports, min_size=1, max_size=2)},
    optional={"sensorMetadata": st.fixed_dictionaries({}, optional={"ours:by": values}), "ours:x": values},
)


@st.composite
def generated(draw):
    """A document of a valid event: the sample of a type, some members gone, others drawn."""
    kind = draw(st.sampled_from(sorted(samples.EVENTS)))
    event = samples.event(kind)
    lists = [name for name in event if name.endswith("uantityList")]
    event.update({name: draw(st.lists(quantities, min_size=1, max_size=3)) for name in lists})
    event["sensorElementList"] = draw(st.lists(sensors, max_size=2))
    event.update(draw(st.dictionaries(names.filter(lambda name: name != "cbvmda:lotNumber"), values, max_size=3)))
    optional = {"disposition", "bizLocation", "ilmd", "sensorElementList", "errorDeclaration", "persistentDisposition"}
    gone = draw(st.sets(st.sampled_from(sorted(optional))))
    found = odd()
    found["epcisBody"]["eventList"] = [{name: one for name, one in event.items() if name not in gone}]
    return found


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(generated(), st.sampled_from(VERSIONS), st.sampled_from(["urn", "web", "as-is"]))
def test_generated_events_read_back(document, version, cbv):
    assert views(back(document, version=version, spelling=Spelling(cbv=cbv))) == views(document)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_name_that_begins_like_our_own_elements_gets_no_other_meaning(version):
    document = odd()
    document["epcisBody"]["eventList"] = [{**samples.event("ObjectEvent"), "ours:a": {"d:": None, "d:b": "d:c"}}]
    assert views(back(document, version=version)) == views(document)


@pytest.mark.long
@settings(max_examples=20_000, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(generated(), st.sampled_from(VERSIONS), st.sampled_from(["urn", "web", "as-is"]))
def test_many_generated_events_read_back(document, version, cbv):
    assert views(back(document, version=version, spelling=Spelling(cbv=cbv))) == views(document)


@pytest.mark.parametrize("version", VERSIONS)
def test_foreign_documents_read_back(shared_data, version):
    folder = shared_data / "epcis/openepcis"
    paths = [*folder.glob("valid/*.json"), *folder.glob("query-documents/*.json")]
    for path in paths:
        document = json.loads(path.read_bytes())
        assert views(back(document, version=version)) == views(document), path.name
    assert len(paths) >= 20
