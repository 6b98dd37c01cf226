"""Master data as folds read it: the version that the log held at an index (architecture.md, idea 2)."""

from collections.abc import Sequence
from typing import Any

from .models import MasterVersion
from .projection import LogEntry, Projection, in_force

KIND = "master-data"


def at(subject: str, index: int) -> dict[str, Any] | None:
    """The body of the newest version of `subject` logged at or before `index`, or None."""
    row = MasterVersion.objects.filter(subject=subject, index__lte=index).order_by("-index").first()
    return row.body if row else None


def at_many(subjects: Sequence[str], index: int) -> dict[str, dict[str, Any]]:
    """`at` for many subjects in one query."""
    rows = MasterVersion.objects.filter(subject__in=subjects, index__lte=index).order_by("index")
    return {row.subject: row.body for row in rows}


def _apply(entries: Sequence[LogEntry]) -> None:
    MasterVersion.objects.bulk_create(
        MasterVersion(
            index=entry.index,
            subject=entry.body["subject"],
            effective_ms=entry.body["effectiveTime"],
            body=entry.body["content"],
        )
        for entry in in_force([entry for entry in entries if entry.kind == KIND])
        if entry.body is not None
    )


MASTER_DATA = Projection(name="master-data", models=(MasterVersion,), apply=_apply)
