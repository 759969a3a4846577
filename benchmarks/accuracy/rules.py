"""Kinds of thresholds that are compared on the same scores, among them the default one with each part of it off."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from models.thresholds import FlagBudget, Quantile, State, Threshold, Verdict, make
from schemas.training import ThresholdConfig, TrainingConfig

Float64 = NDArray[np.float64]

RATE = TrainingConfig().threshold.rate


@dataclass(frozen=True)
class Rolling(Quantile):
    """The quantile of a series' last LENGTH scores, looked up anew every EVERY scores; begins at 1.

    State: those scores, the threshold, and how many scores there were. All series are of one age.
    """

    method: ClassVar[str] = "rolling quantile"
    adapts: ClassVar[bool] = True
    LENGTH: ClassVar[int] = 5000
    EVERY: ClassVar[int] = 25
    state_size: ClassVar[int] = LENGTH + 2

    def start(self, n: int) -> State:
        """As after LENGTH scores of which the promised share was 1, and the rest 0."""
        above = np.arange(self.LENGTH) % round(1 / self.rate) == 0
        return np.tile(np.r_[above, 1, 0].astype(np.float32), (n, 1))

    def decide(self, scores: Float64, state: State) -> Verdict:
        """Decide, then learn."""
        thresholds = state[:, -2].astype(np.float64)
        seen = int(state[0, -1])
        state[:, seen % self.LENGTH] = scores
        state[:, -1] = seen + 1
        if seen % self.EVERY == 0:
            rank = round(self.LENGTH * (1 - self.rate))
            state[:, -2] = np.partition(state[:, : self.LENGTH], rank, axis=1)[:, rank]
        return thresholds, scores > thresholds


class EvenSteps(FlagBudget):
    """A flag counts the same however far the score is over the threshold, and the threshold falls as flags lift it."""

    BUDGET: ClassVar[float] = 24.0
    FURTHER: ClassVar[float] = 0.0
    FALL: ClassVar[float] = 1.0


class Unlimited(FlagBudget):
    """Every flag is paid for: whatever stays is learnt at once."""

    BUDGET: ClassVar[float] = 1e9


class Stubborn(FlagBudget):
    """What was a fault stays one."""

    PATIENCE: ClassVar[float] = 1e9


def _fixed(method: str) -> Threshold:
    return make(ThresholdConfig.model_validate({"method": method, "rate": RATE}))


RULES: Mapping[str, tuple[str, Threshold]] = {  # the method that sets the release's level, and the rule from there on
    "flag budget": ("quantile", FlagBudget(RATE)),
    "... all flags count alike (24)": ("quantile", EvenSteps(RATE)),
    "... no end to the budget": ("quantile", Unlimited(RATE)),
    "... no end to patience": ("quantile", Stubborn(RATE)),
    "quantile of the last 5,000": ("quantile", Rolling(RATE)),
    "fixed: quantile": ("quantile", _fixed("quantile")),
    "fixed: 3 sigma": ("k_sigma", _fixed("k_sigma")),
    "fixed: peaks over threshold": ("pot", _fixed("pot")),
}
