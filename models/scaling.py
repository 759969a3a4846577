"""Standardising: raw values to standard deviations from the training mean, and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
from numpy.typing import NDArray

from schemas.errors import TidewatchError

FLOAT32_MAX = np.finfo(np.float32).max
SIGNIFICANT = 5  # decimal digits kept below a feature's standard deviation when raw values are shown


class ScalerError(TidewatchError):
    """A scaler can not be fitted, or what was stored of it can not be used."""


@dataclass(frozen=True, eq=False)
class Moments:
    """What rows say of each feature, (feature,) each; those of parts of the rows add up to those of all of them.

    Squares are of distances from the mean (Chan, Golub and LeVeque, 1979), so that nothing cancels.
    """

    rows: int
    known: NDArray[np.int64]  # values that are not missing
    mean: NDArray[np.float64]  # 0 where none is known
    squares: NDArray[np.float64]
    low: NDArray[np.float64]  # inf where none is known
    high: NDArray[np.float64]  # -inf likewise

    @classmethod
    def of(cls, rows: NDArray[np.float64]) -> Self:
        """Those of raw rows (row, feature); NaN is missing."""
        there = ~np.isnan(rows)
        known = there.sum(axis=0)
        mean = np.where(there, rows, 0.0).sum(axis=0) / np.maximum(known, 1)
        squares = np.square(np.where(there, rows - mean, 0.0)).sum(axis=0)
        low, high = np.fmin.reduce(rows, initial=np.inf), np.fmax.reduce(rows, initial=-np.inf)
        return cls(len(rows), known, mean, squares, low, high)

    def __add__(self, other: Moments) -> Moments:
        known = self.known + other.known
        share = other.known / np.maximum(known, 1)
        apart = other.mean - self.mean
        return Moments(
            self.rows + other.rows,
            known,
            self.mean + apart * share,
            self.squares + other.squares + np.square(apart) * self.known * share,
            np.minimum(self.low, other.low),
            np.maximum(self.high, other.high),
        )

    @property
    def variance(self) -> NDArray[np.float64]:
        """Of each feature; 0 where no value is known."""
        return self.squares / np.maximum(self.known, 1)

    @property
    def constant(self) -> NDArray[np.bool_]:
        """Which features never change; one without any value never does."""
        return ~(self.low < self.high)


@dataclass(frozen=True, eq=False)
class Scaler:
    """Mean and scale of each feature, (feature,); a feature that never changed has scale 1."""

    mean: NDArray[np.float64]
    scale: NDArray[np.float64]

    @classmethod
    def fit(cls, rows: NDArray[np.float64]) -> Self:
        """Fit to raw rows (row, feature); NaN is missing, and a feature that is always missing gets mean 0, scale 1."""
        return cls.fit_moments(Moments.of(rows))

    @classmethod
    def fit_moments(cls, moments: Moments) -> Self:
        """Fit to what is known of rows that need not be in memory."""
        if not moments.rows:
            raise ScalerError("a scaler can not be fitted to 0 rows; give it the rows before the test part")
        # the mean of equal values could be off by a rounding error, and their deviation tiny but not 0
        same = moments.low == moments.high
        deviation = np.sqrt(moments.variance)
        scale = np.where(moments.constant | (deviation == 0), 1.0, deviation)
        return cls(np.where(same, moments.low, moments.mean), scale)

    def transform(self, rows: NDArray[np.float64]) -> NDArray[np.float32]:
        """Scale raw rows (..., feature); what float32 can not hold becomes its largest value, NaN stays."""
        with np.errstate(over="ignore"):
            scaled = (rows - self.mean) / self.scale
        return np.clip(scaled, -FLOAT32_MAX, FLOAT32_MAX).astype(np.float32)

    def inverse(self, rows: NDArray[np.floating]) -> NDArray[np.float64]:
        """Put scaled rows (..., feature) back into raw units."""
        return rows.astype(np.float64) * self.scale + self.mean

    @cached_property
    def digits(self) -> NDArray[np.int64]:
        """Decimals worth showing of each feature's raw values, (feature,)."""
        decimals: NDArray[np.float64] = np.clip(SIGNIFICANT - np.floor(np.log10(self.scale)), 0, 15)
        return decimals.astype(np.int64)

    def shown(self, raw: NDArray[np.float64]) -> NDArray[np.float64]:
        """Round raw rows (..., feature) to what a person can use: 71.2 and not 71.19999886."""
        factor = np.power(10.0, self.digits)
        rounded: NDArray[np.float64] = np.rint(raw * factor) / factor
        return rounded

    def equals(self, other: Scaler) -> bool:
        """Whether both scale alike, to the last bit."""
        return np.array_equal(self.mean, other.mean) and np.array_equal(self.scale, other.scale)

    def to_dict(self) -> dict[str, list[float]]:
        """What `scaler.json` holds."""
        return {"mean": self.mean.tolist(), "scale": self.scale.tolist()}

    @classmethod
    def from_dict(cls, stored: Mapping[str, Sequence[float]]) -> Self:
        """Read what `to_dict` wrote; refuses anything that could not scale."""
        try:
            mean, scale = (np.array(stored[key], np.float64) for key in ("mean", "scale"))
        except (KeyError, TypeError, ValueError) as error:
            raise ScalerError(f"scaler: mean and scale must be lists of numbers ({error}); train again") from error
        if mean.ndim != 1 or mean.shape != scale.shape or not np.isfinite([mean, scale]).all() or (scale <= 0).any():
            raise ScalerError("scaler: one finite mean and one scale above 0 a feature are needed; train again")
        return cls(mean, scale)


def rescale(windows: NDArray[np.float32], old: Scaler, new: Scaler) -> NDArray[np.float32]:
    """Take windows (..., feature) from one scaler's units to another's, through raw units."""
    return windows if old.equals(new) else new.transform(old.inverse(windows))
