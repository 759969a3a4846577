"""Which column of a sheet is its time: named, found by name, or by what it holds; and why others are none."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from training.dialect import DATE
from training.roles import Reader, is_text, plain, sample
from training.times import Times, from_column, named, row_numbers
from training.wording import option

TIME_NAMES = ("timestamp", "datetime", "date_time", "time", "date", "ts", "time_stamp", "event_time", "epoch", "t")
NEVER_FEATURES = TIME_NAMES[:-1]  # a temperature may be called `t`
A_DATE = "2026-01-31"
RUNNING = 0.75  # the share of steps forward from which on a column that is called a time is one


def take_time(reader: Reader) -> tuple[str | None, Times]:
    """The time of each row: the column named, else one known by name, else one that holds dates, else row numbers.

    Another that is called a time is never a feature: it is left out with a note.
    """
    wanted = reader.wanted
    reserved = [wanted.series, wanted.label, wanted.feature, wanted.value]
    column, times = _find_time(reader, reserved)
    if column is None or times is None:
        column, times = None, row_numbers(reader.sheet.rows)
    else:
        _refuse_invalid(reader, column, times)
        del reader.left[column]
    if times.doubt:
        reader.notes.append(f"column '{column}': {times.doubt}; if that is wrong, write dates as {A_DATE}")
    _leave_out(reader, reserved, column)
    return column, times


def _refuse_invalid(reader: Reader, column: str, times: Times) -> None:
    if times.valid.all():
        return
    row = int(np.argmin(times.valid))
    value = reader.left[column][row].as_py()
    problem = "no time" if value is None else f"'{value}' is no time like those around it"
    raise reader.error(row, column, f"{problem}; mend or remove the line, or name another column with {option('time')}")


def _leave_out(reader: Reader, reserved: Sequence[str | None], found: str | None) -> None:
    """Columns that are called a time, and are not the time."""
    for name in reader.named(NEVER_FEATURES):
        if name not in reserved:
            why, way = _why_no_time(reader.left[name], found)
            apart = "" if found else "; so rows are taken as a second apart"
            reader.notes.append(f"column '{name}' is ignored: {why}{apart}; {way}rename it if it is a feature")
            del reader.left[name]


def _why_no_time(column: pa.ChunkedArray, found: str | None) -> tuple[str, str]:
    """Why it is not the time, and what can be done about that."""
    value = next((value.as_py() for value in column if value.is_valid), None)
    if value is None:
        return "it is called a time, and has no value", ""
    if _is_time_of_day(column):
        return f"it holds times of day ('{value}') without a date", f"write {A_DATE}T10:00:00Z, or "
    times = named(column)
    if times is None or times.share < 0.5:
        return f"it is called a time, and '{value}' is none that is known", f"write {A_DATE}T10:00:00Z, or "
    if not _runs(times):
        return f"it is called a time, and its values ('{value}', ...) go back and forth", "sort the file, or "
    return f"it is called a time, as which column '{found}' is read", ""


def _find_time(reader: Reader, reserved: Sequence[str | None]) -> tuple[str | None, Times | None]:
    if (name := reader.wanted.time) is not None:
        times = named(reader.left[name])
        if times is None or not times.share:
            value = reader.left[name][0].as_py()
            problem = "no time" if value is None else f"'{value}' is no time"
            raise reader.error(0, name, f"{problem}; name another with {option('time')}")
        return name, times
    for name in reader.named(TIME_NAMES):
        if name not in reserved:
            times = _with_time_of_day(reader, name) or named(reader.left[name])
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
