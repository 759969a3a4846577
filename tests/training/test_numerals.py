"""Columns of text that are numbers, or true and false, and the one word among them that is neither."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.training.files import check_refused
from training import ingest
from training.csv_file import dialect_of, read_columns
from training.dialect import MISSING
from training.numerals import Numerals


def parquet(tmp_path: Path, **columns: pa.Array) -> Path:
    """A Parquet file beside a column of numbers."""
    file = tmp_path / "pump.parquet"
    rows = len(next(iter(columns.values())))
    pq.write_table(pa.table({"a": np.arange(float(rows)), **columns}), file)
    return file


@pytest.mark.parametrize(
    "kind", [pa.string(), pa.large_string(), pa.string_view(), pa.dictionary(pa.int32(), pa.string())]
)
def test_numbers_that_parquet_has_as_text(tmp_path, kind):
    """They are read as those of a CSV are, whatever kind of text they are."""
    texts = ["5", " 7.5", "1e3\t", None, "", "NaN"]
    table = ingest.read(parquet(tmp_path, b=pa.array(texts, pa.string()).cast(kind)))
    assert table.features == ("a", "b")
    np.testing.assert_array_equal(table.series[0].values[:, 1], [5, 7.5, 1000, np.nan, np.nan, np.nan])


def test_times_that_parquet_has_as_text(tmp_path):
    """Epochs, and digits of a date."""
    for first in (1_767_225_600, 20_260_101_000_000):
        times = [str(first + row) for row in range(20)]
        table = ingest.read(parquet(tmp_path, time=pa.array(times)))
        assert table.series[0].times[:2].tolist() == [1_767_225_600_000_000, 1_767_225_601_000_000]


def test_words_of_parquet_stay_words(tmp_path):
    """Views and texts without any value too."""
    words = pa.array(["on", "off"] * 9)
    file = parquet(tmp_path, b=words, c=words.cast(pa.string_view()), d=pa.nulls(18, pa.string()))
    assert ingest.read(file).notes == (
        "column 'b' is ignored: it holds text ('on', 'off')",
        "column 'c' is ignored: it holds text ('on', 'off')",
        "column 'd' is ignored: it has no value at all",
    )


def test_a_word_in_a_column_of_parquet(tmp_path):
    """The row is named."""
    file = parquet(tmp_path, b=pa.array(["1", "2", "broken", "4"]))
    check_refused(lambda: ingest.read(file), "row 3, column 'b': 'broken' is no number; mend it, leave it empty, or")


def test_a_word_among_true_and_false(tmp_path):
    """As among numbers: its line, and not a column that is gone."""
    file = tmp_path / "pump.csv"
    cells = ["true", "False"] * 30
    cells[41] = "maybe"
    file.write_text("a,on\n" + "".join(f"{row}.5,{cell}\n" for row, cell in enumerate(cells)))
    check_refused(lambda: ingest.read(file), "line 43, column 'on': 'maybe' is neither true nor false; mend it, leave")
    table = ingest.read(file, ingest.Wanted(reject=True))
    assert (table.features, table.rows) == (("a", "on"), 59)
    assert "line 43" in table.notes[-1]


@pytest.mark.parametrize("word", sorted(MISSING))
@pytest.mark.parametrize("form", ["{}", " {}", "{} ", "{}\t", "  {}  "])
def test_missing_words_may_have_blanks_around_them(tmp_path, word, form):
    """As numbers may."""
    for spelled in {word, word.upper()}:
        file = tmp_path / "pump.csv"
        file.write_text(f"a,b\n1,2\n3,{form.format(spelled)}\n5,6\n")
        np.testing.assert_array_equal(ingest.read(file).series[0].values[:, 1], [2, np.nan, 6])


@pytest.mark.parametrize(
    ("texts", "values", "switches", "are_numbers"),
    [
        (["1", "2", "x"], [1, 2, np.nan], False, True),
        (["1", "x", "y"], [1, np.nan, np.nan], False, False),
        (["true", "FALSE", "1", "-", None], [1, 0, 1, np.nan, np.nan], True, True),
        (["1.5", "2.5", "true"], [1.5, 2.5, np.nan], False, True),
        ([None, " NA "], [np.nan, np.nan], False, True),
    ],
)
def test_what_most_of_the_texts_are(texts, values, switches, are_numbers):
    """Decides what the others ought to be."""
    found = Numerals.of(pa.chunked_array([pa.array(texts[:1], pa.string()), pa.array(texts[1:], pa.string())]))
    np.testing.assert_array_equal(found.values, values)
    assert (found.switches, found.are_numbers) == (switches, are_numbers)


def test_arrow_knows_the_missing_words_too(tmp_path):
    """Without blanks they do not make a column text."""
    file = tmp_path / "pump.csv"
    file.write_text("a,b\n" + "".join(f"1,{word}\n" for word in sorted(MISSING)) + "2,5.5\n")
    assert read_columns(file, dialect_of(file))["b"].type == pa.float64()
