"""From the columns of files to series in order of time: rows taken apart by series, files' pieces put together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from training.columns import Columns
from training.faults import DataError
from training.grid import Resampling
from training.long_form import pivot
from training.resample import aggregate, regular
from training.roles import Names
from training.sheets import Sheet
from training.table import SeriesTable
from training.times import UNITS, Times, rfc3339, row_numbers
from training.wording import option

CLOCK_CHANGE = UNITS["h"]  # that summer time is put back by; by half of it on Lord Howe Island
DUPLICATE_SHARE = 0.01  # up to so many readings of a time that was already there are dropped, more are an error


class Part(NamedTuple):
    """Whose readings a piece has: of a series, and in long form of one feature of it, else of all."""

    series: str
    feature: str | None

    def __str__(self) -> str:
        return f"series '{self.series}'" + ("" if self.feature is None else f", feature '{self.feature}',")


Pieces = dict[Part, list[SeriesTable]]


def take_apart(
    sheet: Sheet, columns: Columns, features: Sequence[str], name: str, *, repeats: bool
) -> Iterator[tuple[Part, SeriesTable]]:
    """A sheet's rows by part, each in the order of the file; `name` is the series' if no column tells.

    With `repeats` a time may come again and again; else few readings of the same time are dropped, many are an error.
    The values are taken out of `columns`, to need no memory twice.
    """
    order, parts = _parts(columns, name)
    if columns.long is not None:
        matrix = columns.long.values[order][:, None]
    else:
        matrix = np.empty((columns.rows, len(features)))
        for place, feature in enumerate(features):
            matrix[:, place] = columns.values.pop(feature)[order]
    times, numbers = columns.times.micros[order], np.arange(columns.rows)[order]
    labels = None if columns.labels is None else columns.labels[order]
    for part, rows in parts:
        own = times[rows] if columns.time_column else row_numbers(rows.stop - rows.start).micros
        kept = _rising(sheet, columns, part, own, numbers[rows], repeats=repeats)
        series = SeriesTable(part.series, own, matrix[rows], None if labels is None else labels[rows])
        yield part, series if kept.all() else series.where(kept)


def _parts(columns: Columns, name: str) -> tuple[NDArray[np.int64] | slice, list[tuple[Part, slice]]]:
    """An order in which the rows of each part are adjacent, and where they are then, as parts first appear."""
    whole = np.zeros(columns.rows, np.int32)
    series = columns.series or Names((name,), whole)
    features: Sequence[str | None] = (None,) if columns.long is None else columns.long.features.names
    if columns.series is None and columns.long is None:
        return slice(None), [(Part(name, None), slice(0, columns.rows))]
    keys = series.codes * np.int64(len(features)) + (whole if columns.long is None else columns.long.features.codes)
    order = np.argsort(keys, kind="stable")
    keys = keys[order]
    edges = [*np.flatnonzero(np.diff(keys, prepend=-1)).tolist(), columns.rows]
    found = [divmod(int(keys[begin]), len(features)) for begin in edges[:-1]]
    parts = [Part(series.names[one], features[other]) for one, other in found]
    return order, list(zip(parts, [slice(*edge) for edge in pairwise(edges)], strict=True))


def _rising(
    sheet: Sheet, columns: Columns, part: Part, times: NDArray[np.int64], rows: NDArray[np.int64], *, repeats: bool
) -> NDArray[np.bool_]:
    """The readings to keep: all but a few that repeat the time before them; a time that goes back is an error."""
    steps = np.diff(times)
    doubles = np.concatenate([[False], (steps == 0) & (not repeats)])
    falls, many = bool((steps < 0).any()), doubles.sum() > DUPLICATE_SHARE * len(times)
    if falls or many:
        at = int(np.argmax(steps < 0)) + 1 if falls else int(np.argmax(doubles))
        what = "is before" if falls else "repeats"
        way = _sorted_by_time(columns.times, steps, at) if falls else _told_apart(columns.times)
        way += "" if columns.series_column else f", or name the column that tells series apart with {option('series')}"
        raise DataError(
            f"{sheet.path} {sheet.place(int(rows[at]))}: time {rfc3339(int(times[at]))} of {part} "
            f"{what} {rfc3339(int(times[at - 1]))} above it; {way}"
        )
    return ~doubles


def _sorted_by_time(times: Times, steps: NDArray[np.int64], at: int) -> str:
    """What to do about a time that goes back; a local clock that is put back by an hour does so once a year."""
    back = int(np.median(steps)) - int(steps[at - 1])  # of where the next reading was to be
    if times.local and back in (CLOCK_CHANGE, CLOCK_CHANGE // 2):
        return (
            "if the clock was put back there, write times with their offset, such as 2026-10-25T02:00:00+01:00; "
            "else sort the file by time"
        )
    return "sort the file by time"


def _told_apart(times: Times) -> str:
    """What to do about a time that is there already."""
    finer = "times closer than a microsecond are one; " if times.finer else ""
    return f"{finer}keep one reading for each time, or one an interval by {option('resample')}"


def put_together(pieces: Pieces, features: Sequence[str], how: Resampling | None) -> tuple[SeriesTable, ...]:
    """One table for each series, on a grid if that is asked for. `pieces` is used up, to need no memory twice."""
    series: dict[str, dict[str | None, SeriesTable]] = {}
    for part in list(pieces):
        whole = _chained(part, pieces.pop(part), repeats=how is not None)
        series.setdefault(part.series, {})[part.feature] = whole if how is None else aggregate(whole, how)
    tables = (_joined(name, parts, features) for name, parts in series.items())
    return tuple(tables if how is None else (regular(table, how) for table in tables))


def _joined(name: str, parts: dict[str | None, SeriesTable], features: Sequence[str]) -> SeriesTable:
    """The table of a series, whatever the form it came in."""
    if None in parts:
        return parts[None]
    return pivot(name, {feature: part for feature, part in parts.items() if feature is not None}, features)


def _chained(part: Part, pieces: list[SeriesTable], *, repeats: bool) -> SeriesTable:
    """What several files hold of one part, in order of time."""
    if len(pieces) == 1:
        return pieces[0]
    pieces = sorted(pieces, key=lambda piece: int(piece.times[0]))
    times = np.concatenate([piece.times for piece in pieces])
    wrong = np.diff(times) < (0 if repeats else 1)
    if wrong.any():
        raise DataError(
            f"{part} is in several files whose times overlap at {rfc3339(int(times[int(np.argmax(wrong))]))}; "
            "put each time into one file, or name the files' series apart"
        )
    labels = [piece.labels for piece in pieces if piece.labels is not None]
    whole = np.concatenate(labels) if len(labels) == len(pieces) else None
    return SeriesTable(part.series, times, np.concatenate([piece.values for piece in pieces]), whole)
