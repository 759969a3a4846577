"""Readings put on a grid: a row for each interval, of what came within it. Nothing looks ahead.

The row at time t, a multiple of the interval, is of the readings in (t - interval, t]:

    readings   a  b   c            d
    grid    |-----|-----|-----|-----|
    rows          b     c     -     d        `-` has no value; b, at the very end of an interval, is of it
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from training.grid import Resampling
from training.table import SeriesTable

LONGEST_STEP = 10  # intervals; what is longer is a pause, which by the usual gap.factor restarts the window


def aggregate(series: SeriesTable, how: Resampling) -> SeriesTable:
    """One row for each interval with readings; times may repeat, and are in order. A label holds if any one did."""
    grid = -(-series.times // how.interval_us)
    first = np.flatnonzero(np.diff(grid, prepend=grid[:1] - 1))  # of each interval's rows
    values = np.empty((len(first), series.values.shape[1]))
    for place, column in enumerate(series.values.T):
        values[:, place] = (_last if how.by == "last" else _mean)(column, first)
    labels = None if series.labels is None else np.logical_or.reduceat(series.labels, first)
    return SeriesTable(series.name, grid[first] * how.interval_us, values, labels)


def regular(series: SeriesTable, how: Resampling) -> SeriesTable:
    """Rows without a value for the intervals in which nothing came, unless it was a pause; labels go on in them."""
    steps = np.diff(series.times) // how.interval_us
    lacking = np.where(steps <= LONGEST_STEP, steps - 1, 0)
    if not lacking.any():
        return series
    places = np.arange(len(series.times)) + np.concatenate([[0], np.cumsum(lacking)])
    rows = int(places[-1]) + 1
    values = np.full((rows, series.values.shape[1]), np.nan)
    values[places] = series.values
    before = np.repeat(np.arange(len(places)), np.diff(places, append=rows))  # the reading at or before each row
    times = series.times[before] + (np.arange(rows) - places[before]) * how.interval_us
    labels = None if series.labels is None else series.labels[before]
    return SeriesTable(series.name, times, values, labels)


def _last(column: NDArray[np.float64], first: NDArray[np.int64]) -> NDArray[np.float64]:
    """The newest value of each stretch of rows that begins at `first`; NaN if it has none."""
    known = np.where(np.isnan(column), -1, np.arange(len(column)))
    newest = np.maximum.reduceat(known, first)
    return np.where(newest >= 0, column[newest], np.nan)


def _mean(column: NDArray[np.float64], first: NDArray[np.int64]) -> NDArray[np.float64]:
    """The mean of each stretch's values; NaN if it has none."""
    missing = np.isnan(column)
    counts = np.add.reduceat(~missing, first, dtype=np.int64)
    sums = np.add.reduceat(np.where(missing, 0.0, column), first)
    return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)
