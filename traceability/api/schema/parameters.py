"""Query parameters and headers of the EPCIS binding (EPCIS 2.0, sections 8.2.7 and 12.3)."""

from collections.abc import Iterable
from typing import Any

from traceability.api import event_views
from traceability.capture.intake import ERROR_BEHAVIOURS
from traceability.epcis import vocabulary as cbv
from traceability.queries import event_query

from . import epcis
from .build import Schema, ref, text, whole, words

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
_TERM = "Any of these; terms of one's own as URI."
PAGING = (
    query("perPage", whole(minimum=1, maximum=event_query.MAX_PER_PAGE, default=event_query.PER_PAGE)),
    query("nextPageToken", text(format="page-token"), "From the Link header; carries the whole query."),
)
_NUMBER: Schema = {"type": "number"}
_PLAIN = text(minLength=1, format="plain-text")
_FLAG: Schema = {"type": "boolean"}
_STEPS = ("GT", "GE", "LT", "LE")
_EPC_TEXTS = {
    "MATCH_epc": "Named in epcList or childEPCs. A GTIN alone stands for all its serials; EPC patterns are taken.",
    "MATCH_anyEPC": "Named anywhere: as object, child, parent, input or output.",
    "MATCH_parentID": "",
    "MATCH_inputEPC": "",
    "MATCH_outputEPC": "",
    "MATCH_epcClass": "Class of quantityList or childQuantityList; an item stands for all its lots.",
    "MATCH_inputEPCClass": "",
    "MATCH_outputEPCClass": "",
    "MATCH_anyEPCClass": "Class of any quantity list.",
}
# Parameters whose names hold a type, a unit, a field or an attribute are in docs/api.md; these are the fixed ones, and
# of the others those of CBV.
NARROWING = (
    _list("eventType", _known(epcis.EVENTS), "Any of these types."),
    *(query(f"{step}_{column}", ref("DateTime")) for column in ("eventTime", "recordTime") for step in ("GE", "LT")),
    _list("EQ_action", words(cbv.ACTION.words)),
    _list("EQ_bizStep", _known(cbv.BIZ_STEPS), _TERM),
    _list("EQ_disposition", _known(cbv.DISPOSITIONS), _TERM),
    *(_list(f"EQ_persistentDisposition_{change}", _known(cbv.DISPOSITIONS), _TERM) for change in ("set", "unset")),
    *(_list(f"{verb}_{place}", _ID) for place in ("readPoint", "bizLocation") for verb in ("EQ", "WD")),
    *(_list(name, _PLAIN) for name in ("EQ_eventID", "EQ_transformationID", "EQ_correctiveEventID")),
    *(_list(name, _ID, about) for name, about in _EPC_TEXTS.items()),
    *(
        _list(f"EQ_bizTransaction_{kind}", _PLAIN, "Bound to any of these documents.")
        for kind in sorted(cbv.BIZ_TRANSACTION_TYPES)
    ),
    *(
        _list(f"EQ_{end}_{kind}", _ID)
        for end in ("source", "destination")
        for kind in sorted(cbv.SOURCE_DESTINATION_TYPES)
    ),
    query("EXISTS_errorDeclaration", _FLAG),
    _list("EQ_errorReason", words(cbv.ERROR_REASONS)),
    query("EXISTS_sensorElementList", _FLAG),
    *(
        query(f"{step}_{name}", ref("DateTime"))
        for name in ("errorDeclarationTime", "time", "startTime", "endTime")
        for step in ("GE", "LT")
    ),
    *(query(f"{step}_quantity", _NUMBER) for step in ("EQ", *_STEPS)),
    *(query(f"{step}_value_CEL", _NUMBER, "In any unit code of UN/CEFACT.") for step in ("EQ", *_STEPS)),
    _list("EQ_type", _PLAIN, "Measurement types of CBV."),
)
ORDERING = (
    query("orderBy", words(("eventTime", "recordTime")), "Or an extension field, as full URI."),
    query("orderDirection", words(("ASC", "DESC")), "DESC when it is not given."),
    *PAGING,
)
COUNTS = tuple(
    query(name, whole(minimum=1, maximum=event_query.MAX_EVENTS)) for name in ("eventCountLimit", "maxEventCount")
)
EVENT_QUERY = (*NARROWING, *COUNTS, *ORDERING)
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
# Of the path, by the name that the address list gives them.
PATH: dict[str, tuple[Schema, str]] = {
    "job_id": (text(), "The job's captureID."),
    "event_id": (text(format="event-id"), "eventID, percent-encoded."),
    "value": (text(format="member"), "The member, percent-encoded, in any spelling."),
    "token": (text(format="page-token"), "A nextPageToken."),
    "sha256": (text(pattern="^[0-9a-f]{64}$"), "SHA-256 of the file's bytes, in hex."),
}
