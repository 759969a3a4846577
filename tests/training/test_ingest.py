"""What `training.ingest.read` makes of the files that people have, and what it says of those it can not use."""

from __future__ import annotations

import gzip
import os
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.training.files import check_refused
from training import ingest
from training.faults import DataError
from training.grid import Resampling

NEW_YEAR = 1_577_836_800_000_000  # 2020-01-01T00:00:00Z
SECOND = 1_000_000
LONG = "".join(f"2020-01-01T00:00:{second:02d}Z,m{machine},{second}.5\n" for second in range(8) for machine in range(2))


def read(tmp_path: Path, content: str | bytes, name: str = "pump.csv", **options: Any) -> ingest.Table:
    """Write a file and read it."""
    file = tmp_path / name
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return ingest.read(file, ingest.Wanted(**options))


FORMS = {
    "comma": "time,a,b\n2020-01-01T00:00:00Z,1.5,2\n2020-01-01T00:00:01Z,,3\n",
    "semicolon": "time;a;b\n2020-01-01 00:00:00;1.5;2\n2020-01-01 00:00:01;;3\n",
    "decimal comma": "time;a;b\n2020-01-01 00:00:00;1,5;2\n2020-01-01 00:00:01;;3\n",
    "tab": "time\ta\tb\n2020-01-01 00:00:00\t1.5\t2\n2020-01-01 00:00:01\t\t3\n",
    "pipe, windows line ends": "time|a|b\r\n2020-01-01 00:00:00|1.5|2\r\n2020-01-01 00:00:01||3\r\n",
    "aligned with blanks": "    time     a   b\n1577836800  1.5   2\n1577836801  NaN   3\n",
    "byte order mark": "\ufefftime,a,b\n2020-01-01,1.5,2\n2020-01-01T00:00:01,,3\n",
    "quoted": '"time","a","b"\n"2020-01-01 00:00:00","1.5","2"\n"2020-01-01 00:00:01","","3"\n',
    "blanks after commas": "time, a, b\n2020-01-01 00:00:00, 1.5, 2\n2020-01-01 00:00:01, NA, 3\n",
    "blank lines": "\ntime,a,b\n\n2020-01-01 00:00:00,1.5,2\n\n2020-01-01 00:00:01,,3\n\n",
    "offset": "time,a,b\n2020-01-01T02:00:00+02:00,1.5,2\n2020-01-01T00:00:01Z,,3\n",
    "epoch seconds": "ts,a,b\n1577836800,1.5,2\n1577836801,,3\n",
    "epoch milliseconds": "ts,a,b\n1577836800000,1.5,2\n1577836801000,,3\n",
    "epoch microseconds": "ts,a,b\n1577836800000000,1.5,2\n1577836801000000,,3\n",
    "epoch nanoseconds": "ts,a,b\n1577836800000000000,1.5,2\n1577836801000000000,,3\n",
    "date and time": "Date;Time;a;b\n01/01/2020;00:00:00;1.5;2\n01/01/2020;00:00:01;?;3\n",
    "an index of times": ",a,b\n2020-01-01 00:00:00,1.5,2\n2020-01-01 00:00:01,,3\n",
    "an unusual name": "Zeitpunkt;a;b\n01.01.2020 00:00:00;1,5;2\n01.01.2020 00:00:01;;3\n",
    "a text column": "time,a,b,state\n2020-01-01T00:00:00Z,1.5,2,ok\n2020-01-01T00:00:01Z,,3,ok\n",
    "an empty column": "time,a,b,c\n2020-01-01T00:00:00Z,1.5,2,\n2020-01-01T00:00:01Z,,3,\n",
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_says_the_same(tmp_path, form):
    """Separators, decimal marks, line ends and ways to write a time do not change what is read."""
    table = read(tmp_path, FORMS[form])
    assert table.features == ("a", "b")
    (series,) = table.series
    assert series.name == "pump"
    assert series.times.tolist() == [NEW_YEAR, NEW_YEAR + SECOND]
    np.testing.assert_array_equal(series.values, [[1.5, 2.0], [np.nan, 3.0]])
    assert table.interval_us == SECOND


def test_gzip_and_parquet_are_told_by_what_they_hold(tmp_path):
    """The name of a file may lie about its format."""
    text = FORMS["comma"]
    zipped = read(tmp_path, gzip.compress(text.encode()), "readings")
    frame = pa.table({"time": pa.array([NEW_YEAR, NEW_YEAR + SECOND], pa.timestamp("us")), "a": [1.5, None]})
    pq.write_table(frame, tmp_path / "readings.dat")
    parquet = ingest.read(tmp_path / "readings.dat")
    assert zipped.series[0].times.tolist() == parquet.series[0].times.tolist() == [NEW_YEAR, NEW_YEAR + SECOND]
    np.testing.assert_array_equal(parquet.series[0].values, [[1.5], [np.nan]])


@pytest.mark.parametrize("text", ["1.5,2\n2.5,3\n", "0,1\n1.5,2\n2.5,3\n", ",0,1\n0,1.5,2\n1,2.5,3\n"])
def test_without_a_header_columns_are_numbered(tmp_path, text):
    """A first line of values is data, one that counts 0, 1... is what numpy and pandas write as a header."""
    table = read(tmp_path, text)
    assert [name.removeprefix("f") for name in table.features] == ["0", "1"]
    assert table.series[0].values.tolist() == [[1.5, 2.0], [2.5, 3.0]]


def test_without_a_time_the_row_number_is_seconds(tmp_path):
    """Rows are a second apart, in each series from its own first row on."""
    table = read(tmp_path, "machine,a\n" + "x,1.5\ny,2.5\n" * 5)
    assert [series.name for series in table.series] == ["x", "y"]
    assert all(series.times.tolist() == [row * SECOND for row in range(5)] for series in table.series)
    assert table.time_column is None


@pytest.mark.parametrize("header", ["timestamp,machine,a\n", "timestamp,location,a\n", ""])
def test_the_series_column_is_found(tmp_path, header):
    """By its name, or because times rise only within each of its values."""
    table = read(tmp_path, header + LONG)
    assert [series.name for series in table.series] == ["m0", "m1"]
    assert [len(series.times) for series in table.series] == [8, 8]
    assert len(table.features) == 1


def test_names_alone_do_not_make_a_role(tmp_path):
    """A temperature called t goes up and down, and a pump that is 0 or 1 is a sensor where times need no untangling."""
    rows = "".join(f"{NEW_YEAR // SECOND + row},{20 + row % 3},{row % 2},{row}.5\n" for row in range(20))
    table = read(tmp_path, "clock,t,pump,a\n" + rows, time="clock")
    assert table.features == ("t", "pump", "a")
    without = read(tmp_path, "t,a\n" + "".join(f"{20 + row * 7 % 3},{row}.5\n" for row in range(20)))
    assert without.features == ("t", "a")


def test_a_number_may_be_a_date(tmp_path):
    """In a column that is called so."""
    table = read(tmp_path, "date,a\n20200131,1.5\n20200201,2.5\n")
    assert table.interval_us == 86_400 * SECOND
    assert table.series[0].times[0] == NEW_YEAR + 30 * 86_400 * SECOND


def test_columns_can_be_named(tmp_path):
    """What the caller names goes before what would be found."""
    text = "machine,start,where,b,c,truth\n5,0,7,1,1,0\n6,1,7,2,1,1\n"
    table = read(tmp_path, text, time="start", series="where", label="truth", ignore=("b",))
    assert table.features == ("machine", "c")
    assert table.series[0].name == "7"
    assert table.series[0].labels is not None
    assert table.series[0].labels.tolist() == [False, True]
    assert table.time_form == "seconds since the start"


def test_known_labels_are_never_features(tmp_path):
    """The first of the usual names with 0 and 1 is the label; another label by name is left out, and said so."""
    table = read(tmp_path, "a,changepoint,label,anomaly\n1,0.0,3,0.0\n2,1.0,4,1.0\n")
    assert table.features == ("a",)
    assert table.label_column == "anomaly"
    assert [note.split("'")[1] for note in table.notes] == ["changepoint", "label"]


@pytest.mark.parametrize(
    ("cells", "found"),
    [("normal broken", "row 1 holds 'normal'"), ("0 2", "row 2 holds 2"), ("1 NA", "row 2 holds no")],
)
def test_a_label_that_is_none_is_said_why(tmp_path, cells, found):
    """Words, other numbers and holes are no ground truth; the note says which value is in the way."""
    one, other = cells.split()
    table = read(tmp_path, f"a,label\n1,{one}\n2,{other}\n")
    assert table.label_column is None
    (note,) = table.notes
    assert note.startswith("column 'label' is ignored: by its name it is a label")
    assert found in note
    assert note.endswith("a label is 0 (normal) or 1 (anomaly)")


def test_a_folder_holds_a_series_per_file(tmp_path):
    """Files are series by their path; columns may stand in any order, and a label be absent in some."""
    (tmp_path / "deep").mkdir()
    (tmp_path / "one.csv").write_text("a,b,label\n1,2,0\n2,3,1\n")
    (tmp_path / "deep" / "two.csv").write_text("b,a\n20,10\n30,20\n")
    (tmp_path / "README.md").write_text("not data")
    table = ingest.read(tmp_path)
    assert [series.name for series in table.series] == ["deep/two", "one"]
    assert table.features == ("b", "a")
    assert table.series[1].values.tolist() == [[2, 1], [3, 2]]
    assert table.series[0].labels is None


def test_a_series_may_be_spread_over_files(tmp_path):
    """With a series column, what several files hold of one series is put together by time."""
    for name, seconds in (("a.csv", range(4, 8)), ("b.csv", range(4))):
        rows = "".join(f"{NEW_YEAR // SECOND + second},pump,{second}\n" for second in seconds)
        (tmp_path / name).write_text("time,device,a\n" + rows)
    (series,) = ingest.read(tmp_path).series
    assert series.values[:, 0].tolist() == list(range(8))


def test_a_few_repeated_times_are_dropped(tmp_path):
    """One in a hundred is what a clock does; the first reading stays, as in the worker, and the note counts."""
    rows = [f"{second},{second}\n" for second in range(200)]
    table = read(tmp_path, "time,a\n" + "".join([*rows[:50], "49,999\n", *rows[50:]]))
    assert table.rows == 200
    assert table.series[0].values[49, 0] == 49
    assert table.notes == ("repeated times: 1 reading left out, the first of each time stays",)


ZIPPED = gzip.compress(("time,a,b\n" + "".join(f"{i},{i % 7},{i % 5}\n" for i in range(1000)) * 50).encode())
DAMAGED = ZIPPED[:60] + b"\xff" * 20 + ZIPPED[80:]

BAD: dict[str, tuple[str | bytes, dict[str, Any], str]] = {
    "empty": ("", {}, "pump.csv is empty; give a file with a line for each reading"),
    "blank": ("\n \n\n", {}, "pump.csv is empty"),
    "header only": ("time,a\n", {}, "pump.csv has a header and no readings"),
    "no numeric column": ("name,kind\nx,y\n", {}, "has no numeric column to learn from (columns: name, kind)"),
    "only missing values": ("a,b\n,\nNA,\n", {}, "numeric columns without any value"),
    "ragged, short": ("a,b\n1,2\n\n3\n", {}, "pump.csv line 4 has 1 field, the first line 2; mend or remove it"),
    "ragged, long": ("a,b\n1,2\n3,4,5\n6,7\n", {}, "pump.csv line 3 has 3 fields, the first line 2"),
    "an unclosed quote": (
        'a,b\n1,2\n3,4\n5,6\n7,"8\n9,1\n',
        {},
        "line 5, column 'b': '8\\n9,1\\n' is no number (a quote on this line ends lines below); mend it",
    ),
    "a quote closed lines below": (
        'a,b\n1,2\n"3,4\n5,6"\n',
        {},
        "line 3 has 1 field (a quote on it ends lines below), the",
    ),
    "duplicate header": ("a,b,a\n1,2,3\n", {}, "the header names column 'a' twice; rename one of them"),
    "not UTF-8": (b"a,b\n1,x\n2,\xe9\n", {}, "pump.csv line 3: byte 0xe9 is no UTF-8; save the file as UTF-8"),
    "UTF-16": ("a,b\n1,2\n".encode("utf-16"), {}, "pump.csv line 1: byte 0xff is no UTF-8"),
    "binary": (b"\0\1\2\n", {}, "is no text; give CSV in UTF-8"),
    "zip": (b"PK\x03\x04....", {}, "is a zip archive"),
    "broken gzip": (gzip.compress(b"a,b\n1,2\n" * 999)[:40], {}, "pump.csv can not be read"),
    "broken parquet": (b"PAR1....", {}, "is no whole Parquet file"),
    "infinite": ("a,b\n1,2\n3,-inf\n", {}, "pump.csv line 3, column 'b': -inf is infinite or beyond 3.4e38"),
    "beyond float32": ("a,b\n1,2\n3,1e39\n", {}, "line 3, column 'b': 1e+39 is infinite or beyond 3.4e38"),
    "a word in a column": ("a,b\n1,2\n3,broken\n5,6\n", {}, "line 3, column 'b': 'broken' is no number; mend it"),
    "time backwards": (
        "time,a\n2020-01-01 00:00:01,1\n2020-01-01 00:00:00,2\n",
        {},
        "line 3: time 2020-01-01T00:00:00Z of series 'pump' is before 2020-01-01T00:00:01Z above it; sort the file",
    ),
    "time backwards in one series": (
        "time,machine,a\n" + "1,x,1\n1,y,1\n2,x,1\n2,y,1\n3,x,1\n0,y,1\n4,x,1\n4,y,1\n",
        {},
        "line 7: time 1970-01-01T00:00:00Z of series 'y' is before 1970-01-01T00:00:02Z",
    ),
    "times repeated": ("time,a\n5,1\n5,2\n", {}, "line 3: time 1970-01-01T00:00:05Z of series 'pump' repeats"),
    "a bad time": ("time,a\n2020-01-01,1\nsoon,2\n2020-01-03,2\n", {}, "line 3, column 'time': 'soon' is no time"),
    "no time": ("time,a\n2020-01-01,1\n,2\n2020-01-03,2\n", {}, "line 3, column 'time': no time"),
    "no series": ("machine,a\n" + "x,1\n" * 8 + ",1\n", {}, "line 10, column 'machine': no series"),
    "unknown time": ("a,b\n1,2\n", {"time": "t"}, "has no column 't' (--time); it has a, b"),
    "unknown series": ("a,b\n1,2\n", {"series": "s"}, "has no column 's' (--series); it has a, b"),
    "unknown label": ("a,b\n1,2\n", {"label": "y"}, "has no column 'y' (--label); it has a, b"),
    "unknown ignore": ("a,b\n1,2\n", {"ignore": ("c",)}, "has no column 'c' (--ignore); it has a, b"),
    "a label that is none": ("a,y\n1,0\n2,7\n", {"label": "y"}, "line 3, column 'y': the label is 7; a label is 0"),
    "a label with a hole": ("a,y\n1,0\n2,\n", {"label": "y"}, "line 3, column 'y': no label; a label is 0"),
    "a column for two things": (
        "a,b\n1,2\n",
        {"time": "a", "label": "a"},
        "'a' is named by --time and by --label",
    ),
    "time without any": ("time,a\n,1\n,2\n", {"time": "time"}, "line 2, column 'time': no time; name another with"),
    "no time to resample by": (
        "a,b\n1,2\n",
        {"resample": Resampling(5)},
        "has no column of times to --resample by",
    ),
    "damaged gzip": (
        DAMAGED,
        {},
        "can not be read: Error -3 while decompressing data: invalid distance too far back; copy or make it again",
    ),
    "words as time": ("a,b\n1,x\n", {"time": "b"}, "line 2, column 'b': 'x' is no time; name another with --time"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_file_gets_one_sentence(tmp_path, case):
    """It names the file, the line or column, the value, the rule and the way out, in one line."""
    content, options, expected = BAD[case]
    check_refused(lambda: read(tmp_path, content, **options), expected)


def test_a_missing_path_and_an_empty_folder(tmp_path):
    """Nothing there is said as such."""
    with pytest.raises(DataError, match=r"nowhere does not exist; give a CSV or Parquet file, or a folder"):
        ingest.read(tmp_path / "nowhere")
    with pytest.raises(DataError, match=r"holds no file that ends in \.csv"):
        ingest.read(tmp_path)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(DataError, match=r"pipe is neither a file nor a folder; write what comes from it into a file"):
        ingest.find_files(tmp_path / "pipe")


def test_files_of_two_shapes(tmp_path):
    """All files of a folder have the same features."""
    (tmp_path / "one.csv").write_text("a,b\n1,2\n")
    (tmp_path / "two.csv").write_text("a,c\n1,2\n")
    with pytest.raises(DataError, match=r"two\.csv has no numeric column 'b', which .*one\.csv has"):
        ingest.read(tmp_path)


def test_files_with_and_without_a_time(tmp_path):
    """Row numbers and times do not go together."""
    (tmp_path / "one.csv").write_text("time,a\n1,2\n2,3\n")
    (tmp_path / "two.csv").write_text("a\n1\n2\n")
    with pytest.raises(DataError, match=r"two\.csv has no column of times, which .*one\.csv has \('time'\); name one"):
        ingest.read(tmp_path)
