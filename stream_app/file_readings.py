"""A file's readings as messages for a readings topic: in order of time over all series, keyed by series."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC

import msgspec
import numpy as np
from numpy.typing import NDArray

from schemas.reading import Reading
from stream_app.outgoing import Message
from training.ingest import Table

ROWS = 4096  # converted at a time

_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True, eq=False)
class FileReadings:
    """The readings of `table` under `dataset`, their times moved by `shift_us`, labels left out.

    With more than one of `copies`, every reading is there so many times, of series `name-1`, `name-2`, ...
    """

    table: Table
    dataset: str
    copies: int = 1
    shift_us: int = 0

    @property
    def series(self) -> int:
        """The number of series, copies counted."""
        return len(self.table.series) * self.copies

    def __len__(self) -> int:
        return self.table.rows * self.copies

    def __iter__(self) -> Iterator[Message]:
        names = [self._names(series.name) for series in self.table.series]
        owner, row = self._order()
        for start in range(0, len(owner), ROWS):
            part = slice(start, start + ROWS)
            yield from self._messages(names, owner[part].tolist(), row[part].tolist())

    def _names(self, name: str) -> list[str]:
        return [name] if self.copies == 1 else [f"{name}-{copy}" for copy in range(1, self.copies + 1)]

    def _order(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """For every reading in order of time: which series it is of, and which row of it."""
        times = [series.times for series in self.table.series]
        owner = np.repeat(np.arange(len(times)), [len(each) for each in times])
        row = np.concatenate([np.arange(len(each)) for each in times])
        by_time = np.argsort(np.concatenate(times), kind="stable")
        return owner[by_time], row[by_time]

    def _messages(self, names: list[list[str]], owners: list[int], rows: list[int]) -> Iterator[Message]:
        features = self.table.features
        for owner, row in zip(owners, rows, strict=True):
            series = self.table.series[owner]
            moment = (series.times[row] + self.shift_us).astype("M8[us]").item().replace(tzinfo=UTC)
            values = dict(zip(features, series.values[row].tolist(), strict=True))  # NaN becomes null
            for name in names[owner]:
                yield Message(name.encode(), _encode(Reading(name, moment, values, self.dataset)))


def shift_to(table: Table, now_us: int) -> int:
    """The microseconds, in whole milliseconds, by which the newest reading of `table` is before `now_us`."""
    newest = max(int(series.times[-1]) for series in table.series)
    return (now_us - newest) // 1000 * 1000
