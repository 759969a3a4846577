"""Every detector of the comparison on one series: scores, and flags at the product's own adapting threshold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.accuracy.bars import BARS, Bar
from benchmarks.accuracy.sets import Series
from benchmarks.accuracy.trained import KEPT, detector, stream
from models.thresholds import Threshold, make
from schemas.training import TrainingConfig

Float64 = NDArray[np.float64]
Mask = NDArray[np.bool_]

OURS, NAIVE = "Tidewatch", "naive ensemble"
PLAIN = (  # what makes the default config the plain three networks
    "window.size=32",
    *(f"networks.{name}.{key}=0" for name in ("lstm_ae", "gru_ae", "cnn_ae") for key in ("rows", "judged", "linear")),
    "autoregression.use=false",
    "level.use=false",
    "ensemble.combine=mean",
    "ensemble.hold=0",
)
FITTED = 0.7  # share of the train part that a bar's calibration scores do not come from
THRESHOLD: Threshold = make(TrainingConfig().threshold)


@dataclass(frozen=True, eq=False)
class Verdict:
    """Scores on a scale where 1 is the threshold before it adapts, thresholds, and flags, of m test rows each."""

    scores: Float64
    thresholds: Float64
    flags: Mask
    window: int = 0  # rows, of our own detector


def bars(series: Series) -> dict[str, Verdict]:
    """The simple detectors, fitted to the whole train part."""
    return {name: _bar(bar, series) for name, bar in BARS.items()}


def naive(series: Series, overrides: Sequence[str] = (), kept: Path = KEPT) -> Verdict:
    """Three plain networks whose whole-window errors are averaged, with no scale of their own."""
    fitted, cut = detector(series, (*overrides, *PLAIN), kept), round(FITTED * len(series.train))
    normal = stream(fitted, series.train, len(series.train) - cut).errors
    return decide(normal, stream(fitted, np.concatenate([series.train, series.test]), len(series.test)).errors)


def ours(series: Series, overrides: Sequence[str] = (), kept: Path = KEPT) -> dict[str, Verdict]:
    """The default detector with `overrides`, and under its name each network alone, flagged over 1."""
    rows = np.concatenate([series.train, series.test])
    judged = stream(detector(series, overrides, kept), rows, len(series.test))
    alone = {name: Verdict(own, np.ones(len(own)), own > 1) for name, own in judged.members.items()}
    return {OURS: Verdict(judged.scores, judged.thresholds, judged.flags, judged.window)} | alone


def decide(normal: Float64, scores: Float64) -> Verdict:
    """Flags of scores (m,), put on the scale that normal scores (n,) set, by the threshold that ours has too."""
    zero = float(np.median(normal))
    unit = max(THRESHOLD.fit(normal) - zero, 1e-9)
    return adapt((scores - zero) / unit)


def adapt(scores: Float64, threshold: Threshold = THRESHOLD) -> Verdict:
    """What an adapting threshold makes of one series' scores (m,)."""
    state = threshold.start(1)
    verdicts = [threshold.decide(scores[at : at + 1], state) for at in range(len(scores))]
    thresholds, flags = (np.concatenate(column) for column in zip(*verdicts, strict=True))
    return Verdict(scores, thresholds, flags)


def _bar(bar: Bar, series: Series) -> Verdict:
    """Its threshold begins at the scores of the last train rows, by a fit to those before them."""
    cut = round(FITTED * len(series.train))
    return decide(bar(series.train[:cut], series.train[cut:]), bar(series.train, series.test))
