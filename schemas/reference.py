"""`ensemble_meta.json`: the reference that live statistics are held against, and how errors become a score."""

from __future__ import annotations

import msgspec

# Bucket bounds of errors, ten a decade: the same for every release, so that live counts of several workers add up.
ERROR_EDGES = [float(f"{10 ** (tenth / 10):.3g}") for tenth in range(-60, 41)]


class Histogram(msgspec.Struct, frozen=True):
    """Counts between `edges`; `counts` has one entry fewer. What lies outside is in the first and the last."""

    edges: list[float]
    counts: list[int]


class FeatureReference(msgspec.Struct, frozen=True):
    """One feature before the test part, in raw units."""

    mean: float
    std: float
    missing_share: float
    histogram: Histogram


class ErrorReference(msgspec.Struct, frozen=True):
    """The ensemble's mean squared error on held-out windows, in scaled units, before any normaliser."""

    median: float
    p95: float
    histogram: Histogram


class Reference(msgspec.Struct, frozen=True):
    """What normal looked like when the detector was trained."""

    features: dict[str, FeatureReference]
    error: ErrorReference
    anomaly_rate: float  # share of held-out windows above the release's own threshold


class NormaliserMeta(msgspec.Struct, frozen=True):
    """One network's normaliser: feature errors are divided by `feature_scale`, averaged, then standardised."""

    feature_scale: list[float]
    centre: float
    spread: float


class ScoreMeta(msgspec.Struct, frozen=True):
    """The affine map from held combined error to score: 0 at `zero`, 1 at `zero + unit`."""

    zero: float
    unit: float
    hold: float


class ThresholdMeta(msgspec.Struct, frozen=True):
    """How the threshold was set: its method, what it was promised, and the level found on the combined errors."""

    method: str
    rate: float
    level: float


class EnsembleMeta(msgspec.Struct, frozen=True):
    """All that scoring needs beside tensors, scaler and window config."""

    combine: str
    weights: dict[str, float]
    normalisers: dict[str, NormaliserMeta]
    score: ScoreMeta
    threshold: ThresholdMeta
    reference: Reference
