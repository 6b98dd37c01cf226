"""Findings about the log itself: what its witnesses reported, as the log tells it (ledger/reports.py).

No contract judges these; they stay open until people close their alert.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from ledger import api as ledger
from traceability.common import bulk
from traceability.common.projection import LogEntry

from .models import Finding

RULE = "log"
_GRAVE = frozenset({"split-view", "fork", "rollback", "bad-bundle", "bad-tile", "bad-checkpoint", "omission"})
_SEVERITIES = {"bad-entry": "S2", "stale": "S3"}
_FORM: Mapping[str, type] = {
    "witness": str, "origin": str, "kind": str, "digest": str, "proven": bool, "time": int, "detail": str,
}  # fmt: skip


def keep(entries: Sequence[LogEntry]) -> None:
    """Open a finding for each report; the reports of one kind about one log are one incident."""
    found: dict[str, Finding] = {}
    for entry in entries:
        if entry.kind == "monitor-report" and entry.iss == ledger.OPERATOR_URI:
            body = json.loads(entry.payload)
            if isinstance(body, dict) and _is_report(body):
                row = _finding(entry.index, body)
                found.setdefault(row.key, row)
    known = {row.key for row in bulk.among(Finding.objects.all(), "key", found)}
    Finding.objects.bulk_create([row for key, row in found.items() if key not in known])


def _is_report(body: Mapping[str, Any]) -> bool:
    if any(type(body.get(name)) is not kind for name, kind in _FORM.items()):
        return False
    return body["kind"] in _GRAVE or body["kind"] in _SEVERITIES


def _finding(index: int, body: Mapping[str, Any]) -> Finding:
    key = hashlib.sha256(f"{RULE}|{body['digest']}".encode()).hexdigest()
    return Finding(
        key=key,
        rule=RULE,
        kind="log",
        subject=body["origin"][:1024],
        incident=hashlib.sha256(f"{RULE}|{body['origin']}|{body['kind']}".encode()).hexdigest(),
        severity=_SEVERITIES.get(body["kind"], "S1"),
        certainty="certain" if body["proven"] else "possible",
        code=f"{RULE}-{body['kind']}",
        params={"witness": body["witness"], "digest": body["digest"], "detail": body["detail"]},
        evidence=[index],
        parties=[],
        at_ms=body["time"],
        judged_by=RULE,
        opened_index=index,
        changed_index=index,
    )
