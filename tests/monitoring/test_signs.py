"""Signs of drift at a glance: at the limits of the alert rules."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

import monitoring
from monitoring import signs
from monitoring.drift import Drift
from monitoring.horizon import Span
from tests.monitoring.drifting import NOW, PANE_US, Served, drawn, reference, sample


def seen(rows: Any) -> list[str]:
    """The signs in what a worker saw, its windows as usual."""
    served, drift = Served("pumps", "r1", reference()), Drift(Span(PANE_US, 5), 100, 4)
    drift.observe(served, sample(rows, windows=False), NOW)
    (report,) = drift.reports([served], NOW)
    return signs.signs(report)


def test_usual_readings_have_no_sign():
    """Drawn as those of training."""
    assert seen(drawn(500)) == []


def test_too_few_readings_say_nothing():
    """However far away they are."""
    assert seen(drawn(50, shift=100)) == []


@pytest.mark.parametrize(("shift", "words"), [(2.7, None), (3.3, r"f0: mean 56\.\d+ instead of 49\.97")])
def test_a_mean_that_has_moved(shift, words):
    """By more than three standard deviations of training."""
    told = seen(drawn(500, shift=shift))
    assert re.fullmatch(words, told[0]) if words else told == []


def test_values_that_stay_away_and_a_wider_spread():
    """Each with its feature's name, and no other feature's."""
    rows = drawn(500, missing=0.0)
    rows[:200, 1] = np.nan
    rows[:, 0] = 50 + 3 * (rows[:, 0] - 50)
    assert seen(rows) == [seen(rows)[0], "f1: 40% missing"]
    assert re.fullmatch(r"f0: spread [56]\.\d+ instead of [12]\.\d+", seen(rows)[0])


def test_errors_and_anomalies():
    """A step of errors: twice the usual median, and more than three times the usual share of anomalous windows."""
    served, drift = Served("pumps", "r1", reference()), Drift(Span(PANE_US, 5), 100, 4)
    usual = sample(drawn(500))
    usual.errors[:] *= 5
    drift.observe(served, usual, NOW)
    (report,) = drift.reports([served], NOW)
    told = signs.signs(report)
    assert re.fullmatch(r"error of the windows [4-6]\.\d times the usual", told[0])
    assert re.fullmatch(r"\d\d% of windows over the release's threshold", told[1])


def test_the_limits_are_those_of_the_alert_rules():
    """Each factor stands in the expression of its alert."""
    rules = yaml.safe_load((Path(monitoring.__file__).parent / "alert_rules.yml").read_text())
    expressions = {rule["alert"]: rule["expr"] for group in rules["groups"] for rule in group["rules"]}
    tiny = f"{signs.TINY_PART:g} * abs".replace("e-06", "e-6")
    for alert, words in {
        "TidewatchFeatureMean": [f"> {signs.MEAN_STDS} * tidewatch:feature_std:ref", tiny],
        "TidewatchFeatureSpread": [f"> {signs.SPREAD_TIMES} * tidewatch:feature_std:ref", tiny],
        "TidewatchFeatureMissing": [f":ref + {signs.MISSING_MORE}"],
        "TidewatchErrorMedian": [f"> {signs.MEDIAN_TIMES} * ", "+ 1e-5"],
        "TidewatchErrorP95": [f"> {signs.P95_TIMES} * ", "+ 1e-5"],
        "TidewatchAnomalyRateHigh": [f"> {signs.RATE_TIMES} * ", f"+ {signs.RATE_MORE}"],
    }.items():
        for word in words:
            assert word in expressions[alert]
    assert signs.TINY_ERROR == 1e-5
