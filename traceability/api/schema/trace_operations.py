"""The operation of tracing, and its answer."""

from rest_framework.views import APIView

from traceability.api import trace_views
from traceability.custody import tracing, way

from .build import Schema, answer, many, ref, text, whole, words
from .operation import JSON, Answer, Operation
from .parameters import query

_COUNT = whole(minimum=0)
_EVIDENCE = {
    "type": "object",
    "description": "Packs by how well it is known.",
    "propertyNames": words(way.EVIDENCE),
    "additionalProperties": _COUNT,
}
_STATES = text("Empty where a party holds them; else what became of them: `in_transit`, `dispensed`, `destroyed` …")

COMPONENTS: dict[str, Schema] = {
    "Trace": answer(
        {
            "of": text("URI of what is traced."),
            "kind": text("pack, container, lot, shipment or place."),
            "direction": words(tracing.DIRECTIONS),
            "asOf": answer(
                {
                    "index": whole("The last log entry that counts.", minimum=0),
                    "checkpoint": {"anyOf": [ref("CoveringCheckpoint"), {"type": "null"}]},
                }
            ),
            "packs": whole("How many are traced; what holds others is not counted itself.", minimum=0),
            "leftOut": whole("Things beyond what one trace takes in.", minimum=0),
            "hidden": whole("Events of the things shown that are not the caller's to see.", minimum=0),
            "nodes": many(ref("TraceNode")),
            "legs": many(ref("TraceLeg")),
            "steps": many(ref("TraceStep"), "In the order of event time."),
            "stepsLeftOut": whole("Later steps that this answer does not list.", minimum=0),
            "materials": many(ref("TraceMaterial"), "What transformations used that has no serial numbers."),
        },
        description="Where things came from and went (docs/tracing.md).",
    ),
    "CoveringCheckpoint": answer(
        {"size": whole(minimum=1), "rootHash": text("Hex."), "time": ref("DateTime")},
        description="The first published checkpoint of the log that covers the entry.",
    ),
    "TraceNode": answer(
        {
            "id": text("Within this answer."),
            "party": text("URI."),
            "place": text("URI."),
            "state": _STATES,
            "packs": whole("How many came by.", minimum=0),
            "now": whole("How many are there as of the entry.", minimum=0),
            "firstTime": ref("DateTime"),
            "lastTime": ref("DateTime"),
        }
    ),
    "TraceLeg": answer(
        {
            "from": {"type": ["string", "null"], "description": "A node; null where they came up."},
            "to": text("A node; the same as `from` for what was done on the spot."),
            "kind": text("shipping, moving, commissioning, packing, dispensing … or `unexplained`."),
            "packs": _COUNT,
            "evidence": _EVIDENCE,
            "firstTime": ref("DateTime"),
            "lastTime": ref("DateTime"),
            "events": many(whole(minimum=0), "Log indexes, the first so many."),
            "eventCount": _COUNT,
        }
    ),
    "TraceStep": answer(
        {
            "index": whole("Log index of the event.", minimum=0),
            "eventID": text(),
            "eventTime": ref("DateTime"),
            "bizStep": text(),
            "disposition": text(),
            "reporter": text("URI of the party that signed the event."),
            "place": text("URI."),
            "kind": text(),
            "evidence": words(way.EVIDENCE),
            "why": words(("", *way.WHY), "Why it is unknown."),
            "container": text("Whose event it is; empty for the thing's own."),
            "packs": whole("That share the step.", minimum=0),
            "node": {"type": ["string", "null"], "description": "Where they were after it."},
        }
    ),
    "TraceMaterial": answer(
        {
            "event": whole(minimum=0),
            "epc_class": text("URI."),
            "quantity": text("Decimal; may be empty."),
            "uom": text(),
        }
    ),
}

_PARAMETERS = (
    {
        **query(
            "of", text(minLength=1, format="traceable"), "A code as scanned, a URI, or a despatch advice's number."
        ),
        "required": True,
    },
    query("direction", words(tracing.DIRECTIONS), "back to the makers, on to the holders, or both (default)."),
    query("as_of", whole(minimum=0, maximum=10**18 - 1), "As the log held it after this entry; now without."),
    query("from", ref("DateTime"), "Of a place: the first moment of the period."),
    query("to", ref("DateTime"), "Of a place: the last moment of the period."),
)

OPERATIONS: dict[tuple[type[APIView], str], Operation] = {
    (trace_views.Trace, "GET"): Operation(
        "trace",
        "Tracing",
        "Where a pack, case, lot, shipment or a place's goods came from and went",
        {200: Answer("The trace, as far as the caller may see it.", {JSON: ref("Trace")})},
        "What does not exist, and what the caller sees nothing of, is 404 alike; so is an entry that the log has not.",
        (400, 404, 414),
        _PARAMETERS,
    ),
}
