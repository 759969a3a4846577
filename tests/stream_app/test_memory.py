"""The cap on series: the longest silent go first, over all partitions."""

from __future__ import annotations

import logging

import numpy as np
import pytest

from models.stream import Batch, StreamDetector
from stream_app.memory import SeriesCap
from tests import fakes


def stream(seen: dict[str, int]) -> StreamDetector:
    """A stream whose series were last seen at these times."""
    made = StreamDetector(fakes.detector())
    times = np.array(list(seen.values()), np.int64)
    made.observe(Batch(list(seen), times, np.zeros((len(seen), 2)), times))
    return made


def test_the_longest_silent_of_all_partitions_go():
    """Which partition they are in does not matter, and they are counted."""
    streams = [stream({"a": 5, "b": 1, "c": 9}), stream({"d": 2, "e": 8}), stream({"f": 3})]
    dropped: list[int] = []
    SeriesCap(3, lambda: streams, dropped.append)()
    assert [set(each.series()) for each in streams] == [{"a", "c"}, {"e"}, set()]
    assert dropped == [3]


def test_below_the_cap_nothing_goes():
    """At the cap neither."""
    streams = [stream({"a": 1, "b": 2})]
    dropped: list[int] = []
    SeriesCap(2, lambda: streams, dropped.append)()
    assert streams[0].series_count == 2
    assert not dropped


def test_a_little_more_than_needed_goes():
    """So that a worker at its cap does not look for silent series after every chunk."""
    streams = [stream({f"s{number}": number for number in range(201)})]
    SeriesCap(200, lambda: streams, lambda count: None)()
    assert streams[0].series_count == 198


def test_it_is_said_once_a_minute(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture):
    """A worker at its cap drops series with every chunk; each line has the number since the one before."""
    clock = [0.0]
    monkeypatch.setattr("stream_app.logs.monotonic", lambda: clock[0])
    caplog.set_level(logging.WARNING)
    cap = SeriesCap(1, lambda: [stream({"a": 1, "b": 2})], lambda count: None)
    for second in range(0, 61, 20):
        clock[0] = second
        cap()
    assert [record.getMessage()[:9] for record in caplog.records] == ["1 series ", "3 series "]
