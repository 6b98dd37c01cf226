"""Answers of the EPCIS binding: query documents, times, the link to the next page."""

from collections.abc import Sequence
from typing import Any

from django.http import HttpResponse
from django.utils.encoding import escape_uri_path
from rest_framework.request import Request

from traceability.capture.models import PublishedEvent
from traceability.common.clock import now_ms
from traceability.queries import documents, tokens
from traceability.queries.documents import time_text

__all__ = ["parameters", "query_document", "time_text", "with_next"]


def parameters(request: Request) -> dict[str, list[str]]:
    return {name: request.query_params.getlist(name) for name in request.query_params}


def with_next(response: HttpResponse, request: Request, token: str | None) -> HttpResponse:
    if token:
        url = request.build_absolute_uri(f"{escape_uri_path(request.path)}?nextPageToken={token}")
        response["Link"] = f'<{url}>; rel="next"'
        response["GS1-Next-Page-Token-Expires"] = time_text(now_ms() + tokens.SECONDS * 1000)
    return response


def query_document(rows: Sequence[PublishedEvent], *, query_name: str = "SimpleEventQuery") -> dict[str, Any]:
    return documents.query_document(documents.events_of(rows), query_name=query_name)
