"""Flags: windows that were judged, put into the words of the anomalies topic."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import repeat
from typing import Any

import numpy as np

from models.batch import Float64, Index, Mask, Observed
from models.detector import Detector
from schemas.flag import Attribution, Flag, window_ids


def write(detector: Detector, observed: Observed, chosen: Index) -> list[Flag]:
    """Flags for the `chosen` windows; attribution, which costs, only where anomalous."""
    series = [observed.batch.series[row] for row in observed.rows[chosen].tolist()]
    anomalous = observed.is_anomaly[chosen].tolist()
    blamed = dict(_attributions(detector, observed, chosen[observed.is_anomaly[chosen]]))
    imputed = _imputed(detector.features, observed.imputed, chosen)
    times = timestamps(np.concatenate([observed.starts[chosen], observed.ends[chosen]]))
    nothing: list[Any] = []
    return list(
        map(
            Flag,
            window_ids(detector.dataset, series, observed.ends[chosen]),
            repeat(detector.dataset),
            series,
            times[: len(chosen)],
            times[len(chosen) :],
            observed.scores[chosen].tolist(),
            observed.thresholds[chosen].tolist(),
            anomalous,
            map(int, anomalous),
            repeat(detector.release),
            _by_name(detector.ensemble.names, observed.model_scores[chosen]),
            [blamed.get(window, nothing) for window in chosen.tolist()],
            [imputed.get(window, nothing) for window in chosen.tolist()],
        )
    )


def timestamps(times: Index) -> list[str]:
    """Times (n,) in microseconds UTC as RFC 3339, always with six decimals."""
    different, places = np.unique(times, return_inverse=True)  # many series are read at the same moment
    texts = np.datetime_as_string(different.astype("M8[us]"), timezone="UTC").tolist()
    return [texts[place] for place in places.tolist()]


def _by_name(names: Sequence[str], scores: Float64) -> list[dict[str, float]]:
    """Scores (n, member) under their members' names; column by column, which takes half the time."""
    rows: list[dict[str, float]] = [{} for _ in scores]
    for name, column in zip(names, scores.T.tolist(), strict=True):
        for row, score in zip(rows, column, strict=True):
            row[name] = score
    return rows


def _attributions(detector: Detector, observed: Observed, windows: Index) -> Iterable[tuple[int, list[Attribution]]]:
    """Each window with its features, the one most to blame first."""
    if not len(windows):
        return
    blame = detector.attribute(observed.scored, windows)
    order = np.argsort(-blame.shares, axis=1, kind="stable")
    at = timestamps(np.take_along_axis(observed.moments[windows], blame.rows, axis=1).ravel())
    actual, expected = detector.scaler.shown(blame.actual).tolist(), detector.scaler.shown(blame.expected).tolist()
    shares, size = blame.shares.tolist(), len(detector.features)
    for k, window in enumerate(windows.tolist()):
        yield (
            window,
            [
                Attribution(detector.features[f], shares[k][f], actual[k][f], expected[k][f], at[k * size + f])
                for f in order[k].tolist()
            ],
        )


def _imputed(features: tuple[str, ...], imputed: Mask, chosen: Index) -> dict[int, list[str]]:
    """The names of the imputed features of those windows that have any."""
    return {
        window: [feature for feature, was in zip(features, imputed[window], strict=True) if was]
        for window in chosen[imputed[chosen].any(axis=1)].tolist()
    }
