"""The events with the highest scores among judged windows, and what their features did, beside what was expected."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from models.detector import Detector, Scored
from models.flags import timestamps
from models.missing import fill
from schemas.evaluation import Event, Events
from schemas.flag import Attribution
from training.judging import Judged
from training.split import segments_of
from training.table import SeriesTable
from training.truth import Truth

Float64 = NDArray[np.float64]
Index = NDArray[np.int64]

MOST = 8  # events
LONGEST_BESIDE = 256  # rows; a longer window is shown without its neighbours
MOST_FEATURES = 8  # of an event that are shown row by row: those most to blame


def events(truth: Truth, judged: Judged, detector: Detector) -> Events:
    """Runs of flagged windows, those that share rows being of one run, by their highest score."""
    runs = list(_runs(truth, judged, detector.window))
    order = np.argsort([-run.score.max() for run in runs], kind="stable")[:MOST]
    return Events([_event(truth, runs[place], detector) for place in order.tolist()])


def _runs(truth: Truth, judged: Judged, window: int) -> Iterator[Judged]:
    flagged = judged.where(judged.is_anomaly)
    apart = (np.diff(flagged.row) >= window) | (np.diff(truth.owners(flagged.row)) != 0)
    bounds = [0, *(np.flatnonzero(apart) + 1).tolist(), len(flagged)]
    for begin, end in pairwise(bounds):
        if end > begin:
            yield flagged.where(slice(begin, end))


def _event(truth: Truth, run: Judged, detector: Detector) -> Event:
    top = int(run.score.argmax())
    owner = int(truth.owners(run.row[:1])[0])
    series, offset = truth.table.series[owner], int(truth.bounds[owner])
    peak = int(run.row[top])
    scene = _scene(series, peak - offset, truth.part_begins(peak) - offset, detector)
    start, end, at = timestamps(series.times[run.row[[0, -1, top]] - offset])
    features = [one.feature for one in scene.attribution[:MOST_FEATURES]]
    columns = [truth.table.features.index(feature) for feature in features]
    return Event(
        series_id=series.name,
        start=start,
        end=end,
        peak=at,
        score=float(run.score[top]),
        threshold=float(run.threshold[top]),
        windows=len(run),
        label=None if series.labels is None else bool(series.labels[run.row - offset].any()),
        attribution=scene.attribution,
        timestamps=timestamps(scene.times),
        actual=dict(zip(features, _listed(scene.actual[:, columns]), strict=True)),
        expected=dict(zip(features, _listed(scene.expected[:, columns]), strict=True)),
    )


def _listed(rows: Float64) -> list[list[float | None]]:
    """The columns of (row, feature); NaN is None."""
    return [[None if np.isnan(value) else value for value in column] for column in rows.T.tolist()]


@dataclass(frozen=True, eq=False)
class Scene:
    """The rows around a window, in raw units as they are shown; NaN is missing or not expected by anybody."""

    times: Index  # (row,)
    actual: Float64  # (row, feature)
    expected: Float64  # (row, feature)
    attribution: list[Attribution]  # of the window, the feature most to blame first


def _scene(series: SeriesTable, peak: int, first: int, detector: Detector) -> Scene:
    """Around the window that ends at row `peak`, with windows that reach back to row `first` at most."""
    size = detector.window
    beside = size if size <= LONGEST_BESIDE else 0
    begin, stop = max(first, peak - size - beside + 1), min(peak + beside + 1, len(series.times))
    source = max(first, begin - detector.hold_limit)
    segments = segments_of([replace(series, times=series.times[source:stop])], detector.gap_us)
    filled = fill(series.values[source:stop], segments, detector.hold_limit, detector.scaler.mean)
    spans = _side_by_side(segments, begin - source, peak - source, detector)
    scored = detector.score(detector.scaler.transform(np.stack([filled[span] for span in spans])))
    expected = np.full_like(filled, np.nan)
    for span, rows in zip(spans, detector.expect(scored, np.arange(len(spans))), strict=True):
        expected[span.stop - len(rows) : span.stop] = rows
    return Scene(
        series.times[begin:stop],
        detector.scaler.shown(series.values[begin:stop]),
        detector.scaler.shown(expected[begin - source :]),
        _attribution(detector, scored, series.times[peak - size + 1 : peak + 1]),
    )


def _side_by_side(segments: NDArray[np.int32], first: int, last: int, detector: Detector) -> list[slice]:
    """The window whose last row is `last`, and then those whose judged rows lie before and after; whole, no pause."""
    size, step = detector.window, int(detector.ensemble.judged.max())
    ends = [last, *range(last - step, first + size - 2, -step), *range(last + step, len(segments), step)]
    whole = [slice(end - size + 1, end + 1) for end in ends if end - size + 1 >= first]
    return [span for span in whole if segments[span.start] == segments[span.stop - 1]]


def _attribution(detector: Detector, scored: Scored, times: Index) -> list[Attribution]:
    """Of the first of the windows, whose rows are of these times."""
    blame = detector.attribute(scored, np.array([0]))
    at = timestamps(times[blame.rows[0]])
    actual, expected = (detector.scaler.shown(values[0]).tolist() for values in (blame.actual, blame.expected))
    parts = map(Attribution, detector.features, blame.shares[0].tolist(), actual, expected, at)
    return sorted(parts, key=lambda part: -part.share)
