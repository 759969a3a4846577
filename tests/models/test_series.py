"""Slots: found, dropped, used again, and never more of them than there are series."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from models.series import GROWTH, SeriesTable
from models.stream import Batch, StreamDetector
from models.thresholds import FlagBudget
from tests import fakes

BYTES_PER_SERIES = 3000  # at windows of 32 rows of 8 features, Python's share included


def table() -> SeriesTable:
    """Small windows of one feature."""
    return SeriesTable(4, 1, FlagBudget(0.01).start)


def arrivals(names: list[str], seen: int, features: int = 2) -> Batch:
    """One reading of each series, all seen at once."""
    times = np.full(len(names), seen, np.int64)
    return Batch(names, times, np.full((len(names), features), 10.0), times)


@given(st.lists(st.tuples(st.booleans(), st.lists(st.sampled_from("abcdefgh"), max_size=8, unique=True)), max_size=20))
def test_slots_are_used_again_and_never_shared(steps: list[tuple[bool, list[str]]]):
    """Whatever comes and goes, each series has a slot of its own, and there are as many as were ever needed at once."""
    slots, most = table(), 0
    for come, names in steps:
        if come:
            slots.find(names)
        else:
            slots.drop([name for name in names if name in slots.names])
        most = max(most, len(slots))
        assert len(set(slots.slots.values())) == len(slots)
        assert len(slots.records) <= max(16, most * GROWTH)


def test_a_series_that_comes_back_is_new():
    """A dropped series leaves nothing to the one that gets its slot, be it itself."""
    stream = StreamDetector(fakes.detector())
    for second in range(10):
        stream.observe(arrivals(["a"], second * 1_000_000))
    assert stream.evict(1) == ["a"]
    observed = stream.observe(arrivals(["a"], 0))
    assert (observed.counts.late, observed.counts.gaps, observed.counts.warm_ups) == (0, 0, 1)
    fresh = StreamDetector(fakes.detector())
    fresh.observe(arrivals(["a"], 0))
    names = fresh.series()
    assert (stream.series(), stream.series_count) == (names, 1)
    assert [len(stream.observe(arrivals(["a"], second * 1_000_000)).rows) for second in (1, 2, 3)] == [0, 0, 1]


def test_the_longest_silent_goes_first():
    """By when a series was last heard of, late readings too; event time does not matter."""
    stream = StreamDetector(fakes.detector())
    for seen, names in enumerate([["c"], ["a"], ["b"], ["d"], ["c"]]):
        batch = arrivals(names, seen)
        stream.observe(Batch(batch.series, -batch.times, batch.values, batch.seen))
    assert stream.oldest_seen(3).tolist() == [1, 2, 3]
    assert stream.evict(2) == ["a", "b"]
    assert stream.evict(0) == []
    assert stream.evict(9) == ["d", "c"]
    assert stream.oldest_seen(5).tolist() == []
    assert stream.series_count == 0


def test_memory_is_bounded_under_new_series():
    """With a cap kept by evicting, ever new names cost no more memory."""
    stream, sizes = StreamDetector(fakes.detector()), []
    for chunk in range(30):
        stream.observe(arrivals([f"pump-{chunk}-{k}" for k in range(100)], chunk))
        stream.evict(stream.series_count - 200)
        sizes.append(stream.nbytes)
    assert stream.series_count == 200
    assert max(sizes[5:]) <= sizes[4] * 1.01
    assert min(int(name.split("-")[1]) for name in stream.series()) == 28


def test_a_series_is_small():
    """All that is kept of a series, Python's part and what is allocated ahead included, at any number of series."""
    stream = StreamDetector(fakes.detector(features=tuple("abcdefgh"), window=32))
    for chunk in range(20):
        stream.observe(arrivals([f"plant-1/line-4/pump-{chunk}-{k}" for k in range(97)], chunk, features=8))
        if chunk > 2:
            assert stream.nbytes <= BYTES_PER_SERIES * stream.series_count
