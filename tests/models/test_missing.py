"""Whole arrays are filled as the stream fills them, one reading at a time."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from models.batch import Batch
from models.missing import fill
from models.stream import StreamDetector
from tests import fakes, naive

values = st.one_of(st.just(float("nan")), st.floats(-1e3, 1e3))
readings = st.lists(
    st.tuples(st.sampled_from([1, 1, 1, 1, 11]), st.tuples(values, values)), min_size=1, max_size=60
)  # seconds since the one before, and two features


@given(readings=readings, hold_limit=st.integers(0, 5))
def test_filling_is_what_it_says(readings, hold_limit):
    """The newest value of the stretch if it is not too old, else the default."""
    rows = np.array([row for _, row in readings])
    segments = np.cumsum([pause > 10 for pause, _ in readings]).astype(np.int32)
    filled = fill(rows, segments, hold_limit, np.array([7.0, 8.0]))
    np.testing.assert_array_equal(filled, naive.filled(rows, segments, hold_limit, [7.0, 8.0]))


@given(readings=readings)
def test_the_stream_fills_the_same(readings):
    """The windows that a StreamDetector scores are the windows of the filled and scaled array."""
    detector = fakes.detector()
    times = np.cumsum([pause for pause, _ in readings]) * 1_000_000
    rows = np.array([row for _, row in readings])
    segments = np.cumsum(np.diff(times, prepend=times[:1]) > detector.gap_us).astype(np.int32)
    filled = detector.scaler.transform(fill(rows, segments, detector.hold_limit, detector.scaler.mean))
    observed = StreamDetector(detector).observe(Batch(["pump"] * len(rows), times, rows, times))
    size = detector.window
    expected = [k for k in range(size - 1, len(rows)) if segments[k] == segments[k - size + 1]]
    assert observed.rows.tolist() == expected
    for window, end in zip(observed.scored.windows, expected, strict=True):
        np.testing.assert_array_equal(window, filled[end - size + 1 : end + 1])
