"""What answers say of events that do not count: a member in our own namespace, which other programs pass over.

The standard returns an event and its error declarations alike and leaves it to the reader to relate them. That an event
is void since its key was revoked is in no member of the standard.
"""

from collections.abc import Sequence

from traceability.capture.models import PublishedEvent, VoidSpan

MEMBER = "urn:dosetrail:epcis:void"


def of(rows: Sequence[PublishedEvent]) -> dict[int, dict[str, str]]:
    """The mark of each void event by log index: `declared` (by an error declaration) or `key`; one query, if any."""
    void = [row.index for row in rows if row.voided_by is not None]
    if not void:
        return {}
    spans = VoidSpan.objects.filter(event_index__in=void, to_index=None).order_by("event_index", "-from_index")
    return {index: {MEMBER: reason} for index, reason in spans.values_list("event_index", "reason")}
