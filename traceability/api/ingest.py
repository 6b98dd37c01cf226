"""Feeding files through the front door's services: EPCIS documents and logger files, one outcome each."""

from dataclasses import dataclass
from pathlib import Path

from traceability.capture import selectors as captured
from traceability.capture import services as capture
from traceability.coldchain import originals
from traceability.coldchain import selectors as logger_files
from traceability.coldchain import services as logger_services
from traceability.common.problems import ProblemError
from traceability.parties.models import Party, Site

EPCIS_SUFFIXES = {".json", ".jsonld"}
LOGGER_SUFFIXES = {".txt", ".csv"}
ACCEPTED, KNOWN, REFUSED = "accepted", "already recorded", "refused"
SUFFIXES = EPCIS_SUFFIXES | LOGGER_SUFFIXES | {".xml"}


@dataclass(frozen=True)
class Outcome:
    """What became of a file: accepted | already recorded | refused, with the reason in words."""

    path: Path
    state: str
    events: int = 0
    why: str = ""


def ingest_file(path: Path, *, party: Party, site: Site | None) -> Outcome:
    """Take one file in as `party`; a refusal is an outcome, not an exception."""
    if path.suffix == ".xml":
        return Outcome(path, REFUSED, why="EPCIS in XML is not taken yet; send JSON")
    try:
        if path.suffix in LOGGER_SUFFIXES:
            return _logger_file(path, party, site)
        return _document(path, party)
    except ProblemError as problem:
        return Outcome(path, REFUSED, why=problem.detail)


def files_below(path: Path) -> list[Path]:
    """The files that `ingest_file` has an answer for, in a fixed order."""
    if path.is_file():
        return [path]
    return sorted(file for file in path.rglob("*") if file.is_file() and file.suffix in SUFFIXES)


def _document(path: Path, party: Party) -> Outcome:
    body = path.read_bytes()
    if b'"EPCISDocument"' not in body and b'"EPCISQueryDocument"' not in body:
        accepted = capture.accept_events([capture.parse_event(body)], reporter=party)
        return Outcome(path, KNOWN if accepted[0].already_recorded else ACCEPTED, 1)
    is_again = captured.is_known_body(body, reporter=party.uri)
    job = capture.accept_document(body, reporter=party)
    is_again = is_again or 0 < job.event_count == job.already_recorded
    return Outcome(path, KNOWN if is_again else ACCEPTED, job.event_count)


def _logger_file(path: Path, party: Party, site: Site | None) -> Outcome:
    content = path.read_bytes()
    is_again = logger_files.file_by_hash(originals.digest(content), party=party) is not None
    kept = logger_services.upload(content=content, filename=path.name, party=party, site=site)
    state = KNOWN if is_again else ACCEPTED
    return Outcome(path, state, 1, f"{kept.readings} readings, signature {kept.signature}")
