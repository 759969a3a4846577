"""The label of a sheet's rows: the ground truth, which is never a feature."""

from __future__ import annotations

import re
from collections.abc import Collection

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from training.numerals import Numerals
from training.roles import Reader, is_number, is_text, plain
from training.times import numbers
from training.wording import option

AUTOMATIC = ("anomaly", "label", "anomalous")
KNOWN = (*AUTOMATIC, "changepoint", "outlier", "groundtruth")
LIKELY = ("fault", "faulty", "failure", "failed", "defect", "defective", "intrusion", "attack", "class", "target")


def take_label(reader: Reader) -> tuple[str | None, NDArray[np.bool_] | None]:
    """The ground truth: the column named, else the first of the usual names that holds only 0 and 1.

    What else is a label by its name is left out with a note.
    """
    name, labels = _find_label(reader)
    if name is not None:
        reader.left.pop(name, None)
    for other in [other for other in reader.left if other not in reader.wanted.needed.values()]:
        if (why := _why_no_feature(other, reader.left[other], labelled=name is not None)) is not None:
            reader.notes.append(f"column '{other}' is ignored: {why}")
            del reader.left[other]
    return name, labels


def _find_label(reader: Reader) -> tuple[str | None, NDArray[np.bool_] | None]:
    if (name := reader.wanted.label) is not None:
        if name not in reader.left:
            return None, None
        values = _values(reader.left[name])
        if (wrong := ~np.isin(values, (0.0, 1.0))).any():
            row = int(np.argmax(wrong))
            value = reader.left[name][row].as_py()
            found = "no label" if value is None else f"the label is {value!r}"
            raise reader.error(row, name, f"{found}; a label is 0 (normal) or 1 (anomaly)")
        return name, values == 1
    for name in [name for word in AUTOMATIC for name in reader.left if _is_called(name, (word,))]:
        values = _values(reader.left[name])
        if name not in reader.wanted.needed.values() and np.isin(values, (0.0, 1.0)).all():
            return name, values == 1
    return None, None


def _is_called(name: str, words: Collection[str]) -> bool:
    """Whether a column's name is one of `words`, however it is put: `is_anomaly`, `Labels`, `ground truth`."""
    word = plain(name).replace("_", "").removeprefix("is")
    return not {word, word.removesuffix("s"), re.sub("ies$", "y", word)}.isdisjoint(words)


def _why_no_feature(name: str, column: pa.ChunkedArray, *, labelled: bool) -> str | None:
    """Why a column that is not the label is no feature either; None if its name does not say so."""
    if _is_called(name, KNOWN):
        why = "" if labelled or not _is_called(name, AUTOMATIC) else _why_unfit(column)
        return f"by its name it is a label, and a label is no feature{why}"
    likely = _is_called(name, LIKELY) or "attack" in plain(name).split("_")
    if likely and _holds_two_values(column):
        naming = option("label", f"'{name}'")
        return f"with that name and two values it is likely a label; {naming} makes it one, another name a feature"
    return None


def _holds_two_values(column: pa.ChunkedArray) -> bool:
    return bool((is_number(column) or pa.types.is_boolean(column.type)) and pc.count_distinct(column).as_py() <= 2)


def _why_unfit(column: pa.ChunkedArray) -> str:
    """Why a column is no ground truth, by its first value that is neither 0 nor 1."""
    row = int(np.argmin(np.isin(_values(column), (0.0, 1.0))))
    value = column[row].as_py()
    found = "no value" if value is None else repr(value)
    return f"; it is not used as one either: row {row + 1} holds {found}, and a label is 0 (normal) or 1 (anomaly)"


def _values(column: pa.ChunkedArray) -> NDArray[np.float64]:
    """A label column as numbers, NaN where it holds none."""
    if is_text(column):
        return Numerals.of(column).values
    if pa.types.is_boolean(column.type):
        column = column.cast(pa.int8())
    return numbers(column) if is_number(column) else np.full(len(column), np.nan)
