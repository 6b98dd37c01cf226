"""XML in: what says the same in XML and in JSON is the same to the house, and nothing of a document vanishes."""

import io
import itertools
import json
import re
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from traceability.epcis import document as documents
from traceability.epcis import event as events
from traceability.epcis.source import SourceError
from traceability.epcis.times import time_ms
from traceability.epcis.validation import validate_document, validate_event
from traceability.epcis.xml import elements, reader
from traceability.epcis.xml.content import number
from traceability.epcis.xml.reader import open_document, read_event

from . import samples, xml_samples

VERSIONS = ("2.0", "1.2")
OBJECT = xml_samples.EVENTS_2_0["ObjectEvent"]
GOOD = xml_samples.document(OBJECT)


def read(data):
    """The whole document in its JSON form."""
    source = open_document(io.BytesIO(data))
    found = json.loads(json.dumps(source.frame))
    place = found.get("epcisBody", {})
    for name in ("queryResults", "resultsBody"):
        place = place.get(name, place)
    if "eventList" in place:
        place["eventList"] = list(source.events())
    return found


def faults(data):
    """(field, code) of each fault of the document."""
    return [(fault.field, fault.code) for fault in validate_document(read(data))]


def code(data):
    """The code with which the bytes are refused."""
    with pytest.raises(SourceError) as raised:
        read(data)
    return raised.value.code


def as_xml_has_it(kind):
    """The sample of `kind` as far as XML can say it: extensions are texts, a list of one is its member."""
    found = samples.event(kind)
    if "readPoint" in found:
        found["readPoint"]["ours:dock"] = "4"
    if kind == "ObjectEvent":
        found["certificationInfo"] = found["certificationInfo"][0]
        found["ours:note"] = {"ours:list": ["1", {"ours:deep": "x"}]}
    return found | ({"ours:found": "12"} if kind == "ours:Stocktake" else {})


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("wrap", [xml_samples.document, xml_samples.query_document])
@pytest.mark.parametrize("kind", samples.EVENTS)
def test_twins_commit_to_the_same(kind, wrap, version):
    found = read(wrap(xml_samples.EVENTS[version][kind], version=version))
    twin = samples.document(as_xml_has_it(kind))
    assert validate_document(found) == []
    assert found["schemaVersion"] == version
    assert documents.events(found) == documents.events(twin)
    assert list(map(events.read, documents.events(found))) == list(map(events.read, documents.events(twin)))


def test_all_types_in_one_document_keep_their_order_and_lines():
    found = read(xml_samples.document(*xml_samples.EVENTS_1_2.values(), version="1.2"))
    listed = found["epcisBody"]["eventList"]
    assert [one["type"] for one in listed] == list(samples.EVENTS)
    assert [one.line for one in listed] == sorted(one.line for one in listed)
    assert listed[0].line == 4


def test_a_bare_event():
    data = f'<ObjectEvent xmlns:ours="{xml_samples.OURS}" schemaVersion="2.0">{OBJECT.partition(">")[2]}'.encode()
    found = read_event(io.BytesIO(data))
    assert validate_event(found) == []
    assert documents.bare(found) == documents.events(samples.document(as_xml_has_it("ObjectEvent")))[0]
    with pytest.raises(SourceError, match="must be an event"):
        read_event(io.BytesIO(xml_samples.document(OBJECT)))
    assert code(data) == "xml-root"


def test_qualified_names_and_a_default_namespace_are_the_same():
    qualified = OBJECT.replace("<", "<epcis:").replace("<epcis:/", "</epcis:")
    for theirs in ("ours:", "cbvmda:"):
        qualified = qualified.replace(f"epcis:{theirs}", theirs)
    qualified = qualified.replace("<epcis:!--", "<!--")
    default = OBJECT.replace("<ObjectEvent>", '<ObjectEvent xmlns="urn:epcglobal:epcis:xsd:2">')
    expected = documents.events(read(xml_samples.document(OBJECT)))
    assert documents.events(read(xml_samples.document(qualified))) == expected
    assert documents.events(read(xml_samples.document(default))) == expected


HEADER = """<EPCISHeader>
  <s:StandardBusinessDocumentHeader xmlns:s="http://www.unece.org/cefact/namespaces/StandardBusinessDocumentHeader">
    <s:HeaderVersion>1.0</s:HeaderVersion>
    <s:Sender><s:Identifier Authority="GS1">urn:epc:id:pgln:4012345.00005</s:Identifier></s:Sender>
    <s:Receiver><s:Identifier>urn:epc:id:pgln:0614141.00005</s:Identifier></s:Receiver>
    <s:DocumentIdentification><s:InstanceIdentifier>47</s:InstanceIdentifier></s:DocumentIdentification>
  </s:StandardBusinessDocumentHeader>
  {before}<EPCISMasterData><VocabularyList><Vocabulary type="urn:epcglobal:epcis:vtype:Location">
    <VocabularyElementList><VocabularyElement id="urn:epc:id:sgln:4012345.00005.0">
      <attribute id="urn:epcglobal:cbv:mda#name">Works</attribute>
      <attribute id="urn:epcglobal:cbv:mda#address"><ours:street>1 Way</ours:street></attribute>
      <children><id>urn:epc:id:sgln:4012345.00005.1</id></children>
    </VocabularyElement></VocabularyElementList>
  </Vocabulary></VocabularyList></EPCISMasterData>{after}
  <hc:dscsaTransactionStatement xmlns:hc="http://epcis.gs1us.org/hc/ns">
    <hc:affirmTransactionStatement>true</hc:affirmTransactionStatement></hc:dscsaTransactionStatement>
</EPCISHeader>"""


@pytest.mark.parametrize(
    ("version", "wrapper"),
    [("2.0", ("", "")), ("2.0", ("<extension>", "</extension>")), ("1.2", ("<extension>", "</extension>"))],
)
def test_the_header_is_kept_whole(version, wrapper):
    header = HEADER.format(before=wrapper[0], after=wrapper[1])
    found = read(xml_samples.document(OBJECT, version=version, header=header))
    assert validate_document(found) == []
    assert {name: found[name] for name in ("sender", "receiver", "instanceIdentifier")} == {
        "sender": "urn:epc:id:pgln:4012345.00005",
        "receiver": "urn:epc:id:pgln:0614141.00005",
        "instanceIdentifier": "47",
    }
    assert found["epcisHeader"]["epcisMasterData"] == {
        "vocabularyList": [
            {
                "type": "urn:epcglobal:epcis:vtype:Location",
                "vocabularyElementList": [
                    {
                        "id": "urn:epc:id:sgln:4012345.00005.0",
                        "attributes": [
                            {"id": "urn:epcglobal:cbv:mda#name", "attribute": "Works"},
                            {"id": "urn:epcglobal:cbv:mda#address", "attribute": {"ours:street": "1 Way"}},
                        ],
                        "children": ["urn:epc:id:sgln:4012345.00005.1"],
                    }
                ],
            }
        ]
    }
    business = found["epcisHeader"]["sbdh:StandardBusinessDocumentHeader"]
    assert business["sbdh:HeaderVersion"] == "1.0"
    assert business["sbdh:Sender"]["sbdh:Identifier"]["Authority"] == "GS1"
    assert found["epcisHeader"]["gs1ushc:dscsaTransactionStatement"] == {"gs1ushc:affirmTransactionStatement": "true"}


def test_a_document_of_master_data_alone():
    data = xml_samples.document(header=HEADER.format(before="", after="")).replace(b"<EventList></EventList>", b"")
    assert validate_document(read(data)) == []
    assert documents.events(read(data)) == []


MASTER_DATA = """<m:EPCISMasterDataDocument xmlns:m="urn:epcglobal:epcis-masterdata:xsd:{version}" schemaVersion="1.2"
  creationDate="2026-03-01T12:00:00Z">{header}<EPCISBody><VocabularyList>
    <Vocabulary type="urn:epcglobal:epcis:vtype:BusinessLocation"><VocabularyElementList>
      <VocabularyElement id="urn:epc:id:sgln:4012345.00005.0"/></VocabularyElementList></Vocabulary>
  </VocabularyList></EPCISBody></m:EPCISMasterDataDocument>"""


@pytest.mark.parametrize("version", [1, 2])
def test_a_master_data_document_has_its_vocabularies_in_the_header(version):
    found = read(MASTER_DATA.format(version=version, header="").encode())
    assert validate_document(found) == []
    (vocabulary,) = found["epcisHeader"]["epcisMasterData"]["vocabularyList"]
    assert vocabulary["vocabularyElementList"] == [{"id": "urn:epc:id:sgln:4012345.00005.0"}]
    assert (found["type"], found["epcisBody"]) == ("EPCISDocument", {"eventList": []})
    twice = HEADER.format(before="", after="").replace("ours:street", "street")
    assert code(MASTER_DATA.format(version=version, header=twice).encode()) == "xml-misplaced"


FULL_HEADER = HEADER.format(before="<extension>", after="</extension>")
FULL = {
    "2.0": xml_samples.document(*xml_samples.EVENTS_2_0.values(), header=FULL_HEADER),
    "1.2": xml_samples.document(*xml_samples.EVENTS_1_2.values(), header=FULL_HEADER, version="1.2"),
    "query": xml_samples.query_document(*xml_samples.EVENTS_2_0.values()),
    "master data": MASTER_DATA.format(version=1, header="").encode(),
}


@pytest.mark.parametrize("name", ["epcisHeader", "epcisBody", "eventList", "type"])
@pytest.mark.parametrize("data", FULL.values(), ids=FULL)
def test_attributes_that_take_the_names_of_json_are_refused(data, name):
    given = f' {name}="VocabularyList"'.encode()
    for tag in (b" schemaVersion", b"<EPCISBody", b"<EPCISHeader"):
        found = data.replace(tag, given + tag if tag.startswith(b" ") else tag + given, 1)
        if found != data:
            try:
                assert faults(found)
            except SourceError as error:
                assert error.code == "xml-misplaced"  # noqa: PT017


def test_what_stands_under_its_name_in_xml_and_in_json_is_refused():
    header = HEADER.format(before="<epcisMasterData>x</epcisMasterData>", after="")
    assert code(xml_samples.document(header=header)) == "xml-misplaced"


def test_a_foreign_element_is_no_container_whatever_its_name():
    alien = f"<ours:extension>{xml_samples.EVENTS_2_0['AssociationEvent']}</ours:extension>"
    found = read(xml_samples.document(alien))
    assert [one["type"] for one in found["epcisBody"]["eventList"]] == ["ours:extension"]
    assert validate_document(found)
    listed = GOOD.replace(b"<EPCISBody>", b"<EPCISBody><ours:EventList><ours:x/></ours:EventList>")
    assert read(listed)["epcisBody"]["ours:EventList"] == {"ours:x": ""}
    assert faults(listed) == [("epcisBody/ours:EventList", "unknown-field")]


def altered(old, new):
    """The rich event, one piece of it replaced."""
    assert old in OBJECT
    return xml_samples.document(OBJECT.replace(old, new, 1))


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("<action>ADD</action>", "<action>ADD</action><madeUp>x</madeUp>", ("madeUp", "unknown-field")),
        ("<action>ADD</action>", "<action>ADD</action><action>ADD</action>", ("action", "type")),
        ("<action>ADD</action>", "<action>ADD<x/></action>", ("action", "type")),
        ("<action>ADD</action>", '<action why="so">ADD</action>', ("action", "type")),
        ("<action>ADD</action>", "<action>ADD</action>loose", ("#text", "unknown-field")),
        ("<action>ADD</action>", "<action>ADD</action><type>ObjectEvent</type>", ("type", "event-type")),
        ("<ObjectEvent>", '<ObjectEvent mood="bad">', ("mood", "unknown-field")),
        ("<epcList>", "<epcList/><epcList>", ("epcList/0", "type")),
        ("<epcList>", "<epcList>loose", ("epcList/0", "type")),
        ("<epcList>", "<epcList><other>urn:x:y</other>", ("epcList/0", "type")),
        ("<epcList>", '<epcList n="1">', ("epcList/0", "type")),
        ("</epcList>", "</epcList><extension>loose</extension>", ("#text", "unknown-field")),
        ("</epcList>", '</epcList><extension n="1"/>', ("n", "unknown-field")),
        ("</epcList>", "</epcList><extension><madeUp/></extension>", ("madeUp", "unknown-field")),
        ("<quantity>2.50</quantity>", "<quantity>2,50</quantity>", ("quantityList/0/quantity", "type")),
        ("<quantity>2.50</quantity>", "<quantity>NaN</quantity>", ("quantityList/0/quantity", "type")),
        ("<quantity>2.50</quantity>", f"<quantity>0.{'1' * 30}</quantity>", ("quantityList/0/quantity", "type")),
        ("<quantity>2.50</quantity>", "<quantity/>", ("quantityList/0/quantity", "type")),
        ("<readPoint><id>", "<readPoint>loose<id>", ("readPoint/#text", "unknown-field")),
        ("<id>urn:epc:id:sgln:4012345.00005.0</id>", "urn:x:y", ("bizLocation/id", "missing")),
        ("urn:epcglobal:cbv:bizstep:commissioning", "urn:epcglobal:cbv:bizstep:dancing", ("bizStep", "unknown-term")),
        ("urn:epcglobal:cbv:disp:active", "urn:epcglobal:cbv:bizstep:active", ("disposition", "cbv-urn")),
        (' type="urn:epcglobal:cbv:sdt:owning_party"', "", ("sourceList/0/type", "missing")),
        ("<bizTransaction type", '<bizTransaction role="x" type', ("bizTransactionList/0/role", "unknown-field")),
        ("<sensorReport exc", '<sensorReport on="x" exc', ("sensorElementList/0/sensorReport/1/on", "unknown-field")),
        ('value="5.250"', 'value="warm"', ("sensorElementList/0/sensorReport/0/value", "type")),
        ('value="5.250"', 'value="5" booleanValue="yes"', ("sensorElementList/0/sensorReport/0/booleanValue", "type")),
        ("<set>", "<sets>x</sets><set>", ("persistentDisposition/sets", "unknown-field")),
        ("<cbvmda:lotNumber>", "<lotNumber>1</lotNumber><cbvmda:lotNumber>", ("ilmd/lotNumber", "unknown-field")),
        ("</ilmd>", "</ilmd><ilmd/>", ("ilmd", "type")),
        ("</reason>", "</reason><reason>x</reason>", ("errorDeclaration/reason", "type")),
    ],
)  # fmt: skip
def test_what_has_no_place_is_a_fault_under_its_own_pointer(old, new, expected):
    assert expected in faults(altered(old, new))


def test_a_number_is_the_number_that_json_has():
    spelled = {"1.50": 1.5, "200.0": 200, "+5": 5, ".5": 0.5, "5.": 5, "007": 7, "-0.0": 0, "1E3": 1000, "1e-3": 0.001}
    for text, value in spelled.items():
        assert number(text) == value, text
    assert isinstance(number("200.0"), int)
    for text in ("", "-", ".", "1,5", "INF", "NaN", "0x10", "1e999", "9007199254740993", "0.1234567890123456789"):
        assert number(text) == text


def test_extensions_in_odd_dress():
    odd = """<ext:a xmlns:ext="https://a.example/" xml:space="preserve"> x </ext:a>
      <ext:b xmlns:ext="https://b.example/" unit="KGM" ext:by="me">3.5</ext:b>
      <c xmlns="https://c.example/">1<d/>2</c>
      <gs1:e xmlns:gs1="https://e.example/" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:nil="true"/>
      <ours:h xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:nil="true" why="lost"/>
      <d:member xmlns:d="urn:dosetrail:xml" name="ours:1st">m</d:member><ours:i xmlns:d="urn:dosetrail:xml" d:name="n"/>
      <voc:f xmlns:voc="https://ref.gs1.org/voc/">v</voc:f><ours:g>one</ours:g><ours:g>two</ours:g></ObjectEvent>"""
    found = read(altered("</ObjectEvent>", odd))
    assert validate_document(found) == []
    (event,) = documents.events(found)
    prefixes = event["@context"][1]
    assert event["ext:a"] == " x "
    assert event["ns1:b"] == {"unit": "KGM", "ns1:by": "me", "rdf:value": "3.5"}
    assert event["ns2:c"] == {"ns2:d": "", "rdf:value": "12"}
    assert event["ns3:e"] is None
    assert event["gs1:f"] == "v"
    assert event["ours:h"] == {"why": "lost"}
    assert event["ours:1st"] == "m"
    assert event["ours:i"] == {"d:name": "n"}
    assert event["ours:g"] == ["one", "two"]
    assert prefixes == {
        "ours": xml_samples.OURS,
        "ext": "https://a.example/",
        "ns1": "https://b.example/",
        "ns2": "https://c.example/",
        "ns3": "https://e.example/",
        "d": "urn:dosetrail:xml",
    }


def test_attributes_of_someone_s_own_and_prefixes_in_values_are_kept():
    found = read(altered("<ObjectEvent>", '<ObjectEvent ours:colour="red">'))
    assert found["epcisBody"]["eventList"][0]["ours:colour"] == "red"
    found = read(altered("urn:epcglobal:cbv:bizstep:commissioning", "theirs:blessing").replace(
        b"<ObjectEvent>", b'<ObjectEvent xmlns:theirs="https://theirs.example/">'
    ))  # fmt: skip
    (event,) = documents.events(found)
    assert event["@context"][1]["theirs"] == "https://theirs.example/"


def test_a_thing_that_stands_twice_is_there_once():
    found = read(altered("<epcList>", f"<epcList><epc>{samples.PACK}A1</epc>"))
    assert found["epcisBody"]["eventList"][0]["epcList"] == [samples.PACK + "A1", samples.PACK + "A2"]
    assert validate_document(found) == []


BOMB = b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "' + b"&a;" * 1000 + b'">]>'


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", "xml-malformed"),
        (b"{}", "xml-malformed"),
        (b"<a>", "xml-root"),
        (b"<a/>", "xml-root"),
        (b"<EPCISDocument/>", "xml-root"),
        (b'<x:EPCISDocument xmlns:x="urn:epcglobal:epcis:xsd:3"/>', "xml-root"),
        (GOOD[:-5], "xml-malformed"),
        (GOOD + b"<a/>", "xml-malformed"),
        (GOOD.replace(b"<EventList>", b"<EventList>&nbsp;"), "xml-malformed"),
        (GOOD.replace(b"<epcList>", b"<other:epcList>"), "xml-malformed"),
        (BOMB + b"<x>&b;</x>", "xml-doctype"),
        (b'<!DOCTYPE x SYSTEM "file:///etc/passwd">' + GOOD.partition(b"?>")[2].lstrip(), "xml-doctype"),
        (GOOD.replace(b"UTF-8", b"rot13"), "xml-encoding"),
        (GOOD.replace(b"UTF-8", b"utf-7"), "xml-encoding"),
        (GOOD.replace(b"<EventList>", b"<EventList>loose"), "xml-text"),
        (GOOD.replace(b"<EventList>", b'<EventList n="1">'), "xml-misplaced"),
        (GOOD.replace(b"</EventList>", b"</EventList><EventList/>"), "xml-misplaced"),
        (GOOD.replace(b"</EventList>", b"</EventList><more/>"), "xml-misplaced"),
        (GOOD.replace(b"</EPCISBody>", b"</EPCISBody><EPCISBody/>"), "xml-misplaced"),
        (GOOD.replace(b"<EPCISBody>", b"<EPCISHeader/><EPCISHeader/><EPCISBody>"), "xml-misplaced"),
        (GOOD.replace(b"<EPCISBody>", b"<EPCISBody/><EPCISBody>"), "xml-misplaced"),
        (GOOD.replace(b"<ours:deep>x", b"<ours:x>" * 60 + b"</ours:x>" * 60 + b"<ours:deep>"), "xml-too-deep"),
        (b"<a" + b"".join(b' xmlns:n%d="urn:n:%d"' % (n, n) for n in range(300)) + b"/>", "xml-too-large"),
        (b"<a " + b"".join(b'n%d="" ' % n for n in range(300)) + b"/>", "xml-too-large"),
        (GOOD.replace(b"<action>ADD", b"<action>" + b"A" * elements.MAX_CHARACTERS), "xml-too-large"),
        (GOOD.replace(b"<epcList>", b"<epcList>" + b"<epc/>" * elements.MAX_ELEMENTS), "xml-too-large"),
        (GOOD.replace(b"<ours:deep>", b"".join(b'<a:b xmlns:a="urn:n:%d"/>' % n for n in range(300)) + b"<ours:deep>"),
         "xml-too-large"),
        (b"<!--" + b"-" * 3 * elements.MAX_TOKEN, "xml-malformed"),
        (b"<!--" + b"x" * 3 * elements.MAX_TOKEN + b"-->" + GOOD.partition(b"?>")[2].lstrip(), "xml-too-large"),
        (b'<a b="' + b"x" * 3 * elements.MAX_TOKEN + b'"/>', "xml-too-large"),
    ],
)  # fmt: skip
def test_what_is_no_document_or_breaks_a_limit_is_refused(data, expected):
    assert code(data) == expected


def test_without_the_refusal_of_document_types_entities_would_be_read(monkeypatch):
    bomb = b'<!DOCTYPE x [<!ENTITY a "ADD">]>' + GOOD.partition(b"?>")[2].lstrip().replace(b">ADD<", b">&a;<")
    assert code(bomb) == "xml-doctype"
    monkeypatch.setattr(elements._Builder, "_document_type", lambda *_: None)
    assert read(bomb)["epcisBody"]["eventList"][0]["action"] == "ADD"


def test_a_refusal_names_the_line():
    with pytest.raises(SourceError, match=r"^line 4, column \d+: "):
        open_document(io.BytesIO(b"<a>\n\n\n<b></a>"))


def test_other_encodings():
    data = xml_samples.document(OBJECT.replace("typed wrongly", "größer")).decode()
    for encoding in ("utf-16", "iso-8859-1"):
        found = read(data.replace("UTF-8", encoding).encode(encoding))
        assert found["epcisBody"]["eventList"][0]["errorDeclaration"]["ours:why"] == "größer"


def test_missing_wrappers_are_faults():
    assert ("epcisBody", "missing") in faults(xml_samples.document().replace(b"EPCISBody", b"EPCISBodice"))
    query = xml_samples.query_document()
    assert faults(query) == []
    assert ("epcisBody/queryResults/resultsBody", "missing") in faults(query.replace(b"resultsBody", b"results"))
    assert ("creationDate", "missing") in faults(GOOD.replace(b"creationDate", b"created"))


@pytest.mark.parametrize("size", [6_000_000, pytest.param(60_000_000, marks=pytest.mark.long)])
def test_a_long_document_is_held_one_event_at_a_time(tmp_path: Path, size):
    path = tmp_path / "long.xml"
    head, tail = xml_samples.document("@").split(b"@")
    one = OBJECT.encode() + b"\n"
    count = size // len(one)
    with path.open("wb") as file:
        file.write(head)
        for _ in range(count):
            file.write(one)
        file.write(tail)
    with path.open("rb") as file:
        source = open_document(file)
        assert _peak(lambda: sum(1 for _ in source.events())) < 1_500_000
        held = count // (size // 2_000_000)  # as many as make two megabytes of XML
        assert _peak(lambda: list(itertools.islice(source.events(), held))) > 3_000_000


def _peak(run):
    """The most bytes that Python's objects took at one moment of `run`."""
    tracemalloc.start()
    try:
        run()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("whole", [0, 10**9], ids=["read anew", "kept"])
def test_events_can_be_read_again(monkeypatch: pytest.MonkeyPatch, whole: int):
    monkeypatch.setattr(reader, "WHOLE_BYTES", whole)
    source = open_document(io.BytesIO(xml_samples.document(*xml_samples.EVENTS_2_0.values())))
    assert list(source.events()) == list(source.events())
    assert source.frame["epcisBody"] == {"eventList": []}


def mutations():
    seeds = [xml_samples.document(one) for one in xml_samples.EVENTS_2_0.values()]
    seeds += [xml_samples.document(one, version="1.2") for one in xml_samples.EVENTS_1_2.values()]
    seeds += [
        xml_samples.document(OBJECT, header=HEADER.format(before="", after="")),
        xml_samples.query_document(OBJECT),
    ]
    pieces = st.sampled_from([
        b"", b"<", b">", b"&amp;", b"]]>", b"<![CDATA[x]]>", b"<!-- x -->", b"<?x y?>", b"\x00", b"\xff", b"&#0;",
        b"<extension>", b"</extension>", b"<EventList/>", b'xmlns:ours="urn:x"', b"<epc/>", b'type="x"', b"1e999", b"'",
    ])  # fmt: skip
    cut = st.tuples(st.integers(0, 10**6), st.integers(0, 60), pieces | st.binary(max_size=6))
    return st.builds(_mutated, st.sampled_from(seeds), st.lists(cut, min_size=1, max_size=4))


def _mutated(data, cuts):
    for at, length, piece in cuts:
        start = at % len(data)
        data = data[:start] + piece + data[start + length :]
    return data


def _reads_or_refuses(data):
    try:
        found = read(data)
    except SourceError:
        return
    if not validate_document(found):
        for event in documents.events(found):
            events.read(event)


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(mutations())
def test_mutated_documents_raise_nothing_else(data):
    _reads_or_refuses(data)


@pytest.mark.long
@settings(max_examples=20_000, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(mutations())
def test_many_mutated_documents_raise_nothing_else(data):
    _reads_or_refuses(data)


# Twins whose spellings differ: the programs that made them wrote times and one EPC in another way.
def normalised(value):
    """Times in milliseconds, so that two spellings of one moment are equal."""
    if isinstance(value, dict):
        return {name: normalised(member) for name, member in value.items()}
    if isinstance(value, list | tuple):
        return [normalised(member) for member in value]
    try:
        return time_ms(value) if isinstance(value, str) and value[10:11] == "T" else value
    except ValueError:
        return value


# The same thing twice, as URN and as Digital Link in JSON, twice the URN in XML; and an older address of the context.
SPELLED_APART = {"epcisDocWithAllGS1Keys.xml"}


def test_foreign_twins(shared_data):
    twins = list((shared_data / "epcis/openepcis/valid").glob("*.xml"))
    for path in twins:
        found = read(path.read_bytes())
        assert validate_document(found) == [], path.name
        ours = documents.events(found)
        theirs = documents.events(json.loads(path.with_suffix(".json").read_bytes()))
        for one, other in zip(ours, theirs, strict=True):
            view, twin = vars(events.read(one)), vars(events.read(other))
            assert normalised(view) == normalised(twin), path.name
            if path.name not in SPELLED_APART:
                assert normalised(one) == normalised(other), path.name
    assert len(twins) >= 17


# What is wrong with documents of EPCIS 1.2 that their makers call good.
THEIR_FAULTS = {
    "ObjectEvent_all_possible_fields.xml": {("certificationInfo", "uri"), ("ilmd", "ilmd-action")},
    "TransactionEvent_all_possible_fields.xml": {("errorDeclaration/declarationTime", "date-time")},
}


def test_foreign_documents_of_1_2(shared_data):
    paths = list((shared_data / "epcis/openepcis/xml-1.2").glob("*.xml"))
    for path in paths:
        if path.name == "Single_event_with_namespace.xml":
            assert validate_event(read_event(io.BytesIO(path.read_bytes()))) == []
        else:
            assert set(faults(path.read_bytes())) == THEIR_FAULTS.get(path.name, set()), path.name
    assert len(paths) >= 10


def test_foreign_invalid_documents(shared_data):
    paths = list((shared_data / "epcis/openepcis/invalid-xml").glob("*.xml"))
    found = {}
    for path in paths:
        data = path.read_bytes()
        if path.name == "ObjectEvent_bare_event_without_action.xml":
            found[path.name] = [
                (fault.event_index, fault.field) for fault in validate_event(read_event(io.BytesIO(data)))
            ]
        else:
            found[path.name] = [(fault.event_index, fault.field) for fault in validate_document(read(data))]
    assert found == {
        "ObjectEvent_bare_event_without_action.xml": [(0, "action")],
        "ObjectEvent_with_invalid_eventTime_format.xml": [(0, "eventTime")],
        "ObjectEvent_with_unknown_element.xml": [(0, "madeUpField")],
        "ObjectEvent_without_eventTime.xml": [(0, "eventTime")],
    }


def test_the_page_on_xml_names_the_limits():
    page = (Path(__file__).resolve().parents[3] / "docs/epcis-xml.md").read_text()
    limits = (
        elements.MAX_DEPTH,
        elements.MAX_CHARACTERS,
        elements.MAX_ELEMENTS,
        elements.MAX_ATTRIBUTES,
        elements.MAX_NAMESPACES,
        elements.MAX_TOKEN,
    )
    assert [limit for limit in limits if f" {limit:,}" not in page.replace("\n", " ")] == []


MARK = "vanished"
STARTS = re.compile(rb"<(?![?!/])[^<>]*?(?=/?>)")


@pytest.mark.parametrize("kind", FULL)
@pytest.mark.parametrize(
    "piece", [f"<{MARK}/>", f"<x:y xmlns:x='urn:x'>{MARK}</x:y>", MARK, f' {MARK}="1"', f' a="{MARK}"']
)
def test_nothing_vanishes_wherever_it_stands(kind, piece):
    data = FULL[kind]
    starts = list(STARTS.finditer(data))
    assert len(starts) > 5
    for start in starts:
        end = start.end()
        if piece.startswith(" "):
            altered = data[:end] + piece.encode() + data[end:]
        elif data[end : end + 1] == b"/":
            name = start[0].split()[0][1:]
            altered = data[:end] + b">" + piece.encode() + b"</" + name + b">" + data[end + 2 :]
        else:
            altered = data[: end + 1] + piece.encode() + data[end + 1 :]
        try:
            found = json.dumps(read(altered))
        except SourceError as error:
            assert error.code in ("xml-text", "xml-misplaced"), altered  # noqa: PT017
        else:
            assert MARK in found, altered
