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
Mask = NDArray[np.bool_]
Verdict = tuple[Float64, Mask]

PEAKS_NEEDED = 20  # fewer do not show the shape of a tail
FLOOR = 0.5  # no effective threshold falls below this
LOG_FLOOR = float(np.log(FLOOR))
LOG_CEILING = 30.0  # nor does one rise above e to this
LARGEST = 1000.0  # times the threshold: what a score counts at most


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

    A flag raises the threshold by STEP in the log, more if the score is far over it; the scores that are not flagged
    lower it again. A fault that stays spends the budget, then the threshold stands still. After PATIENCE flags that
    could not be paid the fault is taken for the new normal: all flags teach, until half of the budget is back.
    """

    rate: float
    method: ClassVar[str] = "budget"
    adapts: ClassVar[bool] = True
    state_size: ClassVar[int] = 3  # log of the threshold, budget, flags not paid

    BUDGET: ClassVar[float] = 17.0  # flags
    REFILL: ClassVar[float] = 5.0  # flags regained per flag promised
    PATIENCE: ClassVar[float] = 1100.0  # flags
    STEP: ClassVar[float] = 0.015  # in the log of the threshold, for a flag at the threshold
    FURTHER: ClassVar[float] = 0.7  # power of score over threshold by which a flag counts more
    FALL: ClassVar[float] = 1.25  # steps down per flag promised: as many as a usual flag goes up

    def fit(self, scores: Float64) -> float:
        """The quantile, where every series starts."""
        return Quantile(self.rate).fit(scores)

    def start(self, n: int) -> State:
        """A threshold of 1 and all of the budget."""
        return np.tile(np.array([0, self.BUDGET, 0], np.float32), (n, 1))

    def decide(self, scores: Float64, state: State) -> Verdict:
        """Decide, pay, learn; n may hold any mix of series."""
        now = np.ascontiguousarray(state.T, np.float64)
        thresholds = np.maximum(np.exp(now[0]), FLOOR)
        flagged = scores > thresholds
        self._learn(now, scores, thresholds, flagged)
        state[:] = now.T
        return thresholds, flagged

    def _learn(self, now: Float64, scores: Float64, thresholds: Float64, flagged: Mask) -> None:
        """The state after these scores, in place, (state_size, n)."""
        log, budget, unpaid = now  # views: what changes them changes `now`
        pays = flagged & (budget >= 1)
        learns = ~flagged | pays | (unpaid > self.PATIENCE)
        log -= self.FALL * self.STEP * self.rate * learns
        rising = np.flatnonzero(flagged & learns)
        if rising.size:
            log[rising] += self.STEP * np.minimum(scores[rising] / thresholds[rising], LARGEST) ** self.FURTHER
        np.minimum(np.maximum(log, LOG_FLOOR, out=log), LOG_CEILING, out=log)
        budget += np.where(flagged, -1.0 * pays, self.REFILL * self.rate)
        np.minimum(budget, self.BUDGET, out=budget)
        unpaid += flagged & ~pays
        unpaid *= budget < self.BUDGET / 2


THRESHOLDS: Mapping[str, Callable[[ThresholdConfig], Threshold]] = {
    Quantile.method: lambda config: Quantile(config.rate),
    KSigma.method: lambda config: KSigma(config.k),
    PeaksOverThreshold.method: lambda config: PeaksOverThreshold(config.rate),
    FlagBudget.method: lambda config: FlagBudget(config.rate),
}


def make(config: ThresholdConfig) -> Threshold:
    """The threshold that a config asks for."""
    return THRESHOLDS[config.method](config)
