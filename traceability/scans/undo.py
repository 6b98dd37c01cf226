"""Undoing a dispensing: which event it would be, and the guard of EU 2016/161, Article 13 (rules EU-08 to EU-10)."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import transaction

from traceability.capture import selectors as captured
from traceability.capture.models import CapturedEvent, EventEpc, PublishedEvent
from traceability.common.problems import ProblemError

from . import in_force
from .reading import Scan

DAY_MS = 86_400_000


def find(scan: Scan) -> tuple[PublishedEvent | None, str]:
    """The pack's newest dispensing if this party may undo it here and now, or the reason code why not.

    The window, and whether the place must be the same, are the profile's.
    """
    rules = in_force.current().rules
    indexes = EventEpc.objects.filter(epc__in=scan.epcs, role="epc").values("event_index")
    newest = (
        PublishedEvent.objects.filter(index__in=indexes, biz_step="dispensing", declaration_ms=None, voided_by=None)
        .order_by("-event_time_ms", "-event_id")
        .first()
    )
    if newest is None:
        return None, "nothing-to-undo"
    elsewhere = rules.undo_same_place and newest.biz_location != scan.site.uri
    if newest.reporter != scan.party.uri or elsewhere:
        return None, "undo-elsewhere"
    if newest.event_time_ms < scan.now - rules.undo_days * DAY_MS:
        return None, "undo-too-late"
    if (
        CapturedEvent.objects.filter(reporter=newest.reporter, event_id=newest.event_id)
        .exclude(declaration="")
        .exists()
    ):
        return None, "undo-waiting"
    return newest, ""


@contextmanager
def one_at_a_time(scan: Scan, seen: PublishedEvent | None) -> Iterator[None]:
    """Hold the dispensing that was judged while its undo is captured: two at one moment would each say the rest anew.

    ProblemError when another undo of it came first: an earlier dispensing of the pack is not undone in its stead.
    """
    with transaction.atomic():
        if seen is not None:
            originals = CapturedEvent.objects.filter(reporter=seen.reporter, event_id=seen.event_id, declaration="")
            list(originals.select_for_update())
        row, _ = find(scan)
        if seen is None or row is None or row.index != seen.index:
            raise ProblemError(409, "undo-waiting", "another undo of this dispensing came first")
        yield


def original(scan: Scan) -> dict[str, Any] | None:
    """The event that the declaration repeats."""
    row, _ = find(scan)
    return captured.bodies([row.index]).get(row.index) if row else None
