"""Events of a large document, stored ahead of its job's end: they count for nobody while the job waits.

Each step is a short transaction, however long the document is, so that others write meanwhile. The job's end is one
small row; its statements are queued after it, little by little, which a crash only puts off.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import chain

from django.conf import settings
from django.db import transaction

from ledger import api as ledger
from traceability.common import bulk, documents
from traceability.common.models import Document

from . import store
from .models import CapturedEvent, CaptureJob, StagedStatement
from .prepare import Prepared

BATCH = 500
_PAUSE_SECONDS = 0.02
# So long a log that takes nothing is waited for; then the rest is left to the next worker.
_PATIENCE_SECONDS = 5.0


class OvertakenError(Exception):
    """The job was done by somebody else meanwhile; nothing was stored."""


@dataclass
class Batches:
    """The signed events of a job: `ahead` of its end in the database, else in memory until then."""

    job: CaptureJob
    ahead: bool
    first_event_id: str = ""
    _hashes: list[list[str]] = field(default_factory=list)
    _held: list[tuple[Sequence[Prepared], documents.Signed]] = field(default_factory=list)

    def add(self, items: Sequence[Prepared], signed: documents.Signed) -> None:
        if items:
            self.first_event_id = self.first_event_id or items[0].event_id
            self._hashes.append([one.statement_hash for one in signed.documents])
            if self.ahead:
                _stage(items, signed, job=self.job)
            else:
                self._held.append((items, signed))

    @property
    def hashes(self) -> list[str]:
        """The statements of all that was added, in that order."""
        return list(chain.from_iterable(self._hashes))

    def store(self) -> None:
        """Store what is in memory, in the caller's transaction."""
        for items, signed in self._held:
            store.insert(items, signed, job=self.job)


def _stage(items: Sequence[Prepared], signed: documents.Signed, *, job: CaptureJob) -> None:
    with transaction.atomic():
        store.keep(items, signed, job=job)
        bulk.insert(StagedStatement, ("job_id", "statement"), ((job.id, item) for item in signed.statements))
    # Crash here: rows of a job that waits; whoever takes it up withdraws them first.


def withdraw(job_id: str) -> None:
    """Take back what was stored ahead for a job that waits; OvertakenError when it is done: then it is recorded."""
    while True:
        with transaction.atomic():
            if CaptureJob.objects.select_for_update().filter(id=job_id, waiting=False).exists():
                raise OvertakenError(job_id)
            staged = StagedStatement.objects.filter(job=job_id)
            numbers = list(staged.values_list("id", flat=True)[:BATCH])
            staged.filter(id__in=numbers).delete()
            events = CapturedEvent.objects.filter(job=job_id)
            hashes = list(events.values_list("statement_hash", flat=True)[:BATCH])
            Document.objects.filter(statement_hash__in=hashes).delete()
            events.filter(statement_hash__in=hashes).delete()
        if not numbers and not hashes:
            return


def release(job_id: str) -> bool:
    """Queue the statements of a job that is done, as the log has room; False when some are left to the next worker."""
    # Half of what makes capture refuse, as long as no more than that waits: others find room, and turns are few, since
    # each waits for the gate behind whoever folds.
    half = settings.CAPTURE_MAX_BACKLOG // 2
    until = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < until:
        if ledger.backlog() > half:
            time.sleep(_PAUSE_SECONDS)
        elif _queue_some(job_id, max(1, half)):
            until = time.monotonic() + _PATIENCE_SECONDS
        else:
            return True
    return False


def unreleased() -> list[str]:
    """The jobs that are done and have statements that are not queued: a worker is at it, or one has left."""
    staged = StagedStatement.objects.values("job")
    return list(CaptureJob.objects.filter(id__in=staged, waiting=False).values_list("id", flat=True))


def _queue_some(job_id: str, limit: int) -> int:
    """Two workers may do the same at one moment: a statement that waits or has its index is not queued again."""
    with transaction.atomic():
        staged = StagedStatement.objects.filter(job=job_id)
        rows = list(staged.order_by("id").values_list("id", "statement")[:limit])
        if rows:
            ledger.submit([bytes(statement) for _, statement in rows])
            staged.filter(id__lte=rows[-1][0]).delete()
    # Crash here: the rest stays staged, and `unreleased` finds it.
    return len(rows)
