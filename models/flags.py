"""Flags: windows that were judged, as JSON for the anomalies topic.

Thousands a second are written, nearly alike: so they are made column by column and put into a template, not built as
objects and encoded one by one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import Self

import msgspec
import numpy as np

from models.batch import Float64, Index, Mask, Observed
from models.detector import Detector
from schemas.flag import Attribution, window_ids

_json = msgspec.json.Encoder().encode

VERDICTS = (b'false,"flag":0', b'true,"flag":1')
NOTHING = b"[]"


@dataclass(frozen=True, eq=False)
class Flags:
    """Flags in columns; `schemas.flag.Flag` says what is in each value."""

    ids: Sequence[bytes]
    series: Sequence[bytes]
    timestamps: Sequence[bytes]  # of the windows' ends, RFC 3339
    values: Sequence[bytes]  # the flags themselves, JSON

    def __len__(self) -> int:
        return len(self.values)

    @classmethod
    def none(cls) -> Self:
        """No flags."""
        return cls([], [], [], [])


def write(detector: Detector, observed: Observed, chosen: Index) -> Flags:
    """Flags for the `chosen` windows; attribution, which costs, only where anomalous."""
    if not len(chosen):
        return Flags.none()
    names = [observed.batch.series[row] for row in observed.rows[chosen].tolist()]
    series = [name.encode() for name in names]
    ids = window_ids(detector.dataset, series, observed.ends[chosen])
    times = [time.encode() for time in timestamps(np.concatenate([observed.starts[chosen], observed.ends[chosen]]))]
    starts, ends = times[: len(chosen)], times[len(chosen) :]
    blamed = dict(_attributions(detector, observed, chosen[observed.is_anomaly[chosen]]))
    imputed = _imputed(detector.features, observed.imputed, chosen)
    columns = (
        ids,
        map(_json, names),
        starts,
        ends,
        _numbers(observed.scores[chosen]),
        _numbers(observed.thresholds[chosen]),
        [VERDICTS[verdict] for verdict in observed.is_anomaly[chosen].tolist()],
        *map(_numbers, observed.model_scores[chosen].T),
        [blamed.get(window, NOTHING) for window in chosen.tolist()] if blamed else repeat(NOTHING),
        [imputed.get(window, NOTHING) for window in chosen.tolist()] if imputed else repeat(NOTHING),
    )
    template = _template(detector)
    return Flags(ids, series, ends, [template % row for row in zip(*columns)])  # noqa: B905 -- repeat has no end


def _template(detector: Detector) -> bytes:
    """A flag with a %b for each column of `write`, and for the rest what is the same in all of them."""
    members = b",".join(_constant(name) + b":%b" for name in detector.ensemble.names)
    return b"".join(
        [
            b'{"id":"%b","dataset":',
            _constant(detector.dataset),
            b',"series_id":%b,"window_start":"%b","timestamp":"%b","score":%b,"threshold":%b,"is_anomaly":%b,"release":',
            _constant(detector.release),
            b',"model_scores":{',
            members,
            b'},"attribution":%b,"imputed":%b}',
        ]
    )


def _constant(text: str) -> bytes:
    return _json(text).replace(b"%", b"%%")


def _numbers(column: Float64) -> list[bytes]:
    """Numbers as JSON; what is not finite is null."""
    return _json(column.tolist())[1:-1].split(b",")


def timestamps(times: Index) -> list[str]:
    """Times (n,) in microseconds UTC as RFC 3339, always with six decimals."""
    different, places = np.unique(times, return_inverse=True)  # many series are read at the same moment
    texts = np.datetime_as_string(different.astype("M8[us]"), timezone="UTC").tolist()
    return [texts[place] for place in places.tolist()]


def _attributions(detector: Detector, observed: Observed, windows: Index) -> Iterable[tuple[int, bytes]]:
    """Each window with its features, the one most to blame first."""
    if not len(windows):
        return
    blame = detector.attribute(observed.scored, windows)
    order = np.argsort(-blame.shares, axis=1, kind="stable")
    at = timestamps(np.take_along_axis(observed.moments[windows], blame.rows, axis=1).ravel())
    actual, expected = detector.scaler.shown(blame.actual).tolist(), detector.scaler.shown(blame.expected).tolist()
    shares, size = blame.shares.tolist(), len(detector.features)
    for k, window in enumerate(windows.tolist()):
        parts = [
            Attribution(detector.features[f], shares[k][f], actual[k][f], expected[k][f], at[k * size + f])
            for f in order[k].tolist()
        ]
        yield window, _json(parts)


def _imputed(features: tuple[str, ...], imputed: Mask, chosen: Index) -> dict[int, bytes]:
    """The names of the imputed features of those windows that have any."""
    return {
        window: _json([feature for feature, was in zip(features, imputed[window], strict=True) if was])
        for window in chosen[imputed[chosen].any(axis=1)].tolist()
    }
