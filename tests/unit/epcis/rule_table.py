"""Every rule of the event model as a row: its sentence, a change that passes, and one that is refused, and how.

The rules are those of EPCIS 2.0 (JSON schema, SHACL and prose) and CBV 2.0, written from the standard's tables and not
from the validator. `bad` breaks the row's rule alone, so that it passes once that rule is switched off.
"""

from dataclasses import dataclass
from typing import Any

from .samples import CASE, CONTEXT, EVENTS, LOT, PACK

OBJECT, AGGREGATION, TRANSACTION, ASSOCIATION, TRANSFORMATION, OWN = EVENTS
STANDARD = (OBJECT, AGGREGATION, TRANSACTION, ASSOCIATION, TRANSFORMATION)
ALL = tuple(EVENTS)
TIME, LATER = "2026-03-01T11:00:00+08:00", "2026-03-01T12:00:00.251+08:00"
GLN = "https://id.gs1.org/414/4012345000054"
URI = "https://ours.example/thing/1"

Members = dict[str, Any]


@dataclass(frozen=True)
class Rule:
    """The events are the sample of `kind` with these members. `field` is where the fault stands, from the event on."""

    sentence: str
    kind: str
    good: Members
    bad: Members
    field: str
    code: str
    compliant: bool = False  # binds parties that are set CBV-compliant only

    def __str__(self) -> str:
        return f"{self.kind.removeprefix('ours:')}: {self.sentence}"


def _rows(kinds: tuple[str, ...], *rows: tuple[str, Members, Members, str, str], compliant: bool = False) -> list[Rule]:
    return [Rule(row[0], kind, *row[1:], compliant=compliant) for row in rows for kind in kinds]


def _is(name: str, good: Any, bad: Any, code: str, within: str = "") -> tuple[str, Members, Members, str, str]:
    """That a member has its form."""
    return f"{name} has its form ({code})", {name: good}, {name: bad}, name + within, code


_COMMON = _rows(
    ALL,
    ("eventTime must be there", {}, {"eventTime": None}, "eventTime", "missing"),
    ("eventTimeZoneOffset must be there", {}, {"eventTimeZoneOffset": None}, "eventTimeZoneOffset", "missing"),
    _is("eventTime", "2026-03-01T12:00:00Z", "2026-03-01T12:00:00", "date-time"),
    _is("eventTimeZoneOffset", "-13:59", "+14:01", "time-zone-offset"),
    _is("recordTime", "2026-03-01T12:00:01Z", "2026-03-01", "date-time"),
    _is("eventID", f"ni:///sha-256;{'0' * 64}?ver=CBV2.0", "event 7", "uri"),
    _is("certificationInfo", URI, "certified", "uri"),
    _is("certificationInfo", [URI], [URI, "certified"], "uri", "/1"),
    ("a list of certificationInfo is not empty", {"certificationInfo": [URI]}, {"certificationInfo": []},
     "certificationInfo", "empty"),
    ("an extension's name is a URI or a CURIE", {URI: 1, "ours:x": 1}, {"x": 1}, "x", "unknown-field"),
    ("an extension's prefix is declared", {"ours:x": {"ours:y": 1}}, {"theirs:x": 1}, "theirs:x", "prefix-undeclared"),
    ("so are the prefixes within it", {"ours:x": {"ours:y": 1}}, {"ours:x": {"theirs:y": 1}}, "ours:x",
     "prefix-undeclared"),
    ("the event's own context declares prefixes", {"@context": {"theirs": URI}, "theirs:x": 1},
     {"@context": {"ours": "no uri"}}, "@context/ours", "uri"),
    ("the prefixes of EPCIS keep their meaning", {"@context": {"gs1": "https://gs1.org/voc/"}},
     {"@context": {"cbvmda": URI}}, "@context", "context-protected"),
)  # fmt: skip

_WHAT_EVERY_TYPE_HAS = _rows(
    ALL,
    _is("bizStep", "ours:blessing", "blessing", "unknown-term"),
    _is("disposition", "ours:blessed", "blessed", "unknown-term"),
    _is("readPoint", {"id": GLN}, GLN, "type"),
    _is("bizLocation", {"id": GLN}, GLN, "type"),
    _is("bizTransactionList", [{"bizTransaction": URI}], {"bizTransaction": URI}, "type"),
    _is("sourceList", [{"type": "location", "source": GLN}], {"type": "location", "source": GLN}, "type"),
    _is("destinationList", [{"type": "location", "destination": GLN}], {"type": "location"}, "type"),
    _is("sensorElementList", [], {}, "type"),
    # On three of the types implementations contest it: accepted on all.
    _is("persistentDisposition", {"set": ["active"]}, ["active"], "type"),
    _is("persistentDisposition", {"unset": ["active"]}, {}, "empty"),
    _is("errorDeclaration", {"declarationTime": TIME}, TIME, "type"),
)

_ACTION = _rows(
    STANDARD[:4],
    ("action must be there", {}, {"action": None, "ilmd": None}, "action", "missing"),
    ("action is ADD, OBSERVE or DELETE", {"action": "DELETE", "ilmd": None}, {"action": "add", "ilmd": None},
     "action", "unknown-term"),
)  # fmt: skip


def _epcs(kinds: tuple[str, ...], *names: str) -> list[Rule]:
    return [
        rule
        for name in names
        for rule in _rows(
            kinds,
            _is(name, [PACK + "C", CASE], PACK + "C", "type"),
            _is(name, [URI], ["pack 7"], "uri", "/0"),
            (f"{name} has each identifier once", {name: [PACK + "C", PACK + "D"]}, {name: [PACK + "C", PACK + "C"]},
             name, "duplicate"),
        )
    ]  # fmt: skip


def _quantities(kinds: tuple[str, ...], *names: str) -> list[Rule]:
    return [rule for name in names for rule in _rows(kinds, _is(name, [{"epcClass": LOT}], {"epcClass": LOT}, "type"))]


_LISTS = [
    *_epcs((OBJECT, TRANSACTION), "epcList"),
    *_epcs((AGGREGATION, ASSOCIATION), "childEPCs"),
    *_epcs((TRANSFORMATION,), "inputEPCList", "outputEPCList"),
    *_epcs((OWN,), "epcList", "childEPCs", "inputEPCList", "outputEPCList"),
    *_quantities((OBJECT, TRANSACTION), "quantityList"),
    *_quantities((AGGREGATION, ASSOCIATION), "childQuantityList"),
    *_quantities((TRANSFORMATION,), "inputQuantityList", "outputQuantityList"),
    *_quantities((OWN,), "quantityList", "childQuantityList", "inputQuantityList", "outputQuantityList"),
    *_rows((AGGREGATION, TRANSACTION, ASSOCIATION, OWN), _is("parentID", GLN, "the case", "uri")),
    *_rows((TRANSFORMATION, OWN), _is("transformationID", URI, "batch 7", "uri")),
    *_rows((OBJECT, TRANSFORMATION, OWN), _is("ilmd", {"ours:x": 1}, [], "type")),
    *_rows((OWN,), _is("action", "ADD", "add", "unknown-term")),
]

_OBJECT = _rows(
    (OBJECT,),
    ("an empty epcList is one", {"epcList": [], "quantityList": None},
     {"epcList": None, "quantityList": [], "readPoint": None}, "", "no-object"),
    ("quantityList of one or more does", {"epcList": None, "readPoint": None},
     {"epcList": None, "quantityList": None, "readPoint": None}, "", "no-object"),
    ("sensorElementList with readPoint does", {"epcList": None, "quantityList": None},
     {"epcList": None, "quantityList": None, "sensorElementList": []}, "", "no-object"),
    ("ilmd is for ADD only", {"action": "OBSERVE", "ilmd": None}, {"action": "OBSERVE"}, "ilmd", "ilmd-action"),
    ("nor for DELETE", {"action": "DELETE", "ilmd": None}, {"action": "DELETE"}, "ilmd", "ilmd-action"),
    ("each name in ilmd is a URI or a CURIE", {"ilmd": {"cbvmda:lotNumber": "1"}}, {"ilmd": {"lotNumber": "1"}},
     "ilmd/lotNumber", "unknown-field"),
    ("an expiry date is a date", {"ilmd": {"cbvmda:itemExpirationDate": "2028-02-29"}},
     {"ilmd": {"cbvmda:itemExpirationDate": "2027-02-29"}}, "ilmd/cbvmda:itemExpirationDate", "date"),
    ("has no childEPCs", {}, {"childEPCs": [CASE]}, "childEPCs", "unknown-field"),
    ("has no parentID", {}, {"parentID": CASE}, "parentID", "unknown-field"),
    ("has no transformationID", {}, {"transformationID": URI}, "transformationID", "unknown-field"),
)  # fmt: skip

_FAMILY = [
    *_rows(
        (AGGREGATION, ASSOCIATION),
        ("childEPCs of one or more, unless DELETE", {"action": "DELETE", "childEPCs": [], "childQuantityList": None},
         {"childEPCs": [], "childQuantityList": []}, "", "no-object"),
        ("or childQuantityList of one or more", {"childEPCs": None, "childQuantityList": [{"epcClass": LOT}]},
         {"childEPCs": None, "childQuantityList": None, "action": "OBSERVE"}, "", "no-object"),
        ("has no ilmd", {}, {"ilmd": {}}, "ilmd", "unknown-field"),
        ("has no epcList", {}, {"epcList": []}, "epcList", "unknown-field"),
        ("has no quantityList", {}, {"quantityList": []}, "quantityList", "unknown-field"),
    ),
    *_rows(
        (AGGREGATION,),
        ("parentID is needed for ADD, not for OBSERVE", {"parentID": None, "action": "OBSERVE"}, {"parentID": None},
         "parentID", "missing"),
        ("parentID is needed for DELETE", {"action": "DELETE"}, {"parentID": None, "action": "DELETE"}, "parentID",
         "missing"),
    ),
    *_rows(
        (ASSOCIATION,),
        ("parentID must be there; it may be a place", {"parentID": "urn:epc:id:sgln:4012345.00005.0"},
         {"parentID": None, "action": "OBSERVE"}, "parentID", "missing"),
    ),
]  # fmt: skip

_TRANSACTION = _rows(
    (TRANSACTION,),
    ("bizTransactionList must be there", {}, {"bizTransactionList": None}, "bizTransactionList", "missing"),
    ("and has one or more", {}, {"bizTransactionList": []}, "bizTransactionList", "empty"),
    ("for DELETE too", {"action": "DELETE"}, {"action": "DELETE", "bizTransactionList": []}, "bizTransactionList",
     "empty"),
    ("an empty epcList is one", {"epcList": [], "quantityList": None}, {"epcList": None, "quantityList": []}, "",
     "no-object"),
    ("needs epcList or quantityList, unless DELETE", {"epcList": None, "quantityList": None, "action": "DELETE"},
     {"epcList": None, "quantityList": None, "action": "ADD"}, "", "no-object"),
    ("has no ilmd", {}, {"ilmd": {}}, "ilmd", "unknown-field"),
    ("has no childEPCs", {}, {"childEPCs": [CASE]}, "childEPCs", "unknown-field"),
)  # fmt: skip

_NONE_OF_FOUR = dict.fromkeys(("inputEPCList", "inputQuantityList", "outputEPCList", "outputQuantityList"))
_EMPTY_FOUR: Members = {name: [] for name in _NONE_OF_FOUR}
_TRANSFORMATION = _rows(
    (TRANSFORMATION,),
    ("has no action", {}, {"action": "ADD"}, "action", "unknown-field"),
    ("inputs and outputs, without transformationID", {"transformationID": None, "inputEPCList": None,
     "outputQuantityList": None}, {"transformationID": None, "outputEPCList": None, "outputQuantityList": None}, "",
     "no-object"),
    ("outputs alone need transformationID", {**_NONE_OF_FOUR, "outputEPCList": [PACK + "B1"]},
     {**_NONE_OF_FOUR, "outputEPCList": [PACK + "B1"], "transformationID": None}, "", "no-object"),
    ("transformationID needs one of the four", {**_NONE_OF_FOUR, "inputQuantityList": [{"epcClass": LOT}]},
     _NONE_OF_FOUR, "", "no-object"),
    ("empty lists are none", {}, {**_EMPTY_FOUR, "transformationID": URI}, "", "no-object"),
    ("has no parentID", {}, {"parentID": CASE}, "parentID", "unknown-field"),
    ("has no epcList", {}, {"epcList": []}, "epcList", "unknown-field"),
)  # fmt: skip

_OWN = _rows(
    (OWN,),
    ("a type of one's own is a URI or a CURIE", {"type": URI}, {"type": "Stocktake"}, "type", "event-type"),
    ("its prefix is declared", {"type": "ours:Recount"}, {"type": "theirs:Stocktake"}, "type", "event-type"),
    ("type must be there", {}, {"type": None}, "type", "event-type"),
    ("a type ends", {"type": "ours:" + "x" * 123}, {"type": "ours:" + "x" * 124}, "type", "length"),
    ("needs the two times only", {"bizStep": None, "ours:found": None}, {"found": 1}, "found", "unknown-field"),
)


def _in(path: str, member: Any) -> Members:
    """`member` at the end of a path such as sourceList/0, as members of an event."""
    *steps, name = path.split("/")
    value = [member] if name == "0" else {name: member}
    for step in reversed(steps):
        value = [value] if step == "0" else {step: value}
    return value  # type: ignore[return-value]


def _part(path: str, *rows: tuple[str, Members, Members, str, str]) -> list[Rule]:
    """Rules of an object within the object event."""
    return [
        Rule(f"{path}: {says}", OBJECT, _in(path, good), _in(path, bad), f"{path}/{field}".rstrip("/"), code)
        for says, good, bad, field, code in rows
    ]


_CLASS = {"epcClass": LOT}
_PARTS = [
    *_part(
        "quantityList/0",
        ("epcClass must be there", _CLASS, {"quantity": 1}, "epcClass", "missing"),
        ("epcClass is an identifier", {"epcClass": URI}, {"epcClass": "pills"}, "epcClass", "uri"),
        ("quantity is a number", {**_CLASS, "quantity": 0.5}, {**_CLASS, "quantity": "1"}, "quantity", "type"),
        ("uom is two or three of A-Z, 0-9", {**_CLASS, "uom": "P1"}, {**_CLASS, "uom": "kgm"}, "uom", "uom"),
        ("is closed", _CLASS, {**_CLASS, "ours:x": 1}, "ours:x", "unknown-field"),
    ),
    *_part(
        "bizTransactionList/0",
        ("bizTransaction must be there, type need not", {"bizTransaction": URI}, {"type": "po"}, "bizTransaction",
         "missing"),
        ("bizTransaction is a URI", {"bizTransaction": URI}, {"bizTransaction": "order 7"}, "bizTransaction", "uri"),
        ("type is a term", {"bizTransaction": URI, "type": "po"}, {"bizTransaction": URI, "type": "order"}, "type",
         "unknown-term"),
        ("is closed", {"bizTransaction": URI}, {"bizTransaction": URI, "ours:x": 1}, "ours:x", "unknown-field"),
    ),
    *[
        rule
        for name in ("source", "destination")
        for rule in _part(
            f"{name}List/0",
            ("type must be there", {"type": "location", name: GLN}, {name: GLN}, "type", "missing"),
            (f"{name} must be there", {"type": "location", name: GLN}, {"type": "location"}, name, "missing"),
            ("type is a term", {"type": "ours:t", name: GLN}, {"type": "owner", name: GLN}, "type", "unknown-term"),
            (f"{name} is an identifier", {"type": "location", name: URI}, {"type": "location", name: "us"}, name,
             "uri"),
            ("is closed", {"type": "location", name: GLN}, {"type": "location", name: GLN, "ours:x": 1}, "ours:x",
             "unknown-field"),
        )
    ],
    *[
        rule
        for name in ("readPoint", "bizLocation")
        for rule in _part(
            name,
            ("id must be there", {"id": GLN}, {"ours:dock": 1}, "id", "missing"),
            ("id is an identifier", {"id": URI}, {"id": "the dock"}, "id", "uri"),
            ("is open to extensions", {"id": GLN, "ours:dock": 1}, {"id": GLN, "dock": 1}, "dock", "unknown-field"),
        )
    ],
    *_part(
        "persistentDisposition",
        ("set has each word once", {"set": ["active"]}, {"set": ["active", "active"]}, "set", "duplicate"),
        ("unset has each word once", {"unset": ["active"]}, {"unset": ["active", "active"]}, "unset", "duplicate"),
        ("set holds terms", {"set": ["ours:calm"]}, {"set": ["calm"]}, "set/0", "unknown-term"),
        ("unset holds terms", {"unset": ["ours:calm"]}, {"unset": ["calm"]}, "unset/0", "unknown-term"),
        ("set is not empty", {"set": ["active"]}, {"set": [], "unset": ["active"]}, "set", "empty"),
        ("unset is not empty", {"unset": ["active"]}, {"unset": [], "set": ["active"]}, "unset", "empty"),
        ("is closed", {"set": ["active"]}, {"set": ["active"], "ours:x": 1}, "ours:x", "unknown-field"),
    ),
    *_part(
        "errorDeclaration",
        ("declarationTime must be there", {"declarationTime": TIME}, {"reason": "incorrect_data"}, "declarationTime",
         "missing"),
        ("declarationTime has a zone", {"declarationTime": TIME}, {"declarationTime": TIME[:19]}, "declarationTime",
         "date-time"),
        ("reason is a term", {"declarationTime": TIME, "reason": "ours:r"}, {"declarationTime": TIME, "reason": "typo"},
         "reason", "unknown-term"),
        ("correctiveEventIDs are URIs", {"declarationTime": TIME, "correctiveEventIDs": [URI]},
         {"declarationTime": TIME, "correctiveEventIDs": ["the next"]}, "correctiveEventIDs/0", "uri"),
        ("is open to extensions", {"declarationTime": TIME, "ours:x": 1}, {"declarationTime": TIME, "x": 1}, "x",
         "unknown-field"),
    ),
]  # fmt: skip

# What holds for values wherever they stand.
_VALUES = _rows(
    (OBJECT,),
    ("a text is not empty", {"eventID": "urn:x:y"}, {"eventID": ""}, "eventID", "length"),
    ("a text has no NUL", {"eventID": "urn:x:y"}, {"eventID": "urn:x:\0"}, "eventID", "control-character"),
    ("a text ends", {"eventID": "urn:x:" + "y" * 506}, {"eventID": "urn:x:" + "y" * 507}, "eventID", "length"),
    ("a URI ends", {"certificationInfo": "urn:x:" + "y" * 1018}, {"certificationInfo": "urn:x:" + "y" * 1019},
     "certificationInfo", "length"),
    ("an identifier ends", {"epcList": ["urn:x:" + "y" * 1018]}, {"epcList": ["urn:x:" + "y" * 1019]}, "epcList/0",
     "length"),
    ("so do the parts of a GS1 identifier", {"epcList": ["urn:epc:id:giai:4000001." + "%2F" * 23]},
     {"epcList": ["urn:epc:id:giai:4000001." + "%2F" * 24]}, "epcList/0", "gs1-format"),
    ("a check digit is right", {"epcList": [PACK + "A"]}, {"epcList": [PACK.replace("345/", "346/") + "A"]},
     "epcList/0", "gs1-check-digit"),
    ("an EPC URN has its parts", {"epcList": ["urn:epc:id:gid:951.12.4"]}, {"epcList": ["urn:epc:id:sgtin:0614141.1"]},
     "epcList/0", "gs1-urn-format"),
    ("a number is finite", _in("quantityList/0", {"epcClass": LOT, "quantity": 0}),
     {"sensorElementList": [{"sensorReport": [{"type": "Temperature", "value": float("inf")}]}]},
     "sensorElementList/0/sensorReport/0/value", "number"),
    ("an amount is not negative", _in("quantityList/0", {"epcClass": LOT, "quantity": 1e15}),
     _in("quantityList/0", {"epcClass": LOT, "quantity": -1}), "quantityList/0/quantity", "quantity"),
    ("an amount is a number", _in("quantityList/0", {"epcClass": LOT, "quantity": 1}),
     _in("quantityList/0", {"epcClass": LOT, "quantity": True}), "quantityList/0/quantity", "type"),
    ("a date is a date", {"ilmd": {"cbvmda:itemExpirationDate": "2028-02-29T00:00:00Z"}},
     {"ilmd": {"cbvmda:itemExpirationDate": "2028-02-29x"}}, "ilmd/cbvmda:itemExpirationDate", "date"),
    ("JSON has no URNs of CBV", {"bizStep": "https://ref.gs1.org/cbv/BizStep-holding"},
     {"bizStep": "urn:epcglobal:cbv:bizstep:holding"}, "bizStep", "cbv-urn"),
    ("no URI of CBV for a word that it does not have", {"bizStep": "cbv:BizStep-holding"},
     {"bizStep": "https://ref.gs1.org/cbv/BizStep-transforming"}, "bizStep", "unknown-term"),
    ("persistent dispositions are few", {"persistentDisposition": {"set": [f"ours:{n}" for n in range(10)]}},
     {"persistentDisposition": {"set": [f"ours:{n}" for n in range(11)]}}, "persistentDisposition/set", "length"),
    ("a context is an address or prefixes", {"@context": []}, {"@context": [7]}, "@context", "context"),
    ("a context from elsewhere is not fetched", {"@context": [CONTEXT]}, {"@context": [URI]}, "@context",
     "context-unknown"),
    ("members of the standard are not renamed", {"@context": {"@version": 1.1}}, {"@context": {"bizStep": URI}},
     "@context/bizStep", "context"),
)  # fmt: skip

_REPORT = {"type": "Temperature"}
_SENSORS = [
    *_part(
        "sensorElementList/0",
        ("sensorReport must be there", {"sensorReport": [_REPORT]}, {"sensorMetadata": {}}, "sensorReport", "missing"),
        ("sensorReport has one or more", {"sensorReport": [_REPORT]}, {"sensorReport": []}, "sensorReport", "empty"),
        ("sensorMetadata is an object", {"sensorReport": [_REPORT], "sensorMetadata": {}},
         {"sensorReport": [_REPORT], "sensorMetadata": []}, "sensorMetadata", "type"),
        ("is open to extensions", {"sensorReport": [_REPORT], "ours:x": 1}, {"sensorReport": [_REPORT], "x": 1}, "x",
         "unknown-field"),
        ("startTime and endTime go together",
         {"sensorMetadata": {"startTime": TIME, "endTime": TIME}, "sensorReport": [_REPORT]},
         {"sensorMetadata": {"startTime": TIME}, "sensorReport": [_REPORT]}, "sensorMetadata", "sensor-time"),
        ("endTime and startTime go together",
         {"sensorMetadata": {"startTime": TIME, "endTime": TIME}, "sensorReport": [_REPORT]},
         {"sensorMetadata": {"endTime": TIME}, "sensorReport": [_REPORT]}, "sensorMetadata", "sensor-time"),
    ),
    *[
        Rule(f"sensorMetadata: {name} has its form", OBJECT,
             {"sensorElementList": [{"sensorMetadata": {**other, name: good}, "sensorReport": [_REPORT]}]},
             {"sensorElementList": [{"sensorMetadata": {**other, name: bad}, "sensorReport": [_REPORT]}]},
             f"sensorElementList/0/sensorMetadata/{name}", code)
        for name, other, good, bad, code in (
            ("time", {}, TIME, TIME[:10], "date-time"),
            ("startTime", {"endTime": TIME}, TIME, TIME[:10], "date-time"),
            ("endTime", {"startTime": TIME}, TIME, TIME[:10], "date-time"),
            ("deviceID", {}, URI, "logger 7", "uri"),
            ("deviceMetadata", {}, URI, "logger 7", "uri"),
            ("rawData", {}, URI, "raw data", "uri"),
            ("dataProcessingMethod", {}, URI, "by hand", "uri"),
            ("bizRules", {}, URI, "by hand", "uri"),
            ("ours:x", {}, 1, {"theirs:y": 1}, "prefix-undeclared"),
        )
    ],
    *_part(
        "sensorElementList/0/sensorReport/0",
        ("type must be there, or exception", {"exception": "ERROR_CONDITION"}, {"value": 1}, "", "missing"),
        *(
            (f"{name} has its form", {**_REPORT, name: good}, {**_REPORT, name: bad}, name, code)
            for name, good, bad, code in (
                ("type", "ours:Taste", "Taste", "unknown-term"),
                ("exception", "gs1:ALARM_CONDITION", "gs1:ALARM", "unknown-term"),
                ("deviceID", URI, "logger 7", "uri"),
                ("deviceMetadata", URI, "logger 7", "uri"),
                ("rawData", URI, "raw data", "uri"),
                ("dataProcessingMethod", URI, "by hand", "uri"),
                ("bizRules", URI, "by hand", "uri"),
                ("time", TIME, TIME[:10], "date-time"),
                ("microorganism", URI, "E. coli", "uri"),
                ("chemicalSubstance", URI, "table salt", "uri"),
                ("coordinateReferenceSystem", URI, "WGS 84", "uri"),
                ("component", "ours:w", "w", "unknown-term"),
                ("stringValue", "warm", 5, "type"),
                ("booleanValue", True, 1, "type"),
                ("hexBinaryValue", "f0A1", "fz", "hexadecimal"),
                ("uriValue", URI, "see there", "uri"),
                ("uom", "CEL", "celsius", "uom"),
                ("value", -1.5, "5", "type"),
                ("minValue", -1.5, True, "type"),
                ("maxValue", -1.5, "5", "type"),
                ("meanValue", -1.5, "5", "type"),
                ("sDev", 0.5, "5", "type"),
                ("percRank", 50, "5", "type"),
                ("percValue", 5, "5", "type"),
                ("ours:x", 1, {"theirs:y": 1}, "prefix-undeclared"),
            )
        ),
    ),
]  # fmt: skip


def _sensed(metadata: Members, report: Members) -> Members:
    return {"sensorElementList": [{"sensorMetadata": metadata, "sensorReport": [{**_REPORT, **report}]}]}


_AT_METADATA, _AT_REPORT = "sensorElementList/0/sensorMetadata", "sensorElementList/0/sensorReport/0"
_VOID = {"declarationTime": TIME, "reason": "did_not_occur"}
_COMPLIANT = [
    *_rows(
        ALL,
        ("bizStep must be there", {}, {"bizStep": None}, "bizStep", "missing"),
        ("bizStep is a word of CBV", {"bizStep": "holding"}, {"bizStep": "ours:blessing"}, "bizStep", "custom-term"),
        ("disposition is a word of CBV", {"disposition": "active"}, {"disposition": "ours:x"}, "disposition",
         "custom-term"),
        ("what did not occur has no correctiveEventIDs",
         {"errorDeclaration": {**_VOID, "reason": "incorrect_data", "correctiveEventIDs": [URI]}},
         {"errorDeclaration": {**_VOID, "correctiveEventIDs": [URI]}}, "errorDeclaration/correctiveEventIDs",
         "corrective-ids"),
        compliant=True,
    ),
    *_rows(
        (OBJECT,),
        ("so in the longer spelling", {"errorDeclaration": {**_VOID, "correctiveEventIDs": []}},
         {"errorDeclaration": {**_VOID, "reason": "https://ref.gs1.org/cbv/ER-did_not_occur",
                               "correctiveEventIDs": [URI]}}, "errorDeclaration/correctiveEventIDs", "corrective-ids"),
        ("the measurement type is a word of CBV", _sensed({}, {"type": "gs1:DoseEquivalent"}),
         _sensed({}, {"type": "EffectiveDose"}), f"{_AT_REPORT}/type", "custom-term"),
        ("sensor time excludes startTime and endTime", _sensed({"time": TIME}, {}),
         _sensed({"time": TIME, "startTime": TIME, "endTime": TIME}, {}), _AT_METADATA, "sensor-time"),
        *(
            (f"sensorMetadata: {name} is not later than eventTime",
             _sensed({**other, name: "2026-03-01T12:00:00.250+08:00"}, {}), _sensed({**other, name: LATER}, {}),
             _AT_METADATA, "sensor-time")
            for name, other in (("time", {}), ("startTime", {"endTime": TIME}), ("endTime", {"startTime": TIME}))
        ),
        ("sensorReport: time is not later than eventTime", _sensed({}, {"time": TIME}), _sensed({}, {"time": LATER}),
         _AT_REPORT, "sensor-time"),
        *(
            (f"value excludes {name}", _sensed({}, {name: 5}), _sensed({}, {"value": 5, name: 5}), _AT_REPORT,
             "sensor-value")
            for name in ("minValue", "maxValue", "meanValue", "sDev", "percRank", "percValue")
        ),
        *(
            (f"{name} stands in metadata or in the report, not in both", _sensed({name: value}, {}),
             _sensed({name: value}, {name: value}), f"{_AT_REPORT}/{name}", "sensor-twice")
            for name, value in (("deviceID", URI), ("deviceMetadata", URI), ("rawData", URI),
                                ("dataProcessingMethod", URI), ("time", TIME))
        ),
        compliant=True,
    ),
]  # fmt: skip

RULES: list[Rule] = [
    *_COMMON,
    *_WHAT_EVERY_TYPE_HAS,
    *_ACTION,
    *_LISTS,
    *_OBJECT,
    *_FAMILY,
    *_TRANSACTION,
    *_TRANSFORMATION,
    *_OWN,
    *_PARTS,
    *_VALUES,
    *_SENSORS,
    *_COMPLIANT,
]


def _header(*elements: Any) -> Members:
    vocabulary = {"type": "urn:epcglobal:epcis:vtype:Location", "vocabularyElementList": list(elements)}
    return {"epcisHeader": {"epcisMasterData": {"vocabularyList": [vocabulary]}}}


def _header_with(part: str, more: Members) -> Members:
    """A header with members added to one of its parts."""
    parts = {"attribute": {"id": URI}, "vocabularyElement": {"id": GLN}, "vocabulary": {"type": URI}}
    own = {name: {**members, **(more if name == part else {})} for name, members in parts.items()}
    element = {**own["vocabularyElement"], "attributes": [own["attribute"]]}
    master = {"vocabularyList": [{**own["vocabulary"], "vocabularyElementList": [element]}]}
    master |= more if part == "epcisMasterData" else {}
    return {"epcisHeader": {"epcisMasterData": master, **(more if part == "epcisHeader" else {})}}


def _results(**members: Any) -> Members:
    results = {"queryName": "SimpleEventQuery", "resultsBody": {"eventList": []}, **members}
    return {"type": "EPCISQueryDocument", "epcisBody": {"queryResults": without_none(results)}}


def without_none(members: Members) -> Members:
    """The members that are there."""
    return {name: value for name, value in members.items() if value is not None}


_MASTER, _QUERY = "/epcisHeader/epcisMasterData/vocabularyList", "/epcisBody/queryResults"
_ELEMENT = f"{_MASTER}/0/vocabularyElementList/0"
# Of a document: the sentence, members that pass, members that are refused, pointer and code.
DocumentRule = tuple[str, Members, Members, str, str]
_BOTH_KINDS: list[DocumentRule] = [
    ("@context must be there", {}, {"@context": None}, "/@context", "context-missing"),
    ("@context names that of EPCIS", {"@context": "https://gs1.github.io/EPCIS/epcis-context.jsonld"},
     {"@context": {"ours": URI}}, "/@context", "context-missing"),
    ("no other is fetched", {"@context": [CONTEXT]}, {"@context": [CONTEXT, URI]}, "/@context", "context-unknown"),
    ("a prefix of EPCIS keeps its meaning", {"@context": [CONTEXT, {"ours": URI}]},
     {"@context": [CONTEXT, {"cbv": URI}]}, "/@context", "context-protected"),
    ("schemaVersion must be there", {}, {"schemaVersion": None}, "/schemaVersion", "missing"),
    ("schemaVersion is a text", {"schemaVersion": "2.0.1"}, {"schemaVersion": 2.0}, "/schemaVersion", "type"),
    ("schemaVersion is digits and dots", {"schemaVersion": "2"}, {"schemaVersion": "2.x"}, "/schemaVersion",
     "schema-version"),
    ("creationDate must be there", {}, {"creationDate": None}, "/creationDate", "missing"),
    ("creationDate has a zone", {"creationDate": TIME}, {"creationDate": TIME[:19]}, "/creationDate", "date-time"),
    ("epcisBody must be there", {}, {"epcisBody": None}, "/epcisBody", "missing"),
    ("id is a URI", {"id": URI}, {"id": "document 7"}, "/id", "uri"),
    ("instanceIdentifier is a text", {"instanceIdentifier": "7"}, {"instanceIdentifier": 7}, "/instanceIdentifier",
     "type"),
    ("sender is a text", {"sender": URI}, {"sender": [URI]}, "/sender", "type"),
    ("receiver is a text", {"receiver": URI}, {"receiver": [URI]}, "/receiver", "type"),
    ("a document is open to extensions", {"ours:x": 1}, {"x": 1}, "/x", "unknown-field"),
    ("epcisHeader is an object", {"epcisHeader": {}}, {"epcisHeader": []}, "/epcisHeader", "type"),
    ("epcisMasterData is an object", {"epcisHeader": {"epcisMasterData": {}}},
     {"epcisHeader": {"epcisMasterData": []}}, "/epcisHeader/epcisMasterData", "type"),
    ("vocabularyList is a list", _header(), {"epcisHeader": {"epcisMasterData": {"vocabularyList": {}}}}, _MASTER,
     "type"),
    ("a vocabulary has a type", _header(), {"epcisHeader": {"epcisMasterData": {"vocabularyList": [{}]}}},
     f"{_MASTER}/0/type", "missing"),
    ("the type is a URI or a bare name",
     {"epcisHeader": {"epcisMasterData": {"vocabularyList": [{"type": "Location"}]}}},
     {"epcisHeader": {"epcisMasterData": {"vocabularyList": [{"type": "a place"}]}}}, f"{_MASTER}/0/type", "uri"),
    ("vocabularyElementList is a list", _header(),
     {"epcisHeader": {"epcisMasterData": {"vocabularyList": [{"type": URI, "vocabularyElementList": {}}]}}},
     f"{_MASTER}/0/vocabularyElementList", "type"),
    ("an element has an id", _header({"id": GLN}), _header({}), f"{_ELEMENT}/id", "missing"),
    ("the id is an identifier", _header({"id": GLN}), _header({"id": "here"}), f"{_ELEMENT}/id", "uri"),
    ("attributes are a list", _header({"id": GLN, "attributes": []}), _header({"id": GLN, "attributes": {}}),
     f"{_ELEMENT}/attributes", "type"),
    ("an attribute has an id", _header({"id": GLN, "attributes": [{"id": URI, "attribute": "x"}]}),
     _header({"id": GLN, "attributes": [{"attribute": "x"}]}), f"{_ELEMENT}/attributes/0/id", "missing"),
    ("the id is a URI", _header({"id": GLN, "attributes": [{"id": "cbvmda:name"}]}),
     _header({"id": GLN, "attributes": [{"id": "the name"}]}), f"{_ELEMENT}/attributes/0/id", "uri"),
    ("what it says has no NUL", _header({"id": GLN, "attributes": [{"id": URI, "attribute": {"ours:x": 1}}]}),
     _header({"id": GLN, "attributes": [{"id": URI, "attribute": "\0"}]}), f"{_ELEMENT}/attributes/0/attribute",
     "control-character"),
    ("children are identifiers", _header({"id": GLN, "children": [GLN]}), _header({"id": GLN, "children": ["here"]}),
     f"{_ELEMENT}/children/0", "uri"),
    *(
        (f"{name} is open to extensions", _header_with(name, {"ours:x": 1}), _header_with(name, {"x": 1}),
         f"{pointer}/x", "unknown-field")
        for name, pointer in (
            ("epcisHeader", "/epcisHeader"),
            ("epcisMasterData", "/epcisHeader/epcisMasterData"),
            ("vocabulary", f"{_MASTER}/0"),
            ("vocabularyElement", _ELEMENT),
            ("attribute", f"{_ELEMENT}/attributes/0"),
        )
    ),
]  # fmt: skip
_ONE_KIND: list[DocumentRule] = [
    ("type must be there", {}, {"type": None}, "/type", "missing"),
    ("type is that of a document", {}, {"type": "EPCISdocument"}, "/type", "document-type"),
    ("epcisBody has an event list, empty or not", {"epcisBody": {"eventList": []}}, {"epcisBody": {}},
     "/epcisBody/eventList", "missing"),
    ("eventList is a list", {"epcisBody": {"eventList": []}}, {"epcisBody": {"eventList": {}}}, "/epcisBody/eventList",
     "type"),
    ("epcisBody is closed", {"epcisBody": {"eventList": []}}, {"epcisBody": {"eventList": [], "ours:x": 1}},
     "/epcisBody/ours:x", "unknown-field"),
    ("a query document has queryResults", _results(), {"type": "EPCISQueryDocument", "epcisBody": {}}, _QUERY,
     "missing"),
    ("queryName must be there", _results(), _results(queryName=None), f"{_QUERY}/queryName", "missing"),
    ("queryName is a text", _results(queryName="ours"), _results(queryName=1), f"{_QUERY}/queryName", "type"),
    ("subscriptionID is a text", _results(subscriptionID="1"), _results(subscriptionID=1), f"{_QUERY}/subscriptionID",
     "type"),
    ("resultsBody must be there", _results(), _results(resultsBody=None), f"{_QUERY}/resultsBody", "missing"),
    ("it has an event list", _results(), _results(resultsBody={}), f"{_QUERY}/resultsBody/eventList", "missing"),
    ("which is a list", _results(), _results(resultsBody={"eventList": {}}), f"{_QUERY}/resultsBody/eventList", "type"),
    ("an event is an object", {"epcisBody": {"eventList": []}}, {"epcisBody": {"eventList": [7]}},
     "/epcisBody/eventList/0", "type"),
    ("queryResults is open to extensions", _results(**{"ours:x": 1}), _results(x=1), f"{_QUERY}/x", "unknown-field"),
    ("resultsBody is closed", _results(), _results(resultsBody={"eventList": [], "ours:x": 1}),
     f"{_QUERY}/resultsBody/ours:x", "unknown-field"),
    ("epcisBody of a query document is closed", _results(),
     {"type": "EPCISQueryDocument", "epcisBody": {**_results()["epcisBody"], "ours:x": 1}}, "/epcisBody/ours:x",
     "unknown-field"),
]  # fmt: skip
DOCUMENT_RULES: list[DocumentRule] = [
    *_BOTH_KINDS,
    *((f"{says}, in a query document", {**_results(), **good}, {**_results(), **bad}, pointer, code)
      for says, good, bad, pointer, code in _BOTH_KINDS),
    *_ONE_KIND,
]  # fmt: skip
