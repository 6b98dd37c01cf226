"""Reading request bodies as bytes: what is committed must be what was sent."""

import json
import re
from collections.abc import Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.http.request import RawPostDataException
from rest_framework.request import Request

from traceability.capture import jobs, uploads
from traceability.capture.refusals import too_large as capture_too_large
from traceability.common import strict_json
from traceability.common.problems import ProblemError

JSON_TYPES = {"application/json", "application/ld+json"}
XML_TYPES = {"application/xml", "text/xml"}
TEXT_TYPES = {"text/csv", "text/plain"}
_MEDIA = dict.fromkeys(JSON_TYPES, jobs.JSON) | dict.fromkeys(XML_TYPES, jobs.XML) | dict.fromkeys(TEXT_TYPES, "text")
_CHUNK = 64 * 1024


def read(request: Request) -> bytes:
    """The raw JSON body; ProblemError for another media type or an oversized body."""
    return _raw(request, JSON_TYPES)[0]


def read_json_or_text(request: Request) -> tuple[bytes, bool]:
    """The raw body where an address takes CSV and lines of text too, and whether it is JSON; ProblemError as `read`."""
    content, media = _raw(request, JSON_TYPES | TEXT_TYPES)
    return content, media == jobs.JSON


def _raw(request: Request, types: Collection[str]) -> tuple[bytes, str]:
    media = _media(request, types)
    if _encoding(request) != "identity":
        raise _unsupported("this address takes bodies as they are, not compressed", "content-encoding")
    try:
        return bytes(request._request.body), media
    except (RequestDataTooBig, RawPostDataException) as error:
        raise too_large() from error


def read_object(request: Request) -> Mapping[str, Any]:
    """The JSON object in the body, by the strict reader."""
    return _object(read(request))


def _object(content: bytes) -> Mapping[str, Any]:
    try:
        value = strict_json.loads(content)
    except strict_json.StrictJsonError as error:
        raise ProblemError(400, f"json-{error.code}", error.detail, "ValidationException") from error
    if not isinstance(value, dict):
        raise ProblemError(400, "not-an-object", "the body must be a JSON object", "ValidationException")
    return value


def read_kept(request: Request) -> Mapping[str, Any]:
    """The same where its texts are stored as they are: PostgreSQL keeps no NUL, so that one is 400."""
    return kept_object(read(request))


def kept_object(content: bytes) -> Mapping[str, Any]:
    """The same of a body that was read."""
    value = _object(content)
    if "\\u0000" in json.dumps(value).replace("\\\\", ""):
        raise ProblemError(400, "nul", "a text has no NUL character in it", "ValidationException")
    return value


@contextmanager
def document(request: Request) -> Iterator[tuple[uploads.Upload, str]]:
    """An EPCIS document of any size and its format, json or xml; it is not held in memory unless it is small."""
    media = _media(request, JSON_TYPES | XML_TYPES)
    encoding = _encoding(request)
    declared = request.META.get("CONTENT_LENGTH") or "0"
    if declared.isdigit() and int(declared) > settings.CAPTURE_MAX_BYTES:
        raise capture_too_large(f"a document has at most {settings.CAPTURE_MAX_BYTES} bytes")
    chunks = iter(lambda: request._request.read(_CHUNK), b"")
    with ExitStack() as stack:
        try:
            received = uploads.received(uploads.unpacked(chunks) if encoding == "gzip" else chunks)
            upload = stack.enter_context(received)
        except RequestDataTooBig as error:  # one that came in chunks
            raise capture_too_large(f"a document has at most {settings.CAPTURE_MAX_BYTES} bytes") from error
        yield upload, media


def too_large() -> ProblemError:
    """413 with the limit."""
    limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    return ProblemError(
        413,
        "capture-limit",
        f"a request has at most {limit} bytes",
        "CaptureLimitExceededException",
        headers={"GS1-EPCIS-Capture-File-Size-Limit": str(limit)},
    )


def _media(request: Request, types: Collection[str]) -> str:
    """The format that a body's Content-Type names. Text in another charset than UTF-8 is not taken as JSON."""
    kind, _, parameters = (request.content_type or "").partition(";")
    kind = kind.strip().lower()
    if kind not in types:
        raise _unsupported(f"send {', '.join(sorted(types))}, not {kind or 'nothing'}", "media-type")
    charset = re.search(r"charset\s*=\s*\"?([^\s;\"]+)", parameters, re.IGNORECASE)
    if charset and kind not in XML_TYPES and charset[1].lower() not in ("utf-8", "utf8", "us-ascii"):
        raise _unsupported(f"JSON and text are sent in UTF-8, not in {charset[1][:40]}", "charset")
    return _MEDIA[kind]


def _encoding(request: Request) -> str:
    encoding = request.headers.get("Content-Encoding", "identity").strip().lower() or "identity"
    if encoding not in ("identity", "gzip"):
        raise _unsupported(f"Content-Encoding is gzip or none, not {encoding[:40]}", "content-encoding")
    return encoding


def _unsupported(detail: str, code: str) -> ProblemError:
    return ProblemError(415, code, detail, "UnsupportedMediaTypeException")
