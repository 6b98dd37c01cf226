"""Bodies that come in chunks, without a length (RFC 9112, section 7.1), as programs send what they make on the way.

Django reads as many bytes as Content-Length says, and none without it.
"""

from collections.abc import Callable, Iterable
from typing import Any

from django.core.exceptions import RequestDataTooBig

Application = Callable[[dict[str, Any], Any], Iterable[bytes]]


def readable(application: Application, most: Callable[[str], int]) -> Application:
    """`application`, which may also read bodies in chunks, of less than `most` bytes at a path.

    The server must end such a body itself (`wsgi.input_terminated`). Longer ones are RequestDataTooBig where they are
    read; nothing is read before, so that who may not send anything is refused at once.
    """

    def with_length(request: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        in_chunks = "chunked" in request.get("HTTP_TRANSFER_ENCODING", "").lower()
        if in_chunks and request.get("wsgi.input_terminated") and not request.get("CONTENT_LENGTH"):
            limit = most(request.get("PATH_INFO", ""))
            request["wsgi.input"] = _Counted(request["wsgi.input"], limit)
            request["CONTENT_LENGTH"] = str(limit)
        return application(request, start_response)

    return with_length


class _Counted:
    """A body of less than `limit` bytes; its end comes earlier than Content-Length said."""

    def __init__(self, body: Any, limit: int) -> None:
        self._body, self._left = body, limit

    def read(self, size: int) -> bytes:
        return self._counted(self._body.read(size))

    def readline(self, size: int) -> bytes:
        return self._counted(self._body.readline(size))

    def _counted(self, data: bytes) -> bytes:
        self._left -= len(data)
        if self._left <= 0:
            raise RequestDataTooBig("a body in chunks is larger than this address takes")
        return data
