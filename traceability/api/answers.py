"""Answers of the EPCIS binding: query documents, times, the link to the next page."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from django.http import HttpResponse
from rest_framework.request import Request

from traceability.capture import selectors as captured
from traceability.capture.models import PublishedEvent
from traceability.common.clock import now_ms
from traceability.epcis.context import DEFAULT_CONTEXT
from traceability.queries import tokens


def parameters(request: Request) -> dict[str, list[str]]:
    return {name: request.query_params.getlist(name) for name in request.query_params}


def with_next(response: HttpResponse, request: Request, token: str | None) -> HttpResponse:
    if token:
        url = request.build_absolute_uri(f"{request.path}?nextPageToken={token}")
        response["Link"] = f'<{url}>; rel="next"'
        response["GS1-Next-Page-Token-Expires"] = time_text(now_ms() + tokens.SECONDS * 1000)
    return response


def query_document(rows: Sequence[PublishedEvent]) -> dict[str, Any]:
    bodies_by_index = captured.bodies([row.index for row in rows])
    events = [
        {**bodies_by_index[row.index], "recordTime": time_text(row.record_time_ms)}
        for row in rows
        if row.index in bodies_by_index
    ]
    return {
        "@context": [DEFAULT_CONTEXT],
        "type": "EPCISQueryDocument",
        "schemaVersion": "2.0",
        "creationDate": time_text(now_ms()),
        "epcisBody": {"queryResults": {"queryName": "SimpleEventQuery", "resultsBody": {"eventList": events}}},
    }


def time_text(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
