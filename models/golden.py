"""Golden windows: what a detector scored when it was made, to be scored again wherever it is loaded."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from models.detector import Detector
from models.manifest import MANIFEST, BundleError
from schemas.manifest import GoldenWindow

Float64 = NDArray[np.float64]

RELATIVE, ABSOLUTE = 1e-3, 1e-4  # how far a score may be off on another machine


def make_golden(detector: Detector, count: int) -> list[GoldenWindow]:
    """Random walks from quiet to wild, in raw units, and their scores; the same for the same detector."""
    rng = np.random.default_rng(count)
    steps = rng.normal(size=(count, detector.window, len(detector.features)))
    walks = steps.cumsum(axis=1) * np.geomspace(0.05, 1, count)[:, None, None]
    windows = detector.scaler.inverse(walks)  # (count, time, feature)
    scores = _score(detector, windows)
    return [GoldenWindow(window, score) for window, score in zip(windows.tolist(), scores.tolist(), strict=True)]


def check_golden(detector: Detector, golden: Sequence[GoldenWindow]) -> None:
    """Refuse a detector that does not score these windows as it did when it was made."""
    if not golden:
        raise BundleError(MANIFEST, "has no golden windows, so nothing shows that it scores as it did; train again")
    time, features = detector.window, len(detector.features)
    for number, window in enumerate(golden, start=1):
        if len(window.values) != time or {len(row) for row in window.values} != {features}:
            raise BundleError(MANIFEST, f"golden window {number} is not of {time} x {features} values; train again")
        score = _score(detector, np.array([window.values])).item()
        if not abs(score - window.score) <= ABSOLUTE + RELATIVE * abs(window.score):
            said = f"golden window {number} scores {score:.6g} here, and {window.score:.6g} when the release was made"
            raise BundleError(MANIFEST, f"{said}; train again on this version")


def _score(detector: Detector, windows: Float64) -> Float64:
    return detector.scale(detector.score(detector.scaler.transform(windows)).combined)
