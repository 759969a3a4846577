from __future__ import annotations

import numpy as np
import pytest

from benchmarks.accuracy import sets
from benchmarks.accuracy.comparison import Task
from benchmarks.accuracy.judging import adapt
from benchmarks.accuracy.rules import RATE, RULES, EvenSteps, Rolling, Stubborn, Unlimited
from benchmarks.accuracy.thresholds import compare, summary
from models.thresholds import FlagBudget
from tests.benchmarks.labelled_folder import make_parted

QUICK = ("training.epochs=2", "networks.lstm_ae=null", "networks.gru_ae=null", "window.size=32")
NOISE = np.random.default_rng(5).gamma(4, 0.1, 12_000)


def test_the_rolling_quantile_is_the_one_of_the_last_scores():
    """Of the 5,000 before, to within the scores since it was last looked up; at first it is the release's level."""
    found = adapt(NOISE, Rolling(RATE)).thresholds
    assert found[0] == 1
    for row in (7000, 9876, 11_999):
        assert found[row] == pytest.approx(np.quantile(NOISE[row - 5000 : row], 1 - RATE), rel=0.03)


def test_each_part_of_the_budget_that_is_off_shows():
    """Even steps: bursts count less; no end to the budget: a fault is soon normal; none to patience: it never is."""
    burst = np.r_[NOISE[:2000], np.full(10, 8.0)]
    with_it, without = (adapt(burst, rule(RATE)).thresholds[-1] for rule in (FlagBudget, EvenSteps))
    assert without < with_it / 1.3
    stays = np.r_[NOISE[:2000], np.full(2500, 2.0)]
    usual, unlimited, stubborn = (adapt(stays, rule(RATE)).flags[2000:] for rule in (FlagBudget, Unlimited, Stubborn))
    assert unlimited.sum() < 100 < 1000 < usual.sum() < len(usual)
    assert stubborn.all()


def test_all_rules_judge_the_same_series(tmp_path):
    """Each has its figures and its steps; a fixed threshold learns nothing, so it finds the event at least as often."""
    make_parted(tmp_path / "asd", "host")
    task = Task(tmp_path, "asd", sets.find(tmp_path, "asd")[0], QUICK, kept=tmp_path / "kept")
    found = summary([compare(task)])
    assert list(found) == list(RULES)
    assert found["fixed: quantile"]["event_recall"] == 1
    assert found["fixed: quantile"]["mar"] <= found["flag budget"]["mar"]
    assert found["flag budget"]["steps_still_flagged"] == {}
