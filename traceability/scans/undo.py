"""Undoing a dispensing: which event it would be, and the guard of EU 2016/161, Article 13 (rules EU-08 to EU-10)."""

from typing import Any

from traceability.capture import selectors as captured
from traceability.capture.models import EventEpc, PublishedEvent

from .reading import Scan

UNDO_DAYS_MS = 10 * 86_400_000


def find(scan: Scan) -> tuple[PublishedEvent | None, str]:
    """The pack's newest dispensing if this party may undo it here and now, or the reason code why not."""
    indexes = EventEpc.objects.filter(epc__in=scan.epcs, role="epc").values("event_index")
    newest = (
        PublishedEvent.objects.filter(index__in=indexes, biz_step="dispensing", declaration_ms=None, voided_by=None)
        .order_by("-event_time_ms", "-event_id")
        .first()
    )
    if newest is None:
        return None, "nothing-to-undo"
    if newest.reporter != scan.party.uri or newest.biz_location != scan.site.uri:
        return None, "undo-elsewhere"
    if newest.event_time_ms < scan.now - UNDO_DAYS_MS:
        return None, "undo-too-late"
    return newest, ""


def original(scan: Scan) -> dict[str, Any] | None:
    """The event that the declaration repeats."""
    row, _ = find(scan)
    return captured.bodies([row.index]).get(row.index) if row else None
