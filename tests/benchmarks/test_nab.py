from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.accuracy.nab import PROFILES, File, alerts, profile_scores, raw_score
from tests import naive

WINDOWS = np.array([[20, 39], [70, 79]])


def file_of(*rows: int) -> File:
    """A file flagged at these rows."""
    ratios = np.zeros(120)
    ratios[list(rows)] = 2
    return File(ratios, WINDOWS)


@given(st.lists(st.booleans(), min_size=100, max_size=100), st.sampled_from(list(PROFILES.values())))
def test_raw_scores_are_those_of_the_rules(flags, profile):
    """Wherever flags stand, the score is what the rules give row by row."""
    windows = [(-5, 8), (30, 49), (60, 60)]
    expected = naive.nab_score(flags, windows, profile.false_flag, profile.missed)
    assert raw_score(np.array(flags), np.array(windows), profile) == pytest.approx(expected)


def test_the_ends_of_the_scale():
    """Silence is 0; a flag at the first row of every window, and no other, is 100, by every profile."""
    perfect, silent = profile_scores([file_of(20, 70)], quiet=0), profile_scores([file_of()])
    assert [scores["automatic"] for scores in perfect.values()] == pytest.approx([100, 100, 100])
    assert [scores["automatic"] for scores in silent.values()] == pytest.approx([0, 0, 0])


def test_late_and_false_flags_cost():
    """A flag late in its window earns less, a false one costs, most by the profile that wants few of them."""

    def score(rows: list[int], profile: str = "standard") -> float:
        value = profile_scores([file_of(*rows)], quiet=0)[profile]["automatic"]
        assert value is not None
        return value

    assert score([39, 70]) < score([20, 70])
    assert score([5, 20, 70], "reward_low_FP") < score([5, 20, 70]) < score([20, 70])


def test_the_optimised_threshold_is_one_for_all_files():
    """A file whose noise is above another's anomaly can not be had without its noise."""
    calm = File(np.where(np.arange(120) == 20, 3.0, 0.0), WINDOWS[:1])
    noisy = File(np.where(np.arange(120) < 60, 5.0, 0.0), WINDOWS[1:])
    best = profile_scores([calm, noisy], quiet=0)["standard"]["optimised"]
    assert best is not None
    assert best < 50


@given(st.lists(st.booleans(), max_size=60), st.integers(0, 9))
def test_alerts_are_flags_far_enough_apart(flags, quiet):
    """Every alert is a flag, no two are within the quiet time, and every flag is at or shortly after one."""
    rows = np.flatnonzero(alerts(np.array(flags, bool), quiet))
    assert all(flags[row] for row in rows)
    assert (np.diff(rows) > quiet).all()
    assert all(((row - rows >= 0) & (row - rows <= quiet)).any() for row in np.flatnonzero(flags))


def test_files_without_windows_have_no_score():
    """There is nothing to scale by."""
    assert profile_scores([File(np.zeros(9), np.empty((0, 2), np.int64))])["standard"]["optimised"] is None
