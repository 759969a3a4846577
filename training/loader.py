"""Windows as the networks are fed with them: rows once in memory, or an array on disk, taken by index."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.lib.format import open_memmap
from numpy.typing import NDArray

from training.artifacts import Artifacts, link

FILES = {"train": "train", "validation": "val", "calibration": "calibration", "test": "test"}  # X_val, as it is called
ROWS, STARTS = "rows", "starts"
LIMIT_BYTES = 1 << 30  # above it, overlapping windows are not written out
BLOCK = 4096

Mapped = np.memmap[Any, np.dtype[np.float32]]


@dataclass(frozen=True, eq=False)
class Windows:
    """Windows of `size` rows that begin at `starts` (window,) in `rows` (row, feature), scaled float32."""

    rows: NDArray[np.float32]
    starts: NDArray[np.int64]
    size: int

    def __len__(self) -> int:
        return len(self.starts)

    def newest(self, rows: int) -> Windows:
        """The newest `rows` rows of each window."""
        return Windows(self.rows, self.starts + self.size - rows, rows)

    def spread(self, count: int) -> Windows:
        """At most `count` of the windows, evenly spread."""
        chosen = np.linspace(0, len(self) - 1, min(count, len(self))).astype(np.int64)
        return Windows(self.rows, self.starts[chosen], self.size)

    def take(self, index: NDArray[np.int64]) -> NDArray[np.float32]:
        """Copies of the windows `index` (b,): (b, time, feature)."""
        taken: NDArray[np.float32] = self.rows[self.starts[index, None] + np.arange(self.size)]
        return taken


def create(artifacts: Artifacts, rows: int, features: int) -> Mapped:
    """A file for the scaled rows (row, feature), memory-mapped, to be filled and then saved."""
    return open_memmap(artifacts.loader(ROWS), mode="w+", dtype=np.float32, shape=(rows, features))


def save(artifacts: Artifacts, starts: dict[str, NDArray[np.int64]], size: int, limit: int = LIMIT_BYTES) -> None:
    """Write `X_train` and so on, (window, time, feature), with `y_*` as links to the same files, of the rows created.

    Above `limit` bytes in all the rows stay instead, once, with each part's `starts`.
    """
    rows = np.load(artifacts.loader(ROWS), mmap_mode="r")
    width = size * rows.shape[1] * rows.itemsize
    if sum(map(len, starts.values())) * width > limit:
        for part, first in starts.items():
            np.save(artifacts.loader(f"{STARTS}_{FILES[part]}"), first)
        return
    for part, first in starts.items():
        _write_out(artifacts, part, Windows(rows, first, size))
    artifacts.loader(ROWS).unlink()


def _write_out(artifacts: Artifacts, part: str, windows: Windows) -> None:
    inputs, targets = artifacts.loader(f"X_{FILES[part]}"), artifacts.loader(f"y_{FILES[part]}")
    shape = (len(windows), windows.size, windows.rows.shape[1])
    array = open_memmap(inputs, mode="w+", dtype=np.float32, shape=shape)
    for begin in range(0, len(windows), BLOCK):
        block = np.arange(begin, min(begin + BLOCK, len(windows)))
        array[block] = windows.take(block)
    array.flush()
    link(inputs, targets)


def load(artifacts: Artifacts, part: str, size: int) -> Windows:
    """Read a part's windows as `save` left them, memory-mapped."""
    inputs = artifacts.loader(f"X_{FILES[part]}")
    if not inputs.exists():
        starts = np.load(artifacts.loader(f"{STARTS}_{FILES[part]}"))
        return Windows(np.load(artifacts.loader(ROWS), mmap_mode="r"), starts, size)
    array = np.load(inputs, mmap_mode="r")
    return Windows(array.reshape(-1, array.shape[2]), np.arange(len(array)) * size, size)
