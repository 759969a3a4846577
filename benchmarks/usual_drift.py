"""How far normal readings are from the training data, by the length of the horizon: `python -m benchmarks.usual_drift`.

On the demo's plant, whose load has a daily rhythm: three quiet days of five pumps, each stretch of them against all.
"""

from __future__ import annotations

import json

import numpy as np

from models.calibration import describe_errors, describe_features
from monitoring.figures import figures
from monitoring.yardstick import Yardstick, yardstick
from schemas.drift import Float64, Live, Sample
from schemas.reference import Reference
from stream_app.demo.plant import DAY, simulate

MINUTES = (30, 60, 240, DAY)


def live(measured: Yardstick, rows: Float64) -> Live:
    """Figures of readings (n, feature)."""
    times, nothing = np.zeros(len(rows), np.int64), np.zeros(0)
    return figures(
        measured.baseline, measured.tally(Sample(rows, times, nothing, nothing > 0, nothing > 0, times[:0])), 1
    )


def stretches(measured: Yardstick, values: Float64, minutes: int) -> dict[str, float]:
    """Of readings (pump, minute, feature) cut into stretches of all pumps: the figures over stretches and features."""
    cut = range(0, values.shape[1] - minutes + 1, minutes)
    seen = [live(measured, values[:, at : at + minutes].reshape(-1, values.shape[2])) for at in cut]
    psi = np.array([each.psi for each in seen])
    moved = np.array([np.abs(each.mean - measured.baseline.mean) / measured.baseline.std for each in seen])
    told = {"psi_median": np.median(psi), "psi_largest": psi.max(), "mean_moved_by_std_largest": moved.max()}
    return {name: round(float(figure), 2) for name, figure in told.items()}


def main() -> None:
    """Print the figures."""
    history = simulate(1, pumps=5, history_rows=3 * DAY, live_rows=DAY).history
    columns = history.values.reshape(-1, len(history.features)).T
    errors = describe_errors(np.ones(1))
    measured = yardstick(Reference(describe_features(columns, history.features), errors, 0.0))
    print(json.dumps({minutes: stretches(measured, history.values, minutes) for minutes in MINUTES}, indent=2))


if __name__ == "__main__":
    main()
