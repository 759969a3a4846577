"""Rows that can not be read are left out if they are few, told by line, and the others keep their lines."""

from __future__ import annotations

import gzip

import pytest

from training.faults import DataError
from training.ingest import read
from training.roles import Wanted

REJECT = Wanted(reject=True)


def rows(count: int = 600) -> list[bytes]:
    """A header and readings, a line each."""
    return [
        b"time,a,b",
        *(f"2026-01-01T00:{row // 60:02d}:{row % 60:02d}Z,{row % 7}.5,{row}".encode() for row in range(count)),
    ]


SLIPS = {
    "a word": (b"2026-01-01T00:00:09Z,broken,1", "'broken' is no number"),
    "a field too many": (b"2026-01-01T00:00:09Z,1,2,3", "4 fields instead of 3"),
    "a field too few": (b"2026-01-01T00:00:09Z,1", "2 fields instead of 3"),
    "no time": (b"soon,1,2", "'soon' is no time"),
    "no UTF-8": (b"2026-01-01T00:00:09Z,\xff,1", "no UTF-8"),
    "infinite": (b"2026-01-01T00:00:09Z,1e39,1", "beyond 3.4e38"),
}


@pytest.mark.parametrize("slip", SLIPS)
@pytest.mark.parametrize("packed", [False, True])
def test_a_row_that_can_not_be_read_is_left_out(tmp_path, slip, packed):
    """Each kind of slip, in CSV and in gzip: the row is told by its line, with why; the rest is read."""
    bad, why = SLIPS[slip]
    lines = rows()
    lines[10] = bad
    content, path = b"\n".join(lines), tmp_path / "a.csv"
    path.write_bytes(gzip.compress(content) if packed else content)
    table = read(path, REJECT)
    assert table.rows == 599
    assert [row.line for row in table.rejected] == [11]
    assert why in table.rejected[0].reason
    assert any("rejected rows: 1 left out (line 11" in note for note in table.notes)
    with pytest.raises(DataError):
        read(path)


def test_what_is_said_of_other_rows_names_their_line(tmp_path):
    """A time that goes back, below a row that was left out, is named by its place in the user's file."""
    lines = rows()
    lines[10], lines[20] = b"2026-01-01T00:00:09Z,1,1,1", b"2025-01-01T00:00:00Z,1,2"
    path = tmp_path / "a.csv"
    path.write_bytes(b"\n".join(lines))
    with pytest.raises(DataError, match=r"a\.csv line 21"):
        read(path, REJECT)


def test_a_record_of_several_lines_goes_whole(tmp_path):
    """Quoted line ends belong to their row."""
    lines = rows()
    lines[10] = b'2026-01-01T00:00:09Z,"bro\nken",1'
    path = tmp_path / "a.csv"
    path.write_bytes(b"\n".join(lines))
    table = read(path, REJECT)
    assert (table.rows, [row.line for row in table.rejected]) == (599, [11])


def test_many_are_no_slips(tmp_path):
    """More than one in a hundred: the file is refused as ever, with how many there are."""
    lines = rows()
    for at in range(10, 30):
        lines[at] += b",1"
    path = tmp_path / "a.csv"
    path.write_bytes(b"\n".join(lines))
    with pytest.raises(DataError, match=r"line 11 has 4 fields.*20 of 600 rows"):
        read(path, REJECT)


def test_a_file_without_slips_is_read_as_ever(tmp_path):
    """Nothing is left out, nothing is said."""
    path = tmp_path / "a.csv"
    path.write_bytes(b"\n".join(rows()))
    table = read(path, REJECT)
    assert (table.rows, table.rejected, table.notes) == (600, (), ())
