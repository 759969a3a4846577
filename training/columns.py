"""What a sheet says: its columns by role, found by name, by what they hold, or as told."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from training.dialect import DATE
from training.faults import DataError
from training.features import take_features, take_label
from training.long_form import Long, take_long
from training.roles import Names, Reader, Wanted, is_text, listed, plain, sample
from training.sheets import Sheet
from training.times import Times, from_column, row_numbers
from training.times import named as named_time
from training.wording import option

TIME_NAMES = ("timestamp", "datetime", "date_time", "time", "date", "ts", "time_stamp", "event_time", "epoch", "t")
SERIES_NAMES = (
    *("series_id", "series", "machine_id", "machine", "device_id", "device", "sensor_id", "asset_id", "unit_id"),
    *("unit_number", "host", "hostname", "id"),
)
THINGS = ("asset", "unit", "node", "pump", "turbine", "engine", "vehicle")  # as numbers, these may be sensors
RUNNING = 0.75  # the share of steps forward from which on a column that is called a time is one
ROWS_PER_SERIES = 4  # a column of names has at least so many rows for each


@dataclass(frozen=True, eq=False)
class Columns:
    """A sheet, understood: arrays of one entry a row, and remarks on what was left out."""

    values: dict[str, NDArray[np.float64]]  # by feature, (row,) each, NaN is missing; none in long form
    long: Long | None  # in long form
    times: Times
    time_column: str | None
    series: Names | None
    series_column: str | None
    labels: NDArray[np.bool_] | None
    label_column: str | None
    notes: tuple[str, ...]

    @property
    def features(self) -> tuple[str, ...]:
        """The features, whatever the form."""
        return tuple(self.values) if self.long is None else self.long.features.names

    @property
    def rows(self) -> int:
        """The number of rows of the file."""
        return len(self.times.micros)


def understand(sheet: Sheet, wanted: Wanted) -> Columns:
    """Give every column of a sheet its role, and take it off the sheet, to have nothing in memory twice for long.

    A DataError names what can not be used.
    """
    _check_named(sheet, wanted)
    reader = Reader(sheet, wanted)
    for name in wanted.ignore:
        reader.left.pop(name, None)
    time_column, times = take_time(reader)
    label_column, labels = take_label(reader)
    long = take_long(reader, SERIES_NAMES + THINGS)
    series_column = take_series(reader, times, long)
    series = None if series_column is None else reader.names_in(series_column, "series", option("series"))
    values = take_features(reader) if long is None else {}
    notes = (*reader.notes, *([] if long is None else _left_over(reader)))
    return Columns(values, long, times, time_column, series, series_column, labels, label_column, notes)


def _left_over(reader: Reader) -> list[str]:
    return [f"column '{name}' is ignored: in long form, only the value's column is read" for name in reader.left]


def _check_named(sheet: Sheet, wanted: Wanted) -> None:
    """Columns that are needed are there, and none has two roles."""
    for told, name in wanted.needed.items():
        if name not in sheet.names:
            raise DataError(f"{sheet.path} has no column '{name}' ({told}); it has {listed(sheet.names)}")
    roles: dict[str, str] = {}
    for told, name in wanted.named:
        if roles.setdefault(name, told) != told:
            raise DataError(f"column '{name}' is named by {roles[name]} and by {told}; a column has one role")


def take_time(reader: Reader) -> tuple[str | None, Times]:
    """The time of each row: the column named, else one known by name, else one that holds dates, else row numbers."""
    wanted = reader.wanted
    column, times = _find_time(reader, [wanted.series, wanted.label, wanted.feature, wanted.value])
    if column is None or times is None:
        return None, row_numbers(reader.sheet.rows)
    if not times.valid.all():
        row = int(np.argmin(times.valid))
        value = reader.left[column][row].as_py()
        problem = "no time" if value is None else f"'{value}' is no time like those around it"
        raise reader.error(
            row, column, f"{problem}; mend or remove the line, or name another column with {option('time')}"
        )
    del reader.left[column]
    return column, times


def _find_time(reader: Reader, reserved: Sequence[str | None]) -> tuple[str | None, Times | None]:
    if (name := reader.wanted.time) is not None:
        times = named_time(reader.left[name])
        if times is None or not times.share:
            value = reader.left[name][0].as_py()
            problem = "no time" if value is None else f"'{value}' is no time"
            raise reader.error(0, name, f"{problem}; name another with {option('time')}")
        return name, times
    for name in reader.named(TIME_NAMES):
        if name not in reserved:
            times = _with_time_of_day(reader, name) or named_time(reader.left[name])
            if times is not None and times.share >= 0.5 and _runs(times):
                return name, times
    for name in [name for name in reader.left if name not in reserved]:
        if _holds_dates(reader.left[name]) or _counts_epochs(reader, name):
            return name, from_column(reader.left[name])
    return None, None


def _runs(times: Times) -> bool:
    """Whether nearly all steps go forward: a temperature called `t` goes up and down."""
    steps = np.diff(times.micros[times.valid])
    return not len(steps) or float(np.mean(steps >= 0)) >= RUNNING


def _with_time_of_day(reader: Reader, date: str) -> Times | None:
    """A column of dates beside a column of times of day are one time."""
    for name in reader.named(("time", "hour", "time_of_day")):
        if name != date and plain(date) == "date" and _is_time_of_day(reader.left[name]):
            parts = [reader.left[column].cast(pa.string()) for column in (date, name)]
            times = from_column(pc.binary_join_element_wise(*parts, " "))
            del reader.left[name]
            return times
    return None


def _is_time_of_day(column: pa.ChunkedArray) -> bool:
    if pa.types.is_time(column.type):
        return True
    return is_text(column) and all(re.fullmatch(r"\d{1,2}:\d{2}.*", text) for text in sample(column))


def _holds_dates(column: pa.ChunkedArray) -> bool:
    """Whether a column is typed as time, or every text in it starts with a date."""
    if pa.types.is_timestamp(column.type) or pa.types.is_date(column.type):
        return True
    texts = sample(column) if is_text(column) else []
    return bool(texts) and all(DATE.fullmatch(text) and text[2:3] != ":" for text in texts)


def _counts_epochs(reader: Reader, name: str) -> bool:
    """Whether the first column is whole numbers, never falling, in the range of epochs."""
    column = reader.left[name]
    if name != next(iter(reader.left)) or not pa.types.is_integer(column.type) or column.null_count:
        return False
    times = from_column(column)
    return times is not None and bool(np.all(np.diff(times.micros) >= 0))


# Series


def take_series(reader: Reader, times: Times, long: Long | None) -> str | None:
    """The column that tells series apart: the one named, one known by name, or the texts that untangle the times.

    In long form times are tangled where they do not rise within each feature.
    """
    if (name := reader.wanted.series) is not None:
        return name
    within = np.zeros(reader.sheet.rows, np.int32) if long is None else long.features.codes
    tangled = not _rise(times, within)
    for name in reader.named(SERIES_NAMES + THINGS):
        needed = tangled or plain(name) in SERIES_NAMES or is_text(reader.left[name])
        if needed and _names_series(reader.left[name]):
            return name
    if not tangled:
        return None
    for name, column in reader.left.items():
        if is_text(column) and _names_series(column) and _rise(times, within, codes_of(column)):
            reader.notes.append(f"column '{name}' tells the series apart, for times rise within each of its values")
            return name
    return None


def _names_series(column: pa.ChunkedArray) -> bool:
    """Whether texts or whole numbers repeat as names do."""
    if not (is_text(column) or pa.types.is_integer(column.type)):
        return False
    return bool(pc.count_distinct(column).as_py() * ROWS_PER_SERIES <= len(column))


def _rise(times: Times, *keys: NDArray[np.int32]) -> bool:
    """Whether times rise within rows whose keys are all the same."""
    order = np.lexsort(keys)
    same = np.logical_and.reduce([np.diff(key[order]) == 0 for key in keys])
    return bool(np.all((np.diff(times.micros[order]) > 0) | ~same))


def codes_of(column: pa.ChunkedArray) -> NDArray[np.int32]:
    """A number for each distinct text of a column, (row,); what is missing has one of its own."""
    codes: NDArray[np.int32] = column.dictionary_encode("encode").combine_chunks().indices.to_numpy()
    return codes
