"""What live statistics are made of: readings and windows that a worker saw, what adds up of them, what they say."""

from __future__ import annotations

from dataclasses import dataclass
from operator import add
from typing import Self

import numpy as np
from numpy.typing import NDArray

from schemas.reference import ERROR_EDGES

Float64 = NDArray[np.float64]
Index = NDArray[np.int64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Sample:
    """What a worker saw of one dataset: n readings, each once, and the m windows that were scored with them."""

    values: Float64  # (n, feature) raw; NaN is missing
    times: Index  # (n,) the records' own times, microseconds UTC; negative if they have none
    errors: Float64  # (m,) mean squared error in scaled units, before any normaliser
    anomalous: Mask  # (m,) over the release's own threshold
    flagged: Mask  # (m,) over the one that adapts
    ends: Index  # (m,) the times of the records that ended the windows


@dataclass(frozen=True, eq=False)
class Baseline:
    """What live statistics of a release are held against.

    A feature's values are counted in bins; those of all features stand in one row, one feature's after the other's.
    """

    features: tuple[str, ...]
    mean: Float64  # (feature,) raw, as the next two
    std: Float64  # (feature,)
    missing_share: Float64  # (feature,)
    shares: Float64  # (bin,) of the reference; above 0, and 1 in all for each feature
    starts: Index  # (feature,) where in the row a feature's bins begin
    error_median: float
    error_p95: float
    anomaly_rate: float


@dataclass(frozen=True, eq=False)
class Totals:
    """What was counted; of two stretches, or of two workers, it adds up exactly."""

    readings: int
    values: Index  # (feature,) readings that have a value
    deviation: Float64  # (feature,) sum of the values' distances from the reference mean, raw
    squared_deviation: Float64  # (feature,) sum of their squares
    bins: Index  # (bin,) values in each bin
    windows: int
    anomalous: int
    flagged: int
    errors: Index  # (bucket,) windows by error: up to each of ERROR_EDGES, and beyond the last
    error_sum: float

    def __add__(self, other: Self) -> Self:
        return type(self)(*map(add, vars(self).values(), vars(other).values()))

    @classmethod
    def none(cls, features: int, bins: int) -> Self:
        """Nothing was counted yet."""
        counts, sums = np.zeros(features, np.int64), np.zeros(features)
        errors = np.zeros(len(ERROR_EDGES) + 1, np.int64)
        return cls(0, counts, sums, sums, np.zeros(bins, np.int64), 0, 0, 0, errors, 0.0)


@dataclass(frozen=True, eq=False)
class Live:
    """What totals say, beside a baseline; NaN where there are too few readings to say it."""

    mean: Float64  # (feature,) raw, as the next
    std: Float64  # (feature,)
    missing_share: Float64  # (feature,)
    psi: Float64  # (feature,) population stability index, from 0
    ks: Float64  # (feature,) Kolmogorov-Smirnov distance, 0 to 1
    global_mean: float
    error_median: float
    error_p95: float
    anomaly_rate: float
    flag_rate: float


@dataclass(frozen=True, eq=False)
class Report:
    """How a dataset stands against the release that serves it."""

    dataset: str
    release: str
    baseline: Baseline
    totals: Totals
    live: Live
