"""Every threshold passes the same suite; the flag budget also does what a slow copy of its rule does."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.thresholds import FLOOR, THRESHOLDS, FlagBudget, PeaksOverThreshold, Quantile, make
from schemas.training import ThresholdConfig
from tests import naive
from tests.checks.thresholds import CHECKS, METHODS, at_release, noise, run


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__.removeprefix("check_"))
@pytest.mark.parametrize("method", THRESHOLDS)
def test_threshold(method: str, check: Callable[[str], None]):
    """The check holds for this threshold."""
    check(method)


def test_a_config_can_name_every_threshold_and_no_other():
    """The registry and the config's choices are the same, and the default is the flag budget."""
    assert set(METHODS) == set(THRESHOLDS)
    assert isinstance(make(ThresholdConfig()), FlagBudget)


@given(scores=st.lists(st.floats(-2, 6), max_size=300), rate=st.sampled_from([0.001, 0.01, 0.2]))
def test_the_budget_is_the_rule_as_written(scores: list[float], rate: float):
    """Thresholds and flags equal those of the rule written out for one score at a time."""
    rule = FlagBudget(rate)
    state = rule.start(1)
    for score, (threshold, flagged) in zip(scores, naive.flag_budget(scores, rate), strict=True):
        got = rule.decide(np.array([score]), state)
        assert got[0][0] == pytest.approx(threshold, rel=1e-6)
        assert got[1][0] == flagged or abs(score - threshold) < 1e-6


def test_the_budget_spends_freezes_and_accepts():
    """A fault that stays is paid for at first, then the threshold stands still, and after 1,100 flags it is normal.

    score      ... 0 0 0 3 3 3 3 3 3 ...
    threshold  ......... climbs, never to the fault | stands still .............. | climbs again | no flags any more
    """
    thresholds, is_anomaly, _ = run("budget", np.r_[at_release("budget", 2000), np.full(1500, 3.0)])
    assert thresholds[2020] < 2
    assert thresholds[2020] == thresholds[3115]
    assert is_anomaly[2000:3115].all()
    assert is_anomaly[3160:].mean() < 0.1


@pytest.mark.parametrize("readings_before", [0, 1, 50, 300, 2000])
@pytest.mark.parametrize("times", [2.0, 4.0, 20.0])
def test_a_fault_is_no_normal_within_its_first_thousand_readings(readings_before: int, times: float):
    """However young the series is; also if it is there when a release is promoted, which begins every series anew."""
    calm = at_release("budget", readings_before)
    _, is_anomaly, _ = run("budget", np.r_[calm, times + 0.1 * at_release("budget", 1000, seed=5)])
    assert is_anomaly[readings_before:].mean() > 0.99
    assert is_anomaly[-100:].all()


def test_one_absurd_score_costs_the_series_little():
    """It counts as a thousand times the threshold at most, however large it is."""
    ends = {run("budget", np.array([score, 0.0]))[0][1] for score in (1e3, 1e9, np.inf)}
    assert len(ends) == 1
    assert ends.pop() < 10


def test_the_further_over_the_threshold_the_more_a_flag_counts():
    """So that bursts of ten times the threshold need few repeats, and a fault of 1.5 times stays a fault."""
    calm = at_release("budget", 2000)
    rises = []
    for burst in (1.5, 3.0, 9.0):
        thresholds, _, _ = run("budget", np.r_[calm, np.full(100, burst)])
        rises.append(thresholds[-1] / thresholds[2000])
    assert rises == sorted(rises)
    assert rises[0] < 1.4
    assert rises[2] > 2


def test_the_budget_follows_a_stream_that_grows():
    """Noise that slowly doubles is flagged at about the promised rate, where a fixed threshold flags far more."""
    scores = at_release("budget", 10_000) * np.linspace(1, 2, 10_000)
    _, is_anomaly, _ = run("budget", scores)
    assert is_anomaly[5000:].mean() < 0.025
    assert (scores[5000:] > 1).mean() > 0.05


def test_the_budget_is_twelve_bytes():
    """What is kept of a series is three float32."""
    assert FlagBudget(0.01).start(1).nbytes == 12


def test_a_tail_too_short_for_a_shape_gives_the_quantile():
    """POT without enough peaks, or with peaks all alike, is the quantile."""
    for errors in (noise(50), np.r_[np.zeros(900), np.ones(100)]):
        assert PeaksOverThreshold(0.01).fit(errors) == Quantile(0.01).fit(errors)


def test_pot_reaches_where_the_tail_says():
    """On an exponential tail, POT finds the true level of a rate too small for the quantile to see."""
    errors = np.random.default_rng(4).exponential(1.0, 20_000)
    assert PeaksOverThreshold(1e-5).fit(errors) == pytest.approx(-np.log(1e-5), rel=0.25)


def test_however_long_the_quiet_the_threshold_rises_from_the_floor():
    """It does not sink unseen below the floor, where it would have to come back from."""
    rises = []
    for quiet in (1000, 5000):
        rule = FlagBudget(0.2)
        state = rule.start(1)
        rises.append([float(rule.decide(np.array([score]), state)[0][0]) for score in [0.0] * quiet + [9.0] * 5][-5:])
    assert rises[0] == pytest.approx(rises[1])
    assert FLOOR == rises[0][0] < rises[0][1] < rises[0][4]
