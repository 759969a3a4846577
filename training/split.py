"""Which windows train, stop, calibrate and test: series cut into parts by time, with a window's gap between parts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from schemas.training import SplitConfig, WindowConfig
from training.table import SeriesTable

PARTS = ("train", "validation", "calibration", "test")
FITTING = "fitting"  # all rows that may shape a release: those before the test part, gaps between parts too
GAP = len(PARTS)  # the part of rows that lie between parts
WINDOW = np.dtype([("series", "<i4"), ("segment", "<i4"), ("first", "<i8"), ("start", "<i8"), ("end", "<i8")])


@dataclass(frozen=True, eq=False)
class Split:
    """All rows of all series, one series after the other: the part of each row, and the windows of each part.

    Windows are of type `WINDOW`: the series' number, the unbroken stretch they belong to, the number of their first row
    over all series, and the times (microseconds) of their first and last row, both inclusive. Beside those of each part
    there are all before the test part, under FITTING.
    """

    parts: NDArray[np.int8]  # (row,) index into PARTS, or GAP
    fitting: NDArray[np.bool_]  # (row,) what may shape a release
    segments: NDArray[np.int32]  # (row,) stretches without a gap in time, numbered over all series
    windows: dict[str, NDArray[np.void]]
    excluded: int  # windows left out of fitting because they hold a labelled anomaly


def split(series: Sequence[SeriesTable], gap_us: int, window: WindowConfig, shares: SplitConfig) -> Split:
    """Cut every series by itself. No window crosses parts, series, or a pause longer than `gap_us`.

    Windows that hold a labelled anomaly are left out of all parts but the test part.
    """
    each = [parts_of(labels_of(table), window.size, shares) for table in series]
    parts, fitting = np.concatenate(each), np.concatenate([fitting_rows(own) for own in each])
    segments = segments_of(series, gap_us)
    labels = np.concatenate([labels_of(table) for table in series])
    times = np.concatenate([table.times for table in series])
    owners = np.repeat(np.arange(len(series)), [len(table.times) for table in series])
    anomalous = np.concatenate([[0], np.cumsum(labels)])
    windows, excluded = {}, 0
    masks = {FITTING: fitting} | {part: parts == code for code, part in enumerate(PARTS)}
    for part, mask in masks.items():
        first = np.concatenate([*_starts(mask, segments, window), np.empty(0, np.int64)])
        stained = anomalous[first + window.size] > anomalous[first]
        kept = first if part == "test" else first[~stained]
        excluded += len(first) - len(kept) if part == FITTING else 0
        windows[part] = _described(kept, times, owners, window)
    return Split(parts, fitting, segments, windows, excluded)


def fitting_rows(parts: NDArray[np.int8]) -> NDArray[np.bool_]:
    """Which rows of a series, of these parts, may shape a release."""
    before = np.flatnonzero(parts < PARTS.index("test"))
    fitting: NDArray[np.bool_] = np.arange(len(parts)) <= before.max(initial=-1)
    return fitting


def labels_of(table: SeriesTable) -> NDArray[np.bool_]:
    """The labels of a series; where there are none, nothing is known to be an anomaly."""
    return np.zeros(len(table.times), bool) if table.labels is None else table.labels


def parts_of(labels: NDArray[np.bool_], size: int, shares: SplitConfig) -> NDArray[np.int8]:
    """The part of each row of a series: each part but the first begins with a gap of one window.

    Shares are of the rows that no label calls an anomaly, for only those can be fitted to.
    """
    normal = np.cumsum(~labels)
    ends = np.cumsum([shares.train, shares.validation, shares.calibration]) * normal[-1]
    bounds = [0, *np.searchsorted(normal, np.round(ends, 6), side="right"), len(labels)]
    parts = np.full(len(labels), GAP, np.int8)
    for code, (low, high) in enumerate(pairwise(bounds)):
        parts[low + (size if code else 0) : high] = code
    return parts


def segments_of(series: Sequence[SeriesTable], gap_us: int) -> NDArray[np.int32]:
    """Number the stretches of all series: a new one at each series' first row and after each gap."""
    breaks = [np.concatenate([[True], np.diff(table.times) > gap_us]) for table in series]
    return (np.cumsum(np.concatenate(breaks)) - 1).astype(np.int32)


def _starts(mask: NDArray[np.bool_], segments: NDArray[np.int32], window: WindowConfig) -> Iterator[NDArray[np.int64]]:
    """The first rows of all windows that fit into each unbroken run of rows of a part."""
    edges = np.flatnonzero(np.diff(mask, prepend=False, append=False) | _changes(segments))
    for low, high in pairwise(edges):
        if mask[low] and high - low >= window.size:
            yield np.arange(low, high - window.size + 1, window.stride)


def _changes(segments: NDArray[np.int32]) -> NDArray[np.bool_]:
    """Where another stretch begins, one entry longer than the rows: both ends count as changes."""
    return np.concatenate([[True], np.diff(segments) != 0, [True]])


def _described(
    first: NDArray[np.int64], times: NDArray[np.int64], owners: NDArray[np.int64], window: WindowConfig
) -> NDArray[np.void]:
    windows = np.empty(len(first), WINDOW)
    windows["first"] = first
    windows["series"] = owners[first]
    windows["start"] = times[first]
    windows["end"] = times[first + window.size - 1]
    broken = (np.diff(first) != window.stride) | (np.diff(windows["series"]) != 0)
    windows["segment"] = np.cumsum(np.concatenate([[True], broken]))[: len(first)] - 1
    return windows
