"""The operations of the EPCIS 2.0 binding (EPCIS 2.0, section 12)."""

from collections.abc import Mapping

from rest_framework.views import APIView

from traceability.api import capture_views, epcis_base, event_views

from .build import Schema, ref, text
from .operation import JSON, Answer, Operation
from .parameters import ERROR_BEHAVIOUR, IDEMPOTENCY_KEY, PAGING

LD_JSON = "application/ld+json"
_DISCOVERY = ("GS1-EPCIS-Version", "GS1-CBV-Version", "GS1-Vendor-Version", "GS1-Capture-Error-Behaviour")
_LIMITS = ("GS1-EPCIS-Capture-Limit", "GS1-EPCIS-Capture-File-Size-Limit")
DISCOVERY = {name: name for name in (*_DISCOVERY, *_LIMITS)}
PAGED = {**DISCOVERY, "Link": "Link", "GS1-Next-Page-Token-Expires": "GS1-Next-Page-Token-Expires"}
WRITING = (400, 409, 413, 415, 503, 507)
_OF_CAPTURED = ("Dosetrail-State", "Dosetrail-Event-Hash", "Dosetrail-Statement-Hash")
_CAPTURE, _EVENTS = "EPCIS capture", "EPCIS query"


def in_json(schema: Schema) -> Mapping[str, Schema]:
    return {JSON: schema}


def _taken(schema: Schema) -> Mapping[str, Schema]:
    return {JSON: schema, LD_JSON: schema}


OPERATIONS: dict[tuple[type[APIView], str], Operation] = {
    (epcis_base.TopLevel, "GET"): Operation(
        "getTopLevel",
        _EVENTS,
        "What this server has",
        {200: Answer("The resources below this address.", in_json(ref("Collection")), DISCOVERY)},
    ),
    (capture_views.Capture, "POST"): Operation(
        "captureDocument",
        _CAPTURE,
        "Send a document of events",
        {202: Answer("Accepted as a job.", in_json(ref("Accepted")), {**DISCOVERY, "Location": "Location"})},
        "Every fault is named by event and JSON pointer, and nothing of a refused document is stored. Refused is what "
        "is malformed or not the caller's; never what contradicts other records: that becomes a finding. The same "
        "bytes again give the first job. A large document is answered at once and judged afterwards. XML 2.0 and 1.2 "
        "are taken as well.",
        WRITING,
        (ERROR_BEHAVIOUR,),
        _taken({"anyOf": [ref("EPCISDocument"), ref("EPCISQueryDocument")]}),
        links={"job": {"operationId": "getCaptureJob", "parameters": {"job_id": "$response.body#/captureID"}}},
    ),
    (capture_views.Capture, "GET"): Operation(
        "listCaptureJobs",
        _CAPTURE,
        "The caller's jobs, newest first",
        {200: Answer("A page of jobs.", in_json(ref("CaptureJobs")), PAGED)},
        refusals=(400,),
        parameters=PAGING,
    ),
    (capture_views.CaptureJobView, "GET"): Operation(
        "getCaptureJob",
        _CAPTURE,
        "How a job stands",
        {200: Answer("The job.", in_json(ref("CaptureJob")), DISCOVERY)},
        "`running` ends when every event of the document is published.",
        (404,),
    ),
    (event_views.Events, "POST"): Operation(
        "captureEvent",
        _CAPTURE,
        "Send one event",
        {
            201: Answer(
                "Recorded. Without `Dosetrail-State` it is published already.",
                in_json(ref("CapturedEvent")),
                {**DISCOVERY, "Location": "Location", **{name: name for name in _OF_CAPTURED}},
            )
        },
        "A bare event carries its own @context. Waits up to a second for publication.",
        WRITING,
        (IDEMPOTENCY_KEY,),
        _taken({"allOf": [ref("Event"), {"required": ["@context"]}]}),
        links={"event": {"operationId": "getEvent", "parameters": {"event_id": "$response.body#/eventID"}}},
    ),
}

_TEXTS = {
    "GS1-EPCIS-Version": "Version of EPCIS that answers.",
    "GS1-CBV-Version": "Version of the Core Business Vocabulary.",
    "GS1-Vendor-Version": "Program and version.",
    "GS1-Capture-Error-Behaviour": "`all`: rollback and proceed.",
    "GS1-EPCIS-Capture-Limit": "Events that a document may have.",
    "GS1-EPCIS-Capture-File-Size-Limit": "Bytes that a request may have.",
    "GS1-Next-Page-Token-Expires": "When the token of the next page runs out.",
    "Link": 'Next page: `<url>; rel="next"`.',
    "Location": "Where what was made can be read.",
    "Dosetrail-State": "`submitted` while the log has not published the event.",
    "Dosetrail-Event-Hash": "The event hash of CBV 2.0.",
    "Dosetrail-Statement-Hash": "The statement's hash, under which the log has it.",
    "ETag": "Version of what is answered; send it back as If-Match to change exactly this version.",
    "Content-Disposition": "The file's name.",
}
_ALWAYS = {*DISCOVERY, "Location", "ETag", "Content-Disposition"}
HEADERS = {
    name: {"description": description, "required": name in _ALWAYS, "schema": text()}
    for name, description in _TEXTS.items()
}
