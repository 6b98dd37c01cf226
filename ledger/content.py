"""Off-log content from one machine to another: `POST <log>/content` (docs/formats.md), asked and answered.

Whoever receives it believes nothing: a document counts if its claims lead to the root that its party signed.
"""

import json
import re
from base64 import b64encode
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from . import claims, http
from .follower import UnreachableError
from .statement import PRIVATE_KINDS, Statement
from .tlog import note
from .tlog.errors import NoteError

MAX_ASKED = 256  # statements in one request
MAX_REQUEST = 64 * 1024
FULL = 8 * 1024 * 1024  # bytes of content after which an answer takes no more; the rest is asked again
MAX_ANSWER = 64 * 1024 * 1024
_HASH = re.compile(r"[0-9a-f]{64}", re.ASCII)


class ContentError(ValueError):
    """A request or an answer has not the form that docs/formats.md gives it."""


@dataclass(frozen=True, slots=True)
class Content:
    """What belongs to one entry: its ledger time and, where the asker may see it and it is held, body and secret."""

    record_time_ms: int
    body: bytes | None = None
    secret: bytes | None = None


def is_signed(statement: Statement, content: Content) -> bool:
    """Whether this body and secret are what the statement commits to."""
    if content.body is None or content.secret is None or statement.kind not in PRIVATE_KINDS:
        return False
    try:
        body = json.loads(content.body)
        return claims.commit(body, secret=content.secret, party=statement.iss).root == statement.payload
    except (ValueError, AttributeError, RecursionError):  # no JSON, no object, no canonical form
        return False


def parse_request(data: bytes) -> list[str]:
    """The statement hashes that are asked for; ContentError for anything but a JSON list of at most 256."""
    try:
        asked = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise ContentError("a request is a JSON list of statement hashes") from error
    if not isinstance(asked, list) or len(asked) > MAX_ASKED:
        raise ContentError(f"a request is a JSON list of at most {MAX_ASKED} statement hashes")
    if not all(isinstance(name, str) and _HASH.fullmatch(name) for name in asked):
        raise ContentError("a statement hash is 64 lower-case hex digits")
    return asked


def format_answer(found: Iterable[tuple[str, Content]]) -> bytes:
    """The answer, as much of it as fits; one entry at least."""
    size, parts = 0, []
    for name, content in found:
        if size > FULL:
            break
        part: dict[str, Any] = {"statement": name, "recordTime": content.record_time_ms}
        if content.body is not None and content.secret is not None:
            part |= {"body": b64encode(content.body).decode(), "secret": b64encode(content.secret).decode()}
            size += len(content.body)
        parts.append(part)
    return json.dumps({"entries": parts}).encode()


def parse_answer(data: bytes) -> dict[str, Content]:
    """The content in an answer by statement hash; ContentError for another form."""
    try:
        found = {}
        for part in json.loads(data)["entries"]:
            values = [note.decode_base64(part[name]) if name in part else None for name in ("body", "secret")]
            if type(part["recordTime"]) is not int or not isinstance(part["statement"], str):
                raise ContentError("an entry has a statement hash and a time in ms")
            found[part["statement"]] = Content(part["recordTime"], *values)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, NoteError) as error:
        raise ContentError(f"no answer of this form: {error}") from error
    return found


class Source:
    """A log or follower that may hold content, asked with a bearer token."""

    def __init__(self, prefix: str, token: str, *, ask: Callable[..., tuple[int, bytes]] = http.request) -> None:
        self._url = f"{prefix.rstrip('/')}/content"
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        self._ask = ask

    def fetch(self, hashes: Sequence[str]) -> dict[str, Content]:
        """What it has of these statements; UnreachableError when it does not answer as it should."""
        found: dict[str, Content] = {}
        for start in range(0, len(hashes), MAX_ASKED):
            left = list(hashes[start : start + MAX_ASKED])
            while left:
                answer = self._part(left)
                found |= {name: answer[name] for name in left if name in answer}
                rest = [name for name in left if name not in answer]
                left = rest if len(rest) < len(left) else []  # what it leaves out of an answer again it does not know
        return found

    def _part(self, hashes: Sequence[str]) -> Mapping[str, Content]:
        body = json.dumps(list(hashes)).encode()
        status, data = self._ask(self._url, limit=MAX_ANSWER, body=body, headers=self._headers, timeout_s=60.0)
        if status != 200:
            raise UnreachableError(f"{self._url} answers {status}: {data[:200].decode('utf-8', 'replace').strip()}")
        try:
            return parse_answer(data)
        except ContentError as error:
            raise UnreachableError(f"{self._url}: {error}") from error
