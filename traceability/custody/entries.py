"""What a trace keeps of events: entries that sort by themselves, and what many of them say alike, once. Pure.

A lot has a hundred thousand of these; as facts they would cost more than all the rest of its trace.
"""

from collections.abc import Hashable, Sequence
from typing import NamedTuple

from .fold import Fact


class Entry(NamedTuple):
    """An event in a thing's line: its own (depth 0), or of a container so many levels up. Sorted, they are in order."""

    time_ms: int
    event_id: str
    log_index: int
    role: str
    container: str  # whose event it is; '' = the thing's own
    parent: str
    depth: int
    said: int  # number of `Sayings`


class Sayings:
    """What facts say beside event, time and parent, by number: each once.

    Facts of one `character` differ in nothing that a way is told by but event, time and parent.
    """

    def __init__(self) -> None:
        self.facts: list[Fact] = []  # by number; of any one event
        self.characters: list[int] = []  # by number
        self._numbers: dict[Hashable, int] = {}
        self._kinds: dict[Hashable, int] = {}

    def number(self, fact: Fact) -> int:
        """The number of what this fact says."""
        kind = (
            fact.role, fact.type, fact.action, fact.step, fact.disposition, fact.place, fact.reporter,
            fact.destination, fact.is_opening, fact.persistent_set, fact.persistent_unset,
        )  # fmt: skip
        key = (kind, fact.offset_minutes, fact.lot, fact.expiry, fact.left)
        known = self._numbers.get(key)
        if known is None:
            known = self._numbers[key] = len(self.facts)
            self.facts.append(fact)
            self.characters.append(self._kinds.setdefault(kind, len(self._kinds)))
        return known

    def entry(self, fact: Fact) -> Entry:
        """A thing's own entry of a fact."""
        return Entry(
            fact.time_ms, fact.event_id, fact.index, fact.role, "", fact.parent, 0, self.number(fact)
        )  # fmt: skip

    def fact(self, entry: Entry) -> Fact:
        """The fact of an entry, without when it was void."""
        found = object.__new__(Fact)
        vars(found).update(
            vars(self.facts[entry.said]), index=entry.log_index, time_ms=entry.time_ms, event_id=entry.event_id,
            parent=entry.parent, void=(),
        )  # fmt: skip
        return found


def made(*members: *tuple[int, str, int, str, str, str, int, int]) -> Entry:
    """`Entry(*members)` at half its cost."""
    return tuple.__new__(Entry, members)


def carried(entries: Sequence[Entry], container: str, depth: int) -> list[Entry]:
    """A container's own entries as they are in the lines of what is in it, so many levels down."""
    return [
        made(time_ms, event_id, index, role, container, parent, depth, said)
        for time_ms, event_id, index, role, _, parent, _, said in entries
    ]
