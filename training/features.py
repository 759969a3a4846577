"""The label of a sheet's rows, and the numbers in its other columns."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from schemas.reading import FLOAT32_MAX
from training.faults import DataError
from training.roles import Reader, examples, is_number, is_text, listed, plain
from training.times import numbers
from training.wording import option

AUTOMATIC_LABELS = ("anomaly", "label", "is_anomaly")
LABEL_NAMES = frozenset([*AUTOMATIC_LABELS, "changepoint", "change_point", "outlier", "is_outlier", "ground_truth"])
ROW_NUMBERS = ("index", "id", "row", "row_id", "no", "nr")
PANDAS_INDEX = "__index_level_"  # begins the name of an index without one, in Parquet


def take_label(reader: Reader) -> tuple[str | None, NDArray[np.bool_] | None]:
    """The ground truth: the column named, else the first of the usual names that holds only 0 and 1."""
    name, labels = _find_label(reader)
    if name is not None:
        reader.left.pop(name, None)
    for other in [column for column in reader.left if plain(column) in LABEL_NAMES]:
        why = _why_unfit(reader.left[other]) if name is None and plain(other) in AUTOMATIC_LABELS else ""
        reader.notes.append(f"column '{other}' is ignored: by its name it is a label, and a label is no feature{why}")
        del reader.left[other]
    return name, labels


def _why_unfit(column: pa.ChunkedArray) -> str:
    """Why a column is no ground truth, by its first value that is neither 0 nor 1."""
    row = int(np.argmin(np.isin(_label_values(column), (0.0, 1.0))))
    value = column[row].as_py()
    found = "no value" if value is None else repr(value)
    return f"; it is not used as one either: row {row + 1} holds {found}, and a label is 0 (normal) or 1 (anomaly)"


def _find_label(reader: Reader) -> tuple[str | None, NDArray[np.bool_] | None]:
    if (name := reader.wanted.label) is not None:
        if name not in reader.left:
            return None, None
        values = _label_values(reader.left[name])
        if (wrong := ~np.isin(values, (0.0, 1.0))).any():
            row = int(np.argmax(wrong))
            value = reader.left[name][row].as_py()
            found = "no label" if value is None else f"the label is {value!r}"
            raise reader.error(row, name, f"{found}; a label is 0 (normal) or 1 (anomaly)")
        return name, values == 1
    for name in reader.named(AUTOMATIC_LABELS):
        values = _label_values(reader.left[name])
        if np.isin(values, (0.0, 1.0)).all():
            return name, values == 1
    return None, None


def _label_values(column: pa.ChunkedArray) -> NDArray[np.float64]:
    """A label column as numbers, NaN where it holds none."""
    if pa.types.is_boolean(column.type):
        column = column.cast(pa.int8())
    return np.full(len(column), np.nan) if is_text(column) or not is_number(column) else numbers(column)


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
    column = reader.left[name]
    if is_text(column):
        _refuse_stray_text(reader, name)
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
        return f"{column.type} is no number"
    if name.startswith(PANDAS_INDEX):
        return "it is an index of pandas' without a name"
    if (plain(name) in ROW_NUMBERS or plain(name).startswith("unnamed")) and _counts_rows(column):
        return "it counts the rows"
    return None


def _refuse_stray_text(reader: Reader, name: str) -> None:
    """A column of numbers with a word in it is a mistake to mend, not a column of text."""
    column, dialect = reader.left[name], reader.sheet.dialect
    texts, counts = column.drop_null().value_counts().flatten()  # each text once, and how often
    numerals = texts.to_pandas()
    if dialect is not None and dialect.decimal == ",":
        numerals = numerals.str.replace(",", ".")
    stray = pd.to_numeric(numerals, errors="coerce").isna().to_numpy()
    if counts.to_numpy()[stray].sum() < 0.5 * (len(column) - column.null_count):
        row = pc.index(pc.is_in(column, texts.filter(pa.array(stray))), value=True).as_py()
        value = column[row].as_py()
        quoted = " (a quote on this line ends lines below)" if "\n" in value else ""
        ignoring = option("ignore", f"'{name}'")
        raise reader.error(row, name, f"{value!r:.60} is no number{quoted}; mend it, leave it empty, or {ignoring}")


def _finite(reader: Reader, name: str, values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Values that a worker would accept too: finite within float32."""
    if (beyond := np.abs(values) > FLOAT32_MAX).any():
        row = int(np.argmax(beyond))
        raise reader.error(
            row, name, f"{values[row]:g} is infinite or beyond 3.4e38; leave the value empty if it is missing"
        )
    return values


def _counts_rows(column: pa.ChunkedArray) -> bool:
    return pa.types.is_integer(column.type) and not column.null_count and bool(np.all(np.diff(numbers(column)) == 1))
