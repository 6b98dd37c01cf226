"""Bodies that come in chunks are read as if they had said their length, and not beyond a limit."""

import io
from typing import Any

import pytest
from django.core.exceptions import RequestDataTooBig
from django.core.handlers.wsgi import WSGIRequest

from traceability.common import chunked


def environ(body: bytes, **more: Any) -> dict[str, Any]:
    found = {"REQUEST_METHOD": "POST", "PATH_INFO": "/x", "wsgi.input": io.BytesIO(body), "SERVER_NAME": "x"}
    found |= {"SERVER_PORT": "80", "HTTP_TRANSFER_ENCODING": "chunked", "wsgi.input_terminated": True}
    return {name: value for name, value in {**found, **more}.items() if value is not None}


def read(given: dict[str, Any], most: int = 100) -> bytes:
    """What a view sees of a body."""
    seen = []
    application = chunked.readable(
        lambda environ, _start: seen.append(WSGIRequest(environ).read()) or [], lambda _: most
    )
    application(given, None)
    return seen[0]


def test_a_body_without_length_is_there() -> None:
    assert read(environ(b"abc")) == b"abc"
    assert WSGIRequest(environ(b"abc")).read() == b""  # Django alone


def test_only_what_the_server_ends_and_what_says_no_length() -> None:
    assert read(environ(b"abc", **{"wsgi.input_terminated": None})) == b""
    assert read(environ(b"abc", HTTP_TRANSFER_ENCODING=None)) == b""
    assert read(environ(b"abcdef", CONTENT_LENGTH="3")) == b"abc"


def test_a_body_beyond_the_limit_is_refused_where_it_is_read() -> None:
    assert read(environ(b"x" * 99)) == b"x" * 99
    with pytest.raises(RequestDataTooBig):
        read(environ(b"x" * 100))
