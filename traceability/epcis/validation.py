"""Our own validator of EPCIS 2.0 documents and events in JSON (EPCIS 2.0 sections 7 and 10, CBV 2.0).

It collects every fault with the event's place, a JSON pointer, a stable code and plain words, takes any JSON value
without raising, and includes the rules that the published schemas leave out.
"""

from collections.abc import Mapping
from typing import Any

from . import context, values
from .faults import Fault, Faults
from .shapes import EVENTS, EXTENDED
from .values import Scope

DOCUMENTS = ("EPCISDocument", "EPCISQueryDocument")
_STATISTICS = ("minValue", "maxValue", "meanValue", "sDev", "percRank", "percValue")
_ONCE = ("deviceID", "deviceMetadata", "rawData", "dataProcessingMethod", "time")


def validate_document(document: Any, *, cbv_compliant: bool = False) -> list[Fault]:
    """All faults of an EPCISDocument or EPCISQueryDocument; an empty list means valid."""
    faults = Faults()
    scope = Scope(faults, set(context.PREFIXES), cbv_compliant=cbv_compliant)
    if not values.is_object(document, scope):
        return faults.found
    _check_envelope(document, scope)
    scope.prefixes |= set(_check_context(document.get("@context"), scope, required=True))
    events = _event_list(document, scope)
    for index, event in enumerate(events or []):
        faults.event_index = index
        with faults.at(*_list_path(document), index):
            _check_event(event, scope)
    return faults.found


def validate_event(event: Any, *, cbv_compliant: bool = False) -> list[Fault]:
    """All faults of one bare event, which must carry its own `@context`."""
    faults = Faults()
    faults.event_index = 0
    scope = Scope(faults, set(context.PREFIXES), cbv_compliant=cbv_compliant)
    if not values.is_object(event, scope):
        return faults.found
    if "@context" not in event:
        with faults.at("@context"):
            scope.add("missing", "an event that is sent alone needs its own @context")
    _check_event(event, scope)
    return faults.found


def _check_envelope(document: Mapping[str, Any], scope: Scope) -> None:
    faults = scope.faults
    if document.get("type") not in DOCUMENTS:
        with faults.at("type"):
            scope.add("document-type", f"must be {' or '.join(DOCUMENTS)}")
    for name in ("schemaVersion", "creationDate"):
        with faults.at(name):
            if name not in document:
                scope.add("missing", f"the document needs {name}")
            elif name == "creationDate":
                values.time(document[name], scope)
            elif values.is_text(document[name], scope) and not _is_version(document[name]):
                scope.add("schema-version", "must be a version such as 2.0")


def _check_context(value: Any, scope: Scope, *, required: bool) -> dict[str, str]:
    with scope.faults.at("@context"):
        if required and not context.parts(value):
            scope.add("missing", "needs the EPCIS context")
        for part in context.parts(value):
            if isinstance(part, str):
                values.uri(part, scope)
            elif not isinstance(part, dict) or not all(isinstance(uri, str) for uri in part.values()):
                scope.add("context", "must be context addresses and objects of prefix to URI")
        for prefix in context.redefined(value):
            scope.add("context-protected", f"the prefix {prefix!r} has its meaning from the EPCIS context")
    return context.declared(value)


def _list_path(document: Mapping[str, Any]) -> tuple[str, ...]:
    if document.get("type") == "EPCISQueryDocument":
        return ("epcisBody", "queryResults", "resultsBody", "eventList")
    return ("epcisBody", "eventList")


def _event_list(document: Mapping[str, Any], scope: Scope) -> list[Any] | None:
    value: Any = document
    path = _list_path(document)
    for depth, name in enumerate(path):
        if not isinstance(value, dict) or name not in value:
            with scope.faults.at(*path[: depth + 1]):
                scope.add("missing", f"the document needs {name}")
            return None
        value = value[name]
    if not isinstance(value, list):
        with scope.faults.at(*path):
            scope.add("type", "must be a list")
        return None
    return value


def _check_event(event: Any, outer: Scope) -> None:
    faults = outer.faults
    if not values.is_object(event, outer):
        return
    own = _check_context(event.get("@context"), outer, required=False)
    scope = Scope(faults, outer.prefixes | set(own), cbv_compliant=outer.cbv_compliant)
    kind = event.get("type")
    if not isinstance(kind, str):
        with faults.at("type"):
            scope.add("event-type", "an event needs a type")
        return
    shape = EVENTS.get(kind)
    if shape is None:
        if not values.is_declared_name(kind, scope):
            with faults.at("type"):
                scope.add("event-type", f"{kind[:80]!r} is not an event type; one of your own must be a URI or CURIE")
            return
        EXTENDED(event, scope)
        return
    shape(event, scope)
    _check_content(kind, event, scope)
    _check_compliance(event, scope)
    _check_sensors(event, scope)


def _check_content(kind: str, event: Mapping[str, Any], scope: Scope) -> None:
    """The rules between members: what each type must be about."""
    deletes = event.get("action") == "DELETE"
    if kind == "ObjectEvent":
        sensed = bool(event.get("sensorElementList")) and "readPoint" in event
        if not ("epcList" in event or event.get("quantityList") or sensed):
            scope.add("no-object", "needs epcList or quantityList, or sensorElementList with readPoint")
        if "ilmd" in event and event.get("action") != "ADD":
            with scope.faults.at("ilmd"):
                scope.add("ilmd-action", "ilmd is for action ADD only")
    elif kind in {"AggregationEvent", "AssociationEvent"}:
        if not (event.get("childEPCs") or event.get("childQuantityList") or deletes):
            scope.add("no-object", "needs childEPCs or childQuantityList unless the action is DELETE")
        if kind == "AggregationEvent" and "parentID" not in event and event.get("action") in {"ADD", "DELETE"}:
            scope.add("missing", "AggregationEvent needs parentID for ADD and DELETE")
    elif kind == "TransactionEvent":
        if not ("epcList" in event or event.get("quantityList") or deletes):
            scope.add("no-object", "needs epcList or quantityList unless the action is DELETE")
    else:
        given = bool(event.get("inputEPCList") or event.get("inputQuantityList"))
        made = bool(event.get("outputEPCList") or event.get("outputQuantityList"))
        if not ((given and made) or ("transformationID" in event and (given or made))):
            scope.add("no-object", "needs inputs and outputs, or a transformationID with one of them")
    persistent = event.get("persistentDisposition")
    if isinstance(persistent, dict) and not (persistent.get("set") or persistent.get("unset")):
        with scope.faults.at("persistentDisposition"):
            scope.add("missing", "needs set or unset")


def _check_compliance(event: Mapping[str, Any], scope: Scope) -> None:
    if not scope.cbv_compliant:
        return
    if "bizStep" not in event:
        scope.add("missing", "this party's events need a bizStep of CBV")
    declaration = event.get("errorDeclaration")
    if isinstance(declaration, dict) and declaration.get("correctiveEventIDs"):
        reason = declaration.get("reason")
        if isinstance(reason, str) and reason.endswith("did_not_occur"):
            with scope.faults.at("errorDeclaration", "correctiveEventIDs"):
                scope.add("corrective-ids", "an event that did not occur has no corrective events")


# The exclusions of times, values and repeated attributes in a sensor element were proposed and deferred by the group
# (gs1/EPCIS#255), and documents in circulation break them: they bind parties that are set CBV-compliant.
def _check_sensors(event: Mapping[str, Any], scope: Scope) -> None:
    elements = event.get("sensorElementList")
    for place, element in enumerate(elements if isinstance(elements, list) else []):
        if not isinstance(element, dict):
            continue
        with scope.faults.at("sensorElementList", place):
            metadata = element.get("sensorMetadata")
            metadata = metadata if isinstance(metadata, dict) else {}
            if scope.cbv_compliant:
                _check_sensor_times(metadata, scope)
            reports = element.get("sensorReport")
            for number, report in enumerate(reports if isinstance(reports, list) else []):
                if isinstance(report, dict):
                    with scope.faults.at("sensorReport", number):
                        _check_report(report, metadata, scope)


def _check_sensor_times(metadata: Mapping[str, Any], scope: Scope) -> None:
    spans = [name for name in ("startTime", "endTime") if name in metadata]
    with scope.faults.at("sensorMetadata"):
        if "time" in metadata and spans:
            scope.add("sensor-time", "has either time, or startTime and endTime")
        if len(spans) == 1:
            scope.add("sensor-time", "startTime and endTime go together")


def _check_report(report: Mapping[str, Any], metadata: Mapping[str, Any], scope: Scope) -> None:
    if "type" not in report and "exception" not in report:
        scope.add("missing", "a sensor report needs a type, or an exception")
    if scope.cbv_compliant and "value" in report and any(name in report for name in _STATISTICS):
        scope.add("sensor-value", "has either value, or statistics (minValue, maxValue, meanValue, …)")
    for name in _ONCE:
        if scope.cbv_compliant and name in report and name in metadata:
            with scope.faults.at(name):
                scope.add("sensor-twice", f"{name} stands in sensorMetadata already")


def _is_version(value: str) -> bool:
    return all(part.isdigit() for part in value.split("."))
