"""A page costs the same number of statements however many events stand on it."""

from urllib.parse import urlencode

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.integration.conftest import House

from .test_against_naive import EXAMPLE, fill
from .test_plans import KINDS
from .world import World

PREFIXES = ",".join(f"{prefix}={uri}" for prefix, uri in EXAMPLE.items())
# One statement more where some event on the page is void, one where its audience is asked by another way.
SLACK = 2


@pytest.mark.parametrize("party", ["regulator", "pharmacy"])
def test_no_parameter_asks_more_for_more_rows(house: House, party: str) -> None:
    fill(house, World(1), 60)
    client, spread = house.client(party), {}
    for parameter, value, _ in KINDS:
        costs = []
        for size in (1, 50):
            query = urlencode({parameter: value, "perPage": size})
            with CaptureQueriesContext(
                connection,
            ) as statements:
                answer = client.get(f"/epcis/events?{query}", headers={"GS1-Extensions": PREFIXES})
            assert answer.status_code == 200, (parameter, answer.content)
            costs.append(len(statements))
        spread[parameter] = costs
    assert {name: costs for name, costs in spread.items() if costs[1] > costs[0] + SLACK or costs[1] > 20} == {}
