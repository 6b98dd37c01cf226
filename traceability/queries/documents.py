"""What a query answers with: the EPCISQueryDocument in its JSON form (EPCIS 2.0, section 9.5)."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from traceability.capture import selectors as captured
from traceability.capture.models import PublishedEvent
from traceability.common.clock import now_ms
from traceability.epcis.context import DEFAULT_CONTEXT
from traceability.visibility import receipts

from . import void_marks


def events_of(rows: Sequence[PublishedEvent]) -> list[dict[str, Any]]:
    """The events as captured, each with its record time; what is not held here is left out."""
    by_index = events_by_index(rows)
    return [by_index[row.index] for row in rows if row.index in by_index]


def events_by_index(rows: Sequence[PublishedEvent]) -> dict[int, dict[str, Any]]:
    """The same by log index; two queries, and one more if some are void (`void_marks`)."""
    receipts.shown((row.index, row.reporter) for row in rows)
    bodies = captured.bodies([row.index for row in rows])
    marks = void_marks.of(rows)
    return {
        row.index: {**bodies[row.index], "recordTime": time_text(row.record_time_ms), **marks.get(row.index, {})}
        for row in rows
        if row.index in bodies
    }


def query_document(
    events: Sequence[Mapping[str, Any]], *, query_name: str = "SimpleEventQuery", subscription: str = ""
) -> dict[str, Any]:
    """The document; with `subscription` as its report to that subscription."""
    results: dict[str, Any] = {"queryName": query_name}
    if subscription:
        results["subscriptionID"] = subscription
    return {
        "@context": [DEFAULT_CONTEXT],
        "type": "EPCISQueryDocument",
        "schemaVersion": "2.0",
        "creationDate": time_text(now_ms()),
        "epcisBody": {"queryResults": {**results, "resultsBody": {"eventList": list(events)}}},
    }


def time_text(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
