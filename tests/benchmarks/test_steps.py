from __future__ import annotations

import numpy as np

from benchmarks.accuracy import steps
from benchmarks.accuracy.judging import THRESHOLD

NORMAL = np.random.default_rng(4).normal(0, 0.3, 3000)


def test_a_larger_step_is_held_at_least_as_often():
    """Three times the threshold is always flagged 1,000 readings later; every size is tried as often."""
    found = steps.held(NORMAL)
    flagged, tried = zip(*found.values(), strict=True)
    assert list(found) == ["1.5", "2", "3"]
    assert set(tried) == {steps.STARTS}
    assert list(flagged) == sorted(flagged)
    assert flagged[-1] == steps.STARTS


def test_a_step_below_the_threshold_is_not_flagged():
    """What is looked at is the step and not whatever the series does."""
    found = steps._flagged(NORMAL * 0.01, np.array([1000, 1400]), np.array([0.5, 0.5]), THRESHOLD)
    assert not found.any()


def test_a_series_too_short_for_a_step_is_left_out():
    """It must settle first, and the step must last."""
    assert steps.held(NORMAL[:2000]) == {}
    assert steps.share([{}, {"2": (3, 4)}, {"2": (1, 4)}]) == {"2": 0.5}


def test_a_step_is_laid_over_what_is_typical_of_its_time():
    """A series whose later rows stand higher, at its first rows: what comes later says nothing about a step there."""
    risen = np.r_[NORMAL[:2200], 5 + NORMAL]
    assert steps._flagged(risen, np.array([1100]), np.array([2.0]), THRESHOLD).all()
