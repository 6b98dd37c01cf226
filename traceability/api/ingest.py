"""Feeding files through the front door's services: EPCIS documents and logger files, one outcome each."""

from dataclasses import dataclass
from pathlib import Path

from traceability.capture import services as capture
from traceability.coldchain import services as coldchain
from traceability.common.problems import ProblemError
from traceability.parties.models import Party, Site

EPCIS_SUFFIXES = {".json", ".jsonld"}
LOGGER_SUFFIXES = {".txt", ".csv"}
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
        return Outcome(path, "refused", why="EPCIS in XML is not taken yet; send JSON")
    try:
        if path.suffix in LOGGER_SUFFIXES:
            return _logger_file(path, party, site)
        return _document(path, party)
    except ProblemError as problem:
        return Outcome(path, "refused", why=problem.detail)


def files_below(path: Path) -> list[Path]:
    """The files that `ingest_file` has an answer for, in a fixed order."""
    if path.is_file():
        return [path]
    return sorted(file for file in path.rglob("*") if file.is_file() and file.suffix in SUFFIXES)


def _document(path: Path, party: Party) -> Outcome:
    body = path.read_bytes()
    if b'"EPCISDocument"' not in body and b'"EPCISQueryDocument"' not in body:
        accepted = capture.accept_events([capture.parse_event(body)], reporter=party)
        return Outcome(path, "already recorded" if accepted[0].already_recorded else "accepted", 1)
    job = capture.accept_document(body, reporter=party)
    known = job.already_recorded == job.event_count and job.event_count > 0
    return Outcome(path, "already recorded" if known else "accepted", job.event_count)


def _logger_file(path: Path, party: Party, site: Site | None) -> Outcome:
    kept = coldchain.upload(content=path.read_bytes(), filename=path.name, party=party, site=site)
    return Outcome(path, "accepted", 1, f"{kept.readings} readings, signature {kept.signature}")
