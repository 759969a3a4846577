"""What totals say: against the same figures computed value by value."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.figures import figures, quantile
from monitoring.yardstick import joined, yardstick
from schemas.drift import Baseline, Totals
from schemas.reference import ERROR_EDGES, Histogram
from tests import naive
from tests.monitoring.drifting import drawn, part, reference, sample

MEASURED = yardstick(reference())


def shares(baseline: Baseline) -> list[list[float]]:
    """Those of each feature."""
    return [each.tolist() for each in np.split(baseline.shares, baseline.starts[1:])]


@pytest.mark.parametrize("shift", [0, 0.5, -3])
def test_figures_are_those_of_the_values(shift: float):
    """Mean, deviation, share missing, PSI and KS, also where the deviation is a hundred-millionth of the mean."""
    rows = drawn(700, shift=shift)
    totals = MEASURED.tally(sample(rows))
    live = figures(MEASURED.baseline, totals, 1)
    inner = [bounds[1:] for bounds in MEASURED.bounds]
    for f, wanted in enumerate(
        naive.drift(rows.tolist(), MEASURED.baseline.mean.tolist(), inner, shares(MEASURED.baseline))
    ):
        assert totals.values[f] == wanted.pop("values")
        for name, figure in wanted.items():
            assert getattr(live, name)[f] == pytest.approx(figure, rel=1e-6, abs=1e-9), name
    assert live.global_mean == pytest.approx(np.nanmean(rows, axis=0).mean())


def test_rates_and_errors_are_those_of_the_windows():
    """Shares are counted; quantiles are exact to the width of a bucket, a quarter of their value."""
    whole = sample(drawn(5000))
    live = figures(MEASURED.baseline, MEASURED.tally(whole), 1)
    assert live.anomaly_rate == whole.anomalous.mean()
    assert live.flag_rate == whole.flagged.mean()
    assert live.error_median == pytest.approx(np.median(whole.errors), rel=0.05)
    assert live.error_p95 == pytest.approx(np.quantile(whole.errors, 0.95), rel=0.05)


@given(st.lists(st.integers(0, 2), min_size=40, max_size=40))
def test_splitting_and_merging_changes_nothing(worker: list[int]):
    """Whichever worker counts a reading: what they count adds up to what one would have counted."""
    whole = sample(drawn(40))
    parts = [MEASURED.tally(part(whole, np.array(worker) == number)) for number in range(3)]
    nothing = Totals.none(len(MEASURED.baseline.features), len(MEASURED.baseline.shares))
    for name, wanted in vars(MEASURED.tally(whole)).items():
        np.testing.assert_allclose(getattr(sum(parts, nothing), name), wanted, rtol=1e-12, atol=1e-9, err_msg=name)


@pytest.mark.parametrize(("count", "known"), [(0, False), (1, False), (99, False), (100, True)])
def test_too_few_readings_say_nothing(count: int, known: bool):
    """They are no zeros; from the very number on that is asked for there are figures."""
    live = figures(MEASURED.baseline, MEASURED.tally(sample(drawn(count, missing=0))), 100)
    for name, figure in vars(live).items():
        assert (~np.isnan(figure)).all() == known, name
        assert np.isnan(figure).all() != known, name


def test_a_feature_with_too_few_values_is_left_out_alone():
    """The others are told, and in the global mean it stands as it was in training, so that it does not move that."""
    rows = drawn(200, missing=0)
    rows[3:, 1] = np.nan
    live = figures(MEASURED.baseline, MEASURED.tally(sample(rows)), 100)
    assert np.isnan(live.mean).tolist() == np.isnan(live.psi).tolist() == [False, True]
    assert live.missing_share == pytest.approx([0, 197 / 200])
    assert live.global_mean == pytest.approx((rows[:, 0].mean() + MEASURED.baseline.mean[1]) / 2)


@pytest.mark.parametrize("constant", [0.0, -7.5, 1e9])
def test_a_constant_feature_drifts_when_it_leaves_its_value(constant: float):
    """Up or down; its deviation is 0 and nothing is divided by it."""
    measured = yardstick(reference(np.full(500, constant)))
    step = max(abs(constant), 1.0)
    for moved, drifts in ((0.0, False), (step, True), (-step, True)):
        live = figures(measured.baseline, measured.tally(sample(np.full((100, 1), constant + moved))), 100)
        assert live.mean[0] == pytest.approx(constant + moved)
        assert live.std[0] == 0
        assert (live.psi[0] > 1) == (live.ks[0] > 0.9) == drifts


def test_the_training_data_itself_does_not_drift():
    """Whole numbers lie on the very bounds of bins, and are counted there as they were in training."""
    whole = np.random.default_rng(3).integers(0, 22, 3000).astype(np.float64)
    measured = yardstick(reference(whole, whole % 3))
    live = figures(measured.baseline, measured.tally(sample(np.stack([whole, whole % 3], axis=1))), 100)
    assert live.psi == pytest.approx([0, 0])
    assert live.ks == pytest.approx([0, 0], abs=1e-3)
    assert live.std == pytest.approx(measured.baseline.std)


def test_rounding_makes_no_deviation_of_less_than_nothing():
    """The difference of two sums that should be equal may be negative."""
    measured = yardstick(reference(np.zeros(500)))
    assert figures(measured.baseline, measured.tally(sample(np.full((100, 1), 0.7))), 1).std[0] == 0


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("value", [1e30, 1e160, 1.7e308, -1.7e308])
def test_absurd_values_are_told_and_not_taken_for_too_few(value: float):
    """Sums stay finite, also of both signs at once, so that none hides what moved; the other features are unmoved."""
    rows = drawn(200, missing=0)
    rows[:150, 0] = value
    rows[150, 0] = -value / 2
    totals = sum([MEASURED.tally(sample(rows))] * 30, MEASURED.tally(sample(rows)))
    live = figures(MEASURED.baseline, totals, 100)
    assert all(np.isfinite(figure).all() for figure in vars(live).values())
    assert min(abs(live.mean[0]), live.std[0]) > 1e29
    assert live.mean[1] == pytest.approx(rows[:, 1].mean())


def test_an_error_on_an_edge_is_below_it():
    """As `le` says."""
    seen = replace(sample(drawn(2)), errors=np.array(ERROR_EDGES[10:12]))
    assert np.flatnonzero(MEASURED.tally(seen).errors).tolist() == [10, 11]


def test_a_feature_never_seen_in_training_has_figures():
    """There is nothing to hold it against, and nothing fails."""
    measured = yardstick(reference(np.full(100, np.nan)))
    live = figures(measured.baseline, measured.tally(sample(np.ones((100, 1)))), 1)
    assert (live.mean[0], live.psi[0], live.ks[0]) == (1, 0, 0)


@given(st.lists(st.integers(0, 60), min_size=21, max_size=21))
def test_bins_are_joined_until_each_has_its_share(counts: list[int]):
    """Nothing is lost, and no two light neighbours stay apart."""
    edges = [float(edge) for edge in range(22)]
    bounds, bins = joined(Histogram(edges, counts))
    ends = [0, *map(int, bounds), 21]
    assert [sum(counts[a:b]) for a, b in pairwise(ends)] == bins.tolist()
    least = sum(counts) / 10
    assert all(max(a, b) >= least for a, b in pairwise(bins.tolist()))


def test_quantiles_of_errors_are_read_as_prometheus_reads_them():
    """Evenly within a bucket, from 0 in the first, and no further than the last edge."""
    errors = np.zeros(len(ERROR_EDGES) + 1, np.int64)
    errors[0] = 4
    assert quantile(errors, 0.5) == ERROR_EDGES[0] / 2
    errors[[0, 61]] = 0, 4
    assert quantile(errors, 0.25) == pytest.approx(ERROR_EDGES[60] + (ERROR_EDGES[61] - ERROR_EDGES[60]) / 4)
    errors[-1] = 40
    assert quantile(errors, 0.95) == ERROR_EDGES[-1]
    assert not math.isnan(quantile(errors, 1.0))
