"""Reading request bodies as bytes: what is committed must be what was sent."""

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.http.request import RawPostDataException
from rest_framework.request import Request

from traceability.common import strict_json
from traceability.common.problems import ProblemError

JSON_TYPES = {"application/json", "application/ld+json"}


def read(request: Request) -> bytes:
    """The raw JSON body; ProblemError for another media type or an oversized body."""
    kind = (request.content_type or "").partition(";")[0].strip().lower()
    if kind not in JSON_TYPES:
        raise ProblemError(
            415, "media-type", f"send JSON ({', '.join(sorted(JSON_TYPES))}), not {kind or 'nothing'}",
            "UnsupportedMediaTypeException",
        )  # fmt: skip
    try:
        return bytes(request._request.body)
    except (RequestDataTooBig, RawPostDataException) as error:
        raise too_large() from error


def read_object(request: Request) -> Mapping[str, Any]:
    """The JSON object in the body, by the strict reader."""
    try:
        value = strict_json.loads(read(request))
    except strict_json.StrictJsonError as error:
        raise ProblemError(400, f"json-{error.code}", error.detail, "ValidationException") from error
    if not isinstance(value, dict):
        raise ProblemError(400, "not-an-object", "the body must be a JSON object", "ValidationException")
    return value


def too_large() -> ProblemError:
    """413 with the limit."""
    limit = settings.CAPTURE_MAX_BYTES
    return ProblemError(
        413,
        "capture-limit",
        f"a request has at most {limit} bytes",
        "CaptureLimitExceededException",
        headers={"GS1-EPCIS-Capture-File-Size-Limit": str(limit)},
    )
