"""What comes next for a party out of a query: events in the order in which it came to see them, from a place on."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from traceability.capture.models import PublishedEvent
from traceability.parties.models import Party
from traceability.queries import named
from traceability.visibility import rules

from .models import ALL_OF_IT

Place = tuple[int, int]  # (since index, event index) of `visibility.rules.visible_since`
_WINDOW = 2000  # places looked through at a time
_WINDOWS = 20  # of one call: a query that finds little must not hold the sender


@dataclass(frozen=True)
class Portion:
    """The next events, each with its place, and where to go on. `is_last`: nothing more is there now."""

    events: list[tuple[Place, PublishedEvent]]
    place: Place
    is_last: bool


def read(party: Party, query: Mapping[str, Any], after: Place, limit: int) -> Portion:
    """At most `limit` events that `party` may see and `query` asks for; ProblemError when the engine refuses it."""
    until = rules.horizon()  # read first: what is folded meanwhile comes with the next call
    found: list[tuple[Place, PublishedEvent]] = []
    place = after
    for _ in range(_WINDOWS):
        places = rules.visible_since(party, place, _WINDOW)
        shown = PublishedEvent.objects.filter(index__in=[index for _, index in places])
        rows = {row.index: row for row in named.matching(query, shown)}
        for one in places:
            if (row := rows.get(one[1])) is not None:
                if len(found) == limit:
                    return Portion(found, place, is_last=False)
                found.append((one, row))
            place = one
        if len(places) < _WINDOW:
            return Portion(found, max(place, (until, ALL_OF_IT)), is_last=True)
    return Portion(found, place, is_last=False)
