"""Why something was not taken in, in the words of the API: every fault with its event, its place, a code and words."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.conf import settings

from ledger import api as ledger
from traceability.common.problems import ProblemError
from traceability.epcis.faults import Fault

MAX_ERRORS_SHOWN = 200
# What a fault's code stands for in the words of EPCIS, section 12; every other one is a ValidationException, 400.
_KINDS = {
    "event-id-reused": (409, "ResourceAlreadyExistsException"),
    "no-signing-key": (409, "SecurityException"),
    **dict.fromkeys(("capture-limit", "too-large", "xml-too-large"), (413, "CaptureLimitExceededException")),
    **dict.fromkeys(("spool-lost", "attempts"), (500, "ImplementationException")),
}
_NUL_SHOWN = "\ufffd"

BEING_RECORDED = "being-recorded"


class CaptureError(ProblemError):
    """Capture refused; nothing was stored."""


class Tally:
    """The faults of a document: the first of them, how many there are, and in which events (their places)."""

    def __init__(self, faults: Iterable[Fault] = ()) -> None:
        self.first: list[Fault] = []
        self.count = 0
        self.events: set[int] = set()
        self.concerns_document = False
        self.add(faults)

    def add(self, faults: Iterable[Fault]) -> None:
        """Note these; beyond MAX_ERRORS_SHOWN they are counted only."""
        for fault in faults:
            self.count += 1
            if fault.event_index is None:
                self.concerns_document = True
            else:
                self.events.add(fault.event_index)
            if len(self.first) < MAX_ERRORS_SHOWN:
                self.first.append(fault)

    def errors(self) -> list[dict[str, Any]]:
        """The faults as an answer or a job lists them; the last entry counts those beyond."""
        found = [error(fault) for fault in self.first]
        if more := self.count - len(found):
            found.append({"event": None, "pointer": "", "code": "more", "message": f"and {more} more faults"})
        return found

    def refusal(self) -> CaptureError:
        """The whole refused for these faults, with the status of the first."""
        first = self.first[0]
        where = "the document" if first.event_index is None else f"event {first.event_index}"
        detail = f"{where}, {first.pointer or '/'}: {first.message}".replace("\0", _NUL_SHOWN)
        if self.count > 1:
            detail += f" (and {self.count - 1} more)"
        return refused(first.code, detail, self.errors())


def refusal(faults: Sequence[Fault]) -> CaptureError:
    """A refusal for a few faults."""
    return Tally(faults).refusal()


def kind_of(code: str) -> tuple[int, str]:
    """The HTTP status and the exception of EPCIS that a fault of this code stands for."""
    return _KINDS.get(code, (400, "ValidationException"))


def refused(code: str, detail: str, errors: Sequence[Mapping[str, Any]] = ()) -> CaptureError:
    """A refusal with the status and exception of its code; one for a limit names both limits."""
    status, kind = kind_of(code)
    return CaptureError(status, code, detail, kind, errors, headers=_limits() if status == 413 else {})


def error(fault: Fault) -> dict[str, Any]:
    """A fault as an answer lists it."""
    return {
        "event": fault.event_index,
        "pointer": fault.pointer.replace("\0", _NUL_SHOWN),  # PostgreSQL keeps no NUL
        "code": fault.code,
        "message": fault.message.replace("\0", _NUL_SHOWN),
    }


def require_room(size: int = 0, *, limit: int | None = None) -> None:
    """CaptureError when a body of this many bytes is too large (413), or the log is too far behind (503)."""
    limit = settings.CAPTURE_MAX_BYTES if limit is None else limit
    if size > limit:
        raise too_large(f"a document has at most {limit} bytes", limit=limit)
    if ledger.backlog() > settings.CAPTURE_MAX_BACKLOG:
        raise busy("too many events wait for the log; send this again later")


def busy(detail: str) -> CaptureError:
    """503: later there is room again."""
    return CaptureError(503, "backlog", detail, headers={"Retry-After": "5"})


def being_recorded(detail: str) -> CaptureError:
    """503: whether this is recorded is decided when another document is done."""
    return CaptureError(503, BEING_RECORDED, detail, headers={"Retry-After": "5"})


def too_large(detail: str, *, limit: int | None = None) -> CaptureError:
    """413 with both limits."""
    return CaptureError(413, "capture-limit", detail, "CaptureLimitExceededException", headers=_limits(limit))


def _limits(limit: int | None = None) -> dict[str, str]:
    return {
        "GS1-EPCIS-Capture-Limit": str(settings.CAPTURE_MAX_EVENTS),
        "GS1-EPCIS-Capture-File-Size-Limit": str(settings.CAPTURE_MAX_BYTES if limit is None else limit),
    }
