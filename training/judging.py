"""What the candidate makes of readings that fitted nothing: judged in order, as the worker would judge them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from models.stream import StreamDetector
from training.scan import batches
from training.table import SeriesTable, Table

Float64 = NDArray[np.float64]
Index = NDArray[np.int64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Section:
    """Some unbroken pieces of a table's series, each a series of its own; views, no copies."""

    table: Table
    numbers: Index  # (row,) the number of each row of the section over all rows of the whole table

    @classmethod
    def of(cls, table: Table, begins: Index, ends: Index) -> Self:
        """Rows `begins[k]` to `ends[k] - 1`, numbered over all series, for every piece k that has any."""
        bounds = np.cumsum([0, *(len(series.times) for series in table.series)])
        owners = np.searchsorted(bounds, begins, side="right") - 1
        pieces: list[SeriesTable] = []
        numbers = [np.empty(0, np.int64)]
        for begin, end, owner in zip(begins.tolist(), ends.tolist(), owners.tolist(), strict=True):
            if begin < end:
                span = slice(begin - int(bounds[owner]), end - int(bounds[owner]))
                pieces.append(replace(table.series[owner].where(span), name=str(len(pieces))))
                numbers.append(np.arange(begin, end))
        return cls(replace(table, series=tuple(pieces)), np.concatenate(numbers))

    @classmethod
    def whole(cls, table: Table) -> Self:
        """All of a table."""
        bounds = np.cumsum([0, *(len(series.times) for series in table.series)])
        return cls(table, np.arange(bounds[-1]))


@dataclass(frozen=True, eq=False)
class Judged:
    """Windows that a detector judged, (window,) each, in the order of their series, then of time."""

    row: Index  # of the window's last reading, counted over all series of a table
    score: Float64
    threshold: Float64
    is_anomaly: Mask
    model_scores: Float64  # (window, member)

    def __len__(self) -> int:
        return len(self.row)

    def where(self, chosen: Mask | Index | slice) -> Judged:
        """Some of them."""
        return Judged(*(getattr(self, name)[chosen] for name in self.__dataclass_fields__))

    @classmethod
    def together(cls, parts: Sequence[Judged]) -> Judged:
        """All windows of several, in their order."""
        columns = [np.concatenate([getattr(part, name) for part in parts]) for name in cls.__dataclass_fields__]
        whole = cls(*columns)
        return whole.where(np.argsort(whole.row))


def judge(stream: StreamDetector, section: Section, starts: Sequence[int] = ()) -> tuple[Judged, dict[int, bytes]]:
    """Stream all readings of a section.

    Windows are numbered over the whole table. For each row of `starts`, numbered over the section, there is a snapshot
    of its series' state just before that row.
    """
    found, states = [], {}
    for rows, batch in batches(section.table, stream.detector.features, starts=starts):
        if len(rows) and rows[0] in starts:
            states[int(rows[0])] = stream.snapshot(batch.series[:1])
        observed = stream.observe(batch)
        ends = section.numbers[rows[observed.rows]]
        found.append(Judged(ends, observed.scores, observed.thresholds, observed.is_anomaly, observed.model_scores))
    return Judged.together(found), states
