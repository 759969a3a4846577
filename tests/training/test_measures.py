"""Measures: the numbers that published implementations give, and small cases counted by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests import naive
from training.measures import Confusion, Detection, OneSided, confusion, detection, events_of, rank, vus

LABELS = np.array([0, 0, 1, 1, 1, 0, 0, 1, 0, 1], bool)  # events at 2 to 4, 7 and 9
seeds = st.integers(0, 9)
masks = st.lists(st.booleans(), min_size=1, max_size=40).map(lambda bits: np.array(bits, bool))


def test_volumes_are_those_of_their_authors() -> None:
    """The figures are those of the packages vus 0.0.6 and TSB-AD 1.5 (`RangeAUC_volume_opt`), with ties and without."""
    random = np.random.default_rng(5)
    for rows, buffer, decimals, expected in (
        (300, 10, 1, (0.9295308526354398, 0.7619845650476644)),
        (1000, 20, 6, (0.9294231876040449, 0.5285691966707938)),
        (2000, 100, 6, (0.9566473811950965, 0.4496702811903236)),
    ):
        labels = np.zeros(rows, bool)
        for first, length in ((40, 20), (75, 8), (rows - 30, 30), (150, 1)):
            labels[first : first + length] = True
        scores = np.round(random.normal(size=rows) + 2 * labels, decimals)
        assert vus(scores, labels, buffer) == pytest.approx(expected, abs=1e-12)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.lists(st.booleans(), min_size=1, max_size=20), min_size=1, max_size=3), st.integers(0, 9), seeds)
def test_volumes_are_what_loops_over_the_definition_find(stretches: list[list[bool]], buffer: int, seed: int) -> None:
    """Events that touch, that lie at the ends, and stretches over whose bounds nothing reaches."""
    labels = np.array([label for stretch in stretches for label in stretch], bool)
    if labels.all() or not labels.any():
        return
    scores = np.round(np.random.default_rng(seed).normal(size=len(labels)) + labels, 1)
    breaks = np.cumsum([len(stretch) for stretch in stretches[:-1]], dtype=np.int64)
    assert vus(scores, labels, buffer, breaks) == pytest.approx(naive.volumes(scores.tolist(), stretches, buffer))


def test_other_measures_are_those_of_published_code() -> None:
    """The figures are those of TSB-AD 1.5: `metric_ROC`, `metric_PR`, and `metric_PointF1`, up to its 1e-5."""
    random = np.random.default_rng(11)
    labels = np.zeros(400, bool)
    labels[[*range(50, 70), *range(200, 203), 399]] = True
    found = rank(np.round(random.normal(size=400) + 1.5 * labels, 2), labels)
    assert (found.auc_roc, found.auc_pr) == pytest.approx((0.8883532801418439, 0.40392382539361815))
    assert found.best_f1 == pytest.approx(0.5882303114608911, abs=1e-5)


def test_a_perfect_ranking_is_perfect_by_every_measure() -> None:
    """Without a buffer, volumes are areas; F1 is 1 at the right threshold."""
    found = rank(LABELS.astype(float), LABELS, buffer=0)
    for measure in (found.vus_pr, found.vus_roc, found.auc_pr, found.auc_roc, found.best_f1):
        assert measure == pytest.approx(1)


def test_scores_that_say_nothing_rank_by_chance() -> None:
    """All the same: precision is the share of anomalies, and the best one can do is to flag all."""
    found = rank(np.zeros(10), LABELS, buffer=0)
    assert (found.auc_pr, found.auc_roc) == pytest.approx((0.5, 0.5))
    assert found.best_f1 == pytest.approx(2 / 3)


@pytest.mark.parametrize("labels", [np.zeros(5, bool), np.ones(5, bool)])
def test_nothing_to_tell_apart_is_said(labels: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> None:
    """There is no ranking of one kind of rows."""
    with pytest.raises(OneSided, match="rows of both kinds"):
        rank(np.arange(5.0), labels)


def test_flags_are_counted() -> None:
    """2 of 5 normal rows are flagged, 3 of 5 anomalous ones are not; counts of two series add up."""
    flags = np.array([1, 0, 0, 1, 0, 0, 1, 1, 0, 0], bool)
    found = confusion(flags, LABELS)
    assert found == Confusion(true_positives=2, false_positives=2, false_negatives=3, true_negatives=3)
    assert (found.f1, found.false_alarm_rate, found.missed_alarm_rate) == pytest.approx((4 / 9, 0.4, 0.6))
    assert found + found == Confusion(4, 4, 6, 6)


def test_no_rows_have_no_rates() -> None:
    """0, and no division by it."""
    nothing = Confusion(0, 0, 0, 0)
    assert (nothing.f1, nothing.false_alarm_rate, nothing.missed_alarm_rate) == (0, 0, 0)


def test_events_are_found_at_their_first_flag() -> None:
    """A flag before an event or after it does not count, and every event counts once."""
    flags = np.array([0, 1, 0, 1, 1, 0, 0, 0, 1, 1], bool)
    found = detection(flags, LABELS)
    assert found == Detection(events=3, delays=(1, 0))
    assert (found.recall, found.median_delay) == pytest.approx((2 / 3, 0.5))
    assert detection(np.zeros(10, bool), LABELS).median_delay is None


@given(labels=masks, seed=st.integers(0, 9))
def test_events_and_delays_are_what_a_loop_finds(labels: np.ndarray[tuple[int], np.dtype[np.bool_]], seed: int) -> None:
    """Row by row: an event begins after a row that is none, and is found at its first flagged row."""
    flags = np.random.default_rng(seed).random(len(labels)) < 0.3
    firsts, lasts = events_of(labels)
    runs = [at for at, label in enumerate(labels) if label and not (at and labels[at - 1])]
    assert firsts.tolist() == runs
    assert all(labels[first : last + 1].all() for first, last in zip(firsts, lasts, strict=True))
    first_flags = [
        [at - first for at in range(first, last + 1) if flags[at]][:1]
        for first, last in zip(firsts, lasts, strict=True)
    ]
    assert detection(flags, labels).delays == tuple(delay for delays in first_flags for delay in delays)
