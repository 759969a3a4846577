"""The drift that the page shows: of workers and of predictions, added up."""

from __future__ import annotations

from stream_app.admin.drifting import DriftFigures
from tests.monitoring.test_drift_metrics import page, reports
from tests.stream_app.test_drift_command import served


def test_workers_and_predictions_are_added_up():
    """Two hundred readings here and three hundred there are five hundred."""
    here, there = reports(200, 300)
    with served(page([there])) as worker:
        seen = DriftFigures([worker], lambda: page([here]).encode()).look()
    assert seen.reports["pumps", "r1"].totals.readings == 500
    assert seen.silent == []


def test_a_worker_that_is_silent_or_none_is_named():
    """What answers something else, and what does not answer, take nothing away."""
    (here,) = reports(200)
    with served("hello") as stranger:
        seen = DriftFigures(["http://127.0.0.1:9", stranger], lambda: page([here]).encode()).look()
    assert seen.reports["pumps", "r1"].totals.readings == 200
    assert seen.silent == ["http://127.0.0.1:9", stranger]


def test_it_is_remembered_for_some_seconds():
    """Many who look at once ask once."""
    asked = []

    def own() -> bytes:
        asked.append(True)
        return page(reports(200)).encode()

    figures = DriftFigures([], own)
    assert figures.look() is figures.look()
    assert len(asked) == 1
