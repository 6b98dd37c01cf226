"""Query parameters and headers of the EPCIS binding (EPCIS 2.0, sections 8.2.7 and 12.3)."""

from collections.abc import Iterable
from typing import Any

from traceability.api import event_views
from traceability.api.rendering import CBV_XML_FORMATS
from traceability.capture.intake import ERROR_BEHAVIOURS
from traceability.epcis import epc_format
from traceability.epcis import vocabulary as cbv
from traceability.exceptions import overview
from traceability.queries import event_query
from traceability.queries import parameters as query_table

from . import epcis
from .build import Schema, number, ref, text, whole, words

Parameter = dict[str, Any]


def query(name: str, schema: Schema, description: str = "") -> Parameter:
    return {"name": name, "in": "query", "schema": schema, **({"description": description} if description else {})}


def header(name: str, schema: Schema, description: str) -> Parameter:
    return {"name": name, "in": "header", "schema": schema, "description": description}


def _list(name: str, items: Schema, description: str = "") -> Parameter:
    """A pipe-delimited list: any of its members; the standard's way (section 12.7)."""
    schema = {"type": "array", "items": items, "minItems": 1}
    return {**query(name, schema, description), "style": "pipeDelimited", "explode": False}


def _known(values: Iterable[str]) -> Schema:
    """The standard's words, or anybody's own term."""
    return {"anyOf": [words(values), text(minLength=1, format="plain-text")]}


_ID = ref("Identifier")
PAGING = (
    query(
        "perPage",
        whole(minimum=1, maximum=event_query.LARGEST_PAGE, default=event_query.PER_PAGE),
        f"A page holds {event_query.MAX_PER_PAGE} at most, however many are asked for.",
    ),
    query("nextPageToken", text(format="page-token"), "From the Link header; carries the whole query."),
)
# Values of the named parameters; all others are lists of texts. The engine's own table says which there are.
_VALUES: dict[str, Schema] = {
    "eventType": _known(epcis.EVENTS),
    "EQ_action": words(cbv.ACTION.words),
    "EQ_bizStep": _known(cbv.BIZ_STEPS),
    "EQ_disposition": _known(cbv.DISPOSITIONS),
    "EQ_persistentDisposition_set": _known(cbv.DISPOSITIONS),
    "EQ_persistentDisposition_unset": _known(cbv.DISPOSITIONS),
    "EQ_errorReason": _known(cbv.ERROR_REASONS),
    "EQ_type": _known(cbv.MEASUREMENT_TYPES),
    "EQ_booleanValue": words(("true", "false")),
}
_TEXTS = {
    "MATCH_epc": "Named in epcList or childEPCs.",
    "MATCH_anyEPC": "Named anywhere: as object, child, parent, input or output.",
    "MATCH_epcClass": "Class of a quantityList; an item stands for all its lots.",
    "WD_readPoint": "This place, or one below it by accepted master data.",
    "WD_bizLocation": "This place, or one below it by accepted master data.",
}
_TYPED = {
    "EQ_bizTransaction": (cbv.BIZ_TRANSACTION_TYPES, text(minLength=1, format="plain-text")),
    "EQ_source": (cbv.SOURCE_DESTINATION_TYPES, _ID),
    "EQ_destination": (cbv.SOURCE_DESTINATION_TYPES, _ID),
}
_OF_THINGS = ("MATCH_", "WD_", "EQ_readPoint", "EQ_bizLocation")


def _named(name: str) -> Parameter:
    description = _TEXTS.get(name, "")
    if name.startswith("EXISTS_"):
        return query(name, {"type": "boolean"}, description)
    if name.endswith(("Time", "_time")):
        return query(name, ref("DateTime"), description)
    if name == "EQ_percRank":
        return _list(name, number(), description)
    if name.endswith("percRank"):
        return query(name, number(), description)
    thing = _ID if name.startswith(_OF_THINGS) else text(minLength=1, format="plain-text")
    return _list(name, _VALUES.get(name, thing), description)


EVENT_QUERY = (
    *map(_named, sorted(query_table.NAMES)),
    *(_list(f"{name}_{kind}", value) for name, (kinds, value) in _TYPED.items() for kind in sorted(kinds)),
    query("orderBy", {"anyOf": [words(("eventTime", "recordTime")), text(minLength=1, format="order")]}),
    query("orderDirection", words(("ASC", "DESC")), "DESC when it is not given."),
    query("eventCountLimit", whole(minimum=1, maximum=event_query.MAX_EVENTS), "At most so many, the first in order."),
    query("maxEventCount", whole(minimum=1, maximum=event_query.MAX_EVENTS), "413 when there are more."),
    *PAGING,
)
_VERSION = text(pattern=r"^[0-9]{1,3}\.[0-9]{1,3}(\.[0-9]{1,3})?$", format="epcis-version")
EPC_FORMAT = header("GS1-EPC-Format", words(epc_format.FORMATS), "How identifiers are spelled.")
FORM = (
    header("GS1-EPCIS-Min", _VERSION, "The lowest version of EPCIS that the caller reads."),
    header("GS1-EPCIS-Max", _VERSION, "The highest; 1.2 is answered in XML only."),
    header("GS1-CBV-XML-Format", words(CBV_XML_FORMATS), "How CBV's words are spelled in XML."),
    EPC_FORMAT,
    header("GS1-Extensions", text(format="prefixes"), "Prefixes of extension fields in the query: `prefix=uri,…`."),
)
ERROR_BEHAVIOUR = header(
    "GS1-Capture-Error-Behaviour",
    words(ERROR_BEHAVIOURS),
    "`rollback` (default): one bad event refuses the document. `proceed`: good events are taken, bad ones listed.",
)
IDEMPOTENCY_KEY = header(
    "Idempotency-Key",
    text(maxLength=event_views.MAX_IDEMPOTENCY_KEY, format="nonce"),
    "A retry under the same key is given the first answer.",
)
_QUERY_ROWS = {row["name"]: row["schema"] for row in EVENT_QUERY if row["name"] != "nextPageToken"}
_CONTEXT_PART: Schema = {
    "anyOf": [
        text(),
        {
            "type": "object",
            "propertyNames": {"pattern": r"^[A-Za-z_][A-Za-z0-9_.\-]{0,63}$"},
            "additionalProperties": text(),
        },
    ]
}


def _in_body(name: str, schema: Schema) -> Schema:
    """A parameter as a member of a query in JSON."""
    if name.startswith("EXISTS_"):
        return {"anyOf": [schema, {"enum": [1, None, ""]}]}
    if name == "EQ_booleanValue":
        item = {"anyOf": [schema["items"], {"type": "boolean"}]}
        schema = {**schema, "items": item}
    return {"anyOf": [schema["items"], schema]} if "items" in schema else schema


QUERY_MEMBERS: dict[str, Schema] = {
    "@context": {"anyOf": [_CONTEXT_PART, {"type": "array", "items": _CONTEXT_PART}, {"type": "null"}]},
    **{name: _in_body(name, schema) for name, schema in _QUERY_ROWS.items()},
}


def member(kind: str) -> Parameter:
    """The member of a collection in a path: a thing or a place, or a word."""
    schema = text(minLength=1, format="plain-text") if kind in ("eventTypes", "bizSteps", "dispositions") else _ID
    description = "The member, percent-encoded."
    return {"name": "value", "in": "path", "required": True, "schema": schema, "description": description}


# Of the path, by the name that the address list gives them.
PATH: dict[str, tuple[Schema, str]] = {
    "id": (text(pattern="^[-a-zA-Z0-9_]{1,64}$"), "Its id, chosen by its owner; unique in the house."),
    "item": (text(pattern="^[-a-zA-Z0-9_]{1,64}$"), "The product's id."),
    "number": (text(minLength=1, maxLength=20, format="lot-number"), "The lot's number, percent-encoded."),
    "list_id": (whole(minimum=1, maximum=10**15), "The list's ID."),
    "part": (words(overview.PARTS), "Which rows."),
    "notice_id": (text(minLength=1, format="nonce"), "The notice's ID."),
    "exception_id": (text(minLength=1, format="nonce"), "The exception's ID."),
    "delivery_id": (text(minLength=1, format="nonce"), "The delivery's ID."),
    "job_id": (text(), "The job's captureID."),
    "event_id": (text(format="event-id"), "eventID, percent-encoded."),
    "name": (text(minLength=1, maxLength=128, format="query-name"), "The query's name."),
    "subscription_id": (text(pattern="^[0-9a-f]{32}$"), "The subscription's ID."),
    "token": (text(minLength=1, format="page-token"), "A nextPageToken."),
    "sha256": (text(pattern="^[0-9a-f]{64}$"), "SHA-256 of the file's bytes, in hex."),
}
