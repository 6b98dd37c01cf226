"""Who may see which event: the one place that every door asks.

Until trading relations are modelled (issue "EPCIS in and out"), a party sees the events it reported and those that name
it as source or destination; the regulator sees all.
"""

from django.db.models import Q, QuerySet

from traceability.capture.models import EventPartner, PublishedEvent
from traceability.parties import selectors as parties
from traceability.parties.models import Party


def visible_events(events: QuerySet[PublishedEvent], party: Party) -> QuerySet[PublishedEvent]:
    """`events` narrowed to what `party` may see."""
    if party.has_role(Party.Role.REGULATOR):
        return events
    named = EventPartner.objects.filter(value__in=parties.uris_of(party)).values("event_index")
    return events.filter(Q(reporter=party.uri) | Q(index__in=named))
