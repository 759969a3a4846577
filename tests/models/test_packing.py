"""Snapshots: small, and garbage is refused whole."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.packing import SnapshotError, copies
from models.stream import Batch, StreamDetector
from schemas.errors import TidewatchError
from tests import fakes


def watched(window: int = 4, features: tuple[str, ...] = ("flow", "temp"), series: int = 3) -> StreamDetector:
    """A detector that has seen ten readings of each series."""
    stream = StreamDetector(fakes.detector(window=window, features=features))
    names = [f"pump-{k}" for k in range(series)]
    for second in range(10):
        times = np.full(series, second * 1_000_000)
        stream.observe(Batch(names, times, np.full((series, len(features)), 10.0 + second), times))
    return stream


def test_a_series_takes_little_more_than_its_window():
    """31 rows of 8 float32 and their times, and about 110 bytes."""
    stream = watched(window=32, features=tuple("abcdefgh"), series=800)
    assert len(stream.snapshot(stream.series())) / 800 < 31 * (8 * 4 + 8) + 120


def test_unknown_series_are_left_out():
    """A series evicted since it was listed is no error."""
    stream = watched()
    assert stream.snapshot(["pump-1", "gone"]) == stream.snapshot(["pump-1"])


def test_a_restored_series_replaces_what_is_known_of_it():
    """The snapshot counts, and other series stay."""
    stream = watched()
    data, others = stream.snapshot(["pump-1"]), stream.snapshot(["pump-0", "pump-2"])
    times = np.full(1, 10_000_000)
    stream.observe(Batch(["pump-1"], times, np.zeros((1, 2)), times))
    stream.restore(data)
    assert stream.snapshot(["pump-1"]) == data
    assert stream.snapshot(["pump-0", "pump-2"]) == others


def test_a_copy_goes_on_as_the_series_would():
    """Under any number of other names, and beside the series itself."""
    stream = watched()
    stream.restore(copies(stream.snapshot(["pump-1"]), ["one", "other"]))
    times = np.full(3, 10_000_000)
    observed = stream.observe(Batch(["pump-1", "one", "other"], times, np.full((3, 2), 20.0), times))
    assert len(set(observed.scores.tolist())) == len(set(observed.thresholds.tolist())) == 1
    assert [stream.snapshot([name])[-100:] for name in ("one", "other")] == [stream.snapshot(["pump-1"])[-100:]] * 2


def test_of_what_was_known_before_a_restore_nothing_is_left():
    """Restored from a release that does not fit, a series that is known here begins as if it were not."""
    known, new = watched(window=5), StreamDetector(fakes.detector(window=5))
    data = watched().snapshot(["pump-0", "pump-1", "pump-2"])
    known.restore(data)
    new.restore(data)
    assert changed(known.snapshot(new.series()), **NO_ROWS) == changed(new.snapshot(new.series()), **NO_ROWS)


NO_ROWS = {"rows": b"", "times": b""}  # before the count reaches the window, they mean nothing


def changed(data: bytes, **values: object) -> bytes:
    """A snapshot with parts replaced."""
    names = ["version", "release", "features", "window", "threshold_size", "mean", "scale", "series", "records"]
    parts = dict(zip([*names, "count", "rows", "times"], msgspec.msgpack.decode(data), strict=True))
    return msgspec.msgpack.encode(list((parts | values).values()))


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"version": 2}, "version 2; this program reads version 1"),
        ({"series": ["a", "b"]}, "bytes of count; its header asks for 16"),
        ({"series": ["a", "b", "a"]}, "names a series twice"),
        ({"features": ["flow"]}, "contradicts itself"),
        ({"features": [], "mean": [], "scale": []}, "contradicts itself"),
        ({"window": 0}, "contradicts itself"),
        ({"window": 10**6}, "contradicts itself"),
        ({"window": 5}, "bytes of rows"),
        ({"threshold_size": 10**9}, "contradicts itself"),
        ({"threshold_size": 5}, "bytes of records"),
        ({"scale": [1.0, 0.0]}, "scale above 0"),
        ({"mean": "x"}, "can not be read"),
        ({"rows": b"123"}, "3 bytes of rows"),
        ({"times": b""}, "0 bytes of times"),
        ({"count": np.array([1, 2, -3]).tobytes()}, "fewer than 0 rows"),
        ({"more": 1}, "can not be read"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_a_snapshot_that_is_not_whole_is_refused(values: dict[str, object], said: str):
    """One clear error, and the state is what it was."""
    stream = watched()
    before = stream.snapshot(stream.series())
    with pytest.raises(SnapshotError, match=said):
        stream.restore(changed(before, **values))
    assert stream.snapshot(stream.series()) == before


@given(st.binary() | st.tuples(st.integers(0, 400), st.binary(max_size=3)))
def test_garbage_is_refused(garbage: bytes | tuple[int, bytes]):
    """Any bytes, and a snapshot cut off or overwritten anywhere, restore or are refused; nothing else is raised."""
    stream = watched()
    if isinstance(garbage, tuple):
        data, (place, bytes_) = stream.snapshot(stream.series()), garbage
        garbage = data[:place] + bytes_ + (data[place + len(bytes_) :] if bytes_ else b"")
    before = stream.snapshot(stream.series())
    try:
        stream.restore(garbage)
    except SnapshotError:
        assert stream.snapshot(stream.series()) == before


def test_a_snapshot_error_is_for_users_and_for_recovery():
    """The command line shows the one, the worker's recovery goes on after the other."""
    assert issubclass(SnapshotError, TidewatchError)
    assert issubclass(SnapshotError, ValueError)
