"""The Numenta Anomaly Benchmark's own score: early flags in a window earn, flags outside cost, missed windows cost.

The rules: Lavin and Ahmad, Evaluating Real-Time Anomaly Detection Algorithms, ICMLA 2015; the profiles: the benchmark's
`config/profiles.json`. 0 is a detector that never flags, 100 one that flags each window at its first row and nothing
else. As there, one threshold for all files is chosen for each profile; beside it stands the one that sets itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Float64 = NDArray[np.float64]
Mask = NDArray[np.bool_]
Spans = NDArray[np.int64]

STEEPNESS = 5.0
FAR_BEHIND = 3.0  # window lengths after a window; from there on a flag costs all of its weight
QUIET = 288  # rows after an alert in which a series raises no other: a day of 5-minute readings
STEPS = 60  # thresholds tried


@dataclass(frozen=True)
class Profile:
    """What a false flag and a missed window cost; a window found at once earns 1."""

    false_flag: float
    missed: float


PROFILES: Mapping[str, Profile] = {
    "standard": Profile(0.11, 1.0),
    "reward_low_FP": Profile(0.22, 1.0),
    "reward_low_FN": Profile(0.11, 2.0),
}


@dataclass(frozen=True, eq=False)
class File:
    """One file's scored rows: scores over the effective threshold, so that 1 is a flag, and its windows."""

    ratios: Float64  # (m,)
    windows: Spans  # (window, 2) first and last row, inclusive


def alerts(flags: Mask, quiet: int = QUIET) -> Mask:
    """Flags (m,) without those that come within `quiet` rows of an alert before them."""
    kept, last = np.zeros(len(flags), bool), -quiet - 1
    for row in np.flatnonzero(flags).tolist():
        if row - last > quiet:
            kept[row], last = True, row
    return kept


def raw_score(flags: Mask, windows: Spans, profile: Profile) -> float:
    """What the flags (m,) of one file earn, before scaling."""
    rows = np.flatnonzero(flags)
    total, outside = 0.0, np.ones(len(rows), bool)
    for first, last in windows:
        inside = (rows >= first) & (rows <= last)
        outside &= ~inside
        total += _earned(rows[inside].min(), first, last) if inside.any() else -profile.missed
    return total + profile.false_flag * sum(_cost(row, windows) for row in rows[outside])


def profile_scores(files: Sequence[File], quiet: int = QUIET) -> dict[str, dict[str, float | None]]:
    """Scores by profile: at the best single threshold (`threshold`, over our own), and at our own (`automatic`)."""
    levels = _levels(files)
    return {name: _profile_score(files, levels, quiet, profile) for name, profile in PROFILES.items()}


def _profile_score(files: Sequence[File], levels: Float64, quiet: int, profile: Profile) -> dict[str, float | None]:
    if not any(len(file.windows) for file in files):
        return {"optimised": None, "threshold": None, "automatic": None}
    scores = [_score(files, level, quiet, profile) for level in levels]
    best = int(np.argmax(scores))
    own = _score(files, 1.0, quiet, profile)
    return {"optimised": scores[best], "threshold": float(levels[best]), "automatic": own}


def _score(files: Sequence[File], level: float, quiet: int, profile: Profile) -> float:
    """Of all files together: 0 for silence, 100 for perfection."""
    windows = sum(len(file.windows) for file in files)
    silence = -profile.missed * windows
    earned = sum(raw_score(alerts(file.ratios > level, quiet), file.windows, profile) for file in files)
    return 100 * (earned - silence) / (windows - silence)


def _levels(files: Sequence[File]) -> Float64:
    """Quantiles of all files' ratios, most of them near the top."""
    ratios = np.concatenate([file.ratios for file in files])
    return np.asarray(np.quantile(ratios, 1 - np.geomspace(1e-5, 0.3, STEPS)))


def _earned(row: int, first: int, last: int) -> float:
    """1 at a window's first row, less and less towards its last."""
    place = -(last - row + 1) / (last - first + 1)
    return float(_sigmoid(place) / _sigmoid(-1.0))


def _cost(row: int, windows: Spans) -> float:
    """-1 far from all windows, less shortly behind one."""
    before = windows[windows[:, 1] < row]
    if not len(before):
        return -1.0
    first, last = before[before[:, 1].argmax()]
    place = (row - last) / max(last - first, 1)
    return -1.0 if place >= FAR_BEHIND else float(_sigmoid(place))


def _sigmoid(place: float) -> float:
    return float(2 / (1 + np.exp(STEEPNESS * place)) - 1)
