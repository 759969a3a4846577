"""What is known of the readings that a candidate is judged on: their parts, their labels, and what fitted nothing."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from schemas.training import TrainingConfig
from training.judging import Section
from training.measures import events_of
from training.split import PARTS, labels_of, parts_of
from training.table import Table

Index = NDArray[np.int64]
Mask = NDArray[np.bool_]

TEST = PARTS.index("test")
LEAD = 5_000  # rows that a threshold is given to adapt before a labelled anomaly is judged, where there are so many


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
        held: Mask = self._anomalies[rows + 1] > self._anomalies[rows + 1 - self.config.window.size]
        return held

    def part_begins(self, row: int) -> int:
        """The first row of the test part, if `row` is of it, or else of all that lies before it, in its series."""
        owner = self.owners(np.array([row]))
        return int((self._test_begins if self.parts[row] == TEST else self.bounds)[owner][0])

    @property
    def test_part(self) -> Section:
        """Each series' test rows: none of its windows fitted anything."""
        return Section.of(self.table, self._test_begins, self.bounds[1:])

    @property
    def before(self) -> Section:
        """The rows before the test part on which windows hold a labelled anomaly, with `LEAD` rows before them.

        Such windows fitted nothing.
        """
        firsts, lasts = events_of(self.labels & (self.parts != TEST), self.bounds[1:-1])
        owners = self.owners(firsts)
        begins = np.maximum(firsts - LEAD, self.bounds[owners])
        ends = np.minimum(lasts + self.config.window.size, self._test_begins[owners])
        new = np.append(True, begins[1:] >= ends[:-1])[: len(begins)]  # the others go on where the one before ends
        return Section.of(self.table, begins[new], ends[np.append(new[1:], True)[: len(ends)]])

    @cached_property
    def _anomalies(self) -> Index:
        """How many labelled rows there are before each row, and in all: (row + 1,)."""
        return np.concatenate([[0], np.cumsum(self.labels)])

    @cached_property
    def _test_begins(self) -> Index:
        """The first row of each series' test part, which is its end if it has none: (series,)."""
        tests = np.concatenate([[0], np.cumsum(self.parts == TEST)])[self.bounds]
        return self.bounds[1:] - np.diff(tests)
