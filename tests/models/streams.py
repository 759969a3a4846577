"""Readings of all sorts for a stream detector, and its windows in a form to compare."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st

from models.detector import Detector
from models.stream import Batch, Observed, StreamDetector
from models.thresholds import FlagBudget, Quantile
from tests import fakes

SECOND = 1_000_000
START = 1_788_000_000 * SECOND

Readings = list[tuple[str, int, list[float]]]


def batch_of(readings: Readings, features: int = 2) -> Batch:
    """Readings (series, time, values) as a batch, each seen when it was taken."""
    times = np.array([time for _, time, _ in readings], np.int64)
    values = np.array([values for _, _, values in readings], np.float64).reshape(-1, features)
    return Batch([name for name, _, _ in readings], times, values, times)


def steady(n: int, series: str = "a", first: int = 0, value: float = 10.0) -> Readings:
    """A reading a second, all alike."""
    return [(series, START + (first + k) * SECOND, [value, 11.0]) for k in range(n)]


def windows_of(observed: Observed, begin: int = 0) -> list[tuple[Any, ...]]:
    """The windows in the oracle's form; rows are counted from `begin`."""
    return list(
        zip(
            (observed.rows + begin).tolist(),
            [observed.batch.series[row] for row in observed.rows],
            observed.moments.tolist(),
            observed.scored.windows.tolist(),
            observed.imputed.tolist(),
            observed.scores.tolist(),
            observed.thresholds.tolist(),
            observed.is_anomaly.tolist(),
            strict=True,
        )
    )


def run(stream: StreamDetector, readings: Readings, cuts: Sequence[int] = ()) -> list[tuple[Any, ...]]:
    """All windows of readings that come in batches with these cuts between them."""
    found = []
    for begin, end in pairwise([0, *sorted(min(place, len(readings)) for place in cuts), len(readings)]):
        found += windows_of(stream.observe(batch_of(readings[begin:end])), begin)
    return found


def same(got: list[tuple[Any, ...]], expected: list[tuple[Any, ...]]) -> None:
    """Equal to the last bit, but for a threshold that two ways of taking an exponential may see differently."""
    assert [each[:5] for each in got] == [tuple(each[:5]) for each in expected]
    for one, other in zip(got, expected, strict=True):
        assert one[5:7] == pytest.approx(other[5:7], rel=1e-6)
        assert one[7] == other[7] or abs(one[5] - one[6]) < 1e-6


@dataclass(frozen=True)
class Stream:
    """A detector and readings of all sorts for it."""

    detector: Detector
    readings: Readings


@st.composite
def streams(draw: st.DrawFn) -> Stream:
    """Three series: steady, late, twice, pausing just short of a gap and longer, values missing here and there."""
    names = draw(st.lists(st.sampled_from("aaabbc"), min_size=draw(st.sampled_from([0, 24])), max_size=48))
    steps = [1] * 8 + [0, -3, 10, 11]
    clocks = dict.fromkeys("abc", START)
    readings: Readings = []
    for name in names:
        clocks[name] += draw(st.sampled_from(steps)) * SECOND
        value = st.sampled_from([8.0, 10.0, 12.5, 30.0, float("nan"), float("nan")])
        readings.append((name, clocks[name], [draw(value), draw(value)]))
    detector = fakes.detector(
        stride=draw(st.integers(1, 3)),
        hold_limit=draw(st.integers(0, 3)),
        hold=draw(st.sampled_from([0.0, 0.9])),
        threshold=draw(st.sampled_from([FlagBudget(0.01), Quantile(0.01)])),
    )
    return Stream(detector, readings)


cuts = st.lists(st.integers(0, 48), max_size=4)
briefly = settings(max_examples=40)
