"""What the API answers and takes beside EPCIS documents: jobs, receipts, problems, scans."""

from typing import Any

from traceability.api import delivery_views, scan_views
from traceability.capture import device_signed
from traceability.exchange import schedule
from traceability.recalls import responses
from traceability.scans import preflight, tables
from traceability.scans.answers import MAX_NONCE, MAX_REASON
from traceability.scans.reading import MAX_CODES, MAX_LOT, MAX_TEXT
from traceability.scans.steps import Shape

from .build import Schema, answer, many, members, ref, text, whole, words
from .parameters import QUERY_MEMBERS

_HASH = text("Hex of a leaf hash (docs/formats.md).", pattern="^[0-9a-f]{64}$")
_BASE64URL = "^[A-Za-z0-9_-]*$"
_CODES = many(
    text("As scanned: element string with GS, Digital Link, EPC URN, or 20 digits.", format="code", maxLength=MAX_TEXT),
    minItems=1,
    maxItems=MAX_CODES,
)
_PLACE = text("A site of the caller: its id, or its GLN as a Digital Link.", format="own-place")
_TEXT = text(minLength=1, maxLength=MAX_TEXT, format="plain-text")
# What a step may ask for beside the codes; whatever else is a text that nobody reads.
_DETAILS: dict[str, Schema] = {
    "receiver": text("Party id, or GLN as URI.", format="party"),
    "sender": text("Party id, or GLN as URI.", format="party"),
    "container": text("The SSCC as scanned.", format="sscc"),
    "lot": text(minLength=1, maxLength=MAX_LOT, format="lot"),
    "expiry": text("Last valid day.", format="date"),
    "quantity_left": text("Whole number of what is left in the pack.", pattern="^[0-9]{1,6}$"),
    "reason": _TEXT,
    "despatch": text("Number of the despatch advice.", minLength=1, maxLength=MAX_TEXT, format="document"),
    "ward": text("URI or id of a place of the caller.", minLength=1, maxLength=MAX_TEXT, format="own-place"),
    "country": text("ISO 3166-1, two capital letters.", pattern="^[A-Z]{2}$"),
    "rma": text("Number of the return authorisation.", minLength=1, maxLength=MAX_TEXT, format="document"),
    "report": text("Number of the inspection report.", minLength=1, maxLength=MAX_TEXT, format="document"),
}


def _call(more: dict[str, Schema], description: str) -> Schema:
    """A call: one form for all steps that ask for the same details."""
    forms: dict[tuple[bool, tuple[str, ...], tuple[str, ...]], set[str]] = {}
    for step in (step for table in tables.TABLES for step in table.steps):
        forms.setdefault((step.shape is Shape.UNDO, step.needs, step.optional), set()).add(step.id)
    return {"description": description, "anyOf": [_form(*key, steps, more) for key, steps in sorted(forms.items())]}


def _or_empty(schema: Schema) -> Schema:
    """A detail that may be left out: forms send it empty, which says nothing either."""
    return {"anyOf": [schema, {"const": ""}]}


def _form(is_single: bool, needs: tuple[str, ...], optional: tuple[str, ...], steps: set[str], more: Any) -> Schema:
    details = {name: _DETAILS[name] for name in needs} | {name: _or_empty(_DETAILS[name]) for name in optional}
    properties = {
        "step": words(steps, "A step of the caller's role (docs/roles.md)."),
        "codes": {**_CODES, "maxItems": 1} if is_single else _CODES,
        "place": _PLACE,
        "details": {**members(details, needs), "additionalProperties": text(maxLength=MAX_TEXT, format="plain-text")},
        **more,
    }
    return members(properties, {"step", "codes", "place"} | ({"details"} if needs else set()))


_DELIVERY: dict[str, Schema] = {
    "deliveryID": text(),
    "direction": words(("in", "out")),
    "sender": text("Party URI."),
    "receiver": text("Party URI."),
    "number": whole("Of its channel, rising.", minimum=0),
    "way": text("How it goes: download, folder or webhook."),
    "format": text(),
    "state": text(),
    "createdAt": ref("DateTime"),
    "events": whole(minimum=0),
    "size": whole("Bytes.", minimum=0),
    "sha256": text("Of the document."),
}

_RECALL_NOTICE: dict[str, Schema] = {
    "noticeID": text(),
    "recallID": text(),
    "version": whole("Rises when packs come or go.", minimum=1),
    "state": words(("published", "closed")),
    "owner": text("URI of the party that recalls."),
    "class": words(("1", "2", "3"), "1 is the gravest."),
    "drill": {"type": "boolean", "description": "Practised: nothing is stopped."},
    "lots": many(answer({"gtin": text(), "lot": text("'' = every lot.")})),
    "reason": text(),
    "instruction": text(),
    "packs": whole("To set aside: with the caller, or on their way to it.", minimum=0),
    "supplied": whole("Dispensed by the caller.", minimum=0),
    "createdAt": ref("DateTime"),
    "answerBy": ref("DateTime"),
    "deliveredAt": ref("DateTime"),
    "openedAt": ref("DateTime"),
    "answeredAt": ref("DateTime"),
}
_RECALL_TIMES = ("deliveredAt", "openedAt", "answeredAt")

COMPONENTS: dict[str, Schema] = {
    "Problem": answer(
        {
            "type": text("`epcisException:` and the standard's name of it, or about:blank."),
            "title": text(),
            "status": whole(minimum=400, maximum=599),
            "code": text("Stable: programs branch on this.", pattern="^[a-z0-9]+([.-][a-z0-9]+)*$"),
            "detail": text("In plain words."),
            "errors": many(ref("Fault"), "Each fault found, not only the first."),
            "requestId": text("Under which our logs have this request."),
        },
        optional=("errors", "requestId"),
        description="An error (RFC 7807).",
    ),
    "Fault": {
        **members(
            {
                "event": {
                    "type": ["integer", "null"],
                    "description": "Its index, from 0; null: the document.",
                },
                "pointer": text("Where in the body (RFC 6901)."),
                "parameter": text("Which query parameter."),
                "line": whole("Of a list, from 1; 0: the whole.", minimum=0),
                "field": text("Which part of a form, or which member of master data."),
                "code": text(),
                "message": text("In plain words."),
                "verdict": text(),
                "text": text(),
                "epc": text(),
            },
            ("message",),
        ),
        "description": "One fault and where it is.",
    },
    "Receipt": answer(
        {
            "format": text(),
            "origin": text("Of the log."),
            "time": whole("Milliseconds since 1970."),
            "mmdSeconds": whole("Published within so many seconds."),
            "statements": many(_HASH),
            "note": text("What the log key signed."),
        },
        description="The log key's word that statements were accepted: keep it, it convicts a log that drops them.",
    ),
    # A document that waits for a worker has no receipt yet, and one that failed never gets one.
    "Accepted": answer({"captureID": text(), "receipt": ref("Receipt")}, optional=("receipt",)),
    "JobFault": answer(
        {
            "type": text(),
            "title": text(),
            "status": whole(),
            "detail": text("Event, field and fault in one line."),
            "instance": text("The job's address."),
            "event": {"type": ["integer", "null"], "description": "Its index, from 0; null: the document."},
            "pointer": text("Where in the document's JSON form (RFC 6901)."),
            "code": text(),
            "message": text("In plain words."),
        },
        description="A fault as an error of its own (RFC 7807).",
    ),
    "CaptureJob": answer(
        {
            "captureID": text(),
            "createdAt": ref("DateTime"),
            "finishedAt": ref("DateTime"),
            "running": {"type": "boolean", "description": "Until every event is published."},
            "success": {"type": "boolean", "description": "False when it failed, or events were left out."},
            "progress": whole("Per cent, while it waits for a worker or is worked on.", minimum=0, maximum=100),
            "captureErrorBehaviour": words(("rollback", "proceed")),
            "errors": many(ref("JobFault"), "Of the document, or of events left out under `proceed`."),
            "events": whole(minimum=0),
            "alreadyRecorded": whole("Events that this party had sent before.", minimum=0),
            "receipt": ref("Receipt"),
        },
        optional=("finishedAt", "progress", "receipt"),
    ),
    "CaptureJobs": many(ref("CaptureJob"), "The caller's jobs, newest first."),
    "CapturedEvent": {"allOf": [ref("Event"), {"required": ["eventID"]}], "description": "The event with its eventID."},
    "QueryParameters": {
        "type": "object",
        "description": "Parameters as in an address; values are texts, numbers, booleans or lists of them. Prefixes of "
        "extension fields are declared in `@context`, or by the header GS1-Extensions.",
        "properties": QUERY_MEMBERS,
        "patternProperties": {"^(EQ|GT|GE|LT|LE|EXISTS|EQATTR|HASATTR)_.+": {}},
        "additionalProperties": False,
        "not": {"required": ["eventCountLimit", "maxEventCount"]},
    },
    "NewQuery": members(
        {
            "name": text(minLength=1, maxLength=128, format="query-name"),
            "query": ref("QueryParameters"),
        },
        ("name", "query"),
        "A query to be kept under a name.",
    ),
    "NamedQuery": answer({"name": text(), "query": ref("QueryParameters"), "createdAt": ref("DateTime")}),
    "NamedQueries": many(ref("NamedQuery"), "By name."),
    "Schedule": members(
        {name: text(minLength=1, format="schedule") for name in schedule.FIELDS},
        description="When to send, in UTC, as in cron.",
    ),
    "NewSubscription": members(
        {
            "dest": text("https address of the webhook; public servers only.", format="webhook", maxLength=1024),
            "signatureToken": text("Secret of the signature; never told again.", minLength=1, format="plain-text"),
            "stream": {"const": True, "description": "Send as soon as events are published."},
            "schedule": ref("Schedule"),
            "reportIfEmpty": {"type": "boolean"},
            "initialRecordTime": ref("PastTime"),
        },
        ("dest",),
        "Either `stream` or a `schedule`.",
    )
    | {"oneOf": [{"required": ["stream"]}, {"required": ["schedule"]}]},
    "Subscription": answer(
        {
            "subscriptionID": text(),
            "queryName": text(),
            "dest": text(),
            "reportIfEmpty": {"type": "boolean"},
            "createdAt": ref("DateTime"),
            "state": text(),
            "signed": {"type": "boolean"},
            "failures": whole(minimum=0),
            "schedule": ref("Schedule"),
            "stream": {"const": True},
            "initialRecordTime": ref("DateTime"),
            "lastNotifiedAt": ref("DateTime"),
            "lastError": text(),
        },
        optional=("schedule", "stream", "initialRecordTime", "lastNotifiedAt", "lastError"),
    ),
    "Subscriptions": many(ref("Subscription")),
    "RecallNotice": answer(_RECALL_NOTICE, optional=_RECALL_TIMES),
    "RecallNotices": many(ref("RecallNotice"), "Newest first."),
    "RecallAnswered": answer({**_RECALL_NOTICE, "statementHash": _HASH}, optional=_RECALL_TIMES),
    "RecalledPacks": answer(
        {
            "version": whole("Of the notice.", minimum=1),
            "packs": many(
                answer(
                    {
                        "epc": text(),
                        "gtin": text(),
                        "lot": text(),
                        "container": text("The outermost one that it lies in, '' = loose."),
                        "status": text(),
                        "place": text(),
                    }
                )
            ),
        }
    ),
    "RecallAcknowledgement": members(
        {
            "version": whole("Of the notice that was read.", minimum=1),
            "counts": members(
                {name: whole("Packs.", minimum=0, maximum=responses.MAX_COUNT) for name in responses.COUNTS}, ()
            ),
            "reason": text(
                "Needed where the counts do not add up.", maxLength=responses.MAX_REASON, format="plain-text"
            ),
        },
        ("version", "counts"),
    ),
    "Delivery": answer(_DELIVERY),
    "Deliveries": many(ref("Delivery"), "Newest first."),
    "DeliveryWithSteps": answer(
        {**_DELIVERY, "steps": many(answer({"state": text(), "at": ref("DateTime"), "detail": text()}))}
    ),
    "Acknowledgement": members(
        {
            "accepted": {"type": "boolean"},
            "detail": text("Why, for people.", maxLength=delivery_views.MAX_DETAIL, format="plain-text"),
        },
        ("accepted",),
        "The receiver's word on a delivery.",
    ),
    "Collection": answer({"@context": {}, "type": {"const": "Collection"}, "member": many(text())}),
    "ScanCall": _call({}, "A step to be judged."),
    "ScanRecordCall": _call(
        {
            "nonce": text("Makes a retry give the first answer.", maxLength=MAX_NONCE, format="nonce"),
            "override_reason": text(
                "Why it is recorded although preflight stops it.", maxLength=MAX_REASON, format="plain-text"
            ),
        },
        "A step to be recorded.",
    ),
    "Preflight": answer(
        {
            "verdict": words((preflight.ALLOW, preflight.WARN, preflight.STOP)),
            "reasons": many(
                answer(
                    {
                        "verdict": words((preflight.WARN, preflight.STOP)),
                        "code": text("Stable."),
                        "text": text("In plain words."),
                        "epc": text("Which thing; empty when it is about the step."),
                    }
                )
            ),
        },
        description="What speaks against a step.",
    ),
    "Recorded": answer(
        {"eventIDs": many(text()), "statementHashes": many(_HASH), "preflight": ref("Preflight")},
    ),
    "Statements": members(
        {
            "statements": many(
                members(
                    {name: text(pattern=_BASE64URL, format="base64url") for name in device_signed.MEMBERS},
                    device_signed.MEMBERS,
                    "Event bytes, claims secret and COSE_Sign1 statement in base64url without padding.",
                ),
                minItems=1,
                maxItems=scan_views.MAX_STATEMENTS,
            )
        },
        ("statements",),
        "Events that a device of the party signed itself (docs/device-signing.md).",
    ),
    "StatementsAccepted": answer(
        {
            "statements": many(
                answer({"eventID": text(), "statementHash": _HASH, "alreadyRecorded": {"type": "boolean"}})
            ),
            "receipt": ref("Receipt"),
        }
    ),
    "LoggerUpload": {
        **members(
            {
                "file": text("A Berlinger file or our plain CSV (docs/logger-files.md).", format="binary"),
                "holder": text("Code or URI of the container or pack that the logger travelled with.", format="code"),
                "site": text("Id or GLN of the caller's site where it hung.", format="own-place"),
                "time_zone": text("IANA name, where the file carries none.", format="time-zone"),
            },
            ("file",),
        ),
        "anyOf": [{"required": ["holder"]}, {"required": ["site"]}],
    },
    "LoggerFileAccepted": answer(
        {
            "sha256": text("Of the file's bytes.", pattern="^[0-9a-f]{64}$"),
            "statementHash": _HASH,
            "eventID": text(),
            "readings": whole(minimum=0),
            "signature": text("How the logger's own signature was judged."),
        }
    ),
}
