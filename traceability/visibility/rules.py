"""Who may see which event: the one place that every door asks. The rule is ADR 9; `projection` fills the audiences."""

from collections.abc import Collection

from django.db.models import Exists, OuterRef, Q, QuerySet

from traceability.capture.models import EventEpc, PublishedEvent
from traceability.common import bulk
from traceability.common.models import Cursor
from traceability.parties import selectors as parties
from traceability.parties.models import Party

from .models import Audience
from .projection import AUDIENCE

# An audience up to this size is read first and the events looked up; a larger one is asked event by event.
_SMALL = 20_000
# The audiences of so many URIs are read one by one, each in order out of an index; those of more are sorted together.
_MOST_READ_APART = 16


def sees_all(party: Party) -> bool:
    """Whether it sees every event, without an audience: a regulator."""
    return party.has_role(Party.Role.REGULATOR)


def visible_events(
    events: QuerySet[PublishedEvent], party: Party, *, are_few: bool = False
) -> QuerySet[PublishedEvent]:
    """`events` narrowed to what `party` may see; one short query now, to choose how, unless they `are_few`."""
    if sees_all(party):
        return events
    mine = Audience.objects.filter(party__in=audiences_of(party))
    if are_few or mine.order_by().values("event_index")[_SMALL : _SMALL + 1].exists():
        return events.filter(Exists(mine.filter(event_index=OuterRef("index"))))
    return events.filter(index__in=mine.values("event_index"))


def visible_in_order(party: Party, which: Q, *, descending: bool, limit: int) -> list[tuple[int, int]]:
    """What `party` may see, in the order of event time, at most `limit`: (event time, index) each. Not for regulators.

    `which` compares `event_time_ms`, `event_index` and `biz_step`, which an audience holds: no event is looked up.
    """
    uris = audiences_of(party)
    parts = [[uri] for uri in uris] if len(uris) <= _MOST_READ_APART else [uris]
    keys = ("event_time_ms", "event_index")
    found: set[tuple[int, int]] = set()  # an event may be there for several URIs
    for part in parts:
        rows = Audience.objects.filter(which, party__in=part).values_list(*keys).distinct()
        found.update(rows.order_by(*(f"-{key}" if descending else key for key in keys))[:limit])
    return sorted(found, reverse=descending)[:limit]


def visible_since(party: Party, after: tuple[int, int], limit: int) -> list[tuple[int, int]]:
    """What `party` came to see after a position, oldest first, at most `limit`: (since index, event index) each.

    The last one is the next position. An event comes once, and never before a position that was given out, since an
    audience is only added to, at the end of the log that was folded.
    """
    since, event = after
    if sees_all(party):
        unseen = Q(index__gt=since) | Q(index=since, index__gt=event)
        rows = PublishedEvent.objects.filter(unseen, index__gte=since).order_by("index")
        return [(index, index) for index in rows.values_list("index", flat=True)[:limit]]
    mine = Audience.objects.filter(party__in=audiences_of(party))
    earlier = mine.filter(event_index=OuterRef("event_index")).filter(
        Q(since_index__lt=OuterRef("since_index")) | Q(since_index=OuterRef("since_index"), party__lt=OuterRef("party"))
    )
    beyond = mine.filter(Q(since_index__gt=since) | Q(since_index=since, event_index__gt=event))
    return list(
        beyond.filter(~Exists(earlier), since_index__gte=since)
        .order_by("since_index", "event_index")
        .values_list("since_index", "event_index")[:limit]
    )


def horizon() -> int:
    """The last log index up to which audiences are worked out, -1 before the first: nothing older is added to them."""
    position = Cursor.objects.filter(projection=AUDIENCE.name).values_list("position", flat=True).first()
    return (position or 0) - 1


def visible_indexes(indexes: Collection[int], party: Party) -> set[int]:
    """Those of these events that `party` may see."""
    found = visible_events(PublishedEvent.objects.filter(index__in=indexes), party, are_few=True)
    return set(found.values_list("index", flat=True))


def told_to(party: Party, column: str) -> Q:
    """Rows of any table whose `column` is the index of an event that `party` may see."""
    if sees_all(party):
        return Q()
    return Q(Exists(Audience.objects.filter(event_index=OuterRef(column), party__in=audiences_of(party))))


def visible_things(epcs: Collection[str], party: Party) -> set[str]:
    """Those of these things that an event names which `party` may see."""
    named = EventEpc.objects.filter(event_index__in=visible_events(PublishedEvent.objects.all(), party).values("index"))
    return set(epcs) if sees_all(party) else set(bulk.among(named.values_list("epc", flat=True), "epc", epcs))


def audiences_of(party: Party) -> list[str]:
    """Every URI under which an event may have `party` in its audience: as parties, as places, and everybody's."""
    return sorted({*parties.uris_of(party), *(site.uri for site in party.sites.all()), Audience.EVERYBODY})
