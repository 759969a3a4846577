"""The rows of a prediction, from JSON or from a file's bytes, as the table that `tidewatch score` would read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
import numpy as np

from models.detector import Detector, Float64, Index
from schemas.admin import Columns
from schemas.admin_predict import Predict
from schemas.errors import TidewatchError
from schemas.reading import EpochMilliseconds, microseconds
from stream_app.admin import kinds, sample
from stream_app.admin.failures import Unusable
from stream_app.admin.preview import wanted
from stream_app.score import mismatches
from training import ingest
from training.roles import listed
from training.table import SeriesTable, Table
from training.wording import over_http

SHOWN = "the body"  # what a message calls the file


def of_json(asked: Predict, detector: Detector) -> Table:
    """One series, its columns the detector's features in their order. Raises Unusable."""
    values = _values(asked.data, detector)
    times = _times(asked.timestamps, len(values), detector)
    series = SeriesTable(asked.series_id or detector.dataset, times, values, None)
    return Table(detector.features, (series,), detector.interval_us, (), None, "", None, None, ())


@over_http()
def of_file(content: bytearray, columns: Columns, series_id: str | None, detector: Detector, megabytes: int) -> Table:
    """What a CSV (gzip too) or Parquet file holds, columns by their names in any order. Raises Unusable.

    Of a CSV the rows that can not be read are left out, if they are few, as they are of an upload.
    """
    with TemporaryDirectory() as folder:
        came, begun = Path(folder) / "body", Path(folder) / "begun"
        came.write_bytes(content)
        kind = kinds.kind_of(came, kinds.UNPACKED * megabytes)
        sample.take(came, kind, begun)  # refuses what would take long to be understood
        if kind == "parquet":
            sample.check_unpacked(came, kinds.UNPACKED * megabytes)
        path = came.rename(came.with_suffix("." + kind))
        try:
            table = ingest.read(path, wanted(columns))
            mismatches(table, detector)
        except TidewatchError as error:
            raise Unusable(str(error).replace(str(path), SHOWN)) from None
    if table.time_column is None:  # then the detector's own pace, so that no step is a pause
        table = replace(table, series=tuple(_at_pace(one, detector) for one in table.series))
    if table.series_column is None:
        table = replace(table, series=(replace(table.series[0], name=series_id or detector.dataset),))
    return table


def check_length(table: Table, detector: Detector) -> None:
    """Raise Unusable unless a series is long enough for a window."""
    longest = max(table.series, key=lambda one: len(one.times))
    if len(longest.times) < detector.window:
        raise Unusable(
            f"window size {detector.window} of release {detector.release} is longer than the {len(longest.times)} rows "
            f"of series '{longest.name[:100]}'; send at least {detector.window} rows"
        )


def _values(data: Sequence[Sequence[float | None]], detector: Detector) -> Float64:
    width = len(detector.features)
    for place, row in enumerate(data):
        if len(row) != width:
            raise Unusable(
                f"data.{place} has {len(row)} values, and dataset '{detector.dataset}' has {width} features: "
                f"{listed(detector.features)}; send a value for each, in this order, null where it is missing"
            )
    return np.array(data, np.float64).reshape(len(data), width)  # null becomes NaN


def _times(given: Sequence[str | int] | None, rows: int, detector: Detector) -> Index:
    if given is None:
        return np.arange(rows, dtype=np.int64) * detector.interval_us
    if len(given) != rows:
        raise Unusable(f"there are {len(given)} timestamps for {rows} rows of data; send one for each row, or none")
    try:
        moments = msgspec.convert(given, list[datetime | EpochMilliseconds])
    except msgspec.ValidationError as error:
        raise Unusable(f"timestamps: {error}; send RFC 3339, or integers of milliseconds since 1970") from None
    times = np.array([microseconds(moment) for moment in moments], np.int64)
    late = np.flatnonzero(np.diff(times) <= 0)
    if len(late):
        place = int(late[0]) + 1
        raise Unusable(
            f"timestamps.{place} is not after the one before it ({given[place]!r:.40}, {given[place - 1]!r:.40}); "
            "send the rows of a series in order of time, each time once"
        )
    return times


def _at_pace(series: SeriesTable, detector: Detector) -> SeriesTable:
    return replace(series, times=np.arange(len(series.times), dtype=np.int64) * detector.interval_us)
