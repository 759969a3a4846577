"""Anomalies to order: each kind does what it says, where it says, and nothing else."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests import naive
from training.injection import KINDS, Fault, Healthy, faults, places

VALUES = np.array([3.0, 1.0, 4.0, 1.0, 5.0, 9.0, 2.0, 6.0])
HEALTHY = Healthy(VALUES, np.array([1.0, 2.0, 3.0, 2.0, 1.0, 2.0, 3.0, 2.0]), np.resize([1.0, -1.0], 8), -0.5)


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (Fault("spike", 4.0, "sd", 1), [1, 1, 4, 1, 5, 9, 2, 6]),
        (Fault("level shift", 2.0, "sd", 3), [2, 0, 3, 1, 5, 9, 2, 6]),
        (Fault("noise", 2.0, "sd", 4), [2, 2, 3, 2, 5, 9, 2, 6]),
        (Fault("drift", 8.0, "sd", 4), [2, -1, 1, -3, 5, 9, 2, 6]),
        (Fault("stuck", 3.0, "rows", 3), [3, 3, 3, 1, 5, 9, 2, 6]),
        (Fault("lost correlation", 4.0, "rows", 4), [1.25, 2.25, 3.25, 2.25, 5, 9, 2, 6]),
    ],
)
def test_each_kind_by_hand(fault, expected):
    """A deviation is half a unit, downwards; what is replayed has the mean of what it stands for."""
    assert fault.inflict(HEALTHY).tolist() == expected
    assert VALUES[0] == 3.0


def test_missing_values_stay_missing():
    """A fault makes no reading out of none, and is stuck at the first value there is."""
    values = np.array([np.nan, 2.0, np.nan, 4.0])
    healthy = Healthy(values, np.arange(4.0), np.ones(4), 1.0)
    for fault in faults(4, 2):
        np.testing.assert_array_equal(np.isnan(fault.inflict(healthy)), np.isnan(values))
    assert Fault("stuck", 4, "rows", 4).inflict(healthy)[3] == 2.0
    nothing = Healthy(np.full(4, np.nan), np.arange(4.0), np.ones(4), 1.0)
    assert np.isnan([fault.inflict(nothing) for fault in faults(4, 2)]).all()


@given(st.sampled_from(sorted(KINDS)), st.integers(1, 8))
def test_no_size_changes_nothing_and_no_row_after_the_last_is_touched(kind: str, rows: int):
    """Of size 0 a fault is none; what lies behind its rows stays as it was."""
    assert Fault(kind, 3.0, "", rows).inflict(HEALTHY)[rows:].tolist() == VALUES[rows:].tolist()
    if kind not in {"stuck", "lost correlation"}:
        assert Fault(kind, 0.0, "sd", rows).inflict(HEALTHY).tolist() == VALUES.tolist()


def test_durations_go_by_the_window():
    """No fault lasts longer than two windows; a feature that is alone has no correlation to lose."""
    assert max(fault.rows for fault in faults(32, 8)) == 64
    assert {fault.size for fault in faults(32, 8) if fault.unit == "rows"} == {8, 16, 32, 64}
    assert {fault.kind for fault in faults(32, 8)} - {fault.kind for fault in faults(32, 1)} == {"lost correlation"}
    assert all(fault.rows for fault in faults(1, 2))


@given(st.lists(st.sampled_from("_x|"), max_size=40), st.integers(0, 4), st.integers(1, 6), st.integers(0, 9))
def test_places_have_room(rows: list[str], before: int, after: int, seed: int):
    """As looking at each row finds it: `x` is no free row, `|` begins another stretch."""
    free, breaks = np.array([row != "x" for row in rows], bool), np.flatnonzero(np.array(rows) == "|")
    possible = naive.places("".join(rows), before, after)
    found = places(free, breaks, before, after, 5, np.random.default_rng(seed)).tolist()
    assert set(found) <= set(possible)
    assert bool(found) == bool(possible)
    every = places(free, breaks, before, after, max(len(possible), 1), np.random.default_rng(seed)).tolist()
    assert every == possible


def test_places_are_spread():
    """One in each fifth of what is possible, and others by another seed."""
    free, none = np.ones(1000, bool), np.empty(0, np.int64)
    found = [places(free, none, 10, 20, 5, np.random.default_rng(seed)) for seed in (1, 2)]
    assert [row // 195 for row in (found[0] - 10).tolist()] == [0, 1, 2, 3, 4]
    assert found[0].tolist() != found[1].tolist()
