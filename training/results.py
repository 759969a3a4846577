"""Every judged window, for people and for pictures: when it ended, its score and threshold, what each network said."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from training.judging import Judged
from training.split import PARTS
from training.truth import Index, Truth

ROW_GROUP = 100_000  # windows laid out at once


def write(path: Path, truth: Truth, judged: Judged, networks: Sequence[str]) -> None:
    """Columns series_id, timestamp, part, score, threshold, is_anomaly, label (null if unknown), and one a network.

    Windows are in the order of their series, then of time; `part` is that of the window's last row.
    """
    with pq.ParquetWriter(path, _group(truth, judged.where(slice(0)), networks).schema) as writer:
        for begin in range(0, len(judged), ROW_GROUP):
            writer.write_table(_group(truth, judged.where(slice(begin, begin + ROW_GROUP)), networks))


def _group(truth: Truth, judged: Judged, networks: Sequence[str]) -> pa.Table:
    owners = truth.owners(judged.row)
    columns = {
        "series_id": _worded(owners, [series.name for series in truth.table.series]),
        "timestamp": pa.array(_times(truth, judged, owners), pa.timestamp("us", tz="UTC")),
        "part": _worded(truth.parts[judged.row], [*PARTS, "between"]),
        "score": judged.score,
        "threshold": judged.threshold,
        "is_anomaly": judged.is_anomaly,
        "label": pa.array(truth.labels[judged.row], mask=~truth.labelled[owners]),
    }
    return pa.table(columns | dict(zip(networks, judged.model_scores.T, strict=True)))


def _worded(numbers: NDArray[np.integer], words: Sequence[str]) -> pa.DictionaryArray:
    return pa.DictionaryArray.from_arrays(pa.array(numbers, pa.int32()), pa.array(words, pa.string()))


def _times(truth: Truth, judged: Judged, owners: Index) -> Index:
    """When each window ended."""
    times = np.empty(len(judged), np.int64)
    for owner in np.unique(owners):
        mine = owners == owner
        times[mine] = truth.table.series[owner].times[judged.row[mine] - truth.bounds[owner]]
    return times
