"""The operations of the plain scan API."""

from rest_framework.views import APIView

from traceability.api import scan_views

from .build import ref, text
from .operation import JSON, Answer, Operation

_SCANS, _LOGGERS = "Plain scans", "Temperature loggers"
_WRITING = (400, 403, 409, 413, 415, 503, 507)

OPERATIONS: dict[tuple[type[APIView], str], Operation] = {
    (scan_views.Preflight, "POST"): Operation(
        "askPreflight",
        _SCANS,
        "What speaks against a step",
        {200: Answer("The verdict and its reasons.", {JSON: ref("Preflight")})},
        "Records nothing.",
        (400, 403, 413, 415),
        body={JSON: ref("ScanCall")},
    ),
    (scan_views.Scans, "POST"): Operation(
        "recordScan",
        _SCANS,
        "Record a step",
        {201: Answer("Recorded.", {JSON: ref("Recorded")})},
        "A stop is 409 `preflight-stop` unless `override_reason` says why it is recorded all the same. A `nonce` makes "
        "a retry give the first answer.",
        _WRITING,
        body={JSON: ref("ScanRecordCall")},
    ),
    (scan_views.Statements, "POST"): Operation(
        "sendStatements",
        _SCANS,
        "Events that a device signed itself",
        {202: Answer("All were taken.", {JSON: ref("StatementsAccepted")})},
        "All items are taken or none.",
        _WRITING,
        body={JSON: ref("Statements")},
    ),
    (scan_views.LoggerFiles, "POST"): Operation(
        "uploadLoggerFile",
        _LOGGERS,
        "A temperature logger's file",
        {201: Answer("Read and recorded.", {JSON: ref("LoggerFileAccepted")})},
        "Bound to a `holder` that travelled, or to a `site` where the logger hung.",
        _WRITING,
        body={"multipart/form-data": ref("LoggerUpload")},
    ),
    (scan_views.LoggerFile, "GET"): Operation(
        "getLoggerFile",
        _LOGGERS,
        "The original bytes of a logger file",
        {
            200: Answer(
                "The bytes, as they were uploaded.",
                {"application/octet-stream": text(format="binary")},
                {"Content-Disposition": "Content-Disposition"},
            )
        },
        "To who uploaded it and to the regulator.",
        (404, 410),
    ),
}
