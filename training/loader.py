"""Windows as the networks are fed with them: rows that lie on disk once, taken by where a window begins."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.lib.format import open_memmap
from numpy.typing import NDArray

from training.artifacts import Artifacts, link
from training.split import FITTING

FILES = {"train": "train", "validation": "val", "calibration": "calibration", "test": "test", FITTING: FITTING}
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
        return self.chosen(np.linspace(0, len(self) - 1, min(count, len(self))).astype(np.int64))

    def chosen(self, which: NDArray[np.int64] | NDArray[np.bool_]) -> Windows:
        """Some of the windows."""
        return Windows(self.rows, self.starts[which], self.size)

    def take(self, index: NDArray[np.int64]) -> NDArray[np.float32]:
        """Copies of the windows `index` (b,): (b, time, feature)."""
        taken: NDArray[np.float32] = self.rows[self.starts[index, None] + np.arange(self.size)]
        return taken


def create(artifacts: Artifacts, rows: int, features: int) -> Mapped:
    """A file for the scaled rows (row, feature), memory-mapped, to be filled and then saved."""
    return open_memmap(artifacts.loader(ROWS), mode="w+", dtype=np.float32, shape=(rows, features))


def save(artifacts: Artifacts, starts: dict[str, NDArray[np.int64]], size: int, limit: int = LIMIT_BYTES) -> None:
    """Write where each part's windows begin in the rows created.

    For people also `X_train` and so on of each part, (window, time, feature), with `y_*` as links to the same files,
    unless they would be above `limit` bytes in all.
    """
    rows = np.load(artifacts.loader(ROWS), mmap_mode="r")
    for part, first in starts.items():
        np.save(artifacts.loader(f"{STARTS}_{FILES[part]}"), first)
    shown = {part: Windows(rows, first, size) for part, first in starts.items() if part != FITTING}
    if sum(map(len, shown.values())) * size * rows.shape[1] * rows.itemsize <= limit:
        for part, windows in shown.items():
            _write_out(artifacts, part, windows)


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
    """A part's windows as `save` left them, in order of series and time; rows are memory-mapped."""
    starts = np.load(artifacts.loader(f"{STARTS}_{FILES[part]}"))
    return Windows(np.load(artifacts.loader(ROWS), mmap_mode="r"), starts, size)
