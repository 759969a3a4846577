"""From files of readings to series in order of time: the first stage, and how score, produce and demo read files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pyarrow as pa

from schemas.printable import printable
from training.artifacts import Artifacts, write_json
from training.assemble import Pieces, put_together, take_apart
from training.columns import Columns, understand
from training.csv_file import dialect_of
from training.faults import DataError
from training.health import examine
from training.rejects import Copies
from training.rejects import spelled as spelled_rejects
from training.roles import Wanted, listed
from training.sheets import Sheet, column_names, is_text_file, open_sheet
from training.sources import Source, refuse_other_shape
from training.table import SeriesTable, Table, describe, save
from training.times import spelled
from training.wording import option

__all__ = ["DataError", "SeriesTable", "Table", "Wanted", "find_files", "read", "run"]

SUFFIXES = (".csv", ".tsv", ".parquet", ".csv.gz", ".tsv.gz")
AS_FOUND = Wanted()


def run(artifacts: Artifacts, path: Path | str, wanted: Wanted) -> Table:
    """Read the files and leave what they hold, as it is, in the run's folder."""
    table = read(path, wanted)
    save(table, artifacts.raw)
    health = examine(table.series, table.features, table.interval_us)
    write_json(artifacts.ingestion, {**describe(table), "health": asdict(health)})
    return table


def read(path: Path | str, wanted: Wanted = AS_FOUND) -> Table:
    """Read a CSV (gz too) or Parquet file, or all of a folder's, each a series by its name if no column says more.

    A DataError says in a sentence what is wrong with a file, where, and what to do.
    """
    root = Path(path)
    files = find_files(root)
    _check_optional(files, wanted)
    sources: list[Source] = []
    pieces: Pieces = {}
    rows = kept = 0
    with Copies() as copies:
        for file in files:
            sheet, columns = _understood(file, wanted, copies)
            pa.default_memory_pool().release_unused()  # what Arrow would keep for later is as much again
            sources.append(Source.of(file, columns))
            refuse_other_shape(sources[0], sources[-1])
            repeats = wanted.resample is not None
            for part, piece in take_apart(sheet, columns, sources[0].features, _file_name(file, root), repeats=repeats):
                pieces.setdefault(part, []).append(piece)
                kept += len(piece.times)
            rows += columns.rows
            del sheet, columns  # before the next file is read
    table = _table(sources, pieces, wanted, dropped=rows - kept)
    if not copies.rejected:
        return table
    note = f"rejected rows: {len(copies.rejected)} left out ({spelled_rejects(copies.rejected)})"
    return replace(table, rejected=tuple(copies.rejected), notes=(*table.notes, note))


def _understood(file: Path, wanted: Wanted, copies: Copies) -> tuple[Sheet, Columns]:
    """A file's columns by their roles; without its few bad rows, where they are to be left out."""
    try:
        sheet = open_sheet(file)
        return sheet, understand(sheet, wanted)
    except DataError as error:
        if not wanted.reject or not is_text_file(file):
            raise
        copy = copies.make(file, dialect_of(file, errors="surrogateescape"), error)
        if copy is None:
            raise
    sheet = open_sheet(copy)
    return sheet, understand(sheet, wanted)


def find_files(root: Path) -> tuple[Path, ...]:
    """The file itself, or the data files under a folder by name; hidden ones are passed over."""
    if root.is_file():
        return (root,)
    if not root.exists():
        raise DataError(f"{root} does not exist; give a CSV or Parquet file, or a folder of them")
    if not root.is_dir():
        raise DataError(f"{root} is neither a file nor a folder; write what comes from it into a file, and give that")
    files = sorted(file for file in root.rglob("*") if file.is_file() and file.name.lower().endswith(SUFFIXES))
    visible = tuple(file for file in files if not any(p.startswith(".") for p in file.relative_to(root).parts))
    if not visible:
        raise DataError(f"{root} holds no file that ends in {listed(SUFFIXES)}; name the file itself")
    return visible


def _check_optional(files: Sequence[Path], wanted: Wanted) -> None:
    """A label or an ignored column may be absent in some files, not in all."""
    named = [(told, name) for told, name in wanted.named if told not in wanted.needed]
    known = dict.fromkeys(name for file in files for name in column_names(file)) if named else {}
    for told, name in named:
        if name not in known:
            raise DataError(f"{files[0]} has no column '{name}' ({told}); it has {listed(known)}")


def _file_name(file: Path, root: Path) -> str:
    """A file's name for its series: under a folder with the path, without what tells only the format."""
    relative = file.relative_to(root) if file != root else Path(file.name)
    name = relative.as_posix()
    for suffix in (".gz", ".csv", ".tsv", ".parquet", ".txt"):
        name = name.removesuffix(suffix)
    return name


def _table(sources: Sequence[Source], pieces: Pieces, wanted: Wanted, dropped: int) -> Table:
    """Put it together, with remarks on what was left out."""
    first = sources[0]
    if wanted.resample is not None and first.time_column is None:
        raise DataError(
            f"{first.file} has no column of times to {option('resample')} by; name it with {option('time')}"
        )
    every = tuple(dict.fromkeys(name for source in sources for name in source.features))
    series = put_together(pieces, every, wanted.resample)
    there = [place for place in range(len(every)) if any(_has_values(one, place) for one in series)]
    empty = sorted(set(range(len(every))).difference(there))
    if not there:
        raise DataError(f"{first.file} has numeric columns without any value; give a file with readings")
    notes = [note for source in sources for note in source.notes]
    notes += [f"column '{every[place]}' is ignored: it has no value at all" for place in empty]
    notes += _apart(series, wanted) if first.feature_column else []
    if dropped:
        notes.append(f"repeated times: {dropped} reading{'s' * (dropped > 1)} left out, the first of each time stays")
    return Table(
        tuple(every[place] for place in there),
        series if not empty else tuple(_columns(one, there) for one in series),
        _interval(series),
        tuple(source.file for source in sources),
        first.time_column,
        first.time_form,
        first.series_column,
        next((source.label_column for source in sources if source.label_column), None),
        tuple(dict.fromkeys(map(printable, notes))),
        first.feature_column,
        wanted.resample,
    )


def _apart(series: Sequence[SeriesTable], wanted: Wanted) -> list[str]:
    """Say when the features of a file in long form have their values at times of their own."""
    missing = sum(int(np.isnan(one.values).sum()) for one in series)
    if wanted.resample is not None or 2 * missing < sum(one.values.size for one in series):
        return []
    steps = np.concatenate([np.diff(one.times[~np.isnan(column)]) for one in series for column in one.values.T])
    usual = spelled(np.median(steps).item()).replace(" ", "") if len(steps) else "INTERVAL"
    return [
        "half or more of the values are missing, for features are seldom at the same times; "
        f"{option('resample', usual)} would put them on one grid"
    ]


def _has_values(series: SeriesTable, place: int) -> bool:
    return not np.isnan(series.values[:, place]).all()


def _columns(series: SeriesTable, places: Sequence[int]) -> SeriesTable:
    return replace(series, values=series.values[:, places])


def _interval(series: Sequence[SeriesTable]) -> int:
    """The median time between readings over all series, at least 1; a second if there is no second reading."""
    steps = np.concatenate([np.diff(one.times) for one in series])
    return max(int(np.median(steps)), 1) if len(steps) else 1_000_000
