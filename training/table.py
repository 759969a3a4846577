"""Readings as the stages hand them on: series in order of time, in memory and as a run's Parquet files."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from training.artifacts import Artifacts, read_json
from training.grid import Resampling
from training.rejects import Rejected
from training.times import rfc3339

PIECE = 1 << 16  # rows that are worked on at once
ROW_GROUP = 1 << 18  # rows that Parquet keeps together


@dataclass(frozen=True, eq=False)
class SeriesTable:
    """One series in order of time, no time twice."""

    name: str
    times: NDArray[np.int64]  # (row,) microseconds UTC
    values: NDArray[np.float64]  # (row, feature), NaN is missing
    labels: NDArray[np.bool_] | None  # (row,) ground truth, if there is any

    def where(self, rows: NDArray[np.bool_] | NDArray[np.int64] | slice) -> SeriesTable:
        """Some of its rows, in their order."""
        labels = None if self.labels is None else self.labels[rows]
        return SeriesTable(self.name, self.times[rows], self.values[rows], labels)


@dataclass(frozen=True, eq=False)
class Table:
    """All series of a data set; `interval_us` is the median time between readings, `notes` say what was left out.

    `feature_column` is of files in long form; `resampled` says on which grid the readings were put, if on one.
    """

    features: tuple[str, ...]
    series: tuple[SeriesTable, ...]
    interval_us: int
    files: tuple[Path, ...]
    time_column: str | None
    time_form: str
    series_column: str | None
    label_column: str | None
    notes: tuple[str, ...]
    feature_column: str | None = None
    resampled: Resampling | None = None
    rejected: tuple[Rejected, ...] = ()

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
        "rows_by_series": [len(series.times) for series in table.series],
        "labelled": [series.labels is not None for series in table.series],
        "rows": table.rows,
        "interval_us": table.interval_us,
        "time_column": table.time_column,
        "time_form": table.time_form,
        "series_column": table.series_column,
        "label_column": table.label_column,
        "feature_column": table.feature_column,
        "resampled": None if table.resampled is None else asdict(table.resampled),
        "notes": list(table.notes),
        "rejected": [one._asdict() for one in table.rejected],
    }


def _digest(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


class Piece(NamedTuple):
    """Some rows of one series, one after the other."""

    series: SeriesTable
    rows: slice  # within the series
    place: slice  # the same rows, numbered over all series, one series after the other

    @property
    def taken(self) -> SeriesTable:
        """These rows alone: views, no copies."""
        return self.series.where(self.rows)


def pieces(series: Sequence[SeriesTable], most: int = PIECE) -> Iterator[Piece]:
    """All rows in order, at most so many at once."""
    offset = 0
    for one in series:
        for begin in range(0, len(one.times), most):
            end = min(begin + most, len(one.times))
            yield Piece(one, slice(begin, end), slice(offset + begin, offset + end))
        offset += len(one.times)


def save(table: Table, path: Path) -> None:
    """Write all rows as columns series_id, timestamp, the features, and label if any series has one."""
    labelled = any(series.labels is not None for series in table.series)
    write_batches((to_batch(piece.taken, table.features, labelled) for piece in pieces(table.series)), path)


def to_batch(series: SeriesTable, features: Sequence[str], labelled: bool) -> pa.RecordBatch:
    """The rows of a series, or some of them, as columns."""
    rows = len(series.times)
    owner = pa.DictionaryArray.from_arrays(pa.array(np.zeros(rows, np.int32)), [series.name])
    columns = [owner, pa.array(series.times, pa.timestamp("us", tz="UTC"))]
    columns += [pa.array(column, from_pandas=True) for column in series.values.T]
    if labelled:
        columns.append(pa.nulls(rows, pa.bool_()) if series.labels is None else pa.array(series.labels))
    return pa.record_batch(columns, names=["series_id", "timestamp", *features, *["label"] * labelled])


def write_batches(batches: Iterable[pa.RecordBatch], path: Path) -> None:
    """Write batches of one shape, at least one, into a Parquet file, with no more than a row group in memory."""
    batches = iter(batches)
    waiting = [next(batches)]
    with pq.ParquetWriter(path, waiting[0].schema) as writer:
        for batch in batches:
            if sum(map(len, waiting)) >= ROW_GROUP:
                writer.write_table(pa.Table.from_batches(waiting).unify_dictionaries())
                waiting = []
            waiting.append(batch)
        writer.write_table(pa.Table.from_batches(waiting).unify_dictionaries())


def load(artifacts: Artifacts) -> Table:
    """The table that `run` left."""
    about = read_json(artifacts.ingestion)
    times, values, labels = _arrays(artifacts.raw, about["rows"], len(about["features"]))
    bounds = np.concatenate([[0], np.cumsum(about["rows_by_series"])]).tolist()
    series = [
        SeriesTable(name, times[begin:end], values[begin:end], labels[begin:end] if labelled else None)
        for name, labelled, (begin, end) in zip(about["series"], about["labelled"], pairwise(bounds), strict=True)
    ]
    kept = ("interval_us", "time_column", "time_form", "series_column", "label_column", "feature_column")
    return Table(
        tuple(about["features"]),
        tuple(series),
        files=tuple(Path(source["file"]) for source in about["source"]),
        notes=tuple(about["notes"]),
        resampled=None if about["resampled"] is None else Resampling(**about["resampled"]),
        **{key: about[key] for key in kept},
    )


def _arrays(path: Path, rows: int, features: int) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.bool_]]:
    """Times (row,), values (row, feature) and labels (row,) of a file that `save` wrote, read batch by batch."""
    times, values, labels = np.empty(rows, np.int64), np.empty((rows, features)), np.zeros(rows, bool)
    begin, first = 0, 2  # a feature may bear the name of any column: they are told by their place
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(PIECE):
            part = slice(begin, begin + len(batch))
            times[part] = batch.column(1).cast(pa.int64()).to_numpy()
            for place in range(features):
                values[part, place] = batch.column(first + place).to_numpy(zero_copy_only=False)
            if batch.num_columns > first + features:
                labels[part] = batch.column(first + features).fill_null(False).to_numpy(zero_copy_only=False)
            begin = part.stop
    pa.default_memory_pool().release_unused()  # what Arrow would keep for later is as much again
    return times, values, labels
