"""Windows one row at a time and from whole arrays: the same ones, whatever else is in the batch."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from models.windows import Histories, cut, rounds
from tests import naive

WINDOW = 4


def rows_of(n: int, features: int = 2, start: int = 0) -> np.ndarray:
    """Rows that are all different."""
    return (np.arange(n * features, dtype=np.float32) + start).reshape(n, features)


@given(st.integers(0, 12), st.integers(1, 6), st.integers(1, 5), st.integers(1, 3))
def test_cut_gives_every_whole_window(n: int, size: int, stride: int, features: int):
    """Size 3, stride 2 of eight rows; what is left at the end makes no window.

    0 1 2 3 4 5 6 7
    ~~~~~
        ~~~~~
            ~~~~~      (row 7 ends none)
    """
    rows = rows_of(n, features)
    windows = cut(rows, size, stride)
    expected = naive.windows_of(rows.tolist(), size, stride)
    assert windows.shape == (len(expected), size, features)
    assert windows.tolist() == expected


def test_cut_copies_nothing():
    """Overlapping windows share the memory of the rows."""
    rows = rows_of(100)
    assert np.shares_memory(cut(rows, 32), rows)


@given(st.lists(st.lists(st.integers(0, 3), max_size=12), max_size=5))
def test_windows_one_by_one_equal_whole_arrays(batches: list[list[int]]):
    """Four slots, rows in batches of any mix: each slot's windows are those cut from all of its rows.

    batch 1: a0 a1 b0 a2        batch 2: b1 a3 a4
    a: 0 1 2 3 4                windows of 4 end at a3, a4
    """
    histories = Histories(WINDOW, 2)
    histories.grow(4)
    everything = [rows_of(60, start=1000 * slot) for slot in range(4)]
    times = [rows.sum(axis=1).astype(np.int64) for rows in everything]
    got: list[list[np.ndarray]] = [[], [], [], []]
    done = [0] * 4
    for batch in batches:
        slots = np.array(sorted(batch), np.int64)
        places = [done[slot] + sorted(batch)[:k].count(slot) for k, slot in enumerate(slots)]
        whole = np.flatnonzero(np.array(places, np.int64) >= WINDOW - 1)
        new = [(everything[slot][place], times[slot][place]) for slot, place in zip(slots, places, strict=True)]
        rows, when = np.array([row for row, _ in new], np.float32).reshape(-1, 2), np.array([t for _, t in new], int)
        windows, moments = histories.extend(slots, rows, when, whole)
        np.testing.assert_array_equal(moments, windows.sum(axis=2))
        for slot, window in zip(slots[whole], windows, strict=True):
            got[slot].append(window)
        done = [count + batch.count(slot) for slot, count in enumerate(done)]
    for slot in range(4):
        expected = cut(everything[slot][: done[slot]], WINDOW)
        np.testing.assert_array_equal(np.array(got[slot]).reshape(expected.shape), expected)


def test_growing_keeps_what_is_there():
    """New slots are empty, old ones go on."""
    histories = Histories(WINDOW, 2)
    histories.grow(1)
    rows, first, none = rows_of(5), np.zeros(3, np.int64), np.zeros(0, np.int64)
    histories.extend(first, rows[:3], np.arange(3), none)
    histories.grow(50)
    windows, moments = histories.extend(first[:2], rows[3:], np.arange(3, 5), np.arange(2))
    np.testing.assert_array_equal(windows, cut(rows, WINDOW))
    assert moments.tolist() == [[0, 1, 2, 3], [1, 2, 3, 4]]


@given(st.lists(st.integers(0, 5), max_size=30))
def test_rounds_take_each_slot_once_and_in_order(slots: list[int]):
    """Every place is in one round; the k-th of a slot is in round k; places ascend within a round."""
    parts = rounds(np.array(slots, np.int64))
    assert sorted(place for part in parts for place in part.tolist()) == list(range(len(slots)))
    for number, part in enumerate(parts):
        assert part.tolist() == sorted(part.tolist())
        assert [slots[: place + 1].count(slots[place]) - 1 for place in part.tolist()] == [number] * len(part)
