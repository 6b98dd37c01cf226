"""What people did about alerts, from entries whose content a follower gave back."""

import json
from collections.abc import Sequence

from ledger import api as ledger

from . import rules
from .models import AlertTransition
from .projection import KIND


def take(entries: Sequence[ledger.RecoveredEntry]) -> None:
    """Rebuild the rows that `alerts.services` had written, so that the next step finds the version it follows."""
    bodies = [(entry, json.loads(entry.body)) for entry in entries if entry.statement.kind == KIND and entry.body]
    AlertTransition.objects.bulk_create(
        [
            AlertTransition(
                statement_hash=entry.statement_hash,
                alert_id=body["alert"],
                version=body["version"],
                from_state=body["from"],
                to_state=body["to"],
                party=body["party"],
                actor=body["actor"],
                comment=body["comment"],
                cause=body["cause"],
                time_ms=body["time"],
            )
            for entry, body in bodies
            if rules.is_step(body)
        ],
        ignore_conflicts=True,
        batch_size=500,
    )
