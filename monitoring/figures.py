"""What totals say against a baseline: means, deviations, quantiles of errors, rates, and how far histograms differ."""

from __future__ import annotations

import numpy as np

from monitoring.yardstick import PRIOR
from schemas.drift import Baseline, Float64, Index, Live, Totals
from schemas.reference import ERROR_EDGES

NOT_KNOWN = float("nan")


def figures(baseline: Baseline, totals: Totals, min_readings: int) -> Live:
    """What is known: of a feature from so many values on, of errors and rates from so many windows on."""
    mean, std = moments(baseline, totals)
    said, enough = totals.values >= max(min_readings, 1), totals.windows >= max(min_readings, 1)
    missing = 1 - totals.values / totals.readings if totals.readings >= max(min_readings, 1) else NOT_KNOWN
    return Live(
        mean=np.where(said, mean, NOT_KNOWN),
        std=np.where(said, std, NOT_KNOWN),
        missing_share=np.broadcast_to(missing, len(baseline.features)),
        psi=np.where(said, psi(baseline, totals), NOT_KNOWN),
        ks=np.where(said, ks(baseline, totals), NOT_KNOWN),
        global_mean=float(np.where(said, mean, baseline.mean).mean()) if said.any() else NOT_KNOWN,
        error_median=quantile(totals.errors, 0.5) if enough else NOT_KNOWN,
        error_p95=quantile(totals.errors, 0.95) if enough else NOT_KNOWN,
        anomaly_rate=totals.anomalous / totals.windows if enough else NOT_KNOWN,
        flag_rate=totals.flagged / totals.windows if enough else NOT_KNOWN,
    )


def moments(baseline: Baseline, totals: Totals) -> tuple[Float64, Float64]:
    """Mean and (population) standard deviation of each feature's values; those of no value mean nothing."""
    n = np.maximum(totals.values, 1)
    away = totals.deviation / n
    return baseline.mean + away, np.sqrt(np.maximum(totals.squared_deviation / n - away**2, 0))


def psi(baseline: Baseline, totals: Totals) -> Float64:
    """Each feature's population stability index: the sum over bins of (p - q) ln(p / q), p live, q the reference."""
    counts = totals.bins + PRIOR
    p, q = counts / per_bin(baseline, np.add.reduceat(counts, baseline.starts)), baseline.shares
    return np.asarray(np.add.reduceat((p - q) * np.log(p / q), baseline.starts))


def ks(baseline: Baseline, totals: Totals) -> Float64:
    """Each feature's largest distance between the live and the reference distribution, at the bounds of bins."""
    p = totals.bins / per_bin(baseline, np.maximum(totals.values, 1.0))
    apart = np.cumsum(p - baseline.shares)  # of a feature it begins and ends at 0, as both sum to 1
    return np.asarray(np.maximum.reduceat(np.abs(apart), baseline.starts))


def per_bin(baseline: Baseline, of_features: Float64) -> Float64:
    """What features have (feature,), for each of their bins (bin,)."""
    return np.repeat(of_features, np.diff(baseline.starts, append=len(baseline.shares)))


def quantile(errors: Index, share: float) -> float:
    """The error that `share` of the windows do not exceed, as PromQL's histogram_quantile reads it from the buckets.

    Within a bucket windows are taken to lie evenly; beyond the last edge nothing is known, and it is that edge.
    """
    reached = np.cumsum(errors)
    rank = share * reached[-1]
    bucket = int(np.searchsorted(reached, rank))
    if bucket >= len(ERROR_EDGES):
        return ERROR_EDGES[-1]
    begin, end = [0.0, *ERROR_EDGES][bucket], ERROR_EDGES[bucket]
    before = reached[bucket] - errors[bucket]
    return float(begin + (end - begin) * (rank - before) / errors[bucket])
