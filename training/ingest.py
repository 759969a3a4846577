"""From files of readings to series in order of time: the first stage, and how score, produce and demo read files."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray

from training.artifacts import Artifacts, write_json
from training.columns import Columns, understand
from training.roles import Wanted, listed
from training.sheets import DataError, Sheet, open_sheet
from training.table import SeriesTable, Table, describe, to_arrow
from training.times import rfc3339, row_numbers

__all__ = ["DataError", "SeriesTable", "Table", "Wanted", "find_files", "read", "run"]

SUFFIXES = (".csv", ".tsv", ".parquet", ".csv.gz", ".tsv.gz")
DUPLICATE_SHARE = 0.01  # up to so many readings of a time that was already there are dropped, more are an error


def run(artifacts: Artifacts, path: Path | str, wanted: Wanted) -> Table:
    """Read the files and leave what they hold, as it is, in the run's folder."""
    table = read(path, time=wanted.time, series=wanted.series, label=wanted.label, ignore=wanted.ignore)
    values = np.concatenate([series.values for series in table.series])
    pq.write_table(to_arrow(table, values), artifacts.raw)
    write_json(artifacts.ingestion, describe(table))
    return table


def read(
    path: Path | str,
    *,
    time: str | None = None,
    series: str | None = None,
    label: str | None = None,
    ignore: Sequence[str] = (),
) -> Table:
    """Read a CSV (gz too) or Parquet file, or all of a folder's, each a series by its name if no column says more.

    `time`, `series`, `label` name columns that would not be found by themselves, `ignore` those to leave out.
    A DataError says in a sentence what is wrong with a file, where, and what to do.
    """
    root = Path(path)
    files = find_files(root)
    wanted = Wanted(time, series, label, tuple(ignore))
    sheets = [open_sheet(file) for file in files]
    _check_optional(sheets, wanted)
    understood = [understand(sheet, wanted) for sheet in sheets]
    features = _common_features(files, understood)
    parts = [
        part
        for sheet, columns in zip(sheets, understood, strict=True)
        for part in _series_of(sheet, columns, features, _file_name(sheet.path, root))
    ]
    return _table(files, understood, features, _joined(parts))


def find_files(root: Path) -> tuple[Path, ...]:
    """The file itself, or the data files under a folder by name; hidden ones are passed over."""
    if root.is_file():
        return (root,)
    if not root.exists():
        raise DataError(f"{root} does not exist; give a CSV or Parquet file, or a folder of them")
    files = sorted(file for file in root.rglob("*") if file.is_file() and file.name.lower().endswith(SUFFIXES))
    visible = tuple(file for file in files if not any(p.startswith(".") for p in file.relative_to(root).parts))
    if not visible:
        raise DataError(f"{root} holds no file that ends in {listed(SUFFIXES)}; name the file itself")
    return visible


def _check_optional(sheets: Sequence[Sheet], wanted: Wanted) -> None:
    """A label or an ignored column may be absent in some files, not in all."""
    known = dict.fromkeys(name for sheet in sheets for name in sheet.columns)
    named = [("--ignore", name) for name in wanted.ignore] + [("--label", wanted.label)]
    for option, name in named:
        if name is not None and name not in known:
            raise DataError(f"{sheets[0].path} has no column '{name}' ({option}); it has {listed(known)}")


def _common_features(files: Sequence[Path], understood: Sequence[Columns]) -> tuple[str, ...]:
    """The features of all files: the same in each, in the first one's order; those without any value are left out."""
    features = understood[0].features
    for file, columns in zip(files, understood, strict=True):
        lacking = [name for name in features if name not in columns.features]
        more = [name for name in columns.features if name not in features]
        if lacking or more:
            name, (without, holder) = (lacking or more)[0], (file, files[0]) if lacking else (files[0], file)
            raise DataError(
                f"{without} has no numeric column '{name}', which {holder} has; "
                f"give files of one shape, or --ignore '{name}'"
            )
    return tuple(name for name in features if not all(_is_empty(columns, name) for columns in understood))


def _is_empty(columns: Columns, name: str) -> bool:
    return bool(np.isnan(columns.values[:, columns.features.index(name)]).all())


def _file_name(file: Path, root: Path) -> str:
    """A file's name for its series: under a folder with the path, without what tells only the format."""
    relative = file.relative_to(root) if file != root else Path(file.name)
    name = relative.as_posix()
    for suffix in (".gz", ".csv", ".tsv", ".parquet", ".txt"):
        name = name.removesuffix(suffix)
    return name


def _series_of(sheet: Sheet, columns: Columns, features: tuple[str, ...], name: str) -> Iterable[SeriesTable]:
    """A sheet's rows by series, each in the order of the file."""
    wanted = np.array([columns.features.index(feature) for feature in features], dtype=np.int64)
    for series, rows in _groups(columns, name):
        times = columns.times.micros[rows] if columns.time_column else row_numbers(len(rows)).micros
        kept = _rising(sheet, columns, series, rows, times)
        labels = None if columns.labels is None else columns.labels[rows[kept]]
        yield SeriesTable(series, times[kept], columns.values[np.ix_(rows[kept], wanted)], labels)


def _groups(columns: Columns, name: str) -> Iterable[tuple[str, NDArray[np.int64]]]:
    """Each series with its rows, in the order in which series first appear."""
    if columns.series is None:
        return [(name, np.arange(len(columns.values)))]
    names, first, codes = np.unique(columns.series.astype(str), return_index=True, return_inverse=True)
    rows = np.split(np.argsort(codes, kind="stable"), np.cumsum(np.bincount(codes))[:-1])
    return [(str(names[code]), rows[code]) for code in np.argsort(first)]


def _rising(
    sheet: Sheet, columns: Columns, series: str, rows: NDArray[np.int64], times: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """The rows to keep: all but a few that repeat the time before them; a time that goes back is an error."""
    steps = np.diff(times)
    doubles = np.concatenate([[False], steps == 0])
    if (steps < 0).any():
        raise _disorder(sheet, columns, series, rows, times, int(np.argmax(steps < 0)) + 1, "is before")
    if doubles.sum() > DUPLICATE_SHARE * len(times):
        raise _disorder(sheet, columns, series, rows, times, int(np.argmax(doubles)), "repeats")
    return ~doubles


def _disorder(
    sheet: Sheet,
    columns: Columns,
    series: str,
    rows: NDArray[np.int64],
    times: NDArray[np.int64],
    at: int,
    what: str,
) -> DataError:
    """A time that does not follow on the one before it, in one sentence."""
    way = "sort the file by time" if what == "is before" else "keep one reading for each time"
    way += "" if columns.series_column else ", or name the column that tells series apart with --series"
    return DataError(
        f"{sheet.path} {sheet.place(int(rows[at]))}: time {rfc3339(int(times[at]))} of series '{series}' "
        f"{what} {rfc3339(int(times[at - 1]))} above it; {way}"
    )


def _joined(parts: Sequence[SeriesTable]) -> tuple[SeriesTable, ...]:
    """One table for each series; what several files hold of one is put together in order of time."""
    by_name: dict[str, list[SeriesTable]] = {}
    for part in parts:
        by_name.setdefault(part.name, []).append(part)
    return tuple(pieces[0] if len(pieces) == 1 else _chained(pieces) for pieces in by_name.values())


def _chained(pieces: list[SeriesTable]) -> SeriesTable:
    pieces = sorted(pieces, key=lambda piece: int(piece.times[0]))
    name, times = pieces[0].name, np.concatenate([piece.times for piece in pieces])
    if (np.diff(times) <= 0).any():
        at = int(np.argmax(np.diff(times) <= 0))
        raise DataError(
            f"series '{name}' is in several files whose times overlap at {rfc3339(int(times[at]))}; "
            "put each time into one file, or name the files' series apart"
        )
    labels = [piece.labels for piece in pieces if piece.labels is not None]
    whole = np.concatenate(labels) if len(labels) == len(pieces) else None
    return SeriesTable(name, times, np.concatenate([piece.values for piece in pieces]), whole)


def _table(
    files: tuple[Path, ...],
    understood: Sequence[Columns],
    features: tuple[str, ...],
    series: tuple[SeriesTable, ...],
) -> Table:
    """Put it together, with remarks on what was left out."""
    first = understood[0]
    labels = [columns.label_column for columns in understood if columns.label_column]
    empty = [name for name in first.features if name not in features]
    notes = [note for columns in understood for note in columns.notes]
    notes += [f"column '{name}' is ignored: it has no value at all" for name in empty]
    dropped = sum(len(columns.values) for columns in understood) - sum(len(part.times) for part in series)
    if dropped:
        notes.append(f"repeated times: {dropped} reading{'s' * (dropped > 1)} left out, the first of each time stays")
    if not features:
        raise DataError(f"{files[0]} has numeric columns without any value; give a file with readings")
    column, form = first.time_column, first.times.form
    return Table(
        features,
        series,
        _interval(series),
        files,
        column,
        form,
        first.series_column,
        labels[0] if labels else None,
        tuple(dict.fromkeys(notes)),
    )


def _interval(series: Sequence[SeriesTable]) -> int:
    """The median time between readings over all series, at least 1; a second if there is no second reading."""
    steps = np.concatenate([np.diff(part.times) for part in series])
    return max(int(np.median(steps)), 1) if len(steps) else 1_000_000
