"""What stands above the table of a text file: the separator's name, comments; and files that are no tables."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest

from tests.training.files import check_refused
from training import ingest

TABLE = "time,a,b\n2026-01-01T00:00:00Z,1.5,2\n2026-01-01T00:00:01Z,,3\n"
COMMENTS = '# made by plc\n\n# at 5", for A, B, C\n'


def read(tmp_path: Path, content: str | bytes, *, reject: bool = False) -> ingest.Table:
    """Write a file and read it."""
    file = tmp_path / "pump.csv"
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return ingest.read(file, ingest.Wanted(reject=reject))


@pytest.mark.parametrize(
    "content",
    [
        "sep=,\n" + TABLE,
        "\ufeffSEP=;\r\n" + TABLE.replace(",", ";").replace("\n", "\r\n"),
        '"sep=\t"\n' + TABLE.replace(",", "\t"),
        "sep=;\n" + TABLE.replace(",", ";").replace("1.5", "1,5"),
        COMMENTS + TABLE,
        (COMMENTS + TABLE).replace("\n", "\r"),
        gzip.compress((COMMENTS + TABLE).encode(), mtime=0),
        "# made by plc\n" * 60 + TABLE,
        "# made by plc\n# " + TABLE,
    ],
)
def test_what_stands_above_the_table(tmp_path, content):
    """It changes nothing that is read, whatever the line ends."""
    table = read(tmp_path, content)
    assert table.features == ("a", "b")
    np.testing.assert_array_equal(table.series[0].values, [[1.5, 2], [np.nan, 3]])
    assert table.interval_us == 1_000_000


@pytest.mark.parametrize(
    ("above", "note"),
    [
        ("sep=,\n", ()),
        ("# made by plc\n", ("line 1 is left out: above the table, and begins with # ('# made by plc')",)),
        (COMMENTS, ("the first 3 lines are left out: above the table, and begin with # ('# made by plc')",)),
    ],
)
def test_what_was_left_out_is_said(tmp_path, above, note):
    """Of comments; and what is said of other lines still names their place."""
    assert read(tmp_path, above + TABLE).notes == note
    line = above.count("\n") + 4
    check_refused(lambda: read(tmp_path, above + TABLE + "2026-01-01T00:00:02Z,5\n"), f"line {line} has 2 fields")
    word = above + TABLE + "2026-01-01T00:00:02Z,4,4\n2026-01-01T00:00:03Z,broken,5\n"
    check_refused(lambda: read(tmp_path, word), f"line {line + 1}, column 'a': 'broken' is no number")
    table = read(tmp_path, above + TABLE + "2026-01-01T00:00:02Z,5\n", reject=True)
    assert [one.line for one in table.rejected] == [line]


@pytest.mark.parametrize(
    ("content", "features"),
    [
        ("# a,b\n1,2\n3,4\n", ("# a", "b")),
        ("# a\n1\n3\n", ("# a",)),
        ("#N/A,2\n3,4\n", ("f0", "f1")),
        ("# by plc\n1,2\n3,4\n", ("f0", "f1")),
    ],
)
def test_a_comment_may_be_the_header(tmp_path, content, features):
    """As numpy writes it; and a missing value is neither."""
    assert read(tmp_path, content).features == features


@pytest.mark.parametrize(
    ("content", "what"),
    [
        ("<html><body>404</body></html>\n", "HTML or XML"),
        ("\n<!DOCTYPE html>\n<html>\n", "HTML or XML"),
        ('<?xml version="1.0"?>\n<rows/>\n', "HTML or XML"),
        ('[{"a":1},{"a":2}]\n', "JSON"),
        ('{"a": [1, 2]}', "JSON"),
        ("[\n  [1, 2],\n  [3, 4]\n]\n", "JSON"),
        ('{"a":1,"b":2}\n{"a":2,"b":3}\n', "JSON"),
    ],
)
def test_what_is_no_table_is_named(tmp_path, content, what):
    """Not taken for a header without readings."""
    check_refused(lambda: read(tmp_path, content), f"pump.csv looks like {what}; give CSV in UTF-8, CSV in gzip")


def test_names_in_brackets_are_names(tmp_path):
    """As some databases write them."""
    assert read(tmp_path, "[a],<b>\n1,2\n3,4\n").features == ("[a]", "<b>")
