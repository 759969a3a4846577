"""The numbers in the columns of a sheet that have no other role."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from schemas.reading import FLOAT32_MAX
from training.faults import DataError
from training.numerals import Numerals
from training.roles import Reader, examples, is_number, is_text, listed, plain
from training.times import numbers
from training.wording import option

ROW_NUMBERS = ("index", "id", "row", "row_id", "no", "nr")
KINDS = (
    (lambda kind: pa.types.is_timestamp(kind) or pa.types.is_date(kind), "times"),
    (pa.types.is_time, "times of day"),
    (pa.types.is_duration, "lengths of time"),
    (pa.types.is_nested, "several values in each row"),
    (lambda kind: pa.types.is_binary(kind) or pa.types.is_large_binary(kind), "bytes"),
)
PANDAS_INDEX = "__index_level_"  # begins the name of an index without one, in Parquet


def take_features(reader: Reader) -> dict[str, NDArray[np.float64]]:
    """All numeric columns that are left, (row,) each."""
    taken = {name: take_numbers(reader, name) for name in list(reader.left)}
    found = {name: values for name, values in taken.items() if values is not None}
    if not found:
        raise DataError(
            f"{reader.sheet.path} has no numeric column to learn from (columns: {listed(reader.sheet.names)}); "
            "give a file with a column of numbers for each sensor"
        )
    return found


def take_numbers(reader: Reader, name: str) -> NDArray[np.float64] | None:
    """Take a column's numbers off the sheet; None, with a note, if it is of another kind."""
    column = _untexted(reader, name) if is_text(reader.left[name]) else reader.left[name]
    del reader.left[name]
    if (why := _why_no_feature(name, column)) is not None:
        reader.notes.append(f"column '{name}' is ignored: {why}")
        return None
    if pa.types.is_boolean(column.type):
        reader.notes.append(f"column '{name}' holds true and false: read as 1 and 0, and to be sent so")
        column = column.cast(pa.int8())
    return _finite(reader, name, numbers(column))


def _why_no_feature(name: str, column: pa.ChunkedArray) -> str | None:
    """What keeps a column from being a feature; None if nothing does."""
    if is_text(column):
        return f"it holds text ({examples(column)})"
    if not is_number(column) and not pa.types.is_boolean(column.type):
        return f"it holds {_kind(column.type)}, no numbers"
    if name.startswith(PANDAS_INDEX):
        return "it is an index of pandas' without a name"
    if (plain(name) in ROW_NUMBERS or plain(name).startswith("unnamed")) and _counts_rows(column):
        return "it counts the rows"
    return None


def _kind(kind: pa.DataType) -> str:
    """A type in words."""
    return next((words for is_one, words in KINDS if is_one(kind)), str(kind))


def _untexted(reader: Reader, name: str) -> pa.ChunkedArray:
    """A column of text as numbers, if it is one of numbers that are written as text or have blanks about them.

    With a word among them it is a mistake to mend, not a column of text.
    """
    column, dialect = reader.left[name], reader.sheet.dialect
    numerals = Numerals.of(column, "." if dialect is None else dialect.decimal)
    if not numerals.are_numbers:
        return column
    if numerals.stray.any():
        row = int(np.argmax(numerals.stray))
        value = column[row].as_py()
        kind = "neither true nor false" if numerals.switches else "no number"
        quoted = " (a quote on this line ends lines below)" if "\n" in value else ""
        ignoring = option("ignore", f"'{name}'")
        raise reader.error(row, name, f"{value!r:.60} is {kind}{quoted}; mend it, leave it empty, or {ignoring}")
    return numerals.column


def _finite(reader: Reader, name: str, values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Values that a worker would accept too: finite within float32."""
    if (beyond := np.abs(values) > FLOAT32_MAX).any():
        row = int(np.argmax(beyond))
        raise reader.error(
            row, name, f"{values[row]:g} is infinite or beyond 3.4e38; leave the value empty if it is missing"
        )
    return values


def _counts_rows(column: pa.ChunkedArray) -> bool:
    return is_number(column) and not column.null_count and bool(np.all(np.diff(numbers(column)) == 1))
