"""A file's readings through the very code that the worker runs, in order of time over all series."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from models.batch import Batch, Observed
from models.stream import StreamDetector
from training.table import Table

CHUNK = 1000  # readings; it changes nothing but the speed


def scan(stream: StreamDetector, table: Table, chunk: int = CHUNK) -> Iterator[Observed]:
    """Let `stream` observe every reading; a feature that the table lacks is missing, one that is unknown is ignored."""
    for batch in batches(table, stream.detector.features, chunk):
        yield stream.observe(batch)


def batches(table: Table, features: tuple[str, ...], chunk: int) -> Iterator[Batch]:
    """The readings in order of time, and of series where times are equal."""
    owners = np.repeat(np.arange(len(table.series)), [len(series.times) for series in table.series])
    times = np.concatenate([series.times for series in table.series])
    values = np.concatenate([series.values for series in table.series])
    arranged = np.full((len(values), len(features)), np.nan)
    for place, name in enumerate(features):
        if name in table.features:
            arranged[:, place] = values[:, table.features.index(name)]
    names = np.array([series.name for series in table.series], dtype=object)
    order = np.lexsort((owners, times))
    for begin in range(0, len(order), chunk):
        rows = order[begin : begin + chunk]
        yield Batch(names[owners[rows]].tolist(), times[rows], arranged[rows], times[rows])
