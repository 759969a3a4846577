"""Flags: windows that were judged, put into the words of the anomalies topic."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import repeat

import numpy as np

from models.batch import Index, Mask, Observed
from models.detector import Detector
from schemas.flag import Attribution, Flag, window_ids


def write(detector: Detector, observed: Observed, chosen: Index) -> list[Flag]:
    """Flags for the `chosen` windows; attribution, which costs, only where anomalous."""
    series = [observed.batch.series[row] for row in observed.rows[chosen].tolist()]
    anomalous = observed.is_anomaly[chosen].tolist()
    blamed = dict(_attributions(detector, observed, chosen[observed.is_anomaly[chosen]]))
    names = [member.name for member in detector.ensemble.members]
    return list(
        map(
            Flag,
            window_ids(detector.dataset, series, observed.ends[chosen]),
            repeat(detector.dataset),
            series,
            timestamps(observed.starts[chosen]),
            timestamps(observed.ends[chosen]),
            observed.scores[chosen].tolist(),
            observed.thresholds[chosen].tolist(),
            anomalous,
            map(int, anomalous),
            repeat(detector.release),
            [dict(zip(names, scores, strict=True)) for scores in observed.model_scores[chosen].tolist()],
            [blamed.get(window, []) for window in chosen.tolist()],
            _imputed(detector.features, observed.imputed[chosen]),
        )
    )


def timestamps(times: Index) -> list[str]:
    """Times (n,) in microseconds UTC as RFC 3339, always with six decimals."""
    text: list[str] = np.datetime_as_string(times.astype("M8[us]"), timezone="UTC").tolist()
    return text


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


def _imputed(features: tuple[str, ...], imputed: Mask) -> list[list[str]]:
    """The names of the imputed features of each window (n, feature)."""
    named: list[list[str]] = [[] for _ in imputed]
    for window, feature in np.argwhere(imputed).tolist():
        named[window].append(features[feature])
    return named
