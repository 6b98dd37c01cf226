"""The shipments of a party are found by indexes, whichever side it is on: the databases' own plans say so."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.integration.conftest import House
from tests.integration.portal.conftest import stocked
from tests.integration.queries.test_plans import _explained, _full
from traceability.custody import selectors as custody
from traceability.custody.models import Shipment
from traceability.parties import selectors as parties

__all__ = ["stocked"]


def plan(house: House) -> list[str]:
    """How the database reads the shipments of the pharmacy among 5,000 of others."""
    (row,) = Shipment.objects.filter(despatch="urn:dosetrail:document:DA1")
    Shipment.objects.bulk_create(
        Shipment(
            despatch=f"urn:x:{number}", sender=f"s{number}", receiver=f"r{number}", receiver_party=f"p{number}",
            status="open", despatched=[], received=[], shipped_index=number if number % 2 else None,
        )
        for number in range(5_000)
    )  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE custody_shipment")
    with CaptureQueriesContext(connection) as statements:
        assert row in custody.shipments_of(parties.uris_of(house.parties["pharmacy"]))
    return [
        line
        for one in statements.captured_queries
        for line in _explained(one["sql"])
        if "custody_ship" in line or "shipment" in line
    ]


def test_no_side_of_a_shipment_is_looked_for_in_the_whole_table(stocked: House) -> None:
    lines = plan(stocked)
    assert lines
    assert _full(lines) == [], lines


@pytest.mark.parametrize("index", ["shipment_unsent_by_receiver"])
def test_its_index_gone_would_be_seen(stocked: House, index: str) -> None:
    """Negative control."""
    with connection.cursor() as cursor:
        cursor.execute(f"DROP INDEX {index}")
    lines = plan(stocked)
    assert _full(lines) != [], lines
