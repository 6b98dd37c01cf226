"""The idempotency keys of events that a follower gave back: a client that sends one again records it once."""

import json
from collections.abc import Sequence

from ledger import api as ledger

from .models import CapturedEvent
from .prepare import content_of
from .store import KIND


def take(entries: Sequence[ledger.RecoveredEntry]) -> None:
    """Rebuild the rows that `capture.services` had written; jobs and the callers' own idempotency keys are lost."""
    CapturedEvent.objects.bulk_create(
        [
            _row(entry.statement_hash, entry.statement.iss, entry.body)
            for entry in entries
            if entry.statement.kind == KIND and entry.body is not None
        ],
        ignore_conflicts=True,
        batch_size=500,
    )


def _row(statement_hash: str, reporter: str, body: bytes) -> CapturedEvent:
    event = json.loads(body)
    declaration = event.get("errorDeclaration")
    return CapturedEvent(
        statement_hash=statement_hash,
        reporter=reporter,
        event_id=event["eventID"],
        declaration=declaration["declarationTime"] if declaration else "",
        content_sha256=content_of(event, reporter),
    )
