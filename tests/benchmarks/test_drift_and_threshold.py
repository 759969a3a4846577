"""What docs/drift.md says of thresholds and alerts together, with a small detector and promtool."""

from __future__ import annotations

import pytest

from benchmarks import drift_and_threshold as together
from tests.watchers import needs_promtool

SMALL = ("networks.lstm_ae=null", "networks.gru_ae=null", "training.epochs=1", "window.size=32")
pytestmark = [needs_promtool, pytest.mark.slow]


@pytest.fixture(scope="module")
def detector(tmp_path_factory):
    """It knows the quiet machines."""
    return together.trained(tmp_path_factory.mktemp("kept"), SMALL)


def test_quiet_machines_are_left_alone(detector, tmp_path):
    """Flags keep near their promise, and no alert fires."""
    seen = together.watch(detector, together.WORLDS["nothing changes"], tmp_path)
    assert seen.flags.mean() < 0.03
    assert not seen.alerts


def test_a_fault_that_stays_is_flagged_for_a_thousand_readings_and_alerts(detector, tmp_path):
    """Nearly three hours, from the first reading that a machine sends; the alerts do not forget it then."""
    seen = together.watch(detector, together.WORLDS["step of 8, there when a machine is first seen"], tmp_path)
    assert seen.flags[detector.window : 1000].mean() > 0.99
    assert seen.flags[-200:].mean() < 0.2
    assert seen.alerts.keys() >= {"TidewatchFeatureMean", "TidewatchAnomalyRateHigh"}


def test_a_slow_drift_is_followed_and_alerts(detector, tmp_path):
    """At the pace of 4 deviations in seven hours flags stay few, since the threshold follows; the alerts tell."""
    seen = together.watch(detector, together.WORLDS["slow drift, by 4 deviations"], tmp_path)
    assert seen.flags[:1000].mean() < 0.05
    assert "TidewatchFeatureMean" in seen.alerts
