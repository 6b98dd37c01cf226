"""Subscriptions: made, found, resumed (EPCIS 2.0, sections 8.2.5 and 12.7.3). What they send: `sender`."""

import secrets
from collections.abc import Mapping
from typing import Any

from traceability.capture.models import PublishedEvent
from traceability.common import outbound, sealing
from traceability.common.clock import now_ms
from traceability.common.outbound import OutboundError
from traceability.common.problems import ProblemError
from traceability.epcis import event as epcis_event
from traceability.epcis.values import is_time
from traceability.parties.models import Party
from traceability.queries.models import NamedQuery
from traceability.visibility import rules

from . import leases, schedule
from .models import ALL_OF_IT, Subscription

MAX_SUBSCRIPTIONS = 100  # of one party
MAX_TOKEN = 1024
BATCH = 500  # events in a report
_MEMBERS = {"dest", "signatureToken", "stream", "schedule", "reportIfEmpty", "initialRecordTime"}
_OURS = {"subscriptionID", "queryName", "createdAt", "lastNotifiedAt"}  # of our own answers: passed over, as read-only
_COUNTS = ("eventCountLimit", "maxEventCount")


def create(query: NamedQuery, given: Mapping[str, Any]) -> Subscription:
    """A new subscription to a query; ProblemError 400 SubscriptionControlsException with the member at fault."""
    if unknown := sorted(given.keys() - _MEMBERS - _OURS):
        raise _bad(unknown[0], "subscription-member", f"{unknown[0]} is no member of a subscription")
    planned = _planned(given)
    if counts := [name for name in _COUNTS if name in query.query]:
        detail = f"the query has {counts[0]}: a subscription sends every event that matches"
        raise _bad("", "query-counts", detail)
    if Subscription.objects.filter(query__party=query.party_id).count() >= MAX_SUBSCRIPTIONS:
        detail = f"a party has at most {MAX_SUBSCRIPTIONS} subscriptions: delete one"
        raise ProblemError(409, "too-many-subscriptions", detail)
    initial_ms = _time(given)
    now = now_ms()
    since, index = _start(initial_ms)
    return Subscription.objects.create(
        id=secrets.token_hex(16),
        query=query,
        dest=_dest(given),
        sealed_seed=_token(given),
        schedule=given.get("schedule"),
        report_if_empty=_flag(given, "reportIfEmpty"),
        initial_ms=initial_ms,
        created_ms=now,
        since_index=since,
        event_index=index,
        batch=BATCH,
        due_ms=schedule.next_ms(planned, now) if planned else now,
    )


def find(party: Party, query: str, name: str) -> Subscription | None:
    """The party's subscription of that ID to that query, or None."""
    found = Subscription.objects.select_related("query__party")
    return found.filter(query__party=party, query__name=query, id=name).first()


def of_party(party: Party) -> list[Subscription]:
    """All of the party's, the suspended first."""
    rows = Subscription.objects.select_related("query").filter(query__party=party)
    return list(rows.order_by("-state", "query__name", "id"))


def resume(subscription: Subscription) -> None:
    """Let a suspended subscription go on from where it stands, with a full batch."""
    leases.resume(subscription, batch=BATCH)


def _planned(given: Mapping[str, Any]) -> schedule.Schedule | None:
    """The schedule, or None for a stream: exactly one of them must be asked for."""
    stream, plan = given.get("stream", False), given.get("schedule")
    if not isinstance(stream, bool):
        raise _bad("stream", "stream", "stream is true or false")
    if stream == (plan is not None):
        raise _bad("schedule", "stream-or-schedule", "say either stream: true, or a schedule; not both, not neither")
    if stream:
        return None
    try:
        parsed = schedule.parse(plan)
        schedule.next_ms(parsed, now_ms())
    except schedule.ScheduleError as error:
        raise _bad("schedule" + (f"/{error.field}" if error.field else ""), "schedule", error.detail) from error
    return parsed


def _dest(given: Mapping[str, Any]) -> str:
    dest = given.get("dest")
    if not isinstance(dest, str):
        raise _bad("dest", "dest", "dest is the https address to send to")
    try:
        outbound.require_callable(dest)
    except OutboundError as error:
        raise _bad("dest", f"dest-{error.code}", error.detail) from error
    return dest


def _token(given: Mapping[str, Any]) -> bytes | None:
    token = given.get("signatureToken")
    if token is None:
        return None
    if not isinstance(token, str) or not 1 <= len(token) <= MAX_TOKEN:
        raise _bad("signatureToken", "signature-token", f"signatureToken is a string of 1 to {MAX_TOKEN} characters")
    return sealing.seal(token.encode())


def _flag(given: Mapping[str, Any], name: str) -> bool:
    value = given.get(name, False)
    if not isinstance(value, bool):
        raise _bad(name, "flag", f"{name} is true or false")
    return value


def _time(given: Mapping[str, Any]) -> int | None:
    text = given.get("initialRecordTime")
    if text is None:
        return None
    if not is_time(text):
        raise _bad("initialRecordTime", "time", "initialRecordTime is a date-time with zone (2026-03-01T12:00:00Z)")
    return epcis_event.time_ms(text)


def _start(initial_ms: int | None) -> tuple[int, int]:
    """The place before the first entry that was recorded at `initial_ms` or later; without it, the present."""
    if initial_ms is None:
        return rules.horizon(), ALL_OF_IT
    first = PublishedEvent.objects.filter(record_time_ms__gte=initial_ms).order_by("record_time_ms", "index").first()
    return (first.index if first else rules.horizon() + 1) - 1, ALL_OF_IT


def _bad(member: str, code: str, detail: str) -> ProblemError:
    pointer = f"/{member}" if member else ""
    return ProblemError(400, code, detail, "SubscriptionControlsException", pointer=pointer)
