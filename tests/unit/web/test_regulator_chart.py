"""The regulator's chart: nothing beyond a limit is lost, gaps stay gaps."""

from traceability.web.regulator.chart import draw

MINUTE = 60_000


def series(*values: int, step: int = MINUTE) -> list[tuple[int, int]]:
    return [(place * step, value) for place, value in enumerate(values)]


def test_an_excursion_is_tinted_between_its_first_and_last_bad_reading() -> None:
    chart = draw(series(5000, 5000, 9000, 9000, 9000, 5000), limit_mc=8000, above=True)
    assert chart is not None
    (left, width), first, last = chart.breaches[0], 46 + 594 * 2 / 5, 46 + 594 * 4 / 5
    assert (left, round(left + width)) == (round(first, 1), round(last))
    assert chart.limit_text == "8.0 °C"


def test_one_bad_reading_is_still_visible_and_a_good_series_has_none() -> None:
    spike = draw(series(5000, 12000, 5000), limit_mc=8000, above=True)
    calm = draw(series(5000, 5000, 5000), limit_mc=8000, above=True)
    cold = draw(series(5000, -2000, 5000), limit_mc=-500, above=False)
    assert spike is not None
    assert calm is not None
    assert cold is not None
    assert [len(chart.breaches) for chart in (spike, calm, cold)] == [1, 0, 1]
    assert spike.breaches[0][1] >= 1


def test_a_silence_breaks_the_line() -> None:
    readings = [*series(5000, 5000, 5000), (30 * MINUTE, 5000), (31 * MINUTE, 5000)]
    chart = draw(readings, limit_mc=8000, above=True)
    assert chart is not None
    assert len(chart.lines) == 2
    assert draw(readings[:1], limit_mc=8000, above=True) is None
