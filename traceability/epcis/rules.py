"""Rules between the members of an event, most of which no published schema states (EPCIS 2.0 section 7.4; CBV 2.0)."""

from collections.abc import Mapping
from typing import Any

from . import values
from .times import time_ms
from .values import Scope
from .vocabulary import ERROR_REASON

_STATISTICS = ("minValue", "maxValue", "meanValue", "sDev", "percRank", "percValue")
_ONCE = ("deviceID", "deviceMetadata", "rawData", "dataProcessingMethod", "time")


def check_content(kind: str, event: Mapping[str, Any], scope: Scope) -> None:
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
        if kind == "AggregationEvent" and "parentID" not in event and event.get("action") in ("ADD", "DELETE"):
            with scope.faults.at("parentID"):
                scope.add("missing", "AggregationEvent needs parentID for ADD and DELETE")
    elif kind == "TransactionEvent":
        if not ("epcList" in event or event.get("quantityList") or deletes):
            scope.add("no-object", "needs epcList or quantityList unless the action is DELETE")
    else:
        given = bool(event.get("inputEPCList") or event.get("inputQuantityList"))
        made = bool(event.get("outputEPCList") or event.get("outputQuantityList"))
        if not ((given and made) or ("transformationID" in event and (given or made))):
            scope.add("no-object", "needs inputs and outputs, or a transformationID with one of them")


def check_persistent(event: Mapping[str, Any], scope: Scope) -> None:
    persistent = event.get("persistentDisposition")
    if isinstance(persistent, dict) and not (persistent.get("set") or persistent.get("unset")):
        with scope.faults.at("persistentDisposition"):
            scope.add("empty", "needs set or unset")


def check_compliance(event: Mapping[str, Any], scope: Scope) -> None:
    if not scope.cbv_compliant:
        return
    if "bizStep" not in event:
        with scope.faults.at("bizStep"):
            scope.add("missing", "this party's events need a bizStep of CBV")
    declaration = event.get("errorDeclaration")
    if isinstance(declaration, dict) and declaration.get("correctiveEventIDs"):
        reason = declaration.get("reason")
        if isinstance(reason, str) and ERROR_REASON.bare(reason) == "did_not_occur":
            with scope.faults.at("errorDeclaration", "correctiveEventIDs"):
                scope.add("corrective-ids", "an event that did not occur has no corrective events")


# These were proposed and deferred by the group (gs1/EPCIS#255). What documents in circulation break (docs/api.md, "What
# an event must be") binds parties that are set CBV-compliant; that startTime and endTime go together binds everybody.
def check_sensors(event: Mapping[str, Any], scope: Scope) -> None:
    elements = event.get("sensorElementList")
    for place, element in enumerate(elements if isinstance(elements, list) else []):
        if not isinstance(element, dict):
            continue
        with scope.faults.at("sensorElementList", place):
            metadata = element.get("sensorMetadata")
            metadata = metadata if isinstance(metadata, dict) else {}
            _check_sensor_times(metadata, event.get("eventTime"), scope)
            reports = element.get("sensorReport")
            for number, report in enumerate(reports if isinstance(reports, list) else []):
                if isinstance(report, dict):
                    with scope.faults.at("sensorReport", number):
                        _check_report(report, metadata, scope)
                        _check_not_later(report, event.get("eventTime"), scope)


def _check_sensor_times(metadata: Mapping[str, Any], event_time: Any, scope: Scope) -> None:
    spans = [name for name in ("startTime", "endTime") if name in metadata]
    with scope.faults.at("sensorMetadata"):
        if len(spans) == 1:
            scope.add("sensor-time", "startTime and endTime go together")
        if scope.cbv_compliant and "time" in metadata and spans:
            scope.add("sensor-time", "has either time, or startTime and endTime")
        _check_not_later(metadata, event_time, scope)


def _check_not_later(sensed: Mapping[str, Any], event_time: Any, scope: Scope) -> None:
    times = [sensed[name] for name in ("time", "startTime", "endTime") if values.is_time(sensed.get(name))]
    if not (scope.cbv_compliant and values.is_time(event_time)):
        return
    if any(time_ms(time) > time_ms(event_time) for time in times):
        scope.add("sensor-time", "what a sensor observed must not lie after eventTime")


def _check_report(report: Mapping[str, Any], metadata: Mapping[str, Any], scope: Scope) -> None:
    if "type" not in report and "exception" not in report:
        scope.add("missing", "a sensor report needs a type, or an exception")
    if scope.cbv_compliant and "value" in report and any(name in report for name in _STATISTICS):
        scope.add("sensor-value", "has either value, or statistics (minValue, maxValue, meanValue, …)")
    for name in _ONCE:
        if scope.cbv_compliant and name in report and name in metadata:
            with scope.faults.at(name):
                scope.add("sensor-twice", f"{name} stands in sensorMetadata already")
