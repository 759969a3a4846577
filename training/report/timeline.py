"""The score of each series over time, thinned so that a page stays small and no peak is lost."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

POINTS = 100_000  # in the whole report
SERIES = 200  # the worst; a page of thousands helps nobody
LEAST = 200  # points of a series, however many there are


@dataclass(frozen=True, eq=False)
class Timeline:
    """One series' windows in order of time: (point,) each; a point is the highest of up to `bucket` windows."""

    series: str
    windows: int
    flags: int
    bucket: int
    times: NDArray[np.int64]  # of the windows' ends, microseconds UTC
    score: NDArray[np.float64]
    threshold: NDArray[np.float64]
    flagged: NDArray[np.bool_]  # whether any window of the bucket is
    labelled: NDArray[np.bool_]

    @property
    def peak(self) -> float:
        """The highest score."""
        return float(self.score.max())

    @property
    def margin(self) -> float:
        """How far a score rose above its threshold; what the worst series has most of."""
        return float((self.score - self.threshold).max())


def timelines(judged: pa.Table, points: int = POINTS) -> tuple[Timeline, ...]:
    """The series with the highest scores first, `SERIES` at the most."""
    owners = judged["series_id"].unify_dictionaries().combine_chunks().indices.to_numpy()
    bounds = np.flatnonzero(np.diff(owners, prepend=-1, append=-1)).tolist()
    pieces = [judged.slice(low, high - low) for low, high in pairwise(bounds)]
    share = max(LEAST, points // max(len(pieces), 1))
    found = [_timeline(piece, share) for piece in pieces]
    return tuple(sorted(found, key=lambda line: (-line.margin, line.series))[:SERIES])


def _timeline(windows: pa.Table, points: int) -> Timeline:
    score, threshold = windows["score"].to_numpy(), windows["threshold"].to_numpy()
    flagged, labelled = (windows[name].fill_null(False).to_numpy() for name in ("is_anomaly", "label"))
    bucket = -(-len(score) // points)
    first = np.arange(0, len(score), bucket)
    highest = np.array([low + int(np.argmax(score[low : low + bucket])) for low in first])
    return Timeline(
        series=str(windows["series_id"][0].as_py()),
        windows=len(score),
        flags=int(flagged.sum()),
        bucket=bucket,
        times=windows["timestamp"].cast(pa.int64()).to_numpy()[highest],
        score=score[highest],
        threshold=threshold[highest],
        flagged=np.logical_or.reduceat(flagged, first),
        labelled=np.logical_or.reduceat(labelled, first),
    )


def as_columns(line: Timeline, gap_us: int) -> dict[str, object]:
    """For the page: times in milliseconds (float64) and values (float32) in base64; NaN where readings paused."""
    breaks = _breaks(line.times, gap_us)
    times = np.insert(line.times / 1000, breaks, (line.times[breaks - 1] + 1) / 1000)
    score, threshold = (np.insert(values, breaks, np.nan) for values in (line.score, line.threshold))
    return {
        "series": line.series,
        "bucket": line.bucket,
        "times": _packed(times, "<f8"),
        "score": _packed(score, "<f4"),
        "threshold": _packed(threshold, "<f4"),
        "flagged": list(spans(line.times, line.flagged, breaks)),
        "labelled": list(spans(line.times, line.labelled, breaks)),
    }


def spans(
    times: NDArray[np.int64], mask: NDArray[np.bool_], breaks: NDArray[np.int64]
) -> Iterator[tuple[float, float]]:
    """First and last time, in milliseconds and both inclusive, of each run of points that no break divides."""
    bounds = [0, *breaks.tolist(), len(mask)]
    for low, high in pairwise(bounds):
        edges = low + np.flatnonzero(np.diff(mask[low:high].astype(np.int8), prepend=0, append=0))
        for first, last in zip(edges[::2], edges[1::2] - 1, strict=True):
            yield times[first] / 1000, times[last] / 1000


def _breaks(times: NDArray[np.int64], gap_us: int) -> NDArray[np.int64]:
    """Where a line begins again: after a pause, or after windows that were not judged."""
    steps = np.diff(times)
    usual = float(np.median(steps)) if len(steps) else 0.0
    return np.flatnonzero(steps > max(gap_us, 3 * usual)) + 1


def _packed(values: NDArray[np.generic], kind: str) -> str:
    return b64encode(values.astype(kind).tobytes()).decode()
