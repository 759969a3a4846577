"""Whether a fault that stays is still flagged when it is no longer new: steps laid over real normal scores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from benchmarks.accuracy.judging import THRESHOLD
from models.thresholds import Threshold

Float64 = NDArray[np.float64]
Mask = NDArray[np.bool_]

SIZES = (1.5, 2.0, 3.0)  # of the effective threshold, where a typical score is lifted to
SETTLING, LASTING = 1000, 1000  # rows before the step, and from there to the row that is looked at
STARTS = 10  # places in a series where a step is tried


def held(normal: Float64, threshold: Threshold = THRESHOLD) -> dict[str, tuple[int, int]]:
    """For each size how many steps in one series' normal scores (n,) were still flagged, and of how many."""
    latest = len(normal) - LASTING - 1
    if latest < SETTLING:
        return {}
    starts = np.unique(np.linspace(SETTLING, latest, STARTS).astype(int))
    flagged = _flagged(normal, np.tile(starts, len(SIZES)), np.repeat(SIZES, len(starts)), threshold)
    counts = flagged.reshape(len(SIZES), len(starts)).sum(axis=1).tolist()
    return {f"{size:g}": (count, len(starts)) for size, count in zip(SIZES, counts, strict=True)}


def share(each: Sequence[Mapping[str, tuple[int, int]]]) -> dict[str, float]:
    """Of all series together, the share of steps still flagged."""
    sizes = {size for one in each for size in one}
    return {size: _ratio([one[size] for one in each if size in one]) for size in sorted(sizes)}


def _flagged(normal: Float64, starts: NDArray[np.int64], sizes: Float64, threshold: Threshold) -> Mask:
    """All steps at once, (step,), as if each were in a series of its own.

    What is typical is the median of the rows before a step: that of the whole series may be of another time.
    """
    state, lift, found = threshold.start(len(starts)), np.zeros(len(starts)), np.zeros(len(starts), bool)
    for row in range(int(starts.max()) + LASTING + 1):
        now = np.equal(starts, row)
        if now.any():
            effective, _ = threshold.decide(normal[row] + lift, state.copy())
            lift[now] = sizes[now] * effective[now] - np.median(normal[row - SETTLING : row])
        _, flags = threshold.decide(normal[row] + lift, state)
        over = row == starts + LASTING
        found[over] = flags[over]
    return found


def _ratio(pairs: Sequence[tuple[int, int]]) -> float:
    return sum(found for found, _ in pairs) / sum(tried for _, tried in pairs)
