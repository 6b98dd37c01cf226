"""Findings about keys: events that do not count because of who signed them when (capture/standing.py).

No contract judges these; one key is one incident, and it stays open until people close its alert. Its row is a
function of the log up to an entry, written anew whenever one of these entries changes what it says.
"""

import hashlib
from collections.abc import Mapping, Sequence

from django.db.models import Max, Min

from ledger import api as ledger
from traceability.capture import signed
from traceability.capture.models import PublishedEvent, VoidSpan
from traceability.common import bulk
from traceability.common.projection import LogEntry

from .models import Finding

RULE = "key"
_SEVERITIES = {"key-revoked": "S2", "key-retired": "S3", "key-unregistered": "S2"}


def keep(entries: Sequence[LogEntry], *, turns: bool) -> None:
    """Open or change the findings on keys that these entries are about, or whose events they bring or take back.

    `turns`: whether the entries make any event void, or let it count again.
    """
    ended = any(entry.kind.startswith("key-") for entry in entries)
    if not (turns or ended):
        return
    spans = VoidSpan.objects.filter(reason=VoidSpan.Reason.KEY)
    void = set(bulk.among(spans.values_list("event_index", flat=True), "from_index", [one.index for one in entries]))
    kids = set(bulk.among(PublishedEvent.objects.values_list("kid", flat=True), "index", void))
    if not (kids or ended):
        return
    end = entries[-1].index
    keys = ledger.keys(end + 1)
    if ended:
        first = entries[0].index
        kids |= {kid for kid, record in keys.items() if any(one.index >= first for one in record.endings)}
    rows = [row for kid in sorted(kids) if (row := _finding(kid, keys, end=end)) is not None]
    Finding.objects.filter(key__in=[row.key for row in rows]).delete()
    Finding.objects.bulk_create(rows)


def _finding(kid: str, keys: Mapping[str, ledger.KeyRecord], *, end: int) -> Finding | None:
    """The finding on a key as the log stood at `end`; None when none of its events is void."""
    record = keys.get(kid)
    disowned = signed.disowned(kid, end=end)
    spans = VoidSpan.objects.filter(reason=VoidSpan.Reason.KEY, event_index__in=disowned.values("index"))
    seen = spans.aggregate(first=Min("from_index"), last=Max("from_index"))
    if seen["first"] is None:
        return None
    endings = record.endings if record else ()
    code = _code(record)
    since_ms = min((one.bad_since_ms for one in endings), default=None)
    tally = signed.tally(disowned)
    key = hashlib.sha256(f"{RULE}|{kid}".encode()).hexdigest()
    return Finding(
        key=key,
        rule=RULE,
        kind="key",
        subject=f"urn:dosetrail:key:{kid}",
        incident=hashlib.sha256(f"{RULE}|incident|{kid}".encode()).hexdigest(),
        severity=_SEVERITIES[code],
        certainty="certain",
        code=code,
        params={
            "kid": kid,
            "party": record.party if record else "",
            "since_ms": since_ms,
            "entries": tally.events,
            "things": tally.things,
        },
        evidence=sorted({one.index for one in endings} | ({seen["first"]} if not endings else set())),
        parties=[record.party] if record else [],
        at_ms=since_ms if since_ms is not None else tally.first_ms,
        judged_by=RULE,
        opened_index=seen["first"],
        changed_index=max([seen["last"], *(one.index for one in endings)]),
    )


def _code(record: ledger.KeyRecord | None) -> str:
    if record is None or not record.endings:
        return "key-unregistered"  # or registered to another party, or only later
    return "key-revoked" if any(one.revokes for one in record.endings) else "key-retired"
