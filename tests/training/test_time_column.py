"""Which column is the time, in which order days and months are, and what is said of a column that is no time."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, time, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.training.files import check_refused
from training import ingest
from training.times import UNITS, rfc3339


def read(tmp_path: Path, times: Iterable[object], name: str = "time") -> ingest.Table:
    """A CSV of a time and two numbers."""
    file = tmp_path / "pump.csv"
    rows = (f"{one},{row % 7}.5,{row % 3}\n" for row, one in enumerate(times))
    file.write_text(f"{name},a,b\n" + "".join(rows))
    return ingest.read(file)


def every(step: timedelta, count: int, form: str, start: datetime = datetime(2026, 2, 1, tzinfo=UTC)) -> list[str]:
    """Times at one pace, written in a form."""
    return [(start + row * step).strftime(form) for row in range(count)]


HALF_HOURS = every(timedelta(minutes=30), 48 * 9, "%d/%m/%Y %H:%M")
DAYS = every(timedelta(days=1), 12, "%d/%m/%Y")
MINUTES = every(timedelta(minutes=1), 60, "%m/%d/%Y %H:%M", datetime(2026, 3, 4, 10, tzinfo=UTC))


@pytest.mark.parametrize(
    ("times", "start", "interval", "doubted"),
    [
        (HALF_HOURS, "2026-02-01T00:00:00Z", UNITS["min"] * 30, False),
        ([one for one in HALF_HOURS for _ in "xy"], "2026-02-01T00:00:00Z", UNITS["min"] * 30, False),
        (DAYS, "2026-02-01T00:00:00Z", UNITS["d"], True),
        ([*DAYS[:3], *DAYS[5:]], "2026-02-01T00:00:00Z", UNITS["d"], True),
        (every(timedelta(days=1), 12, "%m/%d/%Y"), "2026-02-01T00:00:00Z", UNITS["d"], True),
        (every(timedelta(hours=1), 300, "%m/%d/%Y %H:%M"), "2026-02-01T00:00:00Z", UNITS["h"], False),
        (MINUTES, "2026-03-04T10:00:00Z", UNITS["min"], True),
    ],
)
def test_days_and_months_are_told_by_regular_steps(tmp_path, times, start, interval, doubted):
    """Where both orders can be read and both rise; a note says so where steps leave room for doubt."""
    doubles = len(set(times)) < len(times)
    text = "time,machine,a\n" if doubles else "time,a\n"
    rows = (f"{one},m{row % 2},{row}.5\n" if doubles else f"{one},{row}.5\n" for row, one in enumerate(times))
    file = tmp_path / "pump.csv"
    file.write_text(text + "".join(rows))
    table = ingest.read(file)
    assert rfc3339(int(table.series[0].times[0])) == start
    assert table.interval_us == interval
    assert [note for note in table.notes if "can be day or month first" in note] == list(table.notes)
    assert bool(table.notes) == doubted


@pytest.mark.parametrize(
    ("form", "step"), [("%Y%m%d", "d"), ("%Y%m%d%H%M", "min"), ("%Y%m%d%H%M%S", "s"), ("%Y%m%dT%H%M%SZ", "s")]
)
def test_digits_may_be_a_date(tmp_path, form, step):
    """In a column that is called a time: to the day, the minute or the second."""
    table = read(tmp_path, every(timedelta(microseconds=UNITS[step]), 20, form), "timestamp")
    assert table.features == ("a", "b")
    assert rfc3339(int(table.series[0].times[0])) == "2026-02-01T00:00:00Z"
    assert table.interval_us == UNITS[step]


@pytest.mark.parametrize(
    ("cell", "says"),
    [
        (lambda row: 10**22 + row, "'1e+22' is none that is known; so rows are taken as a second apart; write 2026-"),
        (lambda row: f"day {row}", "'day 0' is none that is known"),
        (lambda row: 1_700_000_000 + row * 7 % 20, "its values ('1700000000', ...) go back and forth"),
        (lambda row: f"00:{row:02d}:00", "it holds times of day ('00:00:00') without a date; so rows are taken as a"),
        (lambda row: "", "it is called a time, and has no value"),
    ],
)
def test_what_is_called_a_time_is_no_feature(tmp_path, cell: Callable[[int], object], says):
    """The note names the column, a value, what is done without it, and the way out."""
    table = read(tmp_path, map(cell, range(20)))
    assert table.features == ("a", "b")
    assert table.time_column is None
    (note,) = table.notes
    assert note.startswith("column 'time' is ignored: it ")
    assert says in note
    assert note.endswith("rename it if it is a feature")


def test_a_second_time_is_no_feature(tmp_path):
    """One that is named goes before one that is found."""
    file = tmp_path / "pump.csv"
    file.write_text("time,start,a\n5,0,7.5\n6,1,8.5\n")
    table = ingest.read(file, ingest.Wanted(time="start"))
    assert table.features == ("a",)
    assert table.notes == (
        "column 'time' is ignored: it is called a time, as which column 'start' is read; rename it if it is a feature",
    )


def test_parquet_has_times_of_day_too(tmp_path):
    """In plain words."""
    file = tmp_path / "pump.parquet"
    clock = pa.array([time(0, minute) for minute in range(20)], pa.time32("s"))
    pq.write_table(pa.table({"time": clock, "a": np.arange(20.0)}), file)
    (note,) = ingest.read(file).notes
    assert "it holds times of day ('00:00:00') without a date; so rows are taken as a second apart" in note


def autumn(minutes: int, step: int = 1) -> list[str]:
    """A local clock over the end of summer time, that is put back by so much."""
    start = datetime(2026, 10, 25, 2, tzinfo=UTC)
    before, after = every(timedelta(minutes=step), 60 // step, "%Y-%m-%dT%H:%M:%S", start), timedelta(minutes=60)
    return [
        *before,
        *every(timedelta(minutes=step), 60, "%Y-%m-%dT%H:%M:%S", start + after - timedelta(minutes=minutes)),
    ]


@pytest.mark.parametrize("times", [autumn(60), autumn(60, 10), autumn(30)])
def test_a_clock_that_is_put_back(tmp_path, times):
    """A time that goes back by an hour of a local clock is told apart from a file that is not sorted."""
    check_refused(
        lambda: read(tmp_path, times), "if the clock was put back there, write times with their offset, such as 2026-10"
    )


@pytest.mark.parametrize(
    "times", [autumn(20), [f"{one}Z" for one in autumn(60)], [f"{one}+02:00" for one in autumn(60)]]
)
def test_a_clock_that_is_not_put_back(tmp_path, times):
    """Another step back, or times that have their offset."""
    check_refused(lambda: read(tmp_path, times), "above it; sort the file by time, or name")


@pytest.mark.parametrize("form", ["2026-01-01T00:00:00.000000{:03d}Z", "1767225600000000{:03d}"])
def test_times_closer_than_a_microsecond(tmp_path, form):
    """They are one: the message says why."""
    times = [form.format(10 * row) for row in range(60)]
    check_refused(lambda: read(tmp_path, times), "times closer than a microsecond are one; keep one")
