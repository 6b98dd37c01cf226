"""Taking the reports of those who watch this log: each is kept whole, and said on the log itself."""

from django.db import transaction

from . import models, monitor, operator_keys, trust, writer
from .monitor import Report
from .tlog.errors import NoteError

KIND = "monitor-report"
_MAX_DETAIL = 300


def receive(data: bytes) -> bool:
    """Keep a report that a witness of our policy signed, and submit the entry that tells of it; False = known already.

    NoteError for what no witness signed, or is about another log.
    """
    report = monitor.read(data, trust.current())
    keys = [log.verifier for log in trust.current().logs]
    if report.origin not in {key.name for key in keys}:
        raise NoteError("the report is about another log")
    digest = monitor.digest(report.finding)
    with transaction.atomic():
        row, new = models.MonitorReport.objects.get_or_create(
            digest=digest,
            defaults={
                "witness": report.witness,
                "kind": report.finding.kind,
                "detail": report.finding.detail,
                "evidence": dict(report.finding.evidence),
                "note": data.decode(),
                "received_ms": operator_keys.now_ms(),
            },
        )
        if new:
            proven = monitor.proves(report.finding, keys)
            content = _entry(report, digest, proven=proven, at_ms=row.received_ms)
            writer.queue([operator_keys.registrar_statement(KIND, content)])
    return new


def _entry(report: Report, digest: str, *, proven: bool, at_ms: int) -> dict[str, object]:
    """What the log says of a report: whose, of what kind, its digest; the report itself is beside the log."""
    return {
        "witness": report.witness,
        "origin": report.origin,
        "kind": report.finding.kind,
        "detail": report.finding.detail[:_MAX_DETAIL],
        "digest": digest,
        "proven": proven,
        "time": at_ms,
    }
