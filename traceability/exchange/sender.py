"""Sends to subscriptions what became visible and matches: in the order of the log, at least once.

The order of steps is the promise: read from the place, send, and only after a 2xx move the place. One sender at a time
holds a subscription (`leases`).
"""

import json
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from django.db.models import Q

from traceability.common import metrics, outbound, sealing
from traceability.common.clock import now_ms
from traceability.common.outbound import Answer, OutboundError
from traceability.common.problems import ProblemError
from traceability.queries import documents
from traceability.visibility import receipts, rules

from . import feed, leases, schedule, signature
from .models import Subscription

CALLS = 16  # at one moment
MAX_BODY = 1_000_000  # bytes of a report; one event alone may have more
TOO_LARGE = 413


@dataclass(frozen=True)
class Report:
    """What is sent next, and where the subscription stands once that was answered with 2xx."""

    body: bytes
    events: int
    place: tuple[int, int]
    is_last: bool  # nothing more is waiting


def run_once() -> int:
    """One round: a report to each of up to CALLS subscriptions that have something to get; how many were called."""
    calls: list[tuple[Subscription, Report, Future[Answer]]] = []
    with ThreadPoolExecutor(CALLS) as pool:
        for one in claim():
            report = _next_report(one)
            if report is not None:
                calls.append((one, report, pool.submit(outbound.post, one.dest, report.body, _headers(one, report))))
        for one, report, call in calls:
            # Crash before this line or in it: the receiver may have it, the place stands. It is sent again when the
            # lease has run out: at least once.
            _settle(one, report, call)
            # Crash here: the place has moved; what is behind it is not sent again.
    return len(calls)


def claim() -> list[Subscription]:
    """Subscriptions that may have something to get, held for this sender alone."""
    found = Subscription.objects.select_related("query__party").filter(
        leases.has_news(rules.horizon()) | Q(schedule__isnull=False), query__party__active=True
    )
    return leases.claim(found, CALLS)


def _next_report(one: Subscription) -> Report | None:
    """The next report, or None when there is none to send: then the subscription has moved on."""
    try:
        portion = feed.read(one.query.party, one.query.query, (one.since_index, one.event_index), one.batch)
    except ProblemError as error:  # an upgrade no longer takes the query
        leases.release(one, state=Subscription.State.SUSPENDED, error=f"query: {error.detail}"[:300])
        return None
    if portion.events or (portion.is_last and one.schedule and one.report_if_empty):
        return _report(one, portion)
    since_index, event_index = portion.place
    due_ms = _next_due(one) if portion.is_last else now_ms()
    leases.release(one, since_index=since_index, event_index=event_index, due_ms=due_ms)
    return None


def _report(one: Subscription, portion: feed.Portion) -> Report:
    """As many of the events as a report may hold, one at least. One whose content is not held here is passed over."""
    held: list[dict[str, Any]] = []
    place, size, is_last = portion.place, 0, portion.is_last
    events = documents.events_by_index([row for _, row in portion.events])
    previous = (one.since_index, one.event_index)
    for its_place, row in portion.events:
        event = events.get(row.index)
        size += len(json.dumps(event, ensure_ascii=False).encode()) if event else 0
        if held and size > MAX_BODY:
            place, is_last = previous, False
            break
        held += [event] if event else []
        previous = its_place
    # A regulator's receipt, before the events go; one for each attempt.
    sent = [(row.index, row.reporter) for its_place, row in portion.events if its_place <= place]
    receipts.pushed(one.query.party, sent, door="subscription", question=one.query.name)
    document = documents.query_document(held, query_name=one.query.name, subscription=one.id)
    return Report(json.dumps(document, ensure_ascii=False).encode(), len(held), place, is_last)


def _headers(one: Subscription, report: Report) -> dict[str, str]:
    headers = {"Content-Type": "application/json", "GS1-EPCIS-Version": "2.0.0", "GS1-CBV-Version": "2.0.0"}
    if one.sealed_seed:
        token = sealing.unseal(bytes(one.sealed_seed)).decode()
        headers["GS1-Signature"] = signature.header(token, report.body, now_ms() // 1000)
    return headers


def _settle(one: Subscription, report: Report, call: "Future[Answer]") -> None:
    try:
        status = call.result().status
    except OutboundError as error:
        metrics.count_webhook("failed")
        leases.fail(one, f"{error.code}: {error.detail}")
        return
    if 200 <= status < 300:
        metrics.count_webhook("sent")
        since_index, event_index = report.place
        leases.went_well(
            one, since_index=since_index, event_index=event_index, sent_events=one.sent_events + report.events,
            due_ms=_next_due(one) if report.is_last else now_ms(),
        )  # fmt: skip
    elif status == TOO_LARGE and report.events > 1:
        metrics.count_webhook("halved")
        leases.release(one, batch=max(1, report.events // 2), error=f"HTTP {status}", due_ms=now_ms())
    else:
        metrics.count_webhook("failed")
        leases.fail(one, f"HTTP {status}", is_final=status == leases.GONE)


def _next_due(one: Subscription) -> int:
    return schedule.next_ms(schedule.parse(one.schedule), now_ms()) if one.schedule else now_ms()
