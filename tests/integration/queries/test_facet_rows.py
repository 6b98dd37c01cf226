"""The rows that queries compare are what the events say, on SQLite and on PostgreSQL alike."""

import hashlib
import json
from typing import Any

from tests.integration.api.test_capture import observed
from tests.integration.conftest import House
from traceability.capture import selectors as captured
from traceability.capture.models import EventFacet, PublishedEvent
from traceability.common.projection import digest
from traceability.epcis import facets

from .test_against_naive import fill
from .world import CONTEXT, World

# What databases tell apart or treat in ways of their own: case, accents, spaces, digits of any size, what is no number.
HARD = [
    "a", "A", "ä", "a\u0308", " a ", "", "𝄞", "\u200b", "x" * 300, "'\"\\%_", "0", "-0", "1E400", "NaN", "true",
    0, -0.0, 0.1, 1e300, -1e-300, 2**53 - 1, 1 - 2**53, True,
    "1900-01-01T00:00:00.001Z", "9999-12-31T23:59:59.999+14:00",
]  # fmt: skip


def expected() -> str:
    """`digest(EventFacet)` worked out from the events themselves."""
    bodies = captured.bodies(list(PublishedEvent.objects.values_list("index", flat=True)))
    rows = [
        [index, position, one.name, one.text, one.number, one.time]
        for index, body in bodies.items()
        for position, one in enumerate(facets.facets(body))
    ]
    lines = sorted(json.dumps(row, ensure_ascii=False, separators=(",", ":")).encode() for row in rows)
    return hashlib.sha256(b"".join(lines)).hexdigest()


def test_each_facet_is_a_row_and_comes_back_as_it_is(house: House, writer: Any) -> None:
    fill(house, World(7), 60)
    hard = {f"example:f{number}": value for number, value in enumerate(HARD)}
    answer = house.capture("pharmacy", {**observed(writer, "1"), "@context": CONTEXT, **hard})
    assert answer.status_code == 202, answer.content
    house.settle()
    assert EventFacet.objects.count() > 200
    assert digest(EventFacet) == expected()
    # The negative control: a row that a database spelled anew.
    row = EventFacet.objects.exclude(text="").order_by("event_index", "position")[0]
    EventFacet.objects.filter(pk=row.pk).update(text=row.text + " ")
    assert digest(EventFacet) != expected()
