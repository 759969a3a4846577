"""The plant's past without faults, of which the last day is streamed with one sensor shifted for a part of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from stream_app.demo.plant import DAY, Recording, simulate
from stream_app.demo.scene import PLANT, tables, write

SENSOR = "temperature_c"
SHIFT = 8.0  # standard deviations of the training part
BEGINS, ENDS = 0.26, 0.60  # of the stream


@dataclass(frozen=True)
class Shifted:
    """Files to train on and to stream."""

    dataset: str
    history: Path
    live: Path
    readings: int  # to be streamed
    shift: float  # in the sensor's unit


def shifted(seed: int, folder: Path) -> Shifted:
    """Simulate it, and write it down."""
    folder.mkdir(parents=True, exist_ok=True)
    past = simulate(seed).history
    known, day = part(past, slice(None, -DAY)), part(past, slice(-DAY, None))
    sensor = past.features.index(SENSOR)
    shift = SHIFT * float(np.nanstd(known.values[:, :, sensor]))
    values = day.values.copy()
    values[:, round(BEGINS * DAY) : round(ENDS * DAY), sensor] += shift
    history = write(tables(known), known.features, folder / "history.csv")
    live = write(tables(replace(day, values=values)), day.features, folder / "live.csv")
    return Shifted(PLANT, history, live, len(day.series) * DAY, shift)


def part(recording: Recording, minutes: slice) -> Recording:
    """Some of its minutes."""
    return replace(recording, times=recording.times[minutes], values=recording.values[:, minutes])
