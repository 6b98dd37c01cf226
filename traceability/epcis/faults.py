"""What is wrong with a document, one line per fault; the validator collects all of them."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

# A document of nothing but faults must not answer with megabytes.
MAX_FAULTS = 200


@dataclass(frozen=True)
class Fault:
    """One fault: the event's place in the document (None = the document itself), JSON pointer, stable code, words."""

    event_index: int | None
    pointer: str
    code: str
    message: str

    @property
    def field(self) -> str:
        """The member within the event, such as `readPoint/id`; of the document when no event is meant."""
        _, found, within = self.pointer.partition("/eventList/")
        return within.partition("/")[2] if found and self.event_index is not None else self.pointer[1:]


class Faults:
    """Collects faults; knows where in the document the check stands."""

    def __init__(self, event_index: int | None = None, path: Sequence[str | int] = ()) -> None:
        self.found: list[Fault] = []
        self.event_index = event_index
        # Steps to where the check stands; the loops that see every value push and pop here themselves.
        self.path: list[str | int] = list(path)

    @contextmanager
    def at(self, *steps: str | int) -> Iterator[None]:
        """Within the block, faults are reported below these members or places."""
        self.path.extend(steps)
        try:
            yield
        finally:
            del self.path[len(self.path) - len(steps) :]

    def add(self, code: str, message: str) -> None:
        """Note a fault at the current place."""
        if len(self.found) == MAX_FAULTS:
            self.found.append(Fault(self.event_index, "", "more-faults", f"there are more than {MAX_FAULTS} faults"))
        if len(self.found) < MAX_FAULTS:
            pointer = "".join(f"/{_escaped(step)}" for step in self.path)
            self.found.append(Fault(self.event_index, pointer, code, message))


def _escaped(step: str | int) -> str:
    return step.replace("~", "~0").replace("/", "~1")[:200] if isinstance(step, str) else str(step)
