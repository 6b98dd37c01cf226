"""EPCIS documents in JSON, opened for streaming: one event at a time, by the rules of the strict reader.

A small document is read whole. A large one is walked down to its event list; what stands around the list is read as
one value, so that a member that stands twice or a context behind the events is seen as in a small one.
"""

import codecs
import json
import re
from collections.abc import Iterator
from typing import Any, BinaryIO

from traceability.common import strict_json

from .source import WHOLE_BYTES, Source, SourceError

MAX_EVENT = 8 * 1024 * 1024  # characters of one event
MAX_FRAME = 16 * 1024 * 1024  # characters of all that stands around the events
_CHUNK = 256 * 1024
# What may go on behind the end of a chunk: numbers, words, escapes, space. It waits for the next one.
_MAY_GO_ON = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ+-. \t\n\r"
_SPACE = re.compile(r"[ \t\n\r]*")
_QUERY_LIST = ("epcisBody", "queryResults", "resultsBody")
_LIST = ("epcisBody",)


def open_document(file: BinaryIO) -> Source:
    """The document in `file`, which must allow seeking; SourceError where its bytes are not strict JSON.

    The bytes are read to their end before this returns, so that nothing in them is refused later.
    """
    file.seek(0)
    data = file.read(WHOLE_BYTES + 1)
    if len(data) > WHOLE_BYTES:
        del data
        return stream_document(file)
    try:
        document = strict_json.loads(data.removeprefix(codecs.BOM_UTF8))
    except strict_json.StrictJsonError as error:
        raise SourceError(f"json-{error.code}", error.detail) from error
    return of_document(document)


def of_document(document: Any) -> Source:
    """A document that is in memory already; anything but an object has no events."""
    events = _event_list(document)
    return Source(_without_events(document), lambda: iter(events))


def stream_document(file: BinaryIO) -> Source:
    """As `open_document`, whatever the size: memory for one event and for what stands around the events."""
    reader = _Reader(file)
    text = "".join(reader.around())
    if len(text) > MAX_FRAME:
        raise _frame_too_large()
    try:
        frame = strict_json.loads(text.encode("utf-8", "surrogatepass"))
    except strict_json.StrictJsonError as error:
        raise SourceError(f"json-{error.code}", f"around the events, {error.detail}") from error
    # Where the list that was walked is not the one that this type of document has, its own stands in the frame.
    if own := _event_list(frame):
        return Source(_without_events(frame), lambda: iter(own))
    if reader.path != _list_path(frame):
        return Source(frame, lambda: iter(()))
    return Source(frame, lambda: _Reader(file).events())


def _list_path(document: Any) -> tuple[str, ...]:
    """The members that lead to the object in which a document of this type has its event list."""
    is_query = isinstance(document, dict) and document.get("type") == "EPCISQueryDocument"
    return _QUERY_LIST if is_query else _LIST


def _event_list(document: Any) -> list[Any]:
    value: Any = document
    for name in (*_list_path(document), "eventList"):
        value = value.get(name) if isinstance(value, dict) else None
    return value if isinstance(value, list) else []


def _without_events(document: Any) -> Any:
    """The document with an empty list in place of its events."""
    if not _event_list(document):
        return document
    frame = place = dict(document)
    for name in _list_path(document):
        place[name] = place = dict(place[name])
    place["eventList"] = []
    return frame


def _frame_too_large() -> SourceError:
    return SourceError("too-large", f"more than {MAX_FRAME} characters stand around the events")


class _Reader:
    """One pass through the bytes. `path` leads to the event list that was walked; None when there is none."""

    def __init__(self, file: BinaryIO) -> None:
        self.path: tuple[str, ...] | None = None
        self._file = file
        # A mark at the beginning, which some programs write, is passed over (RFC 8259, section 8.1).
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")("strict")
        # The text that is here from `_at` on, never breaking off within a number or a word; `_held` follows it.
        self._text, self._held, self._at = "", "", 0
        self._fed, self._ended = 0, False
        file.seek(0)

    def around(self) -> Iterator[str]:
        """The text around the events, with the brackets of their list; each event is read, and let go."""
        self._to_list()
        yield self._text[: self._at]
        for _ in self._events():
            pass
        size = self._at
        while self._at < len(self._text) or self._more():
            size += len(self._text) - self._at
            if size > MAX_FRAME:
                raise _frame_too_large()
            yield self._text[self._at :]
            self._at = len(self._text)
            self._forget()

    def events(self) -> Iterator[Any]:
        """The events of the list."""
        self._to_list()
        yield from self._events()

    def _to_list(self) -> None:
        """Walk to the first event. Whatever is wrong on the way, the strict reader says of the frame as a whole."""
        path: tuple[str, ...] = ()
        if self._next() != "{":
            return
        self._at += 1
        while (char := self._next()) is not None:
            if char == '"':
                name = self._value(MAX_FRAME)
                if self._next() != ":":
                    return
                self._at += 1
                opens = self._next()
                if name == "eventList" and opens == "[" and path in (_LIST, _QUERY_LIST):
                    self._at += 1
                    self.path = path
                    return
                if opens == "{" and (*path, name) == _QUERY_LIST[: len(path) + 1]:
                    path = (*path, name)
                    self._at += 1
                else:
                    self._value(MAX_FRAME)
            elif char == "}":
                path = path[:-1]
                self._at += 1
            elif char == ",":
                self._at += 1
            else:
                return

    def _events(self) -> Iterator[Any]:
        """The members of the list, from the first on; ends before the bracket that closes it."""
        if self.path is None:
            return
        depth = strict_json.MAX_DEPTH - len(self.path) - 2
        index = 0
        while (char := self._next()) != "]":
            if index:
                if char != ",":
                    raise SourceError("json-not-json", f"behind event {index - 1}: expecting ',' or ']'")
                self._at += 1
                self._next()
            yield self._value(MAX_EVENT, depth=depth, where=f"event {index}: ")
            index += 1
            self._forget()

    def _value(self, limit: int, *, depth: int = strict_json.MAX_DEPTH, where: str = "around the events: ") -> Any:
        """The value at which the reader stands; reads on while it does not end within the text that is here."""
        while True:
            try:
                value, end = strict_json.read_at(self._text, self._at, max_depth=depth)
                if end - self._at > limit:
                    raise SourceError("too-large", f"{where}larger than {limit} characters")
                self._at = end
                return value
            except strict_json.StrictJsonError as error:
                raise SourceError(f"json-{error.code}", where + error.detail) from error
            except json.JSONDecodeError as error:
                breaks_off = error.msg.startswith("Unterminated") or error.pos >= len(self._text) - 1
                if self._ended or not breaks_off:
                    raise SourceError("json-not-json", where + error.msg) from error
            size = len(self._text) - self._at + len(self._held)
            if size > limit:
                raise SourceError("too-large", f"{where}larger than {limit} characters")
            # As much again as there is, so that a large value is read a few times only; never much beyond the limit.
            self._more(min(max(_CHUNK, size), limit - size + _CHUNK))

    def _next(self) -> str | None:
        """The next character that is no space; the reader then stands at it. None = the end."""
        while True:
            match = _SPACE.match(self._text, self._at)
            self._at = match.end() if match else self._at
            if self._at < len(self._text):
                return self._text[self._at]
            if not self._more():
                return None

    def _more(self, size: int = _CHUNK) -> bool:
        """Read on; False at the end."""
        if self._ended:
            return False
        chunk = self._file.read(size)
        self._ended = not chunk
        before = self._fed - len(self._decoder.getstate()[0])
        try:
            text = self._held + self._decoder.decode(chunk, final=self._ended)
        except UnicodeDecodeError as error:
            raise SourceError("json-not-utf8", f"byte {before + error.start} is not UTF-8") from error
        self._fed += len(chunk)
        cut = len(text) if self._ended else len(text.rstrip(_MAY_GO_ON))
        self._text += text[:cut]
        self._held = text[cut:]
        return True

    def _forget(self) -> None:
        """Let go of what was read, when it is worth the copying."""
        if self._at > _CHUNK:
            self._text = self._text[self._at :]
            self._at = 0
