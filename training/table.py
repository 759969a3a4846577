"""Readings as the stages hand them on: series in order of time, in memory and as a run's Parquet file."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from training.artifacts import Artifacts, read_json
from training.times import numbers, rfc3339


@dataclass(frozen=True, eq=False)
class SeriesTable:
    """One series in order of time, no time twice."""

    name: str
    times: NDArray[np.int64]  # (row,) microseconds UTC
    values: NDArray[np.float64]  # (row, feature), NaN is missing
    labels: NDArray[np.bool_] | None  # (row,) ground truth, if there is any


@dataclass(frozen=True, eq=False)
class Table:
    """All series of a data set; `interval_us` is the median time between readings, `notes` say what was left out."""

    features: tuple[str, ...]
    series: tuple[SeriesTable, ...]
    interval_us: int
    files: tuple[Path, ...]
    time_column: str | None
    time_form: str
    series_column: str | None
    label_column: str | None
    notes: tuple[str, ...]

    @property
    def rows(self) -> int:
        """The number of readings."""
        return sum(len(series.times) for series in self.series)


def describe(table: Table) -> dict[str, Any]:
    """What was read, from where, and what it was taken for."""
    starts, ends = ([int(series.times[at]) for series in table.series] for at in (0, -1))
    return {
        "source": [{"file": str(file), "sha256": _digest(file)} for file in table.files],
        "time_range": [rfc3339(min(starts)), rfc3339(max(ends))],
        "features": list(table.features),
        "series": [series.name for series in table.series],
        "labelled": [series.labels is not None for series in table.series],
        "rows": table.rows,
        "interval_us": table.interval_us,
        "time_column": table.time_column,
        "time_form": table.time_form,
        "series_column": table.series_column,
        "label_column": table.label_column,
        "notes": list(table.notes),
    }


def _digest(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def to_arrow(table: Table, values: NDArray[np.float64]) -> pa.Table:
    """All rows as columns series_id, timestamp, the features, and label if any series has one."""
    lengths = [len(series.times) for series in table.series]
    names = pa.array([series.name for series in table.series])
    owners = pa.DictionaryArray.from_arrays(
        pa.array(np.repeat(np.arange(len(lengths), dtype=np.int32), lengths)), names
    )
    times = pa.array(np.concatenate([series.times for series in table.series]), pa.timestamp("us", tz="UTC"))
    columns = [owners, times, *(pa.array(column, from_pandas=True) for column in values.T)]
    header = ["series_id", "timestamp", *table.features]
    if any(series.labels is not None for series in table.series):
        pieces = [pa.nulls(len(s.times), pa.bool_()) if s.labels is None else pa.array(s.labels) for s in table.series]
        columns.append(pa.chunked_array(pieces))
        header.append("label")
    return pa.table(columns, names=header)


def load(artifacts: Artifacts) -> Table:
    """The table that `run` left."""
    about = read_json(artifacts.ingestion)
    frame = pq.read_table(artifacts.raw)
    owners = frame["series_id"].combine_chunks().indices.to_numpy()
    ends = np.cumsum(np.bincount(owners, minlength=len(about["series"])))[:-1]
    times = np.split(frame["timestamp"].cast(pa.int64()).to_numpy(), ends)
    first = 2  # a feature may bear the name of any column: they are told by their place
    columns = [numbers(frame.column(first + index)) for index in range(len(about["features"]))]
    values = np.split(np.column_stack(columns), ends)
    labels = _load_labels(frame, about, ends)
    series = tuple(map(SeriesTable, about["series"], times, values, labels))
    kept = ("interval_us", "time_column", "time_form", "series_column", "label_column")
    files = tuple(Path(source["file"]) for source in about["source"])
    return Table(
        tuple(about["features"]), series, files=files, notes=tuple(about["notes"]), **{key: about[key] for key in kept}
    )


def _load_labels(frame: pa.Table, about: dict[str, Any], ends: NDArray[np.int64]) -> list[NDArray[np.bool_] | None]:
    if not any(about["labelled"]):
        return [None] * len(about["series"])
    labels = np.split(frame.column(frame.num_columns - 1).fill_null(False).to_numpy(), ends)
    return [part if known else None for part, known in zip(labels, about["labelled"], strict=True)]
