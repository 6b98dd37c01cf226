"""Units, ranks and facets: what queries compare."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from traceability.epcis import facets, scalar, units

from .samples import EVENTS, event


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("5", "CEL"), ("278.15", "KEL")),
        (("5", "CEL"), ("41", "FAH")),
        (("-40", "CEL"), ("-40", "FAH")),
        (("1", "INH"), ("25.4", "MMT")),
        (("1", "BAR"), ("1000", "A97")),
        (("1.5", "KGM"), ("1500", "GRM")),
        (("1", "HUR"), ("60", "MIN")),
        (("36", "KMH"), ("10", "MTS")),
        (("50", "P1"), ("500000", "59")),
    ],
)
def test_one_amount_in_two_units_is_one(one: tuple[str, str], other: tuple[str, str]) -> None:
    (a, unit), (b, unit_b) = one, other
    assert units.converted(Fraction(a), unit) == units.converted(Fraction(b), unit_b)


def test_a_difference_has_no_zero_and_an_unknown_unit_is_a_kind_of_its_own() -> None:
    assert units.difference(Fraction(9), "FAH") == units.difference(Fraction(5), "CEL")
    assert units.converted(Fraction(9), "FAH") != units.converted(Fraction(5), "CEL")
    assert units.converted(Fraction(1), "ZZZ") == ("ZZZ", 1)


@given(st.fractions(), st.fractions())
def test_ranks_sort_as_numbers_do(one: Fraction, other: Fraction) -> None:
    smaller, larger = sorted((one, other))
    assert scalar.rank(smaller) <= scalar.rank(larger)
    assert -(2**63) <= scalar.rank(one) < 2**63


@given(st.text(max_size=600), st.text(max_size=600))
def test_only_equal_texts_have_equal_keys(one: str, other: str) -> None:
    assert len(scalar.text_key(one)) <= scalar.MAX_KEY
    assert (scalar.text_key(one) == scalar.text_key(other)) == (one == other)


def test_an_event_of_main_members_alone_has_no_row() -> None:
    plain = {"type": "ObjectEvent", "eventTime": "2026-01-01T00:00:00Z", "epcList": ["urn:x:1"], "bizStep": "shipping"}
    assert facets.facets(plain) == []
    assert all(isinstance(facets.facets(event(kind)), list) for kind in EVENTS)


def test_many_readings_leave_each_value_once_and_the_first_and_last_time() -> None:
    reports = [{"type": "Temperature", "value": number % 3, "uom": "CEL", "time": f"2026-01-01T00:{number:02}:00Z"}
               for number in range(60)]  # fmt: skip
    found = facets.facets({"sensorElementList": [{"sensorReport": reports}]})
    assert len([one for one in found if one.name == "value K"]) == 3
    assert len([one for one in found if one.name == "time"]) == 2
