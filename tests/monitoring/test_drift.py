"""Datasets under their releases."""

from __future__ import annotations

from monitoring.drift import Drift
from monitoring.horizon import Span
from tests.monitoring.drifting import NOW, PANE_US, Served, drawn, reference, sample

SPAN = Span(PANE_US, 5)
PUMPS = Served("pumps", "r1", reference())
FANS = Served("fans", "r7", reference())


def counted(drift: Drift, *serving: Served, now: int = NOW) -> dict[tuple[str, str], int]:
    """Readings of each dataset and release."""
    return {(each.dataset, each.release): each.totals.readings for each in drift.reports(serving, now)}


def test_each_dataset_has_its_own_horizon():
    """Also when they are loaded and nothing came."""
    drift = Drift(SPAN, 100, 4)
    drift.observe(PUMPS, sample(drawn(10)), NOW)
    assert counted(drift, PUMPS, FANS) == {("pumps", "r1"): 10, ("fans", "r7"): 0}


def test_another_release_begins_anew():
    """Whether it is looked at before its first reading or after; and so does the old one when it comes back."""
    drift, second = Drift(SPAN, 100, 4), PUMPS._replace(release="r2")
    drift.observe(PUMPS, sample(drawn(10)), NOW)
    assert counted(drift, second) == {("pumps", "r2"): 0}
    drift.observe(second, sample(drawn(7)), NOW)
    assert counted(drift, second) == {("pumps", "r2"): 7}
    drift.observe(PUMPS, sample(drawn(3)), NOW)
    assert counted(drift, PUMPS) == {("pumps", "r1"): 3}


def test_what_is_not_in_service_is_forgotten():
    """A detector that was dropped from memory takes its horizon along."""
    drift = Drift(SPAN, 100, 4)
    drift.observe(PUMPS, sample(drawn(10)), NOW)
    assert counted(drift) == {}
    assert counted(drift, PUMPS) == {("pumps", "r1"): 0}


def test_the_longest_without_readings_goes_where_there_are_too_many():
    """Though nobody looks: memory is bounded by the cap."""
    drift = Drift(SPAN, 100, 2)
    for served in (PUMPS, FANS, PUMPS, Served("mills", "r3", reference())):
        drift.observe(served, sample(drawn(10)), NOW)
    assert counted(drift, PUMPS, FANS) == {("pumps", "r1"): 20, ("fans", "r7"): 0}
