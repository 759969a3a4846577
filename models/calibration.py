"""From the errors of trained networks on held-out parts to normalisers, the scale of scores, and the reference."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from torch import nn

from models.ensemble import Ensemble
from schemas.reference import ErrorReference, FeatureReference
from schemas.training import TrainingConfig

if TYPE_CHECKING:
    from models.thresholds import Threshold


@dataclass(frozen=True, eq=False)
class Calibration:
    """What the held-out parts say: the ensemble with its normalisers, the scale of scores, and normal errors."""

    ensemble: Ensemble
    zero: float
    unit: float
    level: float
    error: ErrorReference
    anomaly_rate: float  # share of calibration windows whose score is over 1


def calibrate(
    networks: Mapping[str, nn.Module],
    validation: NDArray[np.float32],
    calibration: NDArray[np.float32],
    segments: NDArray[np.int64],
    config: TrainingConfig,
    threshold: Threshold,
) -> Calibration:
    """Fit normalisers on `validation` errors, then the scale of scores on held `calibration` errors.

    Both are (member, window, feature), as `models.ensemble.measure(networks, windows, clip)` gives them, members in
    the order of `networks`. `segments` (window,) tells the unbroken stretches of calibration windows apart by any
    number, windows of one stretch adjacent and in order of time: a hold never reaches over a break.
    """
    raise NotImplementedError


def describe_features(rows: NDArray[np.float64], features: tuple[str, ...]) -> dict[str, FeatureReference]:
    """Reference statistics of raw training rows (row, feature); NaN is missing."""
    raise NotImplementedError
