"""What a sheet says: its columns by role, found by name, by what they hold, or as told."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from training.faults import DataError
from training.features import take_features
from training.labels import take_label
from training.long_form import Long, take_long
from training.roles import Names, Reader, Wanted, is_text, listed, plain
from training.sheets import Sheet
from training.time_column import take_time
from training.times import Times
from training.wording import option

SERIES_NAMES = (
    *("series_id", "series", "machine_id", "machine", "device_id", "device", "sensor_id", "asset_id", "unit_id"),
    *("unit_number", "host", "hostname", "id"),
)
THINGS = ("asset", "unit", "node", "pump", "turbine", "engine", "vehicle")  # as numbers, these may be sensors
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
    reader = Reader(sheet, wanted, _comments(sheet))
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


def _comments(sheet: Sheet) -> list[str]:
    if sheet.dialect is None or not sheet.dialect.comment:
        return []
    above = sheet.dialect.above
    where = "line 1 is" if above == 1 else f"the first {above} lines are"
    return [f"{where} left out: above the table, and begin{'s' * (above == 1)} with # ({sheet.dialect.comment!r:.60})"]


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
