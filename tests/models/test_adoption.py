"""A stream detector that goes over to another release: what it keeps of each series, and what begins anew."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.detector import Detector
from models.scaling import Scaler
from models.stream import StreamDetector
from tests import fakes
from tests.models.streams import (
    SECOND,
    START,
    Stream,
    batch_of,
    briefly,
    run,
    steady,
    streams,
)


def trained_again(**changed: Any) -> Detector:
    """The next release: other means and scales, all else as before."""
    scaler = Scaler(np.array([12.0, 10.0]), np.array([4.0, 2.0]))
    return fakes.detector(**({"release": "20260102T000000Z-000002", "scaler": scaler} | changed))


@briefly
@given(streams(), st.integers(0, 48), st.booleans())
def test_windows_survive_a_release_that_fits(stream: Stream, place: int, restored: bool):
    """Adopted, or restored from the old one's checkpoint, it finds the windows that the old one finds, in its units."""
    old = stream.detector
    new = trained_again(stride=old.stride, hold_limit=old.hold_limit, hold=old.hold, threshold=old.threshold)
    measured = [(name, time, np.nan_to_num(values, nan=9.0).tolist()) for name, time, values in stream.readings[place:]]
    going_on, watcher = StreamDetector(old), StreamDetector(new if restored else old)
    run(going_on, stream.readings[:place])
    if restored:
        watcher.restore(going_on.snapshot("abc"))
    else:
        run(watcher, stream.readings[:place])
        assert watcher.adopt(new)
    got, expected = watcher.observe(batch_of(measured)), going_on.observe(batch_of(measured))
    assert got.counts == expected.counts
    np.testing.assert_array_equal(got.moments, expected.moments)
    np.testing.assert_array_equal(got.imputed, expected.imputed)
    raw, raw_before = new.scaler.inverse(got.scored.windows), old.scaler.inverse(expected.scored.windows)
    np.testing.assert_allclose(raw, raw_before, atol=1e-5)


def test_an_adopted_release_sees_the_same_raw_values():
    """The window goes through raw units; threshold and hold begin anew."""
    stream = StreamDetector(fakes.detector(hold=0.9))
    stream.observe(batch_of([("a", START + k * SECOND, [10.0 + k, 11.0]) for k in range(8)]))
    assert stream.adopt(trained_again(hold=0.9))
    observed = stream.observe(batch_of([("a", START + 8 * SECOND, [18.0, 11.0])]))
    raw = stream.detector.scaler.inverse(observed.scored.windows)
    np.testing.assert_allclose(raw[0], [[15, 11], [16, 11], [17, 11], [18, 11]], rtol=1e-6)
    assert observed.thresholds.tolist() == [1]
    np.testing.assert_allclose(observed.scores, stream.detector.scale(observed.scored.combined))


@pytest.mark.parametrize("changed", [{"window": 5}, {"features": ("flow", "heat")}], ids=["window", "features"])
@pytest.mark.parametrize("restored", [False, True])
def test_series_warm_up_under_a_release_that_does_not_fit(changed: dict[str, Any], restored: bool):
    """No window comes of what was kept, but what is late is still late."""
    stream, new = StreamDetector(fakes.detector()), trained_again(**changed)
    stream.observe(batch_of(steady(8)))
    if restored:
        data = stream.snapshot(["a"])
        stream = StreamDetector(new)
        stream.restore(data)
    else:
        assert not stream.adopt(new)
    observed = stream.observe(batch_of(steady(3) + steady(new.window, first=8)))
    assert observed.counts.late == 3
    assert observed.counts.warm_ups == 1
    assert observed.rows.tolist() == [new.window + 2]


def test_adopting_the_release_in_service_changes_nothing():
    """Thresholds and holds stay, to the last bit."""
    stream = StreamDetector(fakes.detector(hold=0.9))
    stream.observe(batch_of([*steady(10), *steady(3, "b")]))
    before = stream.snapshot("ab")
    assert stream.adopt(fakes.detector(hold=0.9))
    assert stream.snapshot("ab") == before
