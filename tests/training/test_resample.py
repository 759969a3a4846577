"""Readings on a grid: what a row is made of, that none looks ahead, and that silence is what it is."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import TidewatchError
from tests import naive
from training.grid import BYS, Resampling
from training.resample import LONGEST_STEP, aggregate, regular
from training.table import SeriesTable

values = st.one_of(st.just(float("nan")), st.integers(-9, 9).map(float))
readings = st.lists(
    st.tuples(st.sampled_from([0, 1, 2, 7, 7 * LONGEST_STEP, 100]), values, values, st.booleans()),
    min_size=1,
    max_size=40,
)  # the time since the one before, two features, a label


def series_of(rows: list[tuple[int, float, float, bool]], start: int = -20) -> SeriesTable:
    """Readings as a series, from before 1970 on."""
    times = np.cumsum([step for step, *_ in rows]) + start
    numbers = np.array([row[1:3] for row in rows]).reshape(-1, 2)
    return SeriesTable("pump", times, numbers, np.array([row[3] for row in rows]))


def on_grid(series: SeriesTable, how: Resampling) -> SeriesTable:
    """Both steps."""
    return regular(aggregate(series, how), how)


@given(rows=readings, interval=st.integers(1, 20), by=st.sampled_from(BYS))
def test_a_row_is_of_its_interval(rows, interval, by):
    """Interval by interval and feature by feature, the slow way."""
    series = series_of(rows)
    found = on_grid(series, Resampling(interval, by))
    expected = naive.resampled(series.times, series.values, series.labels, interval, by, LONGEST_STEP)
    assert found.times.tolist() == [time for time, _, _ in expected]
    np.testing.assert_allclose(found.values, [cells for _, cells, _ in expected])
    assert found.labels is not None
    assert found.labels.tolist() == [label for _, _, label in expected]


@given(rows=readings, interval=st.integers(1, 20), by=st.sampled_from(BYS), cut=st.integers(1, 20))
def test_no_row_looks_ahead(rows, interval, by, cut):
    """What has come until a row's time makes that row, whatever comes later."""
    whole, how = series_of(rows), Resampling(interval, by)
    rows_then = on_grid(whole.where(slice(cut)), how)
    rows_after = on_grid(whole, how)
    done = rows_then.times <= whole.times[: cut + 1][-1]  # the newest interval may not be over yet
    np.testing.assert_array_equal(rows_then.times[done], rows_after.times[: done.sum()])
    if cut < len(rows):
        over = rows_then.times < whole.times[cut]
        np.testing.assert_array_equal(rows_then.values[over], rows_after.values[: over.sum()])


def test_regular_readings_stay_as_they_are():
    """On a grid of their own interval."""
    series = SeriesTable("pump", np.arange(1, 9) * 5, np.arange(16.0).reshape(8, 2), None)
    for by in BYS:
        found = on_grid(series, Resampling(5, by))
        np.testing.assert_array_equal(found.times, series.times)
        np.testing.assert_array_equal(found.values, series.values)


@pytest.mark.parametrize(
    ("text", "interval"), [("1s", 10**6), ("250 ms", 250_000), ("1.5h", 5_400_000_000), ("7us", 7)]
)
def test_an_interval_is_written_as_people_do(text, interval):
    """A number and a unit, with or without a blank."""
    assert Resampling.parse(text).interval_us == interval


@pytest.mark.parametrize("text", ["", "5", "s", "0s", "-1s", "1 month", "1e3s", "0.1us"])
def test_what_is_no_interval_is_refused(text):
    """The message has an example of what would do."""
    with pytest.raises(TidewatchError, match=r"is no interval; give a number above 0 and a unit .* such as 5min"):
        Resampling.parse(text)
