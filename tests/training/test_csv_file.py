"""Text tables read in blocks: where a file is cut changes nothing that is read, and no line number."""

from __future__ import annotations

import gzip
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pacsv
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.training.files import scratch
from training.csv_file import dialect_of, held_by_arrow, read_columns
from training.faults import DataError

cells = st.one_of(
    st.integers(-99, 99).map(str),
    st.floats(-9, 9).map(repr),
    st.sampled_from(["", "NA", "word", '"two\nlines"', '"a, b"', '"say ""x"""', "2020-01-01", "2020-01-01 10:00:00.5"]),
)


def columns_of(path: Path, block: int) -> dict[str, list[object]]:
    """What is read, as plain values."""
    return {name: column.to_pylist() for name, column in read_columns(path, dialect_of(path), block).items()}


@given(rows=st.lists(st.tuples(cells, cells), min_size=1, max_size=30), block=st.integers(40, 200))
def test_where_a_file_is_cut_changes_nothing(rows, block):
    """Lines in quotes, words among numbers and times among dates come out as from one piece."""
    text = "left,right\n" + "".join(f"{left},{right}\n" for left, right in rows)
    with scratch("table.csv", text.encode()) as file:
        assert columns_of(file, block) == columns_of(file, 1 << 20)


@pytest.mark.parametrize(
    ("late", "kind"),
    [("1.5", pa.float64()), ("word", pa.string()), ("", pa.int64()), ("99999999999999999999", pa.float64())],
)
def test_a_column_has_one_type(late, kind, tmp_path):
    """The one that holds all of it, also what comes in the last block."""
    file = tmp_path / "table.csv"
    file.write_text("a,b\n" + "1,1\n" * 100 + f"{late},1\n")
    column = read_columns(file, dialect_of(file), 40)["a"]
    assert column.type == kind
    assert column.num_chunks > 5
    assert len(column) == 101


@pytest.mark.parametrize(
    ("first", "later", "kind"),
    [
        ("2020-01-01", "2020-01-02 10:00:00", pa.timestamp("ns")),
        ("2020-01-01 10:00:00", "2020-01-02 10:00:00.25", pa.timestamp("ns")),
        ("2020-01-01T10:00:00Z", "2020-01-02T10:00:00.25Z", pa.timestamp("ns", "UTC")),
        ("2020-01-01T10:00:00Z", "2020-01-02 10:00:00", pa.string()),
        ("10:00:00", "2020-01-02 10:00:00", pa.string()),
    ],
)
def test_times_of_several_kinds_become_one(first, later, kind, tmp_path):
    """Dates and fractions of seconds go together; times with an offset and without do not, and stay text."""
    file = tmp_path / "table.csv"
    file.write_text("time,a\n" + f"{first},1\n" * 9 + f"{later},1\n" * 9)
    column = read_columns(file, dialect_of(file), 60)["time"]
    assert column.type == kind
    assert column.null_count == 0


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_the_line_is_right_wherever_the_fault_is(ending, pack, tmp_path):
    """Records over two lines and blocks before it are counted; zipped or not."""
    good = ending.join(["1,plain", '2,"over', 'two"'])
    text = ending.join(["a,b", good, good, good, "3,x,y", "4,z", ""])
    file = tmp_path / "table.csv"
    file.write_bytes(pack(text.encode()))
    with pytest.raises(DataError, match=r"table\.csv line 11 has 3 fields, the first line 2"):
        read_columns(file, dialect_of(file), 16)


def test_bytes_that_are_no_text_are_found_in_any_block(tmp_path):
    """The line is named, as in a file of one block."""
    file = tmp_path / "table.csv"
    file.write_bytes(b"a,b\n" + b"1,x\n" * 100 + b"1,\xff\n" + b"1,x\n" * 100)
    with pytest.raises(DataError, match=r"line 102: byte 0xff is no UTF-8"):
        read_columns(file, dialect_of(file), 40)


def test_a_quote_that_stays_open_is_found(tmp_path):
    """It swallows more than a field may hold by the csv module's default, and is named all the same."""
    file = tmp_path / "table.csv"
    file.write_text("a,b\n1,2\n" + '3,"4\n' + "5,6,7\n" * 50_000)
    columns = read_columns(file, dialect_of(file), 1000)
    assert len(columns["a"]) == 2


def test_arrow_holds_nothing_of_pythons(tmp_path, monkeypatch):
    """Its threads let go of what they parsed when the call is over: while Python ended, that aborted the process."""
    text = "".join(["a,b\n", "1,2\n"]).encode()
    held = sys.getrefcount(text)
    source = held_by_arrow(text)
    assert sys.getrefcount(text) == held
    assert source.read() == text

    parse, sources = pacsv.read_csv, []

    def watched(source, **options):
        sources.append(type(source))
        return parse(source, **options)

    monkeypatch.setattr(pacsv, "read_csv", watched)
    file = tmp_path / "table.csv"
    file.write_bytes(text)
    read_columns(file, dialect_of(file))
    assert sources == [pa.BufferReader]
