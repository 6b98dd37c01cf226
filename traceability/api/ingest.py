"""Feeding files through the front door's services: EPCIS documents and logger files, one outcome each."""

import codecs
import stat
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from django.conf import settings

from traceability.capture import jobs
from traceability.capture import selectors as captured
from traceability.capture import services as capture
from traceability.capture.intake import Terms
from traceability.capture.uploads import Upload
from traceability.coldchain import originals
from traceability.coldchain import selectors as logger_files
from traceability.coldchain import services as logger_services
from traceability.common import strict_json
from traceability.common.problems import ProblemError
from traceability.epcis.source import WHOLE_BYTES, SourceError
from traceability.epcis.xml import reader as xml_source
from traceability.parties.models import Party, Site

EPCIS_SUFFIXES = {".json": jobs.JSON, ".jsonld": jobs.JSON, ".xml": jobs.XML}
LOGGER_SUFFIXES = {".txt", ".csv"}
PATIENCE_SECONDS, PAUSE_SECONDS = 60.0, 0.5
ACCEPTED, KNOWN, REFUSED, LATER = "accepted", "already recorded", "refused", "not now"
# Refusals that time heals.
_LATER = frozenset({"backlog", "being-recorded", "storage-full"})


@dataclass(frozen=True)
class Outcome:
    """What became of a file: accepted | already recorded | refused | not now, with the reason in words.

    `problem` is the problem document of a refusal, with every fault.
    """

    path: Path
    state: str
    events: int = 0
    why: str = ""
    problem: Mapping[str, Any] = field(default_factory=dict)


def ingest_file(path: Path, *, party: Party, site: Site | None, report: jobs.Report | None = None) -> Outcome:
    """Take one file in as `party`; a refusal is an outcome, not an exception. `report` is told the per cent done."""
    kind = path.suffix.lower()
    try:
        if kind not in EPCIS_SUFFIXES and kind not in LOGGER_SUFFIXES:
            detail = "neither EPCIS (.json, .jsonld, .xml) nor a logger file (.txt, .csv), by its name"
            raise ProblemError(415, "media-type", detail, "UnsupportedMediaTypeException")
        with path.open("rb") as file:
            if not stat.S_ISREG(path.stat().st_mode):
                raise ProblemError(400, "not-a-file", "this is not a plain file")
            if kind in LOGGER_SUFFIXES:
                content = _read(file)
                return _patiently(lambda: _logger_file(path, content, party, site))
            return _patiently(lambda: _epcis(path, file, party, report))
    except ProblemError as problem:
        state = LATER if problem.code in _LATER else REFUSED
        return Outcome(path, state, why=problem.detail, problem=problem.body)
    except OSError as error:
        why = f"the file cannot be read: {error.strerror}"
        return Outcome(path, REFUSED, why=why, problem=ProblemError(400, "unreadable", why).body)


def _read(file: BinaryIO) -> bytes:
    """The bytes of a logger file, or what shows that it is too large: never more than that in memory."""
    limit = min(settings.CAPTURE_MAX_BYTES, settings.DATA_UPLOAD_MAX_MEMORY_SIZE)
    content = file.read(limit + 1)
    if len(content) > limit:
        raise ProblemError(413, "capture-limit", f"a file has at most {limit} bytes")
    return content


def _patiently(take: Callable[[], Outcome]) -> Outcome:
    """A folder comes faster than the log takes it in: wait while too many events do, instead of refusing the rest."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            return take()
        except ProblemError as problem:
            if problem.code not in {"backlog", "being-recorded"} or time.monotonic() >= deadline:
                raise
        time.sleep(PAUSE_SECONDS)


def files_below(path: Path) -> list[Path]:
    """The file itself, or every file below the folder in a fixed order; hidden ones are the system's, not data."""
    if path.is_symlink() or not path.is_dir():
        return [path] if path.is_symlink() or path.exists() else []
    found = (file for file in path.rglob("*") if not file.is_dir())
    return sorted(file for file in found if not any(part.startswith(".") for part in file.relative_to(path).parts))


def _epcis(path: Path, file: BinaryIO, party: Party, report: jobs.Report | None) -> Outcome:
    """A document or a bare event, told apart by its `type`, as a client does by choosing the address."""
    media = EPCIS_SUFFIXES[path.suffix.lower()]
    event = _bare_event(file, media)
    if event is not None:
        accepted = capture.accept_events([event], reporter=party)
        return Outcome(path, KNOWN if accepted[0].already_recorded else ACCEPTED, 1)
    upload = Upload.of(file)
    is_again = captured.is_known_body(upload.sha256, reporter=party.uri)
    job = jobs.accept(upload, Terms(party), media=media, at_once=True, report=report)
    if job.waiting:
        raise ProblemError(503, "backlog", "these bytes wait to be worked on already")
    is_again = is_again or 0 < job.event_count == job.already_recorded
    return Outcome(path, KNOWN if is_again else ACCEPTED, job.event_count)


def _bare_event(file: BinaryIO, media: str) -> Mapping[str, Any] | None:
    """The event of a file that is none but that; None for a document, and for what capture says in its own words."""
    file.seek(0)
    content = file.read(WHOLE_BYTES + 1)
    if len(content) > WHOLE_BYTES:
        return None
    try:
        value = (
            xml_source.read_event(file)
            if media == jobs.XML
            else strict_json.loads(content.removeprefix(codecs.BOM_UTF8))
        )
    except (strict_json.StrictJsonError, SourceError):
        return None
    kind = value.get("type") if isinstance(value, dict) else None
    is_event = isinstance(kind, str) and kind.endswith("Event")
    return value if is_event else None


def _logger_file(path: Path, content: bytes, party: Party, site: Site | None) -> Outcome:
    """The same bytes by another party, or bound to another place, are another upload."""
    known = logger_files.uploads_of(originals.digest(content), party=party)
    kept = logger_services.upload(content=content, filename=path.name, party=party, site=site)
    state = KNOWN if kept.event_id in known else ACCEPTED
    return Outcome(path, state, 1, f"{kept.readings} readings, signature {kept.signature}")
