"""Bytes of memory a series: what a process grows by when a StreamDetector meets thousands of them."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np

from benchmarks import traffic
from models import bundle
from models.stream import Batch, StreamDetector

CHUNK = 1000  # readings that are scored at once


def resident() -> int:
    """Bytes of this process in memory."""
    status = Path("/proc/self/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1]) * 1024


def bytes_per_series(release: str, series: str) -> float:
    """Growth from the first chunk of series to all, every window whole.

    The first chunk is scored before the count begins: what the networks need to work on a chunk is no series' memory.
    """
    files = {file.name: file.read_bytes() for file in Path(release).iterdir()}
    detector = bundle.load(files)
    stream = StreamDetector(detector)
    _feed(stream, 0, CHUNK, detector.window + 2)
    before = resident()
    _feed(stream, CHUNK, int(series), detector.window + 2)
    return (resident() - before) / (int(series) - CHUNK)


def _feed(stream: StreamDetector, first: int, last: int, rows: int) -> None:
    """Readings of series `first` to `last` - 1, `rows` moments each, in chunks."""
    walk = traffic.sensors(rows, seed=5)
    for moment in range(rows):
        for begin in range(first, last, CHUNK):
            end = min(begin + CHUNK, last)
            times = np.full(end - begin, moment * 1_000_000, np.int64)
            values = np.repeat(walk[moment][None], end - begin, axis=0)
            stream.replay(Batch([f"machine-{n:05d}" for n in range(begin, end)], times, values, times))


if __name__ == "__main__":
    print(json.dumps({"bytes_per_series": round(bytes_per_series(*sys.argv[1:]))}))
