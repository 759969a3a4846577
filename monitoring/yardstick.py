"""A release's reference, made ready to count live readings by it: bins that chance alone does not make drift in."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from schemas.drift import Baseline, Float64, Index, Sample, Totals
from schemas.reference import ERROR_EDGES, Histogram, Reference

LEAST_SHARE = 0.1  # of a bin, unless it lies beside one that has as much alone
PRIOR = 0.5  # readings added to each bin, so that none is empty (Jeffreys)
FARTHEST = 1e140  # raw, from the reference mean; what lies beyond counts as there, so that sums of squares are finite


@dataclass(frozen=True, eq=False)
class Yardstick:
    """A baseline, and where its bins meet."""

    baseline: Baseline
    bounds: tuple[list[float], ...]  # of each feature, the lower end of each of its bins

    def tally(self, sample: Sample) -> Totals:
        """Count what a worker saw; when, does not matter here."""
        columns, errors = np.ascontiguousarray(sample.values.T), np.sort(sample.errors)
        bins = [_binned(column, bounds) for column, bounds in zip(columns, self.bounds, strict=True)]
        known = np.array([sum(each) for each in bins])
        away = columns - self.baseline.mean[:, None]
        if (known < len(sample.values)).any():
            away[np.isnan(away)] = 0
        squares = np.einsum("fn,fn->f", away, away)
        if not (squares < FARTHEST**2).all():
            np.clip(away, -FARTHEST, FARTHEST, out=away)
            squares = np.einsum("fn,fn->f", away, away)
        return Totals(
            readings=len(sample.values),
            values=known,
            deviation=away.sum(axis=1),
            squared_deviation=squares,
            bins=np.array([count for each in bins for count in each]),
            windows=len(errors),
            anomalous=int(np.count_nonzero(sample.anomalous)),
            flagged=int(np.count_nonzero(sample.flagged)),
            errors=np.diff(errors.searchsorted(_EDGES, "right"), prepend=0, append=len(errors)),
            error_sum=float(errors.sum()),
        )


_EDGES = np.array(ERROR_EDGES)


def _binned(column: Float64, bounds: list[float]) -> list[int]:
    """How many values (n,) are in each bin; comparing with every bound takes a quarter of the time of bisection."""
    reached = [int(np.count_nonzero(column >= bound)) for bound in bounds]  # NaN reaches none
    return [more - fewer for more, fewer in pairwise([*reached, 0])]


def yardstick(reference: Reference) -> Yardstick:
    """What live readings are counted by, under the release with this reference."""
    features = list(reference.features.values())
    bins = [joined(feature.histogram) for feature in features]
    sizes = [len(counts) for _, counts in bins]
    baseline = Baseline(
        features=tuple(reference.features),
        mean=np.array([feature.mean for feature in features]),
        std=np.array([feature.std for feature in features]),
        missing_share=np.array([feature.missing_share for feature in features]),
        shares=np.concatenate([(counts + PRIOR) / (counts + PRIOR).sum() for _, counts in bins]),
        starts=np.cumsum([0, *sizes[:-1]]),
        error_median=reference.error.median,
        error_p95=reference.error.p95,
        anomaly_rate=reference.anomaly_rate,
    )
    return Yardstick(baseline, tuple([-np.inf, *bounds] for bounds, _ in bins))


def joined(histogram: Histogram) -> tuple[list[float], Index]:
    """Bounds (bin - 1,) and counts (bin,) of adjacent bins joined until each has its share of all values.

    A bin that has as much alone stays alone, and what is on either side of it apart: so a feature that was constant has
    three bins, and one that leaves its value is seen to. What lies outside the histogram is in the first and the last.
    """
    least = LEAST_SHARE * sum(histogram.counts)
    bounds: list[float] = []
    counts = [histogram.counts[0]]
    for lower, count in zip(histogram.edges[1:], histogram.counts[1:], strict=False):
        if max(count, counts[-1]) >= least > 0:
            bounds.append(lower)
            counts.append(count)
        else:
            counts[-1] += count
    return bounds, np.array(counts)
