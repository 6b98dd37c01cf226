"""Does the content that is held here still match what its parties signed? The log itself holds commitments only."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from ledger import api as ledger

from .models import Document

BATCH = 500


@dataclass
class Report:
    """What was found: `absent` counts entries whose content is not here (erased, or never was)."""

    problems: list[ledger.Problem] = field(default_factory=list)
    checked: int = 0
    absent: int = 0


def check(progress: Callable[[int, int], None] = lambda done, total: None) -> Report:
    """Recompute the claims root of every document and compare it with the statement that the log has published."""
    report, size = Report(), ledger.published_size()
    for start in range(0, size, BATCH):
        _check(ledger.published(start, BATCH), report)
        progress(min(start + BATCH, size), size)
    return report


def _check(entries: Sequence[ledger.PublishedEntry], report: Report) -> None:
    documents = Document.objects.in_bulk([entry.statement_hash for entry in entries])
    for entry in entries:
        statement = ledger.parse_statement(entry.statement)
        if statement.kind not in ledger.PRIVATE_KINDS:
            continue
        document = documents.get(entry.statement_hash)
        if document is None:
            report.absent += 1
            continue
        report.checked += 1
        if not _matches(document, statement):
            place = f"content of entry {entry.index}"
            report.problems.append(ledger.Problem(place, f"it is not what {statement.iss} signed"))


def _matches(document: Document, statement: ledger.Statement) -> bool:
    try:
        body = json.loads(bytes(document.body))
        root = ledger.commit_claims(body, secret=bytes(document.secret), party=statement.iss).root
    except (ValueError, AttributeError):  # no JSON, no object, no canonical form
        return False
    return root == statement.payload and (document.kind, document.party) == (statement.kind, statement.iss)
