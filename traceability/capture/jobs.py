"""Capture jobs: a small document is done while its sender waits, a large one is spooled and worked on afterwards.

A worker holds the lock of the spooled file (flock) while it works, which a crash lets go; what it stores counts from
the job's end on, which is one transaction. So a job is taken up again until it is done, and never done twice.
"""

import fcntl
import logging
import os
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO

from django.conf import settings
from django.db import IntegrityError, close_old_connections
from django.db.models import F

from ledger import api as ledger
from traceability.common import storage_full
from traceability.common.clock import now_ms
from traceability.epcis import json_source
from traceability.epcis.source import Source, SourceError
from traceability.epcis.xml import reader as xml_source
from traceability.parties.models import Party

from . import intake, staging
from .intake import Terms
from .models import CaptureJob
from .refusals import BEING_RECORDED, CaptureError, busy, refused, require_room
from .uploads import Upload, spooled

log = logging.getLogger("traceability.capture")

JSON, XML = "json", "xml"
MAX_ATTEMPTS = 5
POLL_SECONDS = 1.0
_ORPHAN_SECONDS = 24 * 3600
_PROGRESS_EVENTS = 1000
# Is told how far a document has come, in per cent.
Report = Callable[[int], None]
# Refusals that time heals: the job waits on.
_LATER = frozenset({"backlog", BEING_RECORDED, storage_full.CODE})


@storage_full.refused()
def accept(
    upload: Upload, terms: Terms, *, media: str, at_once: bool = False, report: Report | None = None
) -> CaptureJob:
    """Take in a document; the job, with its signed submission receipt when it is done.

    The same bytes by the same party give the first job, unless that failed. What lies in a file waits for a worker,
    and its faults are the job's; otherwise, and always `at_once`, they refuse it here (CaptureError, nothing stored),
    and `report` is told meanwhile how far it is.
    """
    if known := _known(upload, terms):
        return known
    require_room(upload.size)
    job = CaptureJob(
        id=uuid.uuid4().hex,
        reporter=terms.reporter.uri,
        body_sha256=upload.sha256,
        error_behaviour=terms.error_behaviour,
        created_ms=now_ms(),
        media=media,
        extensions=dict(terms.extensions),
    )
    try:
        if at_once and upload.size > settings.CAPTURE_SPOOL_BYTES:
            _take_in_ahead(upload.file, terms, job, report)
        elif upload.path is None or at_once:
            _take_in(upload.file, terms, job, report)
        else:
            job.waiting = True
            _spool(upload, job)
    except IntegrityError:
        known = _known(upload, terms)
        if known is None:
            raise
        return known  # the same bytes came at the same moment, and theirs was the first job
    return job


def work_one() -> bool:
    """Work on the first job that waits and that nobody works on; False when there is none, or it must wait on."""
    if ledger.backlog() > settings.CAPTURE_MAX_BACKLOG or not all(map(staging.release, staging.unreleased())):
        return False
    for job in CaptureJob.objects.filter(waiting=True).order_by("created_ms", "id"):
        with _held(spooled(job.id)) as file:
            if file is not None:
                why_not = _work(job, file)
                if why_not == BEING_RECORDED:
                    continue  # by a later job, perhaps, that broke off and must come first now
                return not why_not
        if not spooled(job.id).exists() and CaptureJob.objects.filter(id=job.id, waiting=True).exists():
            _fail(job, refused("spool-lost", "the document's file is gone; send it again"))
    return False


def run(stop: threading.Event) -> None:
    """Work on jobs until `stop` is set; the embedded size's thread."""
    while not stop.wait(POLL_SECONDS):
        try:
            while not stop.is_set() and work_one():
                pass
            sweep()
        except Exception:  # a fault of one job, or of the database, must not end the thread: the job is tried again
            log.exception("capture job failed")
        finally:
            close_old_connections()


def sweep() -> None:
    """Remove what a crash left in the spool folder: files of jobs that are done, and old parts."""
    folder = Path(settings.CAPTURE_SPOOL_DIR)
    names = [path for path in folder.iterdir() if path.is_file()]
    if not names:
        return
    waiting = set(CaptureJob.objects.filter(waiting=True).values_list("id", flat=True))
    for path in names:
        # A file gets its name just before its job becomes a row.
        if path.name not in waiting and time.time() - path.stat().st_mtime > _ORPHAN_SECONDS:
            path.unlink(missing_ok=True)


def _known(upload: Upload, terms: Terms) -> CaptureJob | None:
    jobs = CaptureJob.objects.filter(reporter=terms.reporter.uri, body_sha256=upload.sha256, failed=False)
    return jobs.first()


def _spool(upload: Upload, job: CaptureJob) -> None:
    if CaptureJob.objects.filter(waiting=True).count() >= settings.CAPTURE_MAX_WAITING:
        raise busy("too many large documents wait to be worked on; send this again later")
    upload.keep(job.id)
    # Crash here: a file without a job, swept away later; the sender was told nothing and sends again.
    try:
        job.save(force_insert=True)
    except BaseException:
        spooled(job.id).unlink(missing_ok=True)
        raise
    # Crash here: the job waits, and is worked on when a worker comes.


def _take_in(file: BinaryIO, terms: Terms, job: CaptureJob, report: Report | None) -> None:
    try:
        source = (xml_source if job.media == XML else json_source).open_document(file)
        if report is not None:
            source = _followed(source, file, report)
        intake.take_in(source, terms, job)
    except SourceError as error:
        raise refused(error.code, error.detail) from error


def _take_in_ahead(file: BinaryIO, terms: Terms, job: CaptureJob, report: Report | None) -> None:
    """Do a large document now, as a worker does it: the job waits, and an empty file holds it."""
    job.waiting = True
    with spooled(job.id).open("xb") as hold:
        fcntl.flock(hold, fcntl.LOCK_EX)
        try:
            job.save(force_insert=True)
            _take_in(file, terms, job, report)
        except BaseException:
            # Crash here, or anywhere before: the empty file is free, by which a worker knows what to clear away.
            staging.withdraw(job.id)
            CaptureJob.objects.filter(id=job.id, waiting=True).delete()
            raise
        finally:
            spooled(job.id).unlink()
    staging.release(job.id)


@contextmanager
def _held(path: Path) -> Iterator[BinaryIO | None]:
    """The file, while nobody else holds it; None when it is held or gone."""
    try:
        file = path.open("rb")
    except FileNotFoundError:
        yield None
        return
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield None
        else:
            yield file


def _work(job: CaptureJob, file: BinaryIO) -> str:
    """Do a job whose file is held; the code of what it must wait for, or ''."""
    began = CaptureJob.objects.filter(id=job.id, waiting=True).update(attempts=F("attempts") + 1)
    if began:
        try:
            if job.attempts >= MAX_ATTEMPTS:
                raise refused("attempts", f"{MAX_ATTEMPTS} attempts broke off; our logs have the reason")
            if os.fstat(file.fileno()).st_size == 0:
                raise refused("spool-lost", "whoever took it in broke off; send it again")
            reporter = Party.objects.get(id=job.reporter.rpartition(":")[2])
            with storage_full.refused():
                staging.withdraw(job.id)
                _take_in(file, Terms(reporter, job.error_behaviour, job.extensions), job, _note_progress(job))
        except staging.OvertakenError:
            pass
        except CaptureError as refusal:
            if refusal.code == BEING_RECORDED:
                staging.withdraw(job.id)  # or the two would wait for each other
            if refusal.code in _LATER:
                CaptureJob.objects.filter(id=job.id, waiting=True).update(attempts=F("attempts") - 1)
                return refusal.code
            _fail(job, refusal)
    # Crash here: the job is done, and its file is swept away later.
    spooled(job.id).unlink(missing_ok=True)
    staging.release(job.id)
    return ""


def _fail(job: CaptureJob, refusal: CaptureError) -> None:
    staging.withdraw(job.id)
    # Crash here: the job waits and nothing of it is stored, as before it began.
    errors = list(refusal.errors) or [{"event": None, "pointer": "", "code": refusal.code, "message": refusal.detail}]
    CaptureJob.objects.filter(id=job.id, waiting=True).update(
        waiting=False, failed=True, finished_ms=now_ms(), errors=errors
    )


def _followed(source: Source, file: BinaryIO, report: Report) -> Source:
    """The source, telling how far its two readings have come."""
    size = max(1, os.fstat(file.fileno()).st_size)
    readings = 0

    def events() -> Iterator[Any]:
        nonlocal readings
        before, readings = 50 * min(readings, 1), readings + 1
        for number, event in enumerate(source.events(), 1):
            if number % _PROGRESS_EVENTS == 0:
                report(before + 50 * min(file.tell(), size) // size)
            yield event

    return replace(source, events=events)


def _note_progress(job: CaptureJob) -> Report:
    def report(percent: int) -> None:
        CaptureJob.objects.filter(id=job.id).update(progress=percent)

    return report
