"""How long a fault that stays is flagged, by its size and by how long the series was known: docs/threshold.md.

python -m benchmarks.faults_that_stay
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.markdown import table, written
from models.thresholds import FlagBudget

Float64 = NDArray[np.float64]
Mask = NDArray[np.bool_]

PAGE = Path(__file__).parents[1] / "docs" / "threshold.md"
RATE, SERIES, LASTS = 0.01, 50, 2000  # the default promise, series of each kind, readings of the fault
TIMES = (1.5, 2.0, 3.0, 8.0)  # a fault's scores over the threshold
BEFORE = {"its first reading, or a promotion": 0, "50 readings": 50, "5,000 readings": 5000}
CALM = 200  # readings of which less than a tenth are flagged, where a fault is accepted


def flags(before: int, times: float, seed: int = 1) -> Mask:
    """Of each series' fault (reading, series), after so many normal readings; give or take a tenth."""
    draws = np.random.default_rng(seed).normal(size=(before + LASTS, SERIES))
    scores = np.exp((draws - 2.326) / 2)  # 1 % of these exceed 1
    scores[before:] = times * np.random.default_rng(seed + 1).uniform(0.9, 1.1, (LASTS, SERIES))
    budget = FlagBudget(RATE)
    state = budget.start(SERIES)
    return np.array([budget.decide(row, state)[1] for row in scores])[before:]


def accepted(flagged: Mask) -> str:
    """From which reading of the fault on few are flagged."""
    shares = np.lib.stride_tricks.sliding_window_view(flagged.mean(axis=1), CALM).mean(axis=1)
    calm = np.flatnonzero(shares < 0.1)
    return f"{calm[0] + 1:,}" if calm.size else f"not in {len(flagged):,}"


def lines() -> list[str]:
    """The table, line by line."""
    head = ["known for", "times the threshold", "flagged of the first 100", "of 1,000", "of 2,000", "accepted at"]
    rows = []
    for name, before in BEFORE.items():
        for times in TIMES:
            flagged = flags(before, times)
            shares = [f"{flagged[:count].mean():.0%}" for count in (100, 1000, 2000)]
            rows.append([name, f"{times:g}", *shares, accepted(flagged)])
    return list(table(head, rows))


def main() -> None:
    """Write the table."""
    PAGE.write_text(written(PAGE.read_text(encoding="utf-8"), "faults", lines()), encoding="utf-8")


if __name__ == "__main__":
    main()
