"""What a key signed: since when, how much of it counts, and which goods it names."""

from dataclasses import dataclass

from django.db.models import Exists, Min, OuterRef, QuerySet

from traceability.common.documents import HOUR_SECONDS

from .models import EventEpc, PublishedEvent, VoidSpan


@dataclass(frozen=True)
class Tally:
    """How many events, and how many packs and containers they name; `first_ms` = when the first was recorded."""

    events: int
    things: int
    first_ms: int = 0


def events(kid: str, *, since_ms: int = 0) -> QuerySet[PublishedEvent]:
    """The published events that a key signed at `since_ms` or later, by its own word, in the order of the log.

    A hosted key's word is the hour's beginning: with such a key, ask from an hour's beginning (`floor_hour`).
    """
    return PublishedEvent.objects.filter(kid=kid, iat__gte=-(-since_ms // 1000)).order_by("index")


def disowned(kid: str, *, end: int | None = None) -> QuerySet[PublishedEvent]:
    """Those that do not count because of the key; `end` = as the log stood at that entry."""
    spans = VoidSpan.objects.filter(event_index=OuterRef("index"), reason=VoidSpan.Reason.KEY)
    if end is not None:
        spans = spans.filter(from_index__lte=end)
    return PublishedEvent.objects.filter(Exists(spans), kid=kid).order_by("index")


def would_void(kid: str, *, since_ms: int) -> QuerySet[PublishedEvent]:
    """The events that count now and would not, were the key revoked now as bad since `since_ms`."""
    return events(kid, since_ms=since_ms).filter(voided_by=None)


def tally(found: QuerySet[PublishedEvent]) -> Tally:
    """How much that is; two queries."""
    named = EventEpc.objects.filter(event_index__in=found.order_by().values("index"))
    first = found.order_by().aggregate(first=Min("record_time_ms"))["first"]
    return Tally(found.count(), named.values("epc").distinct().count(), first or 0)


def things(found: QuerySet[PublishedEvent]) -> QuerySet[EventEpc]:
    """The packs and containers that some events name, one row for each event and thing, in order."""
    return EventEpc.objects.filter(event_index__in=found.order_by().values("index")).order_by("event_index", "epc")


def floor_hour(ms: int) -> int:
    """The beginning of the hour in which a moment lies: what a hosted signer's times are rounded to."""
    hour_ms = HOUR_SECONDS * 1000
    return ms // hour_ms * hour_ms
