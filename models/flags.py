"""Flags: windows that were judged, as JSON for the anomalies topic.

Thousands a second are written: so what they say is made column by column, and all of them are encoded at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import repeat
from typing import Self, TypeVar

import msgspec
import numpy as np

from models.batch import Index, Mask, Observed
from models.detector import Detector
from schemas.flag import Attribution, Flag, window_ids

T = TypeVar("T")

_lines = msgspec.json.Encoder().encode_lines


@dataclass(frozen=True, eq=False)
class Flags:
    """Flags in columns; `schemas.flag.Flag` says what is in each value."""

    ids: Sequence[str]
    series: Sequence[str]
    timestamps: Sequence[str]  # of the windows' ends, RFC 3339
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
    verdicts = observed.is_anomaly[chosen]
    series = [observed.batch.series[row] for row in observed.rows[chosen].tolist()]
    ids = window_ids(detector.dataset, series, observed.ends[chosen])
    ends = timestamps(observed.ends[chosen])
    flags = map(
        Flag,
        ids,
        repeat(detector.dataset),
        series,
        timestamps(observed.starts[chosen]),
        ends,
        observed.scores[chosen].tolist(),
        observed.thresholds[chosen].tolist(),
        verdicts.tolist(),
        verdicts.astype(int).tolist(),
        repeat(detector.release),
        map(_model_scores(detector.ensemble.names), *observed.model_scores[chosen].T.tolist()),
        _where(chosen, dict(_attributions(detector, observed, chosen[verdicts]))),
        _where(chosen, dict(_imputed(detector.features, observed.imputed, chosen))),
    )
    return Flags(ids, series, ends, _lines(flags)[:-1].split(b"\n"))  # JSON has no line break within


@cache
def _model_scores(names: tuple[str, ...]) -> type[msgspec.Struct]:
    """What stands in a flag for the dict of each network's score: the same on the wire, in a fifth of the time."""
    return msgspec.defstruct("ModelScores", [(name, float) for name in names], frozen=True, gc=False)


def _where(chosen: Index, some: Mapping[int, list[T]]) -> Iterable[list[T]]:
    """What some of the windows have, and for the others nothing."""
    nothing: list[T] = []
    return [some.get(window, nothing) for window in chosen.tolist()] if some else repeat(nothing)


def timestamps(times: Index) -> list[str]:
    """Times (n,) in microseconds UTC as RFC 3339, always with six decimals."""
    different, places = np.unique(times, return_inverse=True)  # many series are read at the same moment
    texts = np.datetime_as_string(different.astype("M8[us]"), timezone="UTC").tolist()
    return [texts[place] for place in places.tolist()]


def _attributions(detector: Detector, observed: Observed, windows: Index) -> Iterator[tuple[int, list[Attribution]]]:
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


def _imputed(features: tuple[str, ...], imputed: Mask, chosen: Index) -> Iterator[tuple[int, list[str]]]:
    """Each window that has imputed features with their names."""
    for window in chosen[imputed[chosen].any(axis=1)].tolist():
        yield window, [feature for feature, was in zip(features, imputed[window], strict=True) if was]
