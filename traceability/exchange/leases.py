"""One sender at a time for each subscription and channel, and what a failure does to it."""

import logging
import secrets
from typing import Any, TypeVar

from django.db.models import Q, QuerySet

from traceability.common.clock import now_ms

from . import retry
from .models import ALL_OF_IT, Outgoing

LEASE_MS = 60_000  # a call takes 5 s at most
GONE = 410

log = logging.getLogger(__name__)
Row = TypeVar("Row", bound=Outgoing)


def has_news(until: int) -> Q:
    """Those whose place is before the end of what is worked out."""
    return Q(since_index__lt=until) | Q(since_index=until, event_index__lt=ALL_OF_IT)


def claim(rows: QuerySet[Row], limit: int) -> list[Row]:
    """Take the lease of those that are due, at most `limit`; of two senders at once one gets each."""
    now = now_ms()
    free = rows.filter(state=Outgoing.State.ACTIVE, due_ms__lte=now, leased_until_ms__lte=now)
    leases = []
    for name in list(free.order_by("due_ms").values_list("pk", flat=True)[:limit]):
        lease = secrets.token_hex(16)
        one = rows.model._default_manager.filter(pk=name, state=Outgoing.State.ACTIVE, leased_until_ms__lte=now)
        if one.update(lease=lease, leased_until_ms=now + LEASE_MS):
            leases.append(lease)
    # Read after the lease was taken: nobody else moves the place from here on.
    return list(rows.filter(lease__in=leases).order_by("due_ms")) if leases else []


def release(one: Outgoing, **changes: Any) -> bool:
    """Write what came of it and give the lease back; False when it has run out and somebody else is at it."""
    held = type(one)._default_manager.filter(pk=one.pk, lease=one.lease)
    return bool(held.update(**changes, lease="", leased_until_ms=0))


def fail(one: Outgoing, error: str, *, is_final: bool = False) -> bool:
    """Count a failure; True when it was one too many, or final: then it is suspended."""
    attempts, now = one.attempts + 1, now_ms()
    is_over = is_final or attempts >= retry.MAX_ATTEMPTS
    state = Outgoing.State.SUSPENDED if is_over else Outgoing.State.ACTIVE
    log.warning("sending failed", extra={"to": one.pk, "attempts": attempts, "state": str(state)})
    release(
        one, attempts=attempts, failing_since_ms=one.failing_since_ms or now, error=error[:300], state=state,
        due_ms=now + retry.pause_ms(attempts),
    )  # fmt: skip
    return is_over


def went_well(one: Outgoing, **changes: Any) -> bool:
    """The receiver answered with 2xx; False as of `release`."""
    return release(one, attempts=0, failing_since_ms=None, error="", sent_ms=now_ms(), **changes)


def resume(one: Outgoing, **changes: Any) -> bool:
    """Let it go on from where it stands, nothing was skipped meanwhile; False for one that has ended."""
    going = type(one)._default_manager.filter(pk=one.pk).exclude(state=Outgoing.State.ENDED)
    return bool(
        going.update(state=Outgoing.State.ACTIVE, attempts=0, failing_since_ms=None, due_ms=now_ms(), **changes)
    )
