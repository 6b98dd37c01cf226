"""What is wrong with a document, one line per fault; the validator collects all of them."""

from collections.abc import Iterator
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


class Faults:
    """Collects faults; knows where in the document the check stands."""

    def __init__(self) -> None:
        self.found: list[Fault] = []
        self.event_index: int | None = None
        self._path: list[str] = []

    @contextmanager
    def at(self, *steps: str | int) -> Iterator[None]:
        """Within the block, faults are reported below these members or places."""
        escaped = [str(step).replace("~", "~0").replace("/", "~1") for step in steps]
        self._path.extend(escaped)
        try:
            yield
        finally:
            del self._path[len(self._path) - len(escaped) :]

    def add(self, code: str, message: str) -> None:
        """Note a fault at the current place."""
        if len(self.found) < MAX_FAULTS:
            pointer = "".join(f"/{step}" for step in self._path)
            self.found.append(Fault(self.event_index, pointer, code, message))
