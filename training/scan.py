"""A file's readings through the very code that the worker runs, in order of time over all series."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from models.batch import Batch, Observed
from models.stream import StreamDetector
from training.table import Table

CHUNK = 1000  # readings; it changes nothing but the speed


def scan(stream: StreamDetector, table: Table, chunk: int = CHUNK) -> Iterator[Observed]:
    """Let `stream` observe every reading; a feature that the table lacks is missing, one that is unknown is ignored."""
    for _, batch in batches(table, stream.detector.features, chunk):
        yield stream.observe(batch)


def batches(
    table: Table, features: Sequence[str], chunk: int = CHUNK, starts: Sequence[int] = ()
) -> Iterator[tuple[NDArray[np.int64], Batch]]:
    """The readings in order of time, and of series where times are equal; with the number of each (n,).

    Rows are numbered over all series, one series after the other. A row of `starts` begins a batch.
    """
    bounds = np.cumsum([0, *(len(series.times) for series in table.series)])
    times = np.concatenate([series.times for series in table.series])
    names = np.array([series.name for series in table.series], dtype=object)
    known = [place for place, name in enumerate(features) if name in table.features]
    columns = [table.features.index(features[place]) for place in known]
    order = np.argsort(times, kind="stable")
    for rows in np.split(order, _cuts(order, chunk, starts)):
        owners = np.searchsorted(bounds, rows, side="right") - 1
        arranged = np.full((len(rows), len(features)), np.nan)
        arranged[:, known] = _values(table, owners, rows - bounds[owners])[:, columns]
        yield rows, Batch(names[owners].tolist(), times[rows], arranged, times[rows])


def _values(table: Table, owners: NDArray[np.int64], rows: NDArray[np.int64]) -> NDArray[np.float64]:
    """The values (n, feature) of some rows of some series: those of all series need never be in one piece."""
    values = np.empty((len(rows), len(table.features)))
    order = np.argsort(owners, kind="stable")
    for one in np.split(
        order, np.flatnonzero(np.diff(owners[order], prepend=-1))
    ):  # the first is before all, and empty
        for owner in owners[one[:1]]:
            values[one] = table.series[owner].values[rows[one]]
    return values


def _cuts(order: NDArray[np.int64], chunk: int, starts: Sequence[int]) -> NDArray[np.int64]:
    """Where in the order a batch begins, beside the first."""
    return np.union1d(np.arange(chunk, len(order), chunk), np.flatnonzero(np.isin(order, starts)))
