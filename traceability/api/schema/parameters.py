"""Query parameters and headers of the EPCIS binding (EPCIS 2.0, sections 8.2.7 and 12.3)."""

from collections.abc import Iterable
from typing import Any

from traceability.api import event_views
from traceability.api.capture_views import ERROR_BEHAVIOURS
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
EVENT_QUERY = (
    _list("eventType", _known(epcis.EVENTS), "Any of these types."),
    *(query(f"{step}_{column}", ref("DateTime")) for column in ("eventTime", "recordTime") for step in ("GE", "LT")),
    _list("EQ_action", words(cbv.ACTION.words)),
    _list("EQ_bizStep", _known(cbv.BIZ_STEPS), _TERM),
    _list("EQ_disposition", _known(cbv.DISPOSITIONS), _TERM),
    _list("EQ_readPoint", _ID),
    _list("EQ_bizLocation", _ID),
    _list("EQ_eventID", text(minLength=1, format="plain-text")),
    _list("MATCH_epc", _ID, "Named in epcList or childEPCs. A GTIN alone stands for all its serials."),
    _list("MATCH_anyEPC", _ID, "Named anywhere: as object, child, parent, input or output."),
    _list("MATCH_parentID", _ID),
    _list("MATCH_epcClass", _ID, "Class of a quantityList; an item stands for all its lots."),
    *(
        _list(f"EQ_bizTransaction_{kind}", text(minLength=1, format="plain-text"), "Bound to any of these documents.")
        for kind in sorted(cbv.BIZ_TRANSACTION_TYPES)
    ),
    query("orderBy", words(("eventTime", "recordTime"))),
    query("orderDirection", words(("ASC", "DESC")), "DESC when it is not given."),
    *PAGING,
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
# Of the path, by the name that the address list gives them.
PATH: dict[str, tuple[Schema, str]] = {
    "job_id": (text(), "The job's captureID."),
    "event_id": (text(format="event-id"), "eventID, percent-encoded."),
    "sha256": (text(pattern="^[0-9a-f]{64}$"), "SHA-256 of the file's bytes, in hex."),
}
