"""From errors to the scale of scores: 0 is typical, 1 is the threshold, on windows that were held out."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.calibration import Calibration, calibrate, describe_errors, describe_features, held
from models.ensemble import RULES, Float64
from models.networks.autoencoder import Autoencoder
from models.thresholds import make
from schemas.errors import TidewatchError
from schemas.training import ThresholdConfig, TrainingConfig
from tests.fakes import Nothing

NAMES = ("one_ae", "two_ae", "three_ae")
RATE = 0.02


def networks() -> dict[str, Autoencoder]:
    """Three networks that are never asked: calibration takes their errors."""
    return {name: Nothing(4, 4) for name in NAMES}


def errors(seed: int, windows: int) -> Float64:
    """Errors (member, window, feature) as three networks of different skill make them."""
    rng = np.random.default_rng(seed)
    hardness = rng.gamma(2, size=(1, windows, 1))  # of a window, for all networks
    made: Float64 = hardness * rng.gamma(3, size=(3, windows, 3)) * np.array([1, 10, 0.1])[:, None, None]
    return made


def config(names: Sequence[str], **ensemble: object) -> TrainingConfig:
    """Of these networks and nothing else."""
    none = {"use": False}
    sections = {"networks": {name: {} for name in names}, "autoregression": none, "level": none}
    return TrainingConfig.model_validate({**sections, "ensemble": {"hold": 0, **ensemble}})


def calibrated(normal: Float64, method: str = "quantile", **ensemble: object) -> Calibration:
    """Calibrate in one unbroken stretch."""
    threshold = make(ThresholdConfig.model_validate({"method": method, "rate": RATE}))
    return calibrate(networks(), normal, np.zeros(normal.shape[1], np.int64), config(NAMES, **ensemble), threshold)


def scores(result: Calibration, of: Float64, hold: float = 0.0) -> Float64:
    """The scores that a detector of this calibration gives to windows with these errors."""
    combined = held(result.ensemble.combined(result.ensemble.standardise(of)), np.zeros(of.shape[1], np.int64), hold)
    return (combined - result.zero) / result.unit


@pytest.mark.parametrize("hold", [0.0, 0.9])
@pytest.mark.parametrize("combine", RULES)
def test_typical_is_zero_and_the_threshold_is_one(combine: str, hold: float):
    """Half of the held-out windows score below 0, and no more than promised above 1."""
    normal = errors(1, 1001)
    result = calibrated(normal, combine=combine, hold=hold)
    found = scores(result, normal, hold)
    assert np.median(found) == pytest.approx(0, abs=1e-9)
    assert (found > 1).mean() == pytest.approx(result.anomaly_rate)
    assert result.level == result.zero + result.unit
    if combine != "vote":  # a vote promises the rate to each member, not to the majority
        assert RATE / 2 < result.anomaly_rate <= RATE


@pytest.mark.parametrize("method", ["quantile", "k_sigma", "pot", "budget"])
def test_a_vote_asks_each_member_at_its_own_threshold(method: str):
    """A window is over 1 exactly when two of three networks, each alone, would call it anomalous."""
    normal, fresh = errors(1, 1000), errors(2, 1000)
    ayes = np.zeros(1000)
    for member in range(3):
        alone = slice(member, member + 1)
        threshold = make(ThresholdConfig.model_validate({"method": method, "rate": RATE}))
        name = NAMES[member]
        result = calibrate({name: Nothing(4, 4)}, normal[alone], np.zeros(1000, np.int64), config([name]), threshold)
        ayes += scores(result, fresh[alone]) > 1
    vote = calibrated(normal, method, combine="vote")
    assert 0 < (ayes >= 2).sum() < 100
    assert ((scores(vote, fresh) > 1) == (ayes >= 2)).all()


@pytest.mark.parametrize("combine", RULES)
@pytest.mark.parametrize("same", [0.0, 1e-12, 0.3, 1e6])
def test_windows_that_are_all_alike_do_not_make_the_threshold_touchy(same: float, combine: str):
    """When all errors are the same, rounding does not make an anomaly, a tenth more error does, and all is finite."""
    alike = np.full((3, 50, 3), same)
    result = calibrated(alike, combine=combine)
    assert scores(result, alike) == pytest.approx(0, abs=1e-6)
    assert (scores(result, alike * (1 + 1e-6)) < 0.1).all()
    assert (scores(result, alike * 1.1 + 1e-3) > 1).all()
    assert np.isfinite(scores(result, np.full((3, 1, 3), 1e30))).all()


@given(
    st.lists(st.tuples(st.integers(0, 2), st.floats(-2, 9)), min_size=1),
    st.floats(0.01, 0.99),
)
def test_a_hold_reaches_back_to_the_last_break(windows: list[tuple[int, float]], hold: float):
    """A held error is the largest of those since the break, each faded by the hold once per window."""
    segments, combined = (np.array(each) for each in zip(*windows, strict=True))
    expected = []
    for end in range(len(combined)):
        start = max([at for at in range(1, end + 1) if segments[at] != segments[at - 1]], default=0)
        expected.append(max(hold ** (end - at) * combined[at] for at in range(start, end + 1)))
    assert held(combined, segments, hold) == pytest.approx(np.array(expected))
    assert held(combined, segments, 0.0) is combined


def test_members_share_their_order():
    """Normalisers and weights stand in the order of the networks, weight 1 where the config is silent."""
    result = calibrated(errors(1, 100), combine="weighted", weights={"three_ae": 4, "one_ae": 2})
    assert result.ensemble.names == NAMES
    assert result.ensemble.weights == (2, 1, 4)
    assert result.ensemble.members[1].normaliser.feature_scale.min() > 5  # the one that errs ten times as much


def test_nothing_can_be_set_from_no_window():
    """The error says what lacks and what to change."""
    with pytest.raises(TidewatchError, match=r"no window was held out.*more rows.*window\.size"):
        calibrated(errors(1, 0))


def test_the_error_reference_is_before_any_normaliser():
    """Median, 95th percentile and histogram are of the plain mean squared error over members and features."""
    normal = errors(1, 400)
    plain = normal.mean(axis=(0, 2))
    reference = calibrated(normal).error
    assert reference == describe_errors(plain)
    assert (reference.median, reference.p95) == pytest.approx(tuple(np.quantile(plain, [0.5, 0.95])))
    assert sum(reference.histogram.counts) == 400


def test_features_are_described_in_raw_units():
    """Mean, deviation and share of missing values are the raw column's; every known value is in the histogram."""
    rows = np.random.default_rng(0).normal(50, 4, size=(1000, 2))
    rows[:250, 1] = np.nan
    described = describe_features(rows.T, ("flow", "temp"))
    assert list(described) == ["flow", "temp"]
    assert (described["flow"].mean, described["flow"].std) == (rows[:, 0].mean(), rows[:, 0].std())
    assert described["temp"].mean == rows[250:, 1].mean()
    assert (described["flow"].missing_share, described["temp"].missing_share) == (0, 0.25)
    assert (sum(described["flow"].histogram.counts), sum(described["temp"].histogram.counts)) == (1000, 750)


@pytest.mark.parametrize("value", [0.0, -3.5, 1e12, np.nan])
def test_a_feature_that_never_changed_or_never_came_can_be_described(value: float):
    """A constant lies in the middle of its histogram, so that leaving it shows on either side; edges always ascend."""
    described = describe_features(np.full((1, 40), value), ("flow",))["flow"]
    counts = described.histogram.counts
    assert (np.diff(described.histogram.edges) > 0).all()
    assert counts[len(counts) // 2] == sum(counts) == (0 if np.isnan(value) else 40)
