"""A detector: scaler, ensemble and threshold of one release, and all that decides a flag."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.ensemble import Ensemble
from models.scaling import Scaler
from models.thresholds import Threshold
from schemas.reference import Reference

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]
Index = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Scored:
    """What the networks made of b windows: kept whole, so that only flagged ones need be attributed."""

    combined: Float64  # (b,) before hold; `Detector.scale` makes it a score
    model_scores: Float64  # (b, member) each network alone, on the scale of scores
    error: Float64  # (b,) mean squared error over members and features, scaled units
    windows: Float32  # (b, time, feature) scaled, not clipped
    reconstructions: Float32  # (member, b, row, feature) of the newest rows

    def part(self, begin: int, end: int) -> Scored:
        """Windows `begin` to `end` - 1 alone."""
        which = slice(begin, end)
        return Scored(
            self.combined[which],
            self.model_scores[which],
            self.error[which],
            self.windows[which],
            self.reconstructions[:, which],
        )


@dataclass(frozen=True, eq=False)
class Blame:
    """Each feature's part in b scores; `actual` and `expected` are raw values at that feature's worst row."""

    shares: Float64  # (b, feature) summing to 1
    actual: Float64  # (b, feature)
    expected: Float64  # (b, feature)
    rows: Index  # (b, feature) row within the window, 0 the oldest


@dataclass(frozen=True, eq=False)
class Detector:
    """Everything that changes a flag. A score is 0 for a typical window and 1 at the release's threshold."""

    release: str
    dataset: str
    features: tuple[str, ...]
    window: int
    stride: int
    hold_limit: int  # rows for which a missing value repeats the last one
    interval_us: int  # median time between readings in training
    gap_us: int  # a longer pause restarts the window
    scaler: Scaler
    ensemble: Ensemble
    zero: float  # the held combined error of a typical held-out window
    unit: float  # the distance from there to the threshold
    level: float  # the threshold, as a held combined error
    hold: float  # a combined error is at least `hold` times the one before it; 0 is off
    threshold: Threshold
    reference: Reference

    def score(self, windows: Float32) -> Scored:
        """Score windows (b, time, feature) in scaled units, all at once."""
        reconstructions, errors = self.ensemble.examine(windows)
        standardised = self.ensemble.standardise(errors)
        return Scored(
            combined=self.ensemble.combined(standardised),
            model_scores=self.scale(standardised),
            error=errors.mean(axis=(0, 2)),
            windows=windows,
            reconstructions=reconstructions,
        )

    def scale(self, held: Float64) -> Float64:
        """Put combined errors, after hold, on the scale of scores."""
        return (held - self.zero) / self.unit

    def attribute(self, scored: Scored, rows: Index) -> Blame:
        """Say which features made the windows `rows` (k,) of a scored batch score as they did."""
        windows = scored.windows[rows]
        shares, expected, worst = self.ensemble.blame(windows, scored.reconstructions[:, rows])
        actual = np.take_along_axis(windows, worst[:, None, :], axis=1)[:, 0]
        return Blame(shares, self.scaler.inverse(actual), self.scaler.inverse(expected), worst)

    def expect(self, scored: Scored, rows: Index) -> Float64:
        """Say what was expected of the windows `rows` (k,) of a scored batch.

        Raw values (k, row, feature) of the newest rows, as many as any member judges.
        """
        return self.scaler.inverse(self.ensemble.expected(scored.windows[rows], scored.reconstructions[:, rows]))
