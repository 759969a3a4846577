"""Whether a fault that stays is still flagged when it is no longer new: steps laid over real normal scores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from benchmarks.accuracy.judging import THRESHOLD

Float64 = NDArray[np.float64]

SIZES = (1.5, 2.0, 3.0)  # of the effective threshold, where a typical score is lifted to
SETTLING, LASTING = 1000, 1000  # rows before the step, and from there to the row that is looked at
STARTS = 10  # places in a series where a step is tried


def held(normal: Float64) -> dict[str, tuple[int, int]]:
    """For each size how many steps in one series' normal scores (n,) were still flagged, and of how many."""
    latest = len(normal) - LASTING - 1
    if latest < SETTLING:
        return {}
    starts = np.unique(np.linspace(SETTLING, latest, STARTS).astype(int))
    return {f"{size:g}": (_flagged(normal, starts, size), len(starts)) for size in SIZES}


def share(each: Sequence[Mapping[str, tuple[int, int]]]) -> dict[str, float]:
    """Of all series together, the share of steps still flagged."""
    sizes = {size for one in each for size in one}
    return {size: _ratio([one[size] for one in each if size in one]) for size in sorted(sizes)}


def _flagged(normal: Float64, starts: NDArray[np.int64], size: float) -> int:
    """All starts at once, as if each were a series of its own."""
    state, typical = THRESHOLD.start(len(starts)), float(np.median(normal))
    lift, found = np.zeros(len(starts)), 0
    for row in range(int(starts.max()) + LASTING + 1):
        now = np.equal(starts, row)
        if now.any():
            effective, _ = THRESHOLD.decide(normal[row] + lift, state.copy())
            lift[now] = size * effective[now] - typical
        _, flags = THRESHOLD.decide(normal[row] + lift, state)
        found += int(flags[row == starts + LASTING].sum())
    return found


def _ratio(pairs: Sequence[tuple[int, int]]) -> float:
    return sum(found for found, _ in pairs) / sum(tried for _, tried in pairs)
