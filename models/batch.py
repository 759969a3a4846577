"""What goes into a StreamDetector and what comes out of it, many readings at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.detector import Scored
from schemas.decoding import Decoded, columns, picked

Float64 = NDArray[np.float64]
Index = NDArray[np.int64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Batch:
    """n readings of any series, in the order they came; of one series in the order of their partition."""

    series: Sequence[str]
    times: Index  # (n,) event time, microseconds UTC
    values: Float64  # (n, feature) raw; NaN is missing
    seen: Index  # (n,) the records' own time, microseconds UTC: says who has been silent, and nothing else


@dataclass(frozen=True)
class Counts:
    """What became of a batch's readings."""

    readings: int
    windows: int
    late: int
    duplicates: int
    gaps: int  # restarts after a pause
    warm_ups: int  # windows begun with a first row: of a new series, or after a restart
    imputed_values: int


@dataclass(frozen=True, eq=False)
class Observed:
    """The m windows that ended with a batch's readings, judged, in the order of the readings that ended them."""

    batch: Batch
    rows: Index  # (m,) the place in the batch of each window's last reading
    moments: Index  # (m, time) when each row of a window was, microseconds UTC
    scored: Scored
    scores: Float64  # (m,) after hold; 1 is the release's own threshold
    thresholds: Float64  # (m,) the effective ones
    is_anomaly: Mask  # (m,)
    imputed: Mask  # (m, feature) whether the window has an imputed value
    counts: Counts
    stale: list[str]  # series of which nothing but late readings has come for a while; each is named once

    @property
    def starts(self) -> Index:
        """Time of each window's first row, (m,)."""
        return self.moments[:, 0]

    @property
    def ends(self) -> Index:
        """Time of each window's last row, (m,)."""
        return self.moments[:, -1]

    @property
    def model_scores(self) -> Float64:
        """Each network's own score, before hold, (m, member)."""
        return self.scored.model_scores

    @property
    def error(self) -> Float64:
        """Mean squared error over networks and features in scaled units, (m,)."""
        return self.scored.error


def to_batch(decoded: Decoded, where: Index, seen: Index, features: Sequence[str]) -> tuple[Batch, int]:
    """Those readings of a chunk that are of one dataset, and how many of their values the detector has no feature for.

    `where` (n,) are their places among the readings, `seen` are the times of all records of the chunk.
    """
    series, times, rows = decoded.series, decoded.times, decoded.rows
    if len(where) < len(decoded):
        series, times, rows = [series[place] for place in where.tolist()], times[where], picked(rows, where)
    values, unknown = columns(rows, features)
    return Batch(series, times, values, seen[decoded.indices[where]]), unknown
