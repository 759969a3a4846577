"""Scores over time: thinned without losing a peak or a flag, and told to the page exactly."""

from __future__ import annotations

from base64 import b64decode

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.training.report.made import SECOND, START, judged
from training.report.timeline import LEAST, SERIES, Timeline, as_columns, spans, timelines


def only(table: pa.Table, points: int) -> Timeline:
    """The timeline of a table of one series."""
    (line,) = timelines(table, points)
    return line


@given(st.integers(1, 3000), st.integers(1, 2000))
def test_thinning_loses_no_peak_and_no_flag(windows: int, points: int):
    """The highest score, each flag and each label are in one of the points, of which there are not too many."""
    table = judged(["a"], windows, labelled=True)
    line = only(table, points)
    score, flagged = table["score"].to_numpy(), table["is_anomaly"].to_numpy()
    assert len(line.score) <= max(points, LEAST)
    assert line.peak == score.max()
    for point, first in enumerate(range(0, windows, line.bucket)):
        bucket = slice(first, first + line.bucket)
        assert line.score[point] == score[bucket].max()
        assert line.flagged[point] == line.labelled[point] == flagged[bucket].any()
    assert (line.windows, line.flags) == (windows, flagged.sum())


def test_few_windows_are_all_there():
    """What fits is not thinned."""
    table = judged(["a"], 300, labelled=False)
    line = only(table, 300)
    assert line.bucket == 1
    np.testing.assert_array_equal(line.score, table["score"].to_numpy())
    assert not line.labelled.any()


def test_the_worst_series_are_first():
    """By how far a score rose above the threshold; of very many series only those are there."""
    names = [f"s{number:03d}" for number in range(SERIES + 10)]
    lines = timelines(judged(names, 30, labelled=False))
    assert [line.series for line in lines] == names[::-1][:SERIES]


def test_no_windows_are_no_timelines():
    """A test part too short for a window is no error."""
    assert timelines(judged(["a"], 30, labelled=False).slice(0, 0)) == ()


def test_columns_say_the_same():
    """Unpacked, the page's columns are the timeline's: times in milliseconds."""
    line = only(judged(["a"], 300, labelled=True), 300)
    columns = as_columns(line, 10 * SECOND)
    np.testing.assert_array_equal(np.frombuffer(b64decode(str(columns["times"])), "<f8"), line.times / 1000)
    score = np.frombuffer(b64decode(str(columns["score"])), "<f4")
    np.testing.assert_array_equal(score, line.score.astype("<f4"))
    assert columns["flagged"] == columns["labelled"] == [((START + 100 * SECOND) / 1000, (START + 109 * SECOND) / 1000)]


def test_a_pause_breaks_line_and_flag():
    """Between windows that do not follow each other there is a NaN, and a flag does not reach over it."""
    table = judged(["a"], 300, labelled=False)
    line = only(pa.concat_tables([table.slice(0, 105), table.slice(200)]), 300)
    columns = as_columns(Timeline(**vars(line) | {"flagged": np.ones(205, bool)}), 10 * SECOND)
    score = np.frombuffer(b64decode(str(columns["score"])), "<f4")
    assert np.flatnonzero(np.isnan(score)).tolist() == [105]
    assert len(columns["flagged"]) == 2  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("mask", "breaks", "expected"),
    [("0110", [], ["12"]), ("1111", [2], ["01", "23"]), ("1001", [], ["00", "33"]), ("0000", [2], []), ("", [], [])],
)
def test_spans_are_unbroken_runs(mask: str, breaks: list[int], expected: list[str]):
    """First and last row of each, by their times."""
    flagged = np.array([sign == "1" for sign in mask], bool)
    found = spans(1000 * np.arange(len(mask)), flagged, np.array(breaks, np.int64))
    assert [f"{first:.0f}{last:.0f}" for first, last in found] == expected
