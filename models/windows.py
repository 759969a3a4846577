"""Cutting windows: row by row for many series at once, and from whole arrays; both cut the same.

A window ends at row `size - 1` after a restart, and then at every `stride`-th row.
"""

from __future__ import annotations

import math
from typing import Any, TypeVar

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

Float32 = NDArray[np.float32]
Index = NDArray[np.int64]
Scalar = TypeVar("Scalar", bound=np.generic)


class Histories:
    """The newest `window - 1` rows of many series, and when they were; a slot is one series' place.

    A batch's rows are laid out behind what their series had, so that every window stands in one piece somewhere and is
    one copy, however many rows a series has in the batch:

        window 3, slot a gets row 5, slot b rows 7 and 8:    [a3 a4 a5|b5 b6 b7 b8]
                                                              ~~~~~~~~ ~~~~~~~~
                                                                          ~~~~~~~~
    """

    def __init__(self, window: int, features: int) -> None:
        self.window = window
        self.rows: Float32 = np.zeros((0, window - 1, features), np.float32)  # oldest first
        self.times: Index = np.zeros((0, window - 1), np.int64)
        self.count: Index = np.zeros(0, np.int64)  # rows since the restart; older ones mean nothing

    @property
    def nbytes(self) -> int:
        """Bytes of all slots, used or not."""
        return self.rows.nbytes + self.times.nbytes + self.count.nbytes

    def grow(self, capacity: int) -> None:
        """Make room for `capacity` slots."""
        self.rows, self.times = grown(self.rows, capacity), grown(self.times, capacity)
        self.count = grown(self.count, capacity)

    def extend(self, slots: Index, rows: Float32, times: Index, ends: Index) -> tuple[Float32, Index]:
        """Append rows (n, feature), taken at `times` (n,), to `slots` (n,), of which equal ones are adjacent.

        Gives copies of the windows that end at the rows `ends` (m,), and when their rows were: (m, time, feature) and
        (m, time). Counting is the caller's.
        """
        last = last_of_each(slots)
        places = np.arange(len(slots)) + (np.cumsum(last) - last + 1) * (self.window - 1)
        windows = self._append(self.rows, slots[last], rows, places, places[last], places[ends])
        return windows, self._append(self.times, slots[last], times, places, places[last], places[ends])

    def _append(
        self, kept: NDArray[Any], slots: Index, new: NDArray[Any], places: Index, last: Index, ends: Index
    ) -> NDArray[Any]:
        """Lay out what was kept and what is new, keep the newest of it, and copy the windows at `ends`."""
        held, shape = self.window - 1, kept.shape[2:]
        flat = kept.reshape(len(kept), held * math.prod(shape))
        line = np.empty((len(new) + len(slots) * held, *shape), kept.dtype)
        line[places] = new
        spans = _spans(line, held)
        spans[np.append(0, last[:-1] + 1)[: len(last)]] = flat[slots]
        flat[slots] = spans[last - held + 1]
        return _spans(line, held + 1)[ends - held].reshape(-1, held + 1, *shape)


def _spans(line: NDArray[Scalar], size: int) -> NDArray[Scalar]:
    """Every `size` adjacent rows of (row, ...), each in one piece: a view (row - size + 1, size * ...)."""
    step = line.strides[0]
    shape = (max(len(line) - size + 1, 0), size * math.prod(line.shape[1:]))
    return np.ndarray(shape, line.dtype, line, strides=(step, line.itemsize))


def cut(rows: NDArray[Scalar], size: int, stride: int = 1) -> NDArray[Scalar]:
    """All windows of (row, feature), a view (window, time, feature); window k ends at row size - 1 + k * stride."""
    if len(rows) < size:
        return np.empty((0, size, rows.shape[1]), rows.dtype)
    return sliding_window_view(rows, size, axis=0)[::stride].transpose(0, 2, 1)


def rounds(slots: Index) -> list[Index]:
    """Split a batch so that each round has a slot at most once, and a slot's rounds keep its order of arrival."""
    order = np.argsort(slots, kind="stable")
    last = last_of_each(slots[order])
    if last.all():
        return [np.arange(len(slots))] if len(slots) else []
    begin = begin_of_each(slots[order])
    nth = np.empty_like(order)  # how often the slot has come before in this batch
    nth[order] = np.arange(len(slots)) - begin
    return np.split(np.argsort(nth, kind="stable"), np.cumsum(np.bincount(nth))[:-1])


def last_of_each(slots: Index) -> NDArray[np.bool_]:
    """Where the last of adjacent equal slots is, (n,)."""
    return np.append(slots[1:] != slots[:-1], True)[: len(slots)]


def begin_of_each(slots: Index) -> Index:
    """For each of adjacent equal slots the place of the first, (n,)."""
    new = np.append(True, slots[1:] != slots[:-1])[: len(slots)]
    return np.maximum.accumulate(np.where(new, np.arange(len(slots)), 0))


def grown(array: NDArray[Scalar], capacity: int) -> NDArray[Scalar]:
    """A copy with room for `capacity` entries, the new ones 0 and their memory untouched."""
    larger = np.zeros((capacity, *array.shape[1:]), array.dtype)
    larger[: len(array)] = array
    return larger
