"""Opening stock is recognised by its namespace, not by its prefix."""

from typing import Any

import pytest

from traceability.custody import opening

OURS = {"dosetrail": opening.NAMESPACE}


@pytest.mark.parametrize(
    ("context", "event", "expected"),
    [
        ([OURS], opening.member(lot="L1", expiry="2030-01-31"), opening.Opening("L1", "2030-01-31")),
        ([OURS], opening.member(), opening.Opening()),
        ([{"x": opening.NAMESPACE}], {"x:openingStock": {"lotNumber": "L2"}}, opening.Opening("L2")),
        ([], {f"{opening.NAMESPACE}openingStock": {}}, opening.Opening()),
        ([{"dosetrail": "https://else.example/"}], opening.member(lot="L1"), None),
        ([OURS], {"dosetrail:openingStock": "yes"}, None),
        ([OURS], {"dosetrail:openingStock": {"lotNumber": 7}}, opening.Opening()),
        ([OURS], {"bizStep": "stock_taking"}, None),
    ],
)
def test_reading(context: list[Any], event: dict[str, Any], expected: opening.Opening | None) -> None:
    assert opening.read({"@context": context, **event}) == expected
