"""Long form, a row for each value beside a column that names its feature: found, and turned into rows of all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.faults import DataError
from training.features import PANDAS_INDEX, ROW_NUMBERS, take_numbers
from training.roles import Names, Reader, is_number, is_text, listed, plain
from training.table import SeriesTable
from training.wording import option

FEATURE_WORDS = ("metric", "variable", "sensor", "feature", "signal", "parameter", "tag", "channel", "measurement")
FEATURE_NAMES = (*FEATURE_WORDS, *(f"{word}_name" for word in FEATURE_WORDS), "field", "attribute")
MOST_FEATURES = 10_000
LARGE_CELLS, LEAST_FILLED = 10_000_000, 0.01  # a table that is large and emptier than that is a mistake
VALUE_NAMES = ("value", "values", "val", "reading", "measured_value")


@dataclass(frozen=True, eq=False)
class Long:
    """Which feature each row of a sheet is of, and its value there."""

    feature_column: str
    features: Names
    values: NDArray[np.float64]  # (row,), NaN is missing


def take_long(reader: Reader, series_names: Sequence[str]) -> Long | None:
    """The feature of each row and its value, if the sheet is in long form; takes their two columns off it."""
    found = _named(reader) or _unmistakable(reader, series_names)
    if found is None:
        return None
    feature, value = found
    features = reader.names_in(feature, "feature", option("feature"))
    if len(features.names) > MOST_FEATURES:
        raise DataError(
            f"{reader.sheet.path}: column '{feature}' names {len(features.names):,} features, more than "
            f"{MOST_FEATURES:,}; name another with {option('feature')}"
        )
    values = take_numbers(reader, value)
    if values is None:
        raise DataError(f"{reader.sheet.path}: column '{value}' holds no numbers; name another with {option('value')}")
    return Long(feature, features, values)


def _named(reader: Reader) -> tuple[str, str] | None:
    """The two columns, if the caller names one of them at least."""
    feature, value = reader.wanted.feature, reader.wanted.value
    if feature is None and value is None:
        return None
    left = {name: column for name, column in reader.left.items() if name not in (feature, reader.wanted.series)}
    features = [] if feature else [name for name in reader.named(FEATURE_NAMES) if is_text(reader.left[name])]
    values = [] if value else [name for name in reader.named(VALUE_NAMES) if name in left]
    values = values or [name for name, column in left.items() if is_number(column)]
    for what, name, likely in (("feature", feature, features), ("value", value, values)):
        if name is None and len(likely) != 1:
            raise DataError(
                f"{reader.sheet.path} is to be read in long form, and it is not clear which of its columns is "
                f"{option(what)} ({listed(reader.sheet.names)}); name it with {option(what)}"
            )
    return feature or features[0], value or values[0]


def _unmistakable(reader: Reader, series_names: Sequence[str]) -> tuple[str, str] | None:
    """A column of texts that is called as features are, one called a value, and no other number that could be one."""
    features = [name for name in reader.named(FEATURE_NAMES) if is_text(reader.left[name])]
    values = [name for name in reader.named(VALUE_NAMES) if is_number(reader.left[name])]
    if len(features) != 1 or len(values) != 1 or reader.wanted.series == features[0]:
        return None
    known = {*series_names, *ROW_NUMBERS}  # labels are taken already
    rest = {name: column for name, column in reader.left.items() if not name.startswith(PANDAS_INDEX)}
    others = [name for name, column in rest.items() if is_number(column) and plain(name) not in known]
    if [name for name in others if name != reader.wanted.series] != values:
        return None
    as_series = option("series", f"'{features[0]}'")
    reader.notes.append(
        f"read in long form: column '{features[0]}' names the feature whose value is in '{values[0]}'; "
        f"{as_series} would make each a series of its own"
    )
    return features[0], values[0]


def pivot(name: str, parts: Mapping[str, SeriesTable], features: Sequence[str]) -> SeriesTable:
    """One series of all its features: a row for each time that any has, NaN where one has none.

    `parts` are by feature, each with one column; a row's label holds if any of its values' does.
    """
    times = np.unique(np.concatenate([part.times for part in parts.values()]))
    _check_filled(name, len(times), len(features), sum(len(part.times) for part in parts.values()))
    values = np.full((len(times), len(features)), np.nan)
    labels = np.zeros(len(times), bool)
    for feature, part in parts.items():
        rows = np.searchsorted(times, part.times)
        values[rows, features.index(feature)] = part.values[:, 0]
        if part.labels is not None:
            labels[rows] |= part.labels
    labelled = any(part.labels is not None for part in parts.values())
    return SeriesTable(name, times, values, labels if labelled else None)


def _check_filled(name: str, times: int, features: int, values: int) -> None:
    """Refuse what would be next to nothing but gaps, and take all the memory that there is."""
    if times * features > LARGE_CELLS and values < LEAST_FILLED * times * features:
        raise DataError(
            f"series '{name}' in long form has {values:,} values of {features:,} features at {times:,} times, so that "
            f"less than {LEAST_FILLED:.0%} of its table is filled; put them on a grid by {option('resample')}, such as "
            f"1min, or name another column with {option('feature')}"
        )
