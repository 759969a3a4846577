"""Thresholds: where the line is at release, and how it moves with each series after that."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from schemas.training import ThresholdConfig

Float64 = NDArray[np.float64]
State = NDArray[np.float32]
Verdict = tuple[Float64, NDArray[np.bool_]]

PEAKS_NEEDED = 20  # fewer do not show the shape of a tail
FLOOR = 0.5  # no effective threshold falls below this
LOG_FLOOR = float(np.log(FLOOR))


class Threshold(Protocol):
    """Sets the level of a release, and decides on scores, for which that level is 1."""

    method: ClassVar[str]
    adapts: ClassVar[bool]  # False: the threshold is 1 for ever
    state_size: ClassVar[int]  # float32 kept per series

    def fit(self, scores: Float64) -> float:
        """The level for held combined errors (n,) of normal windows, n >= 1."""

    def start(self, n: int) -> State:
        """The state (n, state_size) of n series that are new."""

    def decide(self, scores: Float64, state: State) -> Verdict:
        """Effective thresholds (n,) and is_anomaly (n,) for one score each of n series; then learn, in place."""


class _Fixed:
    """The part of a threshold that stays where the release put it."""

    adapts: ClassVar[bool] = False
    state_size: ClassVar[int] = 0

    def start(self, n: int) -> State:
        """Nothing is kept."""
        return np.zeros((n, 0), np.float32)

    def decide(self, scores: Float64, state: State) -> Verdict:
        """Over 1 or not."""
        return np.ones(len(scores)), scores > 1


@dataclass(frozen=True)
class Quantile(_Fixed):
    """A score that at most `rate` of normal scores exceed."""

    rate: float
    method: ClassVar[str] = "quantile"

    def fit(self, scores: Float64) -> float:
        """The quantile, never between two scores."""
        return float(np.quantile(scores, 1 - self.rate, method="higher"))


@dataclass(frozen=True)
class KSigma(_Fixed):
    """`k` standard deviations above the mean."""

    k: float
    method: ClassVar[str] = "k_sigma"

    def fit(self, scores: Float64) -> float:
        """Mean and deviation of all scores, outliers included."""
        return float(scores.mean() + self.k * scores.std())


@dataclass(frozen=True)
class PeaksOverThreshold(_Fixed):
    """The level that `rate` of scores exceed if their tail is a generalised Pareto distribution.

    Source: Siffer et al., Anomaly Detection in Streams with Extreme Value Theory, KDD 2017, equation 1. The tail is the
    highest `10 x rate` of scores; where it is too short or too flat to have a shape, the quantile stands in.
    """

    rate: float
    method: ClassVar[str] = "pot"

    def fit(self, scores: Float64) -> float:
        """Fit the tail by maximum likelihood and read the level off it."""
        base = float(np.quantile(scores, 1 - min(10 * self.rate, 0.5)))
        excess = scores[scores > base] - base
        quantile = Quantile(self.rate).fit(scores)
        if len(excess) < PEAKS_NEEDED or np.ptp(excess) <= 1e-9 * abs(base):
            return quantile
        level = base + self._reach(excess, self.rate * len(scores) / len(excess))
        return level if np.isfinite(level) else quantile

    def _reach(self, excess: Float64, share: float) -> float:
        """How far above the base the level is that `share` of the excesses pass."""
        from scipy.stats import genpareto  # a second to import, and only training needs it

        unit = float(excess.mean())  # fitted in this unit, the result scales with the scores
        shape, _, scale = genpareto.fit(excess / unit, floc=0)
        return float(genpareto.isf(share, shape, 0, scale)) * unit


@dataclass(frozen=True)
class FlagBudget:
    """Tracks the threshold that `rate` of each series' scores exceed, and pays for each flag it learns from.

    A fault that stays spends the budget, raising the threshold at most 1.43 times; then the threshold stands still.
    After PATIENCE scores on a low budget the fault is taken for the new normal. State: the log of the threshold, the
    budget, the threshold's drift per score, and for how many scores the budget has been low.
    """

    rate: float
    method: ClassVar[str] = "budget"
    adapts: ClassVar[bool] = True
    state_size: ClassVar[int] = 4

    BUDGET: ClassVar[float] = 24.0  # flags
    REFILL: ClassVar[float] = 5.0  # flags regained per flag promised
    PATIENCE: ClassVar[float] = 1100.0  # scores
    STEP: ClassVar[float] = 0.015  # in the log of the threshold
    DRIFT_STEP: ClassVar[float] = 1e-6
    DRIFT_LIMIT: ClassVar[float] = 1e-4

    def fit(self, scores: Float64) -> float:
        """The quantile, where every series starts."""
        return Quantile(self.rate).fit(scores)

    def start(self, n: int) -> State:
        """A threshold of 1 and a full budget."""
        return np.tile(np.array([0, self.BUDGET, 0, 0], np.float32), (n, 1))

    def decide(self, scores: Float64, state: State) -> Verdict:
        """Decide, pay, learn; n may hold any mix of series."""
        now = np.ascontiguousarray(state.T, np.float64)
        log, budget, drift, low = now  # views: what changes them changes `now`
        thresholds = np.maximum(np.exp(log), FLOOR)
        flagged = scores > thresholds
        pays = flagged & (budget >= 1)
        learns = (flagged == pays) | (low > self.PATIENCE)
        surprise = (flagged - self.rate) * learns
        drift += self.DRIFT_STEP * surprise
        np.minimum(np.maximum(drift, -self.DRIFT_LIMIT, out=drift), self.DRIFT_LIMIT, out=drift)
        log += self.STEP * surprise + drift * learns
        np.maximum(log, LOG_FLOOR, out=log)
        budget[:] = np.where(flagged, budget - pays, np.minimum(budget + self.REFILL * self.rate, self.BUDGET))
        low[:] = (low + 1) * (budget < self.BUDGET / 2)
        state[:] = now.T
        return thresholds, flagged


THRESHOLDS: Mapping[str, Callable[[ThresholdConfig], Threshold]] = {
    Quantile.method: lambda config: Quantile(config.rate),
    KSigma.method: lambda config: KSigma(config.k),
    PeaksOverThreshold.method: lambda config: PeaksOverThreshold(config.rate),
    FlagBudget.method: lambda config: FlagBudget(config.rate),
}


def make(config: ThresholdConfig) -> Threshold:
    """The threshold that a config asks for."""
    return THRESHOLDS[config.method](config)
