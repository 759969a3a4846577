"""What the default detector costs over the plain three networks on the same window: `python -m benchmarks.default`.

In one process and one thread, through the core that the worker calls: readings in, windows scored, a flag for each
written. Both detectors see the same readings in turn. What a worker does besides is the same for both and not counted,
so that the ratio is rather too high than too low. How well the networks are trained does not matter here.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from statistics import median
from time import perf_counter

import numpy as np

from benchmarks import traffic
from benchmarks.bed import train
from models import bundle
from models.stream import Batch, StreamDetector
from training.speed import threads

WINDOW, SERIES, TURNS = 64, 1000, 15
TRAINED = 4000  # rows of the walk that the detectors were trained on: it goes on from there


def default_over_plain() -> dict[str, float]:
    """Microseconds a reading of both, medians, and the median of the ratios."""
    with tempfile.TemporaryDirectory(prefix="tidewatch-default-") as folder:
        plain, default = (warm(Path(folder, name), name) for name in ("plain", "default"))
    with threads(1):
        pairs = [(observe(plain, turn), observe(default, turn)) for turn in range(WINDOW, WINDOW + TURNS + 1)][1:]
    return {
        "plain_64_us_per_reading": round(median(usual for usual, _ in pairs), 2),
        "default_us_per_reading": round(median(ours for _, ours in pairs), 2),
        "default_over_plain": round(median(ours / usual for usual, ours in pairs), 3),
    }


def warm(folder: Path, config: str) -> StreamDetector:
    """A stream of a config's detector on windows of 64 rows, every series one reading short of its first window."""
    folder.mkdir()
    release = train(folder, config, WINDOW)
    stream = StreamDetector(bundle.load({file.name: file.read_bytes() for file in release.iterdir()}))
    for moment in range(WINDOW):
        observe(stream, moment)
    return stream


def observe(stream: StreamDetector, moment: int) -> float:
    """Take in one reading of each series; microseconds for each."""
    batch = readings(moment)
    began = perf_counter()
    stream.flags(stream.observe(batch), everything=True)
    return (perf_counter() - began) / SERIES * 1e6


def readings(moment: int) -> Batch:
    """Of every series at once, somewhat different from each other."""
    apart = 0.01 * np.random.default_rng(moment).normal(size=(SERIES, 1))
    values = traffic.sensors(TRAINED + moment + 1, seed=0)[-1] + apart
    times = np.full(SERIES, moment * 1_000_000, np.int64)
    return Batch([f"machine-{number:05d}" for number in range(SERIES)], times, values, times)


if __name__ == "__main__":
    print(json.dumps(default_over_plain()))
