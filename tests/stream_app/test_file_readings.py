"""A file's readings as messages: each once, in order of time, as the worker reads them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from schemas.reading import EPOCH, FLOAT32_MAX, Reading
from stream_app.file_readings import FileReadings, shift_to
from training.ingest import SeriesTable, Table

SECOND = 1_000_000


def table_of(series: Mapping[str, Sequence[int]]) -> Table:
    """Series with the given times (seconds); the one feature's value is the time, the other is missing."""
    parts = tuple(
        SeriesTable(
            name,
            np.array(times, dtype=np.int64) * SECOND,
            np.column_stack([np.array(times, dtype=np.float64), np.full(len(times), np.nan)]),
            np.ones(len(times), dtype=np.bool_),
        )
        for name, times in series.items()
    )
    return Table(("temp_c", "flow"), parts, SECOND, (Path("x.csv"),), "t", "epoch seconds", "s", "anomaly", ())


def decoded(readings: FileReadings) -> list[Reading]:
    """What a worker makes of the messages; each is keyed by its series."""
    messages = list(readings)
    found = [msgspec.json.decode(message.value or b"", type=Reading) for message in messages]
    assert [message.key for message in messages] == [reading.series_id.encode() for reading in found]
    return found


TIMES = st.lists(st.integers(0, 10_000), min_size=1, max_size=12, unique=True).map(sorted)


@given(st.dictionaries(st.text(min_size=1, max_size=8), TIMES, min_size=1, max_size=5), st.integers(1, 3))
def test_every_reading_once_and_in_order_of_time(series: dict[str, list[int]], copies: int) -> None:
    """Over all series, whatever their times, and every copy beside its original."""
    readings = FileReadings(table_of(series), "pumps", copies)
    found = decoded(readings)
    moments = [reading.timestamp for reading in found]
    assert moments == sorted(moments, key=lambda moment: moment if isinstance(moment, datetime) else EPOCH)
    names = {name: [name] if copies == 1 else [f"{name}-{n + 1}" for n in range(copies)] for name in series}
    expected = [(copy, EPOCH + timedelta(seconds=t)) for name in series for t in series[name] for copy in names[name]]
    assert len(readings) == len(found) == len(expected)
    assert {(reading.series_id, reading.timestamp) for reading in found} >= set(expected)


def test_missing_is_null_and_labels_stay_here() -> None:
    """The wire knows no NaN, and nobody is told the truth."""
    [message] = FileReadings(table_of({"pump-7": [3]}), "pumps")
    assert msgspec.json.decode(message.value or b"") == {
        "series_id": "pump-7",
        "timestamp": "1970-01-01T00:00:03Z",
        "values": {"temp_c": 3.0, "flow": None},
        "dataset": "pumps",
    }


@given(st.floats(-FLOAT32_MAX, FLOAT32_MAX))
def test_values_arrive_to_the_last_bit(value: float) -> None:
    """So that the worker and `tidewatch score` see the same numbers."""
    table = table_of({"a": [1]})
    table.series[0].values[0, 0] = value
    [reading] = decoded(FileReadings(table, "pumps"))
    assert reading.values["temp_c"] == value


def test_shifting_moves_all_times_alike() -> None:
    """The newest of all series is at the present, to the millisecond, and no spacing changes."""
    table = table_of({"a": [10, 11, 15], "b": [12]})
    now = 1_800_000_000_123_456
    readings = FileReadings(table, "pumps", shift_us=shift_to(table, now))
    times = [reading.timestamp for reading in decoded(readings)]
    newest = datetime(2027, 1, 15, 8, 0, 0, 123000, tzinfo=UTC)
    assert times == [newest - timedelta(seconds=ago) for ago in (5, 4, 3, 0)]
