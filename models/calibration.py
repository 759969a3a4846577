"""From the errors of trained networks on held-out windows to normalisers, the scale of scores, and the reference."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

from models.ensemble import Ensemble, Member, Normaliser, fit_normaliser
from models.networks.autoencoder import Autoencoder
from models.thresholds import Threshold
from schemas.errors import TidewatchError
from schemas.reference import ERROR_EDGES, ErrorReference, FeatureReference, Histogram
from schemas.training import TrainingConfig

Float64 = NDArray[np.float64]
Index = NDArray[np.int64]

SMALLEST_STEP = 0.01  # of a window's normalised error, whose mean is below 1: no threshold is nearer to normal
BINS = 21  # of a feature's histogram; odd, so that one that never changed sits in the middle of a bin
TAIL = 0.005  # the share of a feature's values that lies beyond either end of its histogram's range


@dataclass(frozen=True, eq=False)
class Calibration:
    """What held-out windows say: the ensemble with its normalisers, the scale of scores, and normal errors."""

    ensemble: Ensemble
    zero: float
    unit: float
    level: float
    error: ErrorReference
    anomaly_rate: float  # share of held-out windows whose score is over 1


def calibrate(
    networks: Mapping[str, Autoencoder],
    errors: Float64,
    segments: Index,
    config: TrainingConfig,
    threshold: Threshold,
) -> Calibration:
    """Fit normalisers, then the scale of scores, on held `errors` of normal windows that were held out.

    They are (member, window, feature), as `models.ensemble.measure` gives them, members in the order of `networks`,
    which is the config's.
    `segments` (window,) tells unbroken stretches of windows apart by any number, windows of one stretch adjacent and in
    order of time: a hold never reaches over a break.
    """
    _need_windows(errors)
    hold, vote = config.ensemble.hold, config.ensemble.combine == "vote"
    normalisers = [fit_normaliser(own, config.ensemble.feature_floor) for own in errors]
    smallest = float(np.mean([SMALLEST_STEP / normaliser.spread for normaliser in normalisers]))
    if vote:  # each member goes onto the scale of its own threshold: 1 is where it says yes
        each = zip(normalisers, errors, strict=True)
        normalisers = [_own_scale(normaliser, own, segments, hold, threshold) for normaliser, own in each]
        smallest = SMALLEST_STEP
    members = tuple(map(Member, networks, [network.serving() for network in networks.values()], normalisers))
    ensemble = Ensemble(members, config.ensemble.combine, config.weights, config.scaling.clip)
    combined = held(ensemble.combined(ensemble.standardise(errors)), segments, hold)
    zero = float(np.median(combined))
    unit = max((1.0 if vote else threshold.fit(combined)) - zero, smallest)
    rate = float((combined > zero + unit).mean())
    return Calibration(ensemble, zero, unit, zero + unit, describe_errors(errors.mean(axis=(0, 2))), rate)


def held(combined: Float64, segments: Index, hold: float) -> Float64:
    """Combined errors (window,) that fall to no less than `hold` times the one before, within a segment; 0 is off."""
    if hold == 0:
        return combined
    stretches = np.split(combined, np.flatnonzero(np.diff(segments)) + 1)
    return np.array([value for each in stretches for value in accumulate(each, lambda old, new: max(new, hold * old))])


def describe_features(columns: Iterable[Float64], features: tuple[str, ...]) -> dict[str, FeatureReference]:
    """Reference statistics of raw training rows, one column (row,) after the other; NaN is missing."""
    return {name: _describe(column) for name, column in zip(features, columns, strict=True)}


def describe_errors(errors: Float64) -> ErrorReference:
    """Reference statistics of the ensemble's mean squared errors (window,)."""
    median, p95 = np.quantile(errors, [0.5, 0.95]).tolist()
    return ErrorReference(median, p95, histogram(errors, np.array(ERROR_EDGES)))


def histogram(values: Float64, edges: Float64) -> Histogram:
    """Counts of values (n,) between edges (k + 1,), ascending; what lies outside is in the first and the last."""
    counts, _ = np.histogram(values.clip(edges[0], edges[-1]), edges)
    return Histogram(edges.tolist(), counts.tolist())


def _describe(column: Float64) -> FeatureReference:
    known = column[~np.isnan(column)]
    if not known.size:
        return FeatureReference(0.0, 0.0, 1.0, histogram(known, np.linspace(-1, 1, BINS + 1)))
    low, high = np.quantile(known, [TAIL, 1 - TAIL])
    if low == high:
        low, high = low - 0.1 * max(abs(low), 1), high + 0.1 * max(abs(high), 1)
    edges = np.linspace(low, high, BINS + 1)
    missing = 1 - known.size / column.size
    return FeatureReference(float(known.mean()), float(known.std()), missing, histogram(known, edges))


def _own_scale(
    normaliser: Normaliser, errors: Float64, segments: Index, hold: float, threshold: Threshold
) -> Normaliser:
    """Move a member's scale so that 0 is its typical held-out window and 1 its own threshold."""
    scores = held(normaliser.standardise(errors), segments, hold)
    zero = float(np.median(scores))
    unit = max(threshold.fit(scores) - zero, SMALLEST_STEP / normaliser.spread)
    centre = normaliser.centre + zero * normaliser.spread
    return Normaliser(normaliser.feature_scale, centre, unit * normaliser.spread)


def _need_windows(errors: Float64) -> None:
    if not errors.shape[1]:
        raise TidewatchError("no window was held out to calibrate on; give more rows, or lower window.size")
