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

    A flag raises the threshold by STEP times the score over the threshold, in the log, and never more than half of the
    way to the score. A fault that stays spends the budget; then the threshold stands still. After PATIENCE flags that
    could not be paid the fault is taken for the new normal, and the series begins anew from there. One that begins has
    twice the budget and steps of 1, until they have shrunk to STEP, which takes 526 scores.
    """

    rate: float
    method: ClassVar[str] = "budget"
    adapts: ClassVar[bool] = True
    state_size: ClassVar[int] = 5  # log of the threshold, budget, drift of the log per score, flags not paid, step

    BUDGET: ClassVar[float] = 15.0  # flags
    REFILL: ClassVar[float] = 5.0  # flags regained per flag promised
    PATIENCE: ClassVar[float] = 1100.0  # flags
    STEP: ClassVar[float] = 0.015  # in the log of the threshold
    HALVING: ClassVar[float] = 8.0  # scores after which the first step is halved; 16 scores for a third, and so on
    DRIFT_STEP: ClassVar[float] = 4e-6
    DRIFT_LIMIT: ClassVar[float] = 3e-4

    def fit(self, scores: Float64) -> float:
        """The quantile, where every series starts."""
        return Quantile(self.rate).fit(scores)

    def start(self, n: int) -> State:
        """A threshold of 1, as a series begins."""
        return np.tile(np.array([0, 2 * self.BUDGET, 0, 0, 1], np.float32), (n, 1))

    def decide(self, scores: Float64, state: State) -> Verdict:
        """Decide, pay, learn; n may hold any mix of series."""
        now = np.ascontiguousarray(state.T, np.float64)
        thresholds = np.maximum(np.exp(now[0]), FLOOR)
        flagged = scores > thresholds
        self._learn(now, scores, thresholds, flagged)
        state[:] = now.T
        return thresholds, flagged

    def _learn(self, now: Float64, scores: Float64, thresholds: Float64, flagged: Mask) -> None:
        """The state after these scores, in place, (state_size, n); a flag that is not paid for teaches nothing."""
        log, budget, drift, unpaid, step = now  # views: what changes them changes `now`
        learns = ~flagged | (budget >= 1)
        paid = np.flatnonzero(flagged & learns)
        drift += self.DRIFT_STEP * (flagged - self.rate) * learns
        _limit(drift, -self.DRIFT_LIMIT, self.DRIFT_LIMIT)
        log += (drift - step * self.rate) * learns
        if paid.size:
            log[paid] += self._rise(scores[paid] / thresholds[paid], step[paid])
            budget[paid] -= 1
        _limit(log, LOG_FLOOR, LOG_CEILING)
        budget += np.where(flagged, 0, self.REFILL * self.rate)
        np.minimum(budget, np.where(step > self.STEP, 2 * self.BUDGET, self.BUDGET), out=budget)
        unpaid += ~learns
        unpaid *= budget < self.BUDGET / 2
        np.maximum(step / (1 + step / self.HALVING), self.STEP, out=step)
        accepted = np.flatnonzero(unpaid > self.PATIENCE)
        if accepted.size:
            now[1:, accepted] = self.start(1)[:, 1:].T

    def _rise(self, times: Float64, step: Float64) -> Float64:
        """What flags of scores that are so many `times` the threshold add to its log."""
        times = np.minimum(times, LARGEST)
        half = np.maximum(np.log(times) / 2, self.STEP)
        return np.minimum(np.maximum(self.STEP * times, step), half)


def _limit(values: Float64, low: float, high: float) -> None:
    """In place; np.clip takes several times as long for few values."""
    np.minimum(np.maximum(values, low, out=values), high, out=values)


THRESHOLDS: Mapping[str, Callable[[ThresholdConfig], Threshold]] = {
    Quantile.method: lambda config: Quantile(config.rate),
    KSigma.method: lambda config: KSigma(config.k),
    PeaksOverThreshold.method: lambda config: PeaksOverThreshold(config.rate),
    FlagBudget.method: lambda config: FlagBudget(config.rate),
}


def make(config: ThresholdConfig) -> Threshold:
    """The threshold that a config asks for."""
    return THRESHOLDS[config.method](config)
