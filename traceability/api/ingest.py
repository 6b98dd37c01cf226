"""Feeding files through the front door's services: EPCIS documents and logger files, one outcome each."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from traceability.capture import selectors as captured
from traceability.capture import services as capture
from traceability.coldchain import originals
from traceability.coldchain import selectors as logger_files
from traceability.coldchain import services as logger_services
from traceability.common import strict_json
from traceability.common.problems import ProblemError
from traceability.parties.models import Party, Site

EPCIS_SUFFIXES = {".json", ".jsonld"}
LOGGER_SUFFIXES = {".txt", ".csv"}
PATIENCE_SECONDS, PAUSE_SECONDS = 60.0, 0.5
ACCEPTED, KNOWN, REFUSED = "accepted", "already recorded", "refused"


@dataclass(frozen=True)
class Outcome:
    """What became of a file: accepted | already recorded | refused, with the reason in words."""

    path: Path
    state: str
    events: int = 0
    why: str = ""


def ingest_file(path: Path, *, party: Party, site: Site | None) -> Outcome:
    """Take one file in as `party`; a refusal is an outcome, not an exception."""
    kind = path.suffix.lower()
    if kind == ".xml":
        return Outcome(path, REFUSED, why="EPCIS in XML is not taken yet; send JSON")
    if kind not in EPCIS_SUFFIXES | LOGGER_SUFFIXES:
        return Outcome(path, REFUSED, why="neither EPCIS (.json, .jsonld) nor a logger file (.txt, .csv), by its name")
    try:
        content = _read(path)
        if kind in LOGGER_SUFFIXES:
            return _patiently(lambda: _logger_file(path, content, party, site))
        return _patiently(lambda: _document(path, content, party))
    except ProblemError as problem:
        return Outcome(path, REFUSED, why=problem.detail)
    except OSError as error:
        return Outcome(path, REFUSED, why=f"the file cannot be read: {error.strerror}")


def _read(path: Path) -> bytes:
    """The file's bytes, or what shows that it is too large: never more than that in memory."""
    with path.open("rb") as file:
        content = file.read(settings.CAPTURE_MAX_BYTES + 1)
    if len(content) > settings.CAPTURE_MAX_BYTES:
        raise ProblemError(413, "capture-limit", f"a file has at most {settings.CAPTURE_MAX_BYTES} bytes")
    return content


def _patiently(take: Callable[[], Outcome]) -> Outcome:
    """A folder comes faster than the log takes it in: wait while too many events do, instead of refusing the rest."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            return take()
        except ProblemError as problem:
            if problem.code != "backlog" or time.monotonic() >= deadline:
                raise
        time.sleep(PAUSE_SECONDS)


def files_below(path: Path) -> list[Path]:
    """The file itself, or every file below the folder in a fixed order; hidden ones are the system's, not data."""
    if path.is_symlink() or not path.is_dir():
        return [path] if path.is_symlink() or path.exists() else []
    found = (file for file in path.rglob("*") if not file.is_dir())
    return sorted(file for file in found if not any(part.startswith(".") for part in file.relative_to(path).parts))


def _document(path: Path, content: bytes, party: Party) -> Outcome:
    """A document or a bare event, told apart by its `type`, as a client does by choosing the address."""
    if _type(content).endswith("Event"):
        accepted = capture.accept_events([capture.parse_event(content)], reporter=party)
        return Outcome(path, KNOWN if accepted[0].already_recorded else ACCEPTED, 1)
    is_again = captured.is_known_body(content, reporter=party.uri)
    job = capture.accept_document(content, reporter=party)
    is_again = is_again or 0 < job.event_count == job.already_recorded
    return Outcome(path, KNOWN if is_again else ACCEPTED, job.event_count)


def _type(content: bytes) -> str:
    """The `type` of a JSON object; '' where there is none, which capture then says in its own words."""
    try:
        value = strict_json.loads(content)
    except strict_json.StrictJsonError:
        return ""
    kind = value.get("type") if isinstance(value, dict) else None
    return kind if isinstance(kind, str) else ""


def _logger_file(path: Path, content: bytes, party: Party, site: Site | None) -> Outcome:
    """The same bytes by another party, or bound to another place, are another upload."""
    known = logger_files.uploads_of(originals.digest(content), party=party)
    kept = logger_services.upload(content=content, filename=path.name, party=party, site=site)
    state = KNOWN if kept.event_id in known else ACCEPTED
    return Outcome(path, state, 1, f"{kept.readings} readings, signature {kept.signature}")
