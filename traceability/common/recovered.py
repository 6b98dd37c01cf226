"""Content that a follower gave back after the database was lost (settings.LOG_RECOVERED)."""

from collections.abc import Sequence

from ledger import api as ledger

from .models import Document


def take(entries: Sequence[ledger.RecoveredEntry]) -> None:
    """Keep the documents that came; the ledger has compared them with what was signed. What was beside them is lost."""
    Document.objects.bulk_create(
        [
            Document(
                statement_hash=entry.statement_hash,
                kind=entry.statement.kind,
                party=entry.statement.iss,
                body=entry.body,
                secret=entry.secret,
                submitted_ms=entry.record_time_ms,
                annotation={"recovered": True},
            )
            for entry in entries
            if entry.body is not None and entry.secret is not None
        ],
        ignore_conflicts=True,
        batch_size=500,
    )
