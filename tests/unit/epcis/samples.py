"""One rich and valid event of each type, made by hand from the standard's tables; tests alter copies of them."""

from copy import deepcopy
from typing import Any

CONTEXT = "https://ref.gs1.org/standards/epcis/epcis-context.jsonld"
PACK = "https://id.gs1.org/01/09521141012345/21/"
LOT = "urn:epc:class:lgtin:4012345.012345.998877"
CASE = "urn:epc:id:sscc:0614141.1234567890"

_WHEN = {"eventTime": "2026-03-01T12:00:00.250+08:00", "eventTimeZoneOffset": "+08:00"}
_WHERE = {
    "readPoint": {"id": "https://id.gs1.org/414/4012345000054", "ours:dock": 4},
    "bizLocation": {"id": "urn:epc:id:sgln:4012345.00005.0"},
}
_WHY = {
    "bizTransactionList": [{"type": "po", "bizTransaction": "urn:epc:id:gdti:0614141.00001.1618034"}],
    "sourceList": [{"type": "owning_party", "source": "urn:dosetrail:party:maker"}],
    "destinationList": [{"type": "owning_party", "destination": "https://id.gs1.org/417/4012345000054"}],
}
_SENSORS = {
    "sensorElementList": [
        {
            "sensorMetadata": {"time": "2026-03-01T11:59:00+08:00", "deviceID": "urn:epc:id:giai:4000001.111"},
            "sensorReport": [
                {"type": "Temperature", "value": 5.25, "uom": "CEL", "component": "x"},
                {"exception": "ALARM_CONDITION"},
            ],
        }
    ]
}

EVENTS: dict[str, dict[str, Any]] = {
    "ObjectEvent": {
        "type": "ObjectEvent",
        **_WHEN,
        "eventID": "urn:uuid:374d95fc-9457-4a51-bd6a-0bba133845a8",
        "certificationInfo": ["https://accreditation.example/certificate/1"],
        "action": "ADD",
        "bizStep": "commissioning",
        "disposition": "active",
        "epcList": [PACK + "A1", PACK + "A2"],
        "quantityList": [{"epcClass": LOT, "quantity": 2.5, "uom": "KGM"}],
        **_WHERE,
        **_WHY,
        **_SENSORS,
        "persistentDisposition": {"set": ["completeness_verified"], "unset": ["completeness_inferred"]},
        "ilmd": {"cbvmda:lotNumber": "998877", "cbvmda:itemExpirationDate": "2028-02-29"},
        "errorDeclaration": {
            "declarationTime": "2026-03-02T00:00:00Z",
            "reason": "incorrect_data",
            "correctiveEventIDs": ["urn:uuid:404d95fc-9457-4a51-bd6a-0bba133845a8"],
            "ours:why": "typed wrongly",
        },
        "ours:note": {"ours:list": [1, {"ours:deep": "x"}]},
    },
    "AggregationEvent": {
        "type": "AggregationEvent",
        **_WHEN,
        "action": "ADD",
        "bizStep": "packing",
        "parentID": CASE,
        "childEPCs": [PACK + "A1", PACK + "A2"],
        "childQuantityList": [{"epcClass": LOT, "quantity": 10}],
        **_WHERE,
    },
    "TransactionEvent": {
        "type": "TransactionEvent",
        **_WHEN,
        "action": "OBSERVE",
        "bizStep": "shipping",
        "parentID": CASE,
        "epcList": [PACK + "A1"],
        "quantityList": [{"epcClass": LOT}],
        **_WHY,
    },
    "AssociationEvent": {
        "type": "AssociationEvent",
        **_WHEN,
        "action": "ADD",
        "bizStep": "assembling",
        "parentID": "urn:epc:id:sgln:4012345.00005.0",
        "childEPCs": ["urn:epc:id:giai:4000001.111"],
    },
    "TransformationEvent": {
        "type": "TransformationEvent",
        **_WHEN,
        "bizStep": "repackaging",
        "inputEPCList": [PACK + "A1"],
        "inputQuantityList": [{"epcClass": LOT, "quantity": 3}],
        "outputEPCList": [PACK + "B1"],
        "outputQuantityList": [{"epcClass": PACK.removesuffix("/21/"), "quantity": 3}],
        "transformationID": "urn:epc:id:gdti:4012345.00009.PO-4711",
        "ilmd": {"cbvmda:lotNumber": "998878"},
    },
    "ours:Stocktake": {"type": "ours:Stocktake", **_WHEN, "ours:found": 12, "bizStep": "stock_taking"},
}


def event(kind: str, **members: Any) -> dict[str, Any]:
    """A copy of the sample, members replaced or added; None removes one."""
    found = {**deepcopy(EVENTS[kind]), **members}
    return {name: value for name, value in found.items() if value is not None}


def document(*events: Any, **members: Any) -> dict[str, Any]:
    """An EPCISDocument of these events."""
    found = {
        "@context": [CONTEXT, {"ours": "https://ours.example/ns/"}],
        "type": "EPCISDocument",
        "schemaVersion": "2.0",
        "creationDate": "2026-03-01T12:00:00Z",
        "epcisBody": {"eventList": list(events)},
        **members,
    }
    return {name: value for name, value in found.items() if value is not None}


def query_document(*events: Any) -> dict[str, Any]:
    """An EPCISQueryDocument of these events."""
    results = {"queryName": "SimpleEventQuery", "resultsBody": {"eventList": list(events)}}
    return document(type="EPCISQueryDocument", epcisBody={"queryResults": results})


def bare(kind: str, **members: Any) -> dict[str, Any]:
    """A bare event with a context of its own."""
    return {"@context": [CONTEXT, {"ours": "https://ours.example/ns/"}], **event(kind, **members)}
