"""Parts and windows: no row in two parts, a window's gap between them, nothing across a pause."""

from __future__ import annotations

import itertools

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from schemas.training import SplitConfig, WindowConfig
from tests import naive
from training.split import GAP, PARTS, parts_of, split
from training.table import SeriesTable

PAUSE = 10


@st.composite
def tables(draw: st.DrawFn) -> list[SeriesTable]:
    """Some series with pauses, some of them with labels."""
    series = []
    for number in range(draw(st.integers(1, 3))):
        steps = draw(st.lists(st.sampled_from([1, 1, 1, 1, 1, 1, PAUSE, PAUSE + 1]), min_size=1, max_size=150))
        rows = len(steps)
        labels = np.zeros(rows, bool)
        for begin in draw(st.lists(st.integers(0, rows - 1), max_size=2)):
            labels[begin : begin + draw(st.integers(1, 20))] = True
        known = labels if draw(st.booleans()) else None
        series.append(SeriesTable(f"s{number}", np.cumsum(steps), np.zeros((rows, 1)), known))
    return series


windows = st.builds(WindowConfig, size=st.integers(4, 9), stride=st.integers(1, 4))


@given(series=tables(), window=windows)
def test_windows_are_those_found_by_looking_at_every_row(series, window):
    """Within one part and stretch, every stride, and without an anomaly unless they are there to test."""
    cut = split(series, PAUSE, window, SplitConfig())
    offsets = np.cumsum([0, *(len(table.times) for table in series)])
    for code, part in enumerate(PARTS):
        expected = []
        for table, low, high in zip(series, offsets, offsets[1:], strict=False):
            labels = np.zeros(len(table.times), bool) if table.labels is None else table.labels
            found = naive.windows_of_part(
                cut.parts[low:high], table.times, labels, code, window.size, window.stride, PAUSE, part != "test"
            )
            expected += [low + first for first in found]
        assert cut.windows[part]["first"].tolist() == expected


@given(series=tables(), window=windows)
def test_nothing_leaks_from_one_part_into_another(series, window):
    """Each row serves one part at most, parts follow each other in time, and a window's length lies between them."""
    cut = split(series, PAUSE, window, SplitConfig())
    offsets = np.cumsum([0, *(len(table.times) for table in series)])
    for low, high in itertools.pairwise(offsets):
        ends: list[int] = []
        for part in PARTS:
            first = cut.windows[part]["first"]
            mine = first[(first >= low) & (first < high)]
            if len(mine):
                assert all(mine.min() - end >= window.size for end in ends)
                ends.append(mine.max() + window.size)


@given(series=tables(), window=windows)
def test_windows_say_when_they_are_and_what_they_follow(series, window):
    """Times are those of the first and last row; a segment is windows one stride apart, without a break."""
    cut = split(series, PAUSE, window, SplitConfig())
    times = np.concatenate([table.times for table in series])
    for found in cut.windows.values():
        np.testing.assert_array_equal(found["start"], times[found["first"]])
        np.testing.assert_array_equal(found["end"], times[found["first"] + window.size - 1])
        for before, after in itertools.pairwise(found):
            adjacent = (
                after["series"] == before["series"]
                and after["first"] - before["first"] == window.stride
                and cut.segments[after["first"]] == cut.segments[before["first"]]
            )
            assert (after["segment"] == before["segment"]) == adjacent


def test_shares_are_of_the_rows_without_an_anomaly():
    """A long anomaly in the middle takes nothing away from what can be fitted to."""
    plain = parts_of(np.zeros(200, bool), 5, SplitConfig())
    assert [int((plain == code).sum()) for code in range(5)] == [120, 15, 25, 25, 15]
    labels = np.zeros(300, bool)
    labels[50:150] = True
    parts = parts_of(labels, 5, SplitConfig())
    np.testing.assert_array_equal(parts[~labels], plain)
    assert set(parts[labels]) == {0}
    assert GAP == 4
