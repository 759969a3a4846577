"""What is kept of each series: one slot in a few arrays, found by the series' name."""

from __future__ import annotations

import sys
from collections.abc import Callable, KeysView, Sequence

import numpy as np
from numpy.typing import NDArray

from models.windows import Histories, Index, grown

NEVER = -(2**62)  # a time before all others, far enough from the ends of int64 to be subtracted
UNUSED = np.iinfo(np.int64).max  # `seen` of an empty slot: never the longest silent
LONG = np.iinfo(np.int16).max  # as many rows as can be counted; longer than any window and any hold
GROWTH = 1.125  # what is allocated ahead stays small
SMALLEST = 16  # slots


def record(features: int, threshold_size: int) -> np.dtype[np.void]:
    """What is kept of a series beside its window; little enough to travel in a checkpoint."""
    return np.dtype(
        [
            ("newest", "<i8"),  # event time of the newest row, microseconds UTC
            ("seen", "<i8"),  # the record's own time of whatever came last, late or not
            ("held", "<f8"),  # the combined error of the newest window, after hold
            ("threshold", "<f4", (threshold_size,)),
            ("age", "<i2", (features,)),  # rows since the feature's last measured value
            ("since", "<i2", (features,)),  # rows since one was imputed
            ("dropped", "<i2"),  # late and duplicate readings in a row
        ],
        align=True,
    )


class SeriesTable:
    """Slots for series; a slot is used again when its series is dropped."""

    def __init__(self, window: int, features: int, start_threshold: Callable[[int], NDArray[np.float32]]) -> None:
        self.histories = Histories(window, features)
        self._threshold = start_threshold(1)[0]
        self.records = np.zeros(0, record(features, len(self._threshold)))
        self.slots: dict[str, int] = {}
        self._by_slot: list[str] = []  # the series that has each slot, or had it last
        self._free: list[int] = []  # empty slots, the lowest last
        self._letters = 0  # of all names

    def __len__(self) -> int:
        return len(self.slots)

    @property
    def names(self) -> KeysView[str]:
        """The series kept now, in the order they came."""
        return self.slots.keys()

    @property
    def nbytes(self) -> int:
        """Memory of all slots and of what finds them, in bytes."""
        index = sum(map(sys.getsizeof, (self.slots, self._by_slot, self._free)))
        names = len(self) * (sys.getsizeof("") + sys.getsizeof(LONG)) + self._letters
        return self.histories.nbytes + self.records.nbytes + index + names

    def find(self, names: Sequence[str]) -> Index:
        """The slots of series (n,); a new series gets one."""
        try:
            return np.array([self.slots[name] for name in names], np.int64)
        except KeyError:
            self._add([name for name in dict.fromkeys(names) if name not in self.slots])
            return np.array([self.slots[name] for name in names], np.int64)

    def renew(self, names: Sequence[str]) -> Index:
        """The slots of series (n,), each as if nothing had ever come."""
        slots = self.find(names)
        self.histories.count[slots] = 0
        self.records[slots] = self._new()
        return slots

    def drop(self, names: Sequence[str]) -> None:
        """Forget series."""
        self._free += [self.slots.pop(name) for name in names]
        self._letters -= sum(map(len, names))
        self.records["seen"][self._free] = UNUSED

    def longest_silent(self, n: int) -> list[tuple[int, str]]:
        """The `n` series that have been silent longest, the longest first, each after the time it was last seen."""
        seen = self.records["seen"]
        n = min(max(n, 0), len(self))
        slots = np.argpartition(seen, n - 1)[:n].tolist() if n else []
        return sorted((int(seen[slot]), self._by_slot[slot]) for slot in slots)

    def _add(self, names: Sequence[str]) -> None:
        if len(self._free) < len(names):
            self._grow(len(self) + len(names))
        slots = [self._free.pop() for _ in names]
        self.slots.update(zip(names, slots, strict=True))
        for name, slot in zip(names, slots, strict=True):
            self._by_slot[slot] = name
        self._letters += sum(map(len, names))
        self.histories.count[slots] = 0
        self.records[slots] = self._new()

    def _grow(self, needed: int) -> None:
        old = len(self.records)
        capacity = max(SMALLEST, needed, int(needed * GROWTH))
        self.histories.grow(capacity)
        self.records = grown(self.records, capacity)
        self.records["seen"][old:] = UNUSED
        self._by_slot += [""] * (capacity - old)
        self._free = list(range(capacity - 1, old - 1, -1)) + self._free

    def _new(self) -> NDArray[np.void]:
        """The record of a series of which nothing has come."""
        new = np.zeros((), self.records.dtype)
        new["newest"] = new["seen"] = NEVER
        new["held"] = np.nan
        new["threshold"] = self._threshold
        new["age"] = new["since"] = LONG
        return new
