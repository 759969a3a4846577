"""A column of times, however written, as int64 microseconds UTC."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from training.numerals import Numerals

SECOND = 1_000_000
UNITS = {"us": 1, "ms": 1000, "s": SECOND, "min": 60 * SECOND, "h": 3600 * SECOND, "d": 86_400 * SECOND}
YEAR_10000 = 253_402_300_800 * SECOND
# From 2001 on a count of seconds since 1970 has ten digits; of milliseconds thirteen, and so on. Until the year 2128.
EPOCH_UNITS = ((1e9, SECOND, "epoch seconds"), (1e12, 1000, "epoch milliseconds"), (1e15, 1, "epoch microseconds"))
EPOCH_NANOSECONDS, EPOCH_SPAN = 1e18, 5.0
SAMPLE = 100
# 20200131 and the like, read as a number: how many digits have a day, a minute, a second.
COMPACT = (
    (8, "%Y%m%d", "year, month and day"),
    (12, "%Y%m%d%H%M", "year to minute"),
    (14, "%Y%m%d%H%M%S", "year to second"),
)
FIRST_YEAR, LAST_YEAR = 1900, 2100
OFFSET = r"\d:\d\d.*(?:[zZ]|[+-]\d\d:?\d\d|[A-Z]{3,4})\s*$"  # ends a time that says where it is


@dataclass(frozen=True, eq=False)
class Times:
    """Microseconds UTC, which of them could be read, and what they were read as."""

    micros: NDArray[np.int64]
    valid: NDArray[np.bool_]
    form: str
    doubt: str = ""  # what else they could be
    local: bool = False  # written without an offset
    finer: bool = False  # some were told apart by less than a microsecond

    @property
    def share(self) -> float:
        """The share that could be read."""
        return float(self.valid.mean())


def from_column(column: pa.ChunkedArray) -> Times | None:
    """Read a column of dates, or of epochs; None if it holds neither."""
    kind = column.type
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        moments = _from_datetimes(column.to_pandas(date_as_object=False), "")
        return replace(moments, local=pa.types.is_date(kind) or kind.tz is None)
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        texts = column.to_pandas()
        times = _from_strings(texts)
        return times and replace(times, local=not texts.head(SAMPLE).str.contains(OFFSET, na=False).any())
    if pa.types.is_integer(kind) or pa.types.is_floating(kind):
        return _from_epochs(numbers(column))
    return None


def named(column: pa.ChunkedArray) -> Times | None:
    """Read a column that is a time by its name: as `from_column`, or 20200131 as a date, or seconds since the start."""
    if pa.types.is_string(column.type) and not Numerals.of(column.slice(0, SAMPLE)).stray.any():
        column = Numerals.of(column).column
    times = from_column(column)
    if times is not None or not (pa.types.is_integer(column.type) or pa.types.is_floating(column.type)):
        return times
    values = numbers(column)
    return _from_compact(values) or _scaled(values, SECOND, "seconds since the start")


def row_numbers(rows: int) -> Times:
    """A second for each row, where there is no time."""
    micros = np.arange(rows, dtype=np.int64) * SECOND
    return Times(micros, np.ones(rows, bool), "row number in seconds")


def numbers(column: pa.ChunkedArray) -> NDArray[np.float64]:
    """A numeric column as float64, NaN where it has no value."""
    found: NDArray[np.float64] = column.cast(pa.float64(), safe=False).to_numpy().astype(np.float64, copy=False)
    return found


def rfc3339(micros: int) -> str:
    """A time for a person and for the wire: microseconds only where there are some."""
    return str(np.datetime_as_string(np.datetime64(micros, "us"))).removesuffix(".000000") + "Z"


def spelled(micros: float) -> str:
    """A length of time for a person: `250 ms`, `1.5 h`."""
    unit, size = next(((unit, size) for unit, size in reversed(UNITS.items()) if micros >= size), ("us", 1))
    return f"{micros / size:.4g} {unit}"


def _from_strings(texts: pd.Series) -> Times | None:
    """ISO 8601 if any of them is; else months and days in the order that reads more, and rises more."""
    iso = _from_datetimes(pd.to_datetime(texts, format="ISO8601", utc=True, errors="coerce"), "")
    if iso.share:
        return iso
    month_first = _from_free_form(texts, day_first=False)
    day_first = _from_free_form(texts, day_first=True)
    if np.array_equal(month_first.micros, day_first.micros):
        return replace(month_first, form="") if month_first.share else None
    dotted = bool(texts.str.contains(r"^\d+\.\d+\.", na=False).any())  # dates with dots begin with the day
    likely = (day_first, month_first) if dotted else (month_first, day_first)
    best, other = sorted(likely, key=lambda times: (*_fitness(times), -_span(times)), reverse=True)
    if _fitness(best) > _fitness(other):
        return best
    text = texts[int(np.argmax(best.micros != other.micros))]
    return replace(best, doubt=f"'{text}' can be day or month first, and is read as {best.form}")


def _fitness(times: Times) -> tuple[float, float, int]:
    """How many could be read, how many rise, and how seldom steps are many times as long as most."""
    steps = np.diff(times.micros[times.valid])
    forward = steps[steps > 0]
    unevenness = round(np.log10(forward.max() / np.median(forward))) if len(forward) else 0
    return times.share, float(np.mean(steps >= 0)) if len(steps) else 1.0, -unevenness


def _span(times: Times) -> int:
    return int(np.ptp(times.micros[times.valid])) if times.valid.any() else 0


def _from_free_form(texts: pd.Series, *, day_first: bool) -> Times:
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore", UserWarning
        )  # pandas' advice to name a format: a file of the user's has its own
        parsed = pd.to_datetime(texts, utc=True, errors="coerce", dayfirst=day_first)
    return _from_datetimes(parsed, "day before month" if day_first else "month before day")


def _from_datetimes(series: pd.Series, form: str) -> Times:
    read = pd.to_datetime(series, utc=True)
    utc = read.astype("datetime64[us, UTC]")
    finer = bool((read.dt.nanosecond > 0).any()) if read.dt.unit == "ns" else False
    return Times(utc.astype("int64").to_numpy().astype(np.int64), utc.notna().to_numpy(), form, finer=finer)


def _from_compact(values: NDArray[np.float64]) -> Times | None:
    """Whole numbers whose digits are those of a date."""
    for digits, pattern, form in COMPACT:
        year = 10 ** (digits - 4)
        fits = (values >= FIRST_YEAR * year) & (values < (LAST_YEAR + 1) * year) & (values == np.floor(values))
        if fits.mean() >= 0.5:
            texts = pd.Series(np.where(fits, values, 0).astype(np.int64)).astype(str)
            return _from_datetimes(pd.to_datetime(texts, format=pattern, utc=True, errors="coerce"), form)
    return None


def _from_epochs(values: NDArray[np.float64]) -> Times | None:
    """The unit by the size of the middle value; None if no unit gives a year of our time."""
    middle = float(np.nanmedian(values)) if np.isfinite(values).any() else 0.0
    for start, unit, form in EPOCH_UNITS:
        if start <= middle < EPOCH_SPAN * start:
            return _scaled(values, unit, form)
    if EPOCH_NANOSECONDS <= middle < EPOCH_SPAN * EPOCH_NANOSECONDS:
        finer = bool((values[np.isfinite(values)] % 1000).any())
        return replace(_scaled(values / 1000, 1, "epoch nanoseconds"), finer=finer)
    return None


def _scaled(values: NDArray[np.float64], unit: int, form: str) -> Times:
    valid = np.isfinite(values) & (np.abs(values) * unit < YEAR_10000)
    micros = np.round(np.where(valid, values, 0.0) * unit).astype(np.int64)
    return Times(micros, valid, form)
