"""The validator: every rule has an event that it refuses beside the one that passes, and nothing makes it raise."""

import copy
import json
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from traceability.epcis import document as documents
from traceability.epcis import event as events
from traceability.epcis.faults import MAX_FAULTS
from traceability.epcis.validation import validate_document, validate_event

from .samples import CASE, CONTEXT, EVENTS, LOT, PACK, bare, document, event, query_document


def faults(kind, **members):
    """(field, code) of each fault of the altered sample."""
    return [(fault.field, fault.code) for fault in validate_document(document(event(kind, **members)))]


@pytest.mark.parametrize("kind", EVENTS)
def test_samples_are_valid_in_every_envelope(kind):
    assert validate_document(document(event(kind))) == []
    assert validate_document(query_document(event(kind))) == []
    assert validate_event(bare(kind)) == []


@pytest.mark.parametrize(
    ("kind", "members", "expected"),
    [
        ("ObjectEvent", {"eventTime": None}, ("eventTime", "missing")),
        ("ObjectEvent", {"eventTimeZoneOffset": None}, ("eventTimeZoneOffset", "missing")),
        ("ObjectEvent", {"action": None, "ilmd": None}, ("action", "missing")),
        ("ObjectEvent", {"action": "add", "ilmd": None}, ("action", "unknown-term")),
        ("ObjectEvent", {"action": "OBSERVE"}, ("ilmd", "ilmd-action")),
        ("ObjectEvent", {"epcList": None, "quantityList": [], "readPoint": None}, ("", "no-object")),
        ("ObjectEvent", {"epcList": [PACK + "A", PACK + "A"]}, ("epcList", "duplicate")),
        ("ObjectEvent", {"epcList": ["pack 7"]}, ("epcList/0", "uri")),
        ("ObjectEvent", {"epcList": ["https://id.gs1.org/01/09521141012346/21/A"]}, ("epcList/0", "gs1-check-digit")),
        ("ObjectEvent", {"epcList": ["urn:epc:id:sgtin:0614141.1"]}, ("epcList/0", "gs1-urn-format")),
        ("ObjectEvent", {"epcList": ["urn:x:\x00"]}, ("epcList/0", "control-character")),
        ("ObjectEvent", {"epcList": [7]}, ("epcList/0", "type")),
        ("ObjectEvent", {"epcList": {}}, ("epcList", "type")),
        ("ObjectEvent", {"childEPCs": [PACK + "A"]}, ("childEPCs", "unknown-field")),
        ("ObjectEvent", {"bizstep": "shipping"}, ("bizstep", "unknown-field")),
        ("ObjectEvent", {"theirs:note": 1}, ("theirs:note", "prefix-undeclared")),
        ("ObjectEvent", {"ours:note": {"theirs:x": 1}}, ("ours:note", "prefix-undeclared")),
        ("ObjectEvent", {"ilmd": {"lotNumber": "1"}}, ("ilmd/lotNumber", "unknown-field")),
        ("ObjectEvent", {"ilmd": {"theirs:lot": "1"}}, ("ilmd/theirs:lot", "prefix-undeclared")),
        ("ObjectEvent", {"bizStep": "transforming"}, ("bizStep", "unknown-term")),
        ("ObjectEvent", {"bizStep": "urn:epcglobal:cbv:bizstep:shipping"}, ("bizStep", "cbv-urn")),
        ("ObjectEvent", {"bizStep": "https://ref.gs1.org/cbv/BizStep-transforming"}, ("bizStep", "unknown-term")),
        ("ObjectEvent", {"bizStep": "https://ref.gs1.org/cbv/Disp-active"}, ("bizStep", "unknown-term")),
        ("ObjectEvent", {"bizStep": "gs1:commissioning/x y"}, ("bizStep", "unknown-term")),
        ("ObjectEvent", {"disposition": "in_transport"}, ("disposition", "unknown-term")),
        ("ObjectEvent", {"readPoint": {}}, ("readPoint/id", "missing")),
        ("ObjectEvent", {"readPoint": "urn:x:y"}, ("readPoint", "type")),
        ("ObjectEvent", {"quantityList": [{"quantity": 1}]}, ("quantityList/0/epcClass", "missing")),
        ("ObjectEvent", {"quantityList": [{"epcClass": LOT, "weight": 1}]}, ("quantityList/0/weight", "unknown-field")),
        ("ObjectEvent", {"quantityList": [{"epcClass": LOT, "ours:x": 1}]}, ("quantityList/0/ours:x", "unknown-field")),
        ("ObjectEvent", {"quantityList": [{"epcClass": LOT, "quantity": "1"}]}, ("quantityList/0/quantity", "type")),
        ("ObjectEvent", {"quantityList": [{"epcClass": LOT, "quantity": True}]}, ("quantityList/0/quantity", "type")),
        ("ObjectEvent", {"quantityList": [{"epcClass": LOT, "quantity": -1}]}, ("quantityList/0/quantity", "quantity")),
        ("ObjectEvent", {"quantityList": [{"epcClass": LOT, "uom": "kgm"}]}, ("quantityList/0/uom", "uom")),
        ("ObjectEvent", {"bizTransactionList": [{"type": "po"}]}, ("bizTransactionList/0/bizTransaction", "missing")),
        ("ObjectEvent", {"sourceList": [{"source": "urn:x:y"}]}, ("sourceList/0/type", "missing")),
        ("ObjectEvent", {"destinationList": [{"type": "location"}]}, ("destinationList/0/destination", "missing")),
        ("ObjectEvent", {"persistentDisposition": {}}, ("persistentDisposition", "empty")),
        ("ObjectEvent", {"persistentDisposition": {"set": ["warm"]}}, ("persistentDisposition/set/0", "unknown-term")),
        ("ObjectEvent", {"persistentDisposition": {"sets": []}}, ("persistentDisposition/sets", "unknown-field")),
        ("ObjectEvent", {"errorDeclaration": {}}, ("errorDeclaration/declarationTime", "missing")),
        ("ObjectEvent", {"certificationInfo": [{"a": 1}]}, ("certificationInfo/0", "type")),
        ("ObjectEvent", {"eventID": "no uri"}, ("eventID", "uri")),
        ("ObjectEvent", {"sensorElementList": [{}]}, ("sensorElementList/0/sensorReport", "missing")),
        (
            "ObjectEvent",
            {"sensorElementList": [{"sensorReport": []}]},
            ("sensorElementList/0/sensorReport", "empty"),
        ),
        (
            "ObjectEvent",
            {"sensorElementList": [{"sensorReport": [{"value": 1}]}]},
            ("sensorElementList/0/sensorReport/0", "missing"),
        ),
        (
            "ObjectEvent",
            {"sensorElementList": [{"sensorReport": [{"type": "Warmth"}]}]},
            ("sensorElementList/0/sensorReport/0/type", "unknown-term"),
        ),
        (
            "ObjectEvent",
            {"sensorElementList": [{"sensorReport": [{"type": "Temperature", "value": float("nan")}]}]},
            ("sensorElementList/0/sensorReport/0/value", "number"),
        ),
        (
            "ObjectEvent",
            {"sensorElementList": [{"sensorReport": [{"exception": "gs1:SOMETHING"}]}]},
            ("sensorElementList/0/sensorReport/0/exception", "unknown-term"),
        ),
        ("AggregationEvent", {"parentID": None}, ("parentID", "missing")),
        ("AggregationEvent", {"parentID": None, "action": "DELETE"}, ("parentID", "missing")),
        ("AggregationEvent", {"childEPCs": [], "childQuantityList": None}, ("", "no-object")),
        ("AggregationEvent", {"ilmd": {}}, ("ilmd", "unknown-field")),
        ("AssociationEvent", {"parentID": None, "action": "OBSERVE"}, ("parentID", "missing")),
        ("AssociationEvent", {"childEPCs": None}, ("", "no-object")),
        ("TransactionEvent", {"bizTransactionList": []}, ("bizTransactionList", "empty")),
        ("TransactionEvent", {"bizTransactionList": None}, ("bizTransactionList", "missing")),
        ("TransactionEvent", {"epcList": None, "quantityList": None}, ("", "no-object")),
        ("TransformationEvent", {"action": "ADD"}, ("action", "unknown-field")),
        (
            "TransformationEvent",
            {"transformationID": None, "outputEPCList": [], "outputQuantityList": None},
            ("", "no-object"),
        ),
        (
            "TransformationEvent",
            {"inputEPCList": None, "inputQuantityList": None, "outputEPCList": None, "outputQuantityList": None},
            ("", "no-object"),
        ),
        ("ours:Stocktake", {"eventTime": None}, ("eventTime", "missing")),
        ("ours:Stocktake", {"type": "Stocktake"}, ("type", "event-type")),
        ("ours:Stocktake", {"type": "theirs:Stocktake"}, ("type", "event-type")),
        ("ours:Stocktake", {"type": None}, ("type", "event-type")),
        ("ours:Stocktake", {"type": ["ObjectEvent"]}, ("type", "event-type")),
        ("ours:Stocktake", {"bizStep": 5}, ("bizStep", "type")),
        ("ours:Stocktake", {"found": 5}, ("found", "unknown-field")),
    ],
)
def test_a_rule_refuses_and_names_the_field(kind, members, expected):
    assert expected in faults(kind, **members)


@pytest.mark.parametrize(
    ("kind", "members"),
    [
        ("ObjectEvent", {"epcList": [], "quantityList": None}),
        ("ObjectEvent", {"epcList": None, "quantityList": None}),  # sensors with a read point
        ("ObjectEvent", {"bizStep": "https://ours.example/step/blessing"}),
        ("ObjectEvent", {"bizStep": "ours:blessing"}),
        ("ObjectEvent", {"bizStep": "https://ref.gs1.org/cbv/BizStep-shipping"}),
        ("ObjectEvent", {"bizStep": "cbv:BizStep-shipping", "disposition": "cbv:Disp-in_transit"}),
        ("ObjectEvent", {"epcList": ["urn:dosetrail:nmpa:81234560000000123456", "urn:epc:id:gid:951.12.4"]}),
        ("ObjectEvent", {"https://ours.example/ns/x": [1, None, {"plain": True}]}),
        ("ObjectEvent", {"rdfs:comment": "free", "recordTime": "2026-03-01T12:00:00Z"}),
        ("ObjectEvent", {"@context": {"theirs": "https://t.example/"}, "theirs:note": 1}),
        ("ObjectEvent", {"certificationInfo": "https://accreditation.example/1"}),
        ("ObjectEvent", {"sensorElementList": []}),
        ("AggregationEvent", {"action": "DELETE", "childEPCs": None, "childQuantityList": None}),
        ("AggregationEvent", {"action": "OBSERVE", "parentID": None}),
        ("AggregationEvent", {"persistentDisposition": {"set": ["completeness_verified"]}}),
        ("AssociationEvent", {"persistentDisposition": {"unset": ["completeness_verified"]}}),
        ("TransactionEvent", {"persistentDisposition": {"set": ["completeness_verified"]}}),
        ("TransactionEvent", {"action": "DELETE", "epcList": None, "quantityList": None}),
        ("TransactionEvent", {"epcList": [], "quantityList": None}),
        ("TransformationEvent", {"inputEPCList": None, "inputQuantityList": None}),
        ("TransformationEvent", {"transformationID": None}),
        ("ours:Stocktake", {"type": "https://ours.example/ns/Stocktake"}),
    ],
)
def test_what_the_standard_allows_passes(kind, members):
    assert faults(kind, **members) == []


@pytest.mark.parametrize(
    "when",
    [
        "2026-03-01T12:00:00Z",
        "2026-03-01T12:00:00.1+14:00",
        "2024-02-29T23:59:59.123456789-23:59",
        "1900-01-01T00:00:00+14:00",
    ],
)
def test_times_with_a_zone(when):
    assert faults("ObjectEvent", eventTime=when) == []
    assert isinstance(events.time_ms(when), int)


@pytest.mark.parametrize(
    "when",
    [
        "2026-03-01T12:00:00", "22-07-2026", "2026-03-01", "2026-02-30T12:00:00Z", "2026-03-01T24:00:00Z",
        "2026-03-01 12:00:00Z", "2026-03-01T12:00:00+24:00", "2026-03-01T12:00:60Z", "0000-03-01T12:00:00Z",
        "2026-03-01T12:00:00Z\n", "٢٠٢٦-03-01T12:00:00Z", "2026-03-01T12:00:00.Z", "2026-03-01T12:00:00+0800",
        1772337600, None, [],
    ],
)  # fmt: skip
def test_times_without_zone_or_date(when):
    found = validate_document(document({**event("ObjectEvent"), "eventTime": when}))
    assert [fault.field for fault in found] == ["eventTime"]


@pytest.mark.parametrize(("offset", "good"), [
    ("+14:00", True), ("-13:59", True), ("+00:00", True), ("+14:01", False), ("-15:00", False), ("08:00", False),
    ("+8:00", False), ("Z", False), ("+08:00\n", False), (480, False), ("+08:60", False),
])  # fmt: skip
def test_offsets(offset, good):
    assert (faults("ObjectEvent", eventTimeZoneOffset=offset) == []) is good


@pytest.mark.parametrize(
    ("members", "pointer", "code"),
    [
        ({"type": "EPCISdocument"}, "/type", "document-type"),
        ({"type": None}, "/type", "missing"),
        ({"schemaVersion": 2.0}, "/schemaVersion", "type"),
        ({"schemaVersion": "2.x"}, "/schemaVersion", "schema-version"),
        ({"schemaVersion": "2.0\n"}, "/schemaVersion", "schema-version"),
        ({"creationDate": None}, "/creationDate", "missing"),
        ({"creationDate": "yesterday"}, "/creationDate", "date-time"),
        ({"epcisBody": None}, "/epcisBody", "missing"),
        ({"epcisBody": []}, "/epcisBody", "type"),
        ({"epcisBody": {}}, "/epcisBody/eventList", "missing"),
        ({"epcisBody": {"eventList": {}}}, "/epcisBody/eventList", "type"),
        ({"epcisBody": {"eventList": [], "events": []}}, "/epcisBody/events", "unknown-field"),
        ({"notes": "x"}, "/notes", "unknown-field"),
        ({"@context": None}, "/@context", "context-missing"),
        ({"@context": []}, "/@context", "context-missing"),
        ({"@context": [CONTEXT, "https://evil.example/context.jsonld"]}, "/@context", "context-unknown"),
        ({"@context": [CONTEXT, {"cbvmda": "https://evil.example/"}]}, "/@context", "context-protected"),
        ({"@context": [CONTEXT, {"bizStep": "https://evil.example/"}]}, "/@context/bizStep", "context"),
        ({"@context": [CONTEXT, {"@vocab": "https://evil.example/"}]}, "/@context/@vocab", "context"),
        ({"@context": [CONTEXT, {"ours": {"@id": "https://x/"}}]}, "/@context/ours", "type"),
        ({"@context": [CONTEXT, 7]}, "/@context", "context"),
        ({"epcisHeader": {"epcisMasterData": {"vocabularyList": [{}]}}},
         "/epcisHeader/epcisMasterData/vocabularyList/0/type", "missing"),
    ],
)  # fmt: skip
def test_the_envelope(members, pointer, code):
    found = validate_document(document(**members))
    assert (pointer, code) in [(fault.pointer, fault.code) for fault in found]
    assert all(fault.event_index is None for fault in found)


@pytest.mark.parametrize("address", [
    CONTEXT, "https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld",
    "https://ref.gs1.org/standards/epcis/2.0.1/epcis-context.jsonld", "https://gs1.github.io/EPCIS/epcis-context.jsonld",
])  # fmt: skip
def test_the_four_addresses_of_the_epcis_context(address):
    context = [address, {"ours": "https://ours.example/ns/", "gs1": "https://gs1.org/voc/"}]
    assert validate_document(document(event("ObjectEvent"), **{"@context": context})) == []


def test_a_bare_event_needs_its_own_context():
    assert [fault.code for fault in validate_event(event("AggregationEvent"))] == [
        "context-missing",
        "prefix-undeclared",
    ]


def test_prefixes_may_come_from_outside():
    context = {"@context": CONTEXT}
    assert validate_document(document(event("ObjectEvent"), **context)) != []
    assert validate_document(document(event("ObjectEvent"), **context), extensions={"ours": "https://o.example/"}) == []


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ({"bizStep": None}, ("bizStep", "missing")),
        ({"bizStep": "https://ours.example/step/blessing"}, ("bizStep", "custom-term")),
        ({"disposition": "ours:blessed"}, ("disposition", "custom-term")),
        (
            {"errorDeclaration": {"declarationTime": "2026-03-02T00:00:00Z", "reason": "did_not_occur",
                                  "correctiveEventIDs": ["urn:x:y"]}},
            ("errorDeclaration/correctiveEventIDs", "corrective-ids"),
        ),
        (
            {"sensorElementList": [{"sensorReport": [{"type": "Temperature", "value": 1, "minValue": 0}]}]},
            ("sensorElementList/0/sensorReport/0", "sensor-value"),
        ),
        (
            {"sensorElementList": [{"sensorMetadata": {"deviceID": "urn:x:y"},
                                    "sensorReport": [{"type": "Temperature", "deviceID": "urn:x:y"}]}]},
            ("sensorElementList/0/sensorReport/0/deviceID", "sensor-twice"),
        ),
        (
            {"sensorElementList": [{"sensorMetadata": {"time": "2026-03-01T12:00:00.251+08:00"},
                                    "sensorReport": [{"type": "Temperature"}]}]},
            ("sensorElementList/0/sensorMetadata", "sensor-time"),
        ),
    ],
)  # fmt: skip
def test_what_binds_compliant_parties_only(members, expected):
    altered = document(event("ObjectEvent", **members))
    assert validate_document(altered) == []
    assert expected in [(fault.field, fault.code) for fault in validate_document(altered, cbv_compliant=True)]
    assert validate_document(document(event("ObjectEvent")), cbv_compliant=True) == []


def test_all_faults_are_listed_with_their_event():
    found = validate_document(
        document(
            event("ObjectEvent"),
            event("ObjectEvent", bizStep="a", disposition="b"),
            7,
            event("TransactionEvent", action="X"),
        )
    )
    assert [(fault.event_index, fault.field, fault.code) for fault in found] == [
        (1, "bizStep", "unknown-term"),
        (1, "disposition", "unknown-term"),
        (2, "", "type"),
        (3, "action", "unknown-term"),
    ]
    assert [fault.pointer for fault in found][2:] == ["/epcisBody/eventList/2", "/epcisBody/eventList/3/action"]
    assert all(fault.message for fault in found)


def test_a_document_of_faults_gets_a_bounded_answer():
    found = validate_document(document(*[7] * 1000))
    assert len(found) == MAX_FAULTS + 1
    assert found[-1].code == "more-faults"


def test_pointers_are_escaped():
    found = validate_document(document(event("ObjectEvent", **{"a/b~c": 1})))
    assert found[0].pointer == "/epcisBody/eventList/0/a~1b~0c"


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=12)
    | st.sampled_from([CASE, LOT, PACK, "ADD"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.text(max_size=8) | st.sampled_from(["type", "id", "@context", "ours:x", "eventList"]), inner, max_size=3
        )
    ),
    max_leaves=8,
)


@given(json_values)
def test_any_json_value_yields_faults(value):
    assert validate_document(value)
    assert validate_event(value)


def _places(value, path=()):
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, member in items:
        yield from _places(member, (*path, step))


def _put(value, path, new):
    if not path:
        return new
    copied = copy.copy(value)
    copied[path[0]] = _put(value[path[0]], path[1:], new)
    return copied


FULL = document(*[event(kind) for kind in EVENTS])
PLACES = list(_places(FULL))


@settings(max_examples=400)
@given(st.sampled_from(PLACES), json_values, st.booleans())
def test_any_value_at_any_place_is_judged_without_raising_and_what_passes_reads(path, value, compliant):
    altered = _put(FULL, path, value)
    if validate_document(altered, cbv_compliant=compliant):
        return
    for one in documents.events(altered):
        assert validate_event(one, cbv_compliant=compliant) == []
        events.read(one)


@pytest.mark.parametrize("wrong", [None, 7, True, "", [], {}, [[]], {"": 1}])
def test_every_single_place_survives_every_kind(wrong):
    caught = sum(bool(validate_document(_put(FULL, path, wrong))) for path in PLACES)
    assert caught > len(PLACES) * 0.8  # the rest: extensions, and lists that may be empty


def test_deep_and_wide_input_costs_little():
    deep: object = 1
    for _ in range(50_000):
        deep = {"ours:x": deep}
    started = time.process_time()
    validate_document(document(event("ObjectEvent", **{"ours:note": deep})))
    validate_document(document(event("ObjectEvent", epcList=["urn:x:" + "%41" * 2700, "a" * 8000, "urn:" * 2000])))
    validate_document(document(event("ObjectEvent", epcList=[f"{PACK}{number}" for number in range(5000)])))
    assert time.process_time() - started < 3


def test_foreign_documents(shared_data):
    folder = shared_data / "epcis/openepcis"
    good = [*folder.glob("valid/*.json"), *folder.glob("query-documents/*.json")]
    for path in good:
        read = json.loads(path.read_bytes())
        assert validate_document(read) == [], path.name
        for one in documents.events(read):
            assert validate_event(one) == [], path.name
            events.read(one)
    for path in folder.glob("bare-events/*.json"):
        assert validate_event(json.loads(path.read_bytes())) == [], path.name
    for path in folder.glob("invalid/*.json"):
        assert validate_document(json.loads(path.read_bytes())), path.name
    assert len(good) >= 20
