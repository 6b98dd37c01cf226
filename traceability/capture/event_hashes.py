"""The index of event hashes (CBV 2.0, section 8.9): a second name by which an event is found.

Computed from the committed content, whatever hash a party gave as its eventID. Nothing reads it but queries for a hash.
"""

from collections.abc import Collection, Sequence
from typing import Any

from django.db.models import QuerySet

from traceability.common import bulk
from traceability.common.projection import LogEntry, Projection
from traceability.epcis.event_hash import event_hash, is_event_hash

from . import standing
from .models import EventHash, PublishedEvent


def indexes(event_ids: Collection[str]) -> QuerySet[Any, Any]:
    """The log indexes of the events that have one of these IDs, given or computed; a subquery for `index__in`."""
    given = PublishedEvent.objects.filter(event_id__in=event_ids).order_by().values_list("index")
    hashes = [event_id for event_id in event_ids if is_event_hash(event_id)]
    if not hashes:
        return given
    return given.union(EventHash.objects.filter(event_hash__in=hashes).values_list("event_index"), all=True)


def _apply(entries: Sequence[LogEntry]) -> None:
    rows = ((entry.index, event_hash(entry.body or {})) for entry in standing.events(entries))
    bulk.insert(EventHash, ("event_index", "event_hash"), rows)


EVENT_HASHES = Projection(name="event-hashes", models=(EventHash,), apply=_apply)
