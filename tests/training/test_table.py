"""Readings as the stages hand them on, a piece at a time."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from training.table import SeriesTable, pieces


@given(lengths=st.lists(st.integers(0, 12), min_size=1, max_size=5), most=st.integers(1, 5))
def test_pieces_are_all_rows_in_order(lengths, most):
    """Each row once, of its own series, at its place among all; none of a series without rows."""
    numbers = np.split(np.arange(sum(lengths)), np.cumsum(lengths)[:-1])
    series = [SeriesTable(f"s{k}", rows, rows[:, None] * 1.0, None) for k, rows in enumerate(numbers)]
    found = list(pieces(series, most))
    assert all(0 < len(piece.taken.times) <= most for piece in found)
    assert [row for piece in found for row in piece.taken.times] == list(range(sum(lengths)))
    assert [row for piece in found for row in range(sum(lengths))[piece.place]] == list(range(sum(lengths)))
    assert all((piece.series.times[piece.rows] == piece.taken.times).all() for piece in found)
