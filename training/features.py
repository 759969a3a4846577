"""The label of a sheet's rows, and the numbers in its other columns."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from schemas.reading import FLOAT32_MAX
from training.roles import Reader, examples, is_number, is_text, listed, plain
from training.sheets import DataError
from training.times import numbers

AUTOMATIC_LABELS = ("anomaly", "label", "is_anomaly")
LABEL_NAMES = frozenset([*AUTOMATIC_LABELS, "changepoint", "change_point", "outlier", "is_outlier", "ground_truth"])
ROW_NUMBERS = ("index", "id", "row", "row_id", "no", "nr")


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
        if name not in reader.sheet.columns:
            return None, None
        values = _label_values(reader.sheet.columns[name])
        if (wrong := ~np.isin(values, (0.0, 1.0))).any():
            row = int(np.argmax(wrong))
            value = reader.sheet.columns[name][row].as_py()
            raise reader.error(row, name, f"the label is {value!r}; a label is 0 (normal) or 1 (anomaly)")
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


def take_features(reader: Reader) -> tuple[tuple[str, ...], NDArray[np.float64]]:
    """All numeric columns that are left, as one array."""
    found = {name: values for name in reader.left if (values := _feature(reader, name)) is not None}
    if not found:
        raise DataError(
            f"{reader.sheet.path} has no numeric column to learn from (columns: {listed(reader.sheet.columns)}); "
            "give a file with a column of numbers for each sensor"
        )
    return tuple(found), np.column_stack(list(found.values()))


def _feature(reader: Reader, name: str) -> NDArray[np.float64] | None:
    """A column's numbers; None, with a note, if it is of another kind."""
    column = reader.left[name]
    if is_text(column):
        _refuse_stray_text(reader, name)
        reader.notes.append(f"column '{name}' is ignored: it holds text ({examples(column)})")
        return None
    if pa.types.is_boolean(column.type):
        reader.notes.append(f"column '{name}' holds true and false: read as 1 and 0, and to be sent so")
        column = column.cast(pa.int8())
    if not is_number(column):
        reader.notes.append(f"column '{name}' is ignored: {column.type} is no number")
        return None
    if (plain(name) in ROW_NUMBERS or plain(name).startswith("unnamed")) and _counts_rows(column):
        reader.notes.append(f"column '{name}' is ignored: it counts the rows")
        return None
    return _finite(reader, name, numbers(column))


def _refuse_stray_text(reader: Reader, name: str) -> None:
    """A column of numbers with a word in it is a mistake to mend, not a column of text."""
    texts = reader.left[name].to_pandas()
    dialect = reader.sheet.dialect
    if dialect is not None and dialect.decimal == ",":
        texts = texts.str.replace(",", ".")
    stray = (texts.notna() & pd.to_numeric(texts, errors="coerce").isna()).to_numpy()
    if stray.sum() < 0.5 * texts.notna().sum():
        row = int(np.argmax(stray))
        value = reader.left[name][row].as_py()
        quoted = " (a quote on this line ends lines below)" if "\n" in value else ""
        raise reader.error(
            row, name, f"{value!r:.60} is no number{quoted}; mend it, leave it empty, or --ignore '{name}'"
        )


def _finite(reader: Reader, name: str, values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Values that a worker would accept too: finite within float32."""
    beyond = np.abs(values) > FLOAT32_MAX
    if beyond.any():
        row = int(np.argmax(beyond))
        raise reader.error(
            row, name, f"{values[row]:g} is infinite or beyond 3.4e38; leave the value empty if it is missing"
        )
    return values


def _counts_rows(column: pa.ChunkedArray) -> bool:
    return pa.types.is_integer(column.type) and not column.null_count and bool(np.all(np.diff(numbers(column)) == 1))
