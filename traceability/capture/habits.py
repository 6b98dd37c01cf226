"""Who has stopped recording: the last event of each party, and in how many weeks before it used to record."""

from dataclasses import dataclass
from functools import reduce
from operator import add

from django.db.models import Case, CharField, Exists, IntegerField, OuterRef, Value, When
from django.db.models.functions import Concat

from traceability.parties.models import PARTY_NAMESPACE, Party

from .models import PublishedEvent

DAY_MS = 24 * 3_600_000
WEEKS = 12


@dataclass(frozen=True)
class Silence:
    """A party that recorded in `weeks` of the WEEKS before it fell silent; `last_ms` = its newest event's time."""

    party: Party
    last_ms: int
    weeks: int


def fell_silent(*, now_ms: int, days: int, weeks: int) -> list[Silence]:
    """Active parties without an event in the last `days` that had some in at least `weeks` of the WEEKS before.

    By event time. Longest silence first; one query, with a look into an index per party and week.
    """
    until = now_ms - days * DAY_MS
    mine = PublishedEvent.objects.filter(reporter=OuterRef("own_uri"))
    spans = [(until - (n + 1) * 7 * DAY_MS, until - n * 7 * DAY_MS) for n in range(WEEKS)]
    weekly = [mine.filter(event_time_ms__gte=low, event_time_ms__lt=high) for low, high in spans]
    active = reduce(add, [_one_if(Exists(rows)) for rows in weekly])
    parties = Party.objects.filter(active=True).annotate(
        own_uri=Concat(Value(PARTY_NAMESPACE), "id", output_field=CharField())
    )
    found = parties.filter(~Exists(mine.filter(event_time_ms__gte=until))).annotate(
        last_ms=mine.order_by("-event_time_ms").values("event_time_ms")[:1], active_weeks=active
    )
    rows = found.filter(active_weeks__gte=max(1, weeks)).order_by("last_ms", "id")
    return [Silence(row, row.last_ms, row.active_weeks) for row in rows]


def _one_if(found: Exists) -> Case:
    return Case(When(found, then=Value(1)), default=Value(0), output_field=IntegerField())
