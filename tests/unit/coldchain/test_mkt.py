"""MKT against the vectors of rules-and-coldchain.md D2, and against plain floating point."""

import json
import math
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from traceability.coldchain import mkt

VECTORS = json.loads((Path(__file__).parents[2] / "vectors" / "coldchain" / "mkt.json").read_text())
PARTS = st.lists(st.tuples(st.integers(-30_000, 60_000), st.integers(1, 100_000)), min_size=1, max_size=30)


def float_mkt(parts: list[tuple[int, int]], energy_j: int = 83_144) -> float:
    """The textbook formula."""
    kelvin = energy_j / 8.3144
    total = sum(seconds for _, seconds in parts)
    mean = sum(seconds * math.exp(-kelvin / (value / 1000 + 273.15)) for value, seconds in parts) / total
    return kelvin / -math.log(mean) - 273.15


@pytest.mark.parametrize("vector", VECTORS["series"], ids=lambda vector: vector["id"])
def test_series_of_the_vectors(vector: dict) -> None:
    parts, energy = [tuple(part) for part in vector["parts"]], vector.get("energy_j", 83_144)
    assert float_mkt(parts, energy) == pytest.approx(float(vector["mkt"]), abs=1e-6)  # the oracle itself
    floored = math.floor(Decimal(vector["mkt"]) * 100) * 10
    assert mkt.mkt_mc(*mkt.total(parts, energy_j=energy), energy_j=energy) == floored


def test_rates_of_the_vectors() -> None:
    for value_mc, expected in VECTORS["rates"].items():
        assert mkt.rate(int(value_mc)) == expected


def test_the_limit_is_tested_without_inversion() -> None:
    total = mkt.total([(5000, 18 * 3600), (14000, 6 * 3600)])  # V6: the mean passes, MKT fails 8 °C
    assert not mkt.within(*total, limit_mc=8000)
    assert mkt.within(*total, limit_mc=8290)
    assert mkt.within(*mkt.total([(8000, 60)]), limit_mc=8000)  # exactly at the limit is within


def test_a_frozen_profile_and_no_time_are_refused() -> None:
    total = mkt.total([(-20000, 60), (-15000, 60), (-10000, 60)])  # V11
    with pytest.raises(mkt.MktError, match="frozen"):
        mkt.mkt_mc(*total, frozen=True)
    with pytest.raises(mkt.MktError, match="at least one second"):
        mkt.mkt_mc(0, 0)
    with pytest.raises(mkt.MktError, match="outside"):
        mkt.rate(-273_150)


@given(PARTS)
def test_integer_mkt_is_the_float_one_rounded_down(parts: list[tuple[int, int]]) -> None:
    difference = float_mkt(parts) * 1000 - mkt.mkt_mc(*mkt.total(parts))
    assert -0.01 <= difference <= 10.01
