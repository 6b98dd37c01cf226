"""Talking to other people's logs and witnesses: bounded in time and size, no redirects, no proxy of the environment."""

import urllib.error
import urllib.request
from collections.abc import Mapping
from http.client import HTTPException, HTTPMessage
from typing import IO, Any

from .follower import UnreachableError
from .tlog import note, tile
from .tlog.merkle import HASH_SIZE
from .tlog.tile import ENTRIES, WIDTH, TileName

TIMEOUT_SECONDS = 10.0
MAX_TILE = WIDTH * HASH_SIZE
MAX_BUNDLE = WIDTH * (2 + tile.MAX_ENTRY_SIZE)


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> None:
        return None  # an answer from elsewhere is no answer


_opener = urllib.request.build_opener(_NoRedirect, urllib.request.ProxyHandler({}))


def request(
    url: str,
    *,
    limit: int,
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
    timeout_s: float = TIMEOUT_SECONDS,
) -> tuple[int, bytes]:
    """Status and body of a GET (or POST, with a body); UnreachableError when none came whole within limit and time."""
    asked = urllib.request.Request(url, data=body, headers=dict(headers or {}))  # noqa: S310  the policy names http(s)
    try:
        try:
            answer: Any = _opener.open(asked, timeout=timeout_s)
        except urllib.error.HTTPError as error:
            answer = error  # a status is an answer
        with answer:
            data: bytes = answer.read(limit + 1)
            status = int(answer.status)
    except (OSError, HTTPException, ValueError) as error:
        raise UnreachableError(f"{url} does not answer: {error}") from error
    if len(data) > limit:
        raise UnreachableError(f"{url} answers with more than {limit} bytes")
    return status, data


class HttpRemote:
    """A log in C2SP tlog-tiles layout below a prefix; `token` goes along as a bearer token."""

    def __init__(self, prefix: str, *, token: str = "", timeout_s: float = TIMEOUT_SECONDS) -> None:
        self._prefix = prefix.rstrip("/")
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._timeout_s = timeout_s

    def checkpoint(self) -> bytes:
        return self._get("checkpoint", note.MAX_NOTE_SIZE)

    def tile(self, name: TileName) -> bytes:
        limit = MAX_BUNDLE if name.level == ENTRIES else MAX_TILE
        try:
            return self._get(f"tile/{tile.format_path(name)}", limit)
        except UnreachableError:
            if name.width == WIDTH:
                raise
        # A partial tile may be gone once the full one is there (tlog-tiles).
        data = self._get(f"tile/{tile.format_path(TileName(name.level, name.number, WIDTH))}", limit)
        return data if name.level == ENTRIES else data[: name.width * HASH_SIZE]

    def _get(self, path: str, limit: int) -> bytes:
        url = f"{self._prefix}/{path}"
        status, data = request(url, limit=limit, headers=self._headers, timeout_s=self._timeout_s)
        if status != 200:
            raise UnreachableError(f"{url} answers {status}")
        return data
