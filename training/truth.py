"""What is known of the readings that a candidate is judged on: their parts, their labels, and what fitted nothing."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from schemas.training import TrainingConfig
from training.judging import Section
from training.split import PARTS, labels_of, parts_of
from training.table import Table

Index = NDArray[np.int64]
Mask = NDArray[np.bool_]

TEST = PARTS.index("test")


@dataclass(frozen=True, eq=False)
class Truth:
    """A table, cut as a config says; (row,) is over all series, one after the other."""

    table: Table
    config: TrainingConfig

    @cached_property
    def bounds(self) -> Index:
        """The first row of each series, and the end of the last: (series + 1,)."""
        return np.cumsum([0, *(len(series.times) for series in self.table.series)])

    @cached_property
    def labels(self) -> Mask:
        """Whether each row is part of an anomaly, as far as is known: (row,)."""
        return np.concatenate([labels_of(series) for series in self.table.series])

    @cached_property
    def labelled(self) -> Mask:
        """Whether anything is known of a series: (series,)."""
        return np.array([series.labels is not None for series in self.table.series])

    @cached_property
    def parts(self) -> NDArray[np.int8]:
        """The part of each row, as `split` numbers them: (row,)."""
        size, shares = self.config.window.size, self.config.split
        return np.concatenate([parts_of(labels_of(series), size, shares) for series in self.table.series])

    def owners(self, rows: Index) -> Index:
        """The number of each row's series."""
        return np.searchsorted(self.bounds, rows, side="right") - 1

    def tested(self, rows: Index) -> Mask:
        """Which windows, ending at `rows`, are of the test part rather than before it."""
        tested: Mask = self.parts[rows] == TEST
        return tested

    def stained(self, rows: Index) -> Mask:
        """Which windows, ending at `rows`, hold a labelled anomaly."""
        before = np.concatenate([[0], np.cumsum(self.labels)])
        held: Mask = before[rows + 1] > before[rows + 1 - self.config.window.size]
        return held

    def stream_begins(self, row: int) -> int:
        """The first row of the stream that judges the window ending at `row`: of its series, or of its test part."""
        owner = self.owners(np.array([row]))
        return int((self._test_begins if self.parts[row] == TEST else self.bounds)[owner][0])

    @property
    def test_part(self) -> Section:
        """Each series' test rows: none of its windows fitted anything."""
        return Section.of(self.table, self._test_begins - self.bounds[:-1], np.diff(self.bounds))

    @property
    def before(self) -> Section:
        """Each series from its first row until the last labelled anomaly before the test part has left the windows.

        Those of its windows that hold a labelled anomaly fitted nothing.
        """
        anomalies = np.flatnonzero(self.labels & (self.parts != TEST))
        stops = self.bounds[:-1].copy()
        np.maximum.at(stops, self.owners(anomalies), anomalies + self.config.window.size)
        stops = np.minimum(stops, self._test_begins) - self.bounds[:-1]
        return Section.of(self.table, np.zeros_like(stops), stops)

    @cached_property
    def _test_begins(self) -> Index:
        """The first row of each series' test part, which is its end if it has none: (series,)."""
        tests = np.concatenate([[0], np.cumsum(self.parts == TEST)])[self.bounds]
        return self.bounds[1:] - np.diff(tests)
