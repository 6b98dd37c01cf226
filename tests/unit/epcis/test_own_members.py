"""Members of one's own are found by their full name, whatever prefix the writer chose."""

import pytest

from traceability.epcis import event

NAME = "https://ns.dosetrail.org/epcis/reason"


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ({"dosetrail:reason": "x", "@context": [{"dosetrail": "https://ns.dosetrail.org/epcis/"}]}, "x"),
        ({"ours:reason": "x", "@context": [{"ours": "https://ns.dosetrail.org/epcis/"}]}, "x"),
        ({NAME: "x"}, "x"),
        ({"dosetrail:reason": "x", "@context": [{"dosetrail": "https://example.com/"}]}, None),
        ({"reason": "x"}, None),
        ({}, None),
    ],
)
def test_a_member_is_known_by_its_full_name(given: dict[str, object], found: str | None) -> None:
    assert event.own(given, NAME) == found
