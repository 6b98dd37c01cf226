"""The one shape of an error: an RFC 7807 problem document with a stable code, the field and what to do."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass
class ProblemError(Exception):
    """A request that cannot be served. `code` is stable; `kind` is the EPCIS exception name where there is one.

    `pointer` names the one member of the body that is at fault (RFC 6901), where `errors` do not.
    """

    status: int
    code: str
    detail: str
    kind: str = ""
    errors: Sequence[Mapping[str, Any]] = field(default_factory=list)
    headers: Mapping[str, str] = field(default_factory=dict)
    pointer: str = ""

    def __str__(self) -> str:
        return f"{self.code}: {self.detail}"

    @property
    def body(self) -> dict[str, Any]:
        """The problem document; `errors` lists each fault with event, pointer, code and message."""
        document: dict[str, Any] = {
            "type": f"epcisException:{self.kind}" if self.kind else "about:blank",
            "title": self.kind or self.code.replace("-", " ").capitalize(),
            "status": self.status,
            "code": self.code,
            "detail": self.detail,
        }
        if self.errors:
            document["errors"] = [dict(error) for error in self.errors]
        elif self.pointer:
            document["errors"] = [{"pointer": self.pointer, "code": self.code, "message": self.detail}]
        return document


def pointer(*path: str | int) -> str:
    """The JSON pointer (RFC 6901) that leads along these members and places."""
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in path)
