"""Cutting windows: row by row for many series at once, and from whole arrays; both cut the same.

A window ends at row `size - 1` after a restart, and then at every `stride`-th row.
"""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

Float32 = NDArray[np.float32]
Index = NDArray[np.int64]
Scalar = TypeVar("Scalar", bound=np.generic)


class Rings:
    """The newest rows of many series, and when they were; a slot is one series' place.

    Each row is written twice, `window` apart, so that the newest `window` rows always stand in one piece somewhere in
    a ring of twice that length, and a window is one copy:

        window 3, row 5 arrives:   [3 4 2|3 4 2]  ->  [3 4 5|3 4 5]
                                                       ~~~~~           rows 3 4 5
    """

    def __init__(self, window: int, features: int) -> None:
        self.window = window
        self.features = features
        self.rows: Float32 = np.zeros((0, 2 * window, features), np.float32)
        self.times: Index = np.zeros((0, window), np.int64)  # written once: read whole only to say when
        self.count: Index = np.zeros(0, np.int64)  # rows since the restart
        self._spans = self.rows

    @property
    def nbytes(self) -> int:
        """Bytes of all slots, used or not."""
        return self.rows.nbytes + self.times.nbytes + self.count.nbytes

    def grow(self, capacity: int) -> None:
        """Make room for `capacity` slots; memory of a new one is touched when it is first written."""
        self.rows, self.times = grown(self.rows, capacity), grown(self.times, capacity)
        self.count = grown(self.count, capacity)
        flat = self.rows.reshape(capacity, -1)
        # (slot, start, time x feature), a view: each start's rows in one piece
        self._spans = sliding_window_view(flat, self.window * self.features, axis=1)[:, :: self.features]

    def restart(self, slots: Index) -> None:
        """Forget the rows of these slots."""
        self.count[slots] = 0

    def push(self, slots: Index, rows: Float32, times: Index) -> None:
        """Append one row (n, feature) to each of n different slots."""
        place = self.count[slots] % self.window
        self.rows[slots, place] = rows
        self.rows[slots, place + self.window] = rows
        self.times[slots, place] = times
        self.count[slots] += 1

    def newest(self, slots: Index) -> Float32:
        """The row last pushed, (n, feature); means nothing after a restart."""
        return self.rows[slots, (self.count[slots] - 1) % self.window]

    def gather(self, slots: Index) -> Float32:
        """Copies of the windows that end now (n, time, feature); before `window` rows the first mean nothing."""
        return self._spans[slots, self.count[slots] % self.window].reshape(-1, self.window, self.features)

    def moments(self, slots: Index) -> Index:
        """The times of the rows that `gather` gives, (n, time)."""
        return self.times[slots[:, None], self._places(slots)]

    def put(self, slots: Index, windows: Float32, moments: Index, count: Index) -> None:
        """Set slots to what `gather` and `moments` gave of others, after `count` (n,) rows."""
        self.count[slots] = count
        places = self._places(slots)
        self.times[slots[:, None], places] = moments
        for half in (0, self.window):
            self.rows[slots[:, None], places + half] = windows

    def _places(self, slots: Index) -> Index:
        """Where the rows of the window that ends now are in the first half, oldest first, (n, time)."""
        return (self.count[slots, None] + np.arange(self.window)) % self.window


def cut(rows: NDArray[Scalar], size: int, stride: int = 1) -> NDArray[Scalar]:
    """All windows of (row, feature), a view (window, time, feature); window k ends at row size - 1 + k * stride."""
    if len(rows) < size:
        return np.empty((0, size, rows.shape[1]), rows.dtype)
    return sliding_window_view(rows, size, axis=0)[::stride].transpose(0, 2, 1)


def rounds(slots: Index) -> list[Index]:
    """Split a batch so that each round has a slot at most once, and a slot's rounds keep its order of arrival."""
    order = np.argsort(slots, kind="stable")
    grouped = slots[order]
    first = np.flatnonzero(np.r_[True, grouped[1:] != grouped[:-1]]) if len(slots) else np.zeros(0, np.int64)
    if len(first) == len(slots):
        return [np.arange(len(slots))] if len(slots) else []
    nth = np.empty(len(slots), np.int64)  # how often the slot has come before in this batch
    nth[order] = np.arange(len(slots)) - np.repeat(first, np.diff(np.r_[first, len(slots)]))
    return np.split(np.argsort(nth, kind="stable"), np.cumsum(np.bincount(nth))[:-1])


def grown(array: NDArray[Scalar], capacity: int) -> NDArray[Scalar]:
    """A copy with room for `capacity` entries, the new ones 0 and their memory untouched."""
    larger = np.zeros((capacity, *array.shape[1:]), array.dtype)
    larger[: len(array)] = array
    return larger
