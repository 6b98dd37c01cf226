"""Chunks, charts, stays and the stability budget."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from traceability.coldchain import budget, charts, chunks
from traceability.coldchain.budget import Band
from traceability.coldchain.journey import Stay, Step, gone_ms, stays

HOUR = 3600
SERIES = st.lists(
    st.tuples(st.integers(-(2**52), 2**52), st.integers(-273_150, 1_000_000)),
    min_size=1,
    max_size=60,
    unique_by=lambda reading: reading[0],
).map(sorted)


@given(SERIES)
def test_chunks_read_back_what_was_written(series: list[tuple[int, int]]) -> None:
    assert chunks.decode(chunks.encode(series)) == series


def test_a_regular_series_takes_two_bytes_a_reading() -> None:
    series = [(1_700_000_000_000 + 300_000 * i, 5000 + 50 * (i % 2)) for i in range(288)]
    assert len(chunks.encode(series)) < 2.1 * 288 + 12


def test_chunk_bytes_are_fixed() -> None:
    assert chunks.encode([(1000, -5), (2000, 5)]).hex() == "04d00f09d00f14"


@pytest.mark.parametrize(
    "data", ["", "04", "04d00f09d00f", "04d00f09d00f1400", "8400d00f09d00f14", "00", "80" * 12, "02d00f", "01d00f09"]
)
def test_other_bytes_are_no_chunk(data: str) -> None:
    with pytest.raises(chunks.ChunkError):
        chunks.decode(bytes.fromhex(data))


@pytest.mark.parametrize("series", [[], [(2, 0), (1, 0)], [(1, 0), (1, 1)]])
def test_a_chunk_is_in_strict_order(series: list[tuple[int, int]]) -> None:
    with pytest.raises(chunks.ChunkError):
        chunks.encode(series)


def test_a_long_series_is_split() -> None:
    assert [len(part) for part in chunks.split([(i, 0) for i in range(600)])] == [288, 288, 24]


@given(SERIES, st.integers(2, 20))
def test_a_chart_keeps_every_peak(series: list[tuple[int, int]], max_points: int) -> None:
    points = charts.thin(series, max_points)
    assert len(points) <= max(max_points, 2)
    assert points == sorted(points)
    assert set(points) <= set(series)
    values = [value for _, value in series]
    assert {min(values), max(values)} <= {value for _, value in points}


def test_an_averaging_chart_would_lose_it() -> None:
    """Negative control: one warm reading among a thousand is a tenth of a degree in its bucket's mean."""
    series = [(i, 5000) for i in range(1000)]
    series[500] = (500, 15000)
    assert max(value for _, value in charts.thin(series, 20)) == 15000
    assert sum(value for _, value in series[500:600]) / 100 < 5200


def test_stays_begin_and_end_with_the_steps() -> None:
    steps = [
        Step(10, "commissioning", "plant"),
        Step(20, "packing", ""),
        Step(30, "shipping", "plant"),
        Step(40, "receiving", "hospital"),
        Step(50, "sensor_reporting", "hospital"),
    ]
    assert stays(reversed(steps)) == [Stay("plant", 10, 30), Stay("hospital", 40, None)]


def test_a_sold_pack_is_at_no_place_and_an_opened_one_still_is() -> None:
    here = Step(10, "receiving", "pharmacy")
    assert stays([here, Step(20, "dispensing", "pharmacy", "dispensed")]) == [Stay("pharmacy", 10, 20)]
    assert stays([here, Step(20, "dispensing", "pharmacy", "partially_dispensed")]) == [Stay("pharmacy", 10, None)]


def test_gone_is_gone_until_it_comes_back() -> None:
    sold = Step(20, "dispensing", "pharmacy", "dispensed")
    assert gone_ms([Step(10, "receiving", "pharmacy"), sold]) == 20
    assert gone_ms([sold, Step(30, "sensor_reporting", "x")]) == 20
    assert gone_ms([sold, Step(30, "receiving", "pharmacy", "returned")]) is None
    assert gone_ms([]) is None


def test_a_read_out_elsewhere_moves_nothing() -> None:
    assert stays([Step(10, "storing", "room-1"), Step(20, "sensor_reporting", "office")]) == [Stay("room-1", 10, None)]


def test_a_move_without_shipping_ends_the_stay() -> None:
    assert stays([Step(10, "storing", "room-1"), Step(20, "storing", "room-2")]) == [
        Stay("room-1", 10, 20),
        Stay("room-2", 20, None),
    ]
    assert stays([Step(10, "shipping", "")]) == []


def test_the_stability_budget_of_the_vector() -> None:
    """TOR-1 of rules-and-coldchain.md, D2."""
    bands = [Band(8000, 15000, 72 * HOUR), Band(15000, 25000, 24 * HOUR), Band(25000, 30000, 4 * HOUR)]
    legs = [(5000, 48), (12000, 10), (18000, 6), (5000, 24), (26000, 0.5), (12000, 20)]
    used = budget.draw([(value, int(hours * HOUR)) for value, hours in legs], bands)
    assert used.used_s == (108000, 21600, 1800)
    assert used.used_ppm == (416666, 250000, 125000)
    assert used.total_ppm == 791666


def test_a_band_includes_its_upper_limit_only() -> None:
    bands = [Band(8000, 15000, 100), Band(15000, 25000, 100)]
    assert budget.draw([(8000, 1), (15000, 2), (15001, 4)], bands).used_s == (2, 4)
