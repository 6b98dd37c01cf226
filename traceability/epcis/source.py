"""A document opened for streaming, whatever it was written in: its frame, and its events one by one. PURE."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

# Up to here a document is read whole, and once: about ten times its size in memory, for a moment.
WHOLE_BYTES = 1024 * 1024


class SourceError(ValueError):
    """The bytes are not a document that can be read. `code` is stable; `detail` is for people."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code, self.detail = code, detail


class LocatedEvent(dict[str, Any]):
    """An event that knows in which line of its file it begins (from 1), for the words of a fault."""

    def __init__(self, members: Mapping[str, Any], *, line: int) -> None:
        super().__init__(members)
        self.line = line


@dataclass(frozen=True)
class Source:
    """`frame` is the document in its JSON form with an empty event list; header and master data are in it.

    `events()` reads the events in their JSON form, in order, and may be called again: of a document beyond WHOLE_BYTES
    each pass reads anew and holds one event at a time. Raises SourceError where the bytes break off or break a limit.
    """

    frame: Mapping[str, Any]
    events: Callable[[], Iterator[Any]]
