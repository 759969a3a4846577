from __future__ import annotations

import numpy as np
import pytest

from benchmarks.accuracy.figures import Figures, figures, rounded, together
from training.measures import Confusion, Detection, Ranking

LABELS = np.array([0, 0, 1, 1, 0, 0, 0, 0, 1, 0], bool)


def test_flags_are_judged_row_by_row():
    """By hand: two of three anomalous rows found, one of seven normal ones flagged, both events touched."""
    flags = np.array([0, 1, 1, 0, 0, 0, 0, 0, 1, 0], bool)
    values = rounded(figures(flags * 1.0, flags, LABELS, buffer=2).values())
    assert [values[name] for name in ("f1", "far", "mar", "event_recall")] == [0.6667, 0.1429, 0.3333, 1]
    assert values["rate_over_promise"] == 14.2857


def test_a_series_without_an_event_counts_for_false_alarms_alone():
    """It has no ranking, no F1 and no MAR, and does not weigh on the means of those."""
    calm = figures(np.zeros(4), np.array([1, 0, 0, 0], bool), np.zeros(4, bool), buffer=2)
    labelled = Figures(Ranking(0.4, 0.9, 0.5, 0.9, 0.6), Confusion(1, 0, 1, 2), Detection(1, (0,)))
    both = together([calm, labelled])
    assert [both[name] for name in ("vus_pr", "best_f1", "mar", "event_recall")] == [0.4, 0.6, 0.5, 1]
    assert both["f1"] == pytest.approx(2 / 3)
    assert both["far"] == pytest.approx(0.125)


def test_nothing_to_find_has_no_means():
    """A set of calm series has rates, and no more."""
    calm = figures(np.zeros(4), np.zeros(4, bool), np.zeros(4, bool), buffer=2)
    assert together([calm])["vus_pr"] is None
    assert together([calm])["rate_over_promise"] == 0


def test_a_set_is_counted_together_too():
    """Over all rows a long series weighs more than in the means."""
    short = Figures(None, Confusion(1, 0, 0, 9), Detection(1, (0,)))
    long = Figures(None, Confusion(0, 10, 9, 81), Detection(1, ()))
    both = together([short, long])
    assert [both["mar"], both["event_recall"]] == [0.5, 0.5]
    assert [both["summed_mar"], both["summed_far"]] == pytest.approx([0.9, 0.1])
    assert both["rate_over_promise"] == both["median_rate_over_promise"] == pytest.approx(100 * (10 / 91) / 2)
