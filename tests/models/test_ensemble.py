"""The ensemble against the slow oracle, and what must hold whatever the networks say."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from models.ensemble import RULES, Ensemble, Float32, Float64, Member, Normaliser, examine, fit_normaliser, measure
from models.networks import NETWORKS, build
from models.networks.autoencoder import Autoencoder
from schemas.training import NetworkConfig
from tests import naive

TIME, FEATURES, CLIP = 5, 4, 3.0

cases = st.builds(
    lambda seed, members, combine: (np.random.default_rng(seed), members, combine),
    st.integers(0, 2**32 - 1),
    st.integers(1, 5),
    st.sampled_from(sorted(RULES)),
)


class Louder(Autoencoder):
    """A network that gives back its input, louder or fainter: it knows no feature from another."""

    few = 0

    def __init__(self, factor: float, judged: int = TIME) -> None:
        super().__init__(TIME, judged)
        self.factor = factor

    def learnt(self, windows: Tensor) -> Tensor:
        return windows * self.factor

    def in_columns(self, windows: Tensor) -> Tensor:
        return windows * self.factor


def made(rng: np.random.Generator, members: int, combine: str, order: list[int] | None = None) -> Ensemble:
    """An ensemble of these many members, random but for the order of its features."""
    each = [
        Member(
            f"member {number}",
            Louder(rng.uniform(-1, 2), int(rng.integers(1, TIME + 1))),
            Normaliser(rng.uniform(0.1, 3, FEATURES)[order or slice(None)], rng.uniform(0, 1), rng.uniform(0.1, 1)),
        )
        for number in range(members)
    ]
    return Ensemble(tuple(each), combine, tuple(rng.uniform(0.1, 2, members)), CLIP)


def noise(rng: np.random.Generator, windows: int = 6) -> Float32:
    """Windows (b, time, feature), some of their values beyond the clip."""
    return rng.normal(scale=2, size=(windows, TIME, FEATURES)).astype(np.float32)


def combined(judge: Ensemble, windows: Float32) -> Float64:
    """The combined errors (b,) of windows."""
    return judge.combined(judge.standardise(judge.examine(windows)[1]))


@given(cases)
def test_the_oracle_agrees(case):
    """Score, shares, worst rows and expected values are those of the oracle, which goes cell by cell."""
    rng, members, combine = case
    judge, windows = made(rng, members, combine), noise(rng)
    reconstructions, errors = judge.examine(windows)
    scores = judge.combined(judge.standardise(errors))
    shares, expected, worst = judge.blame(windows, reconstructions)
    scales = {
        each.name: (each.normaliser.feature_scale, each.normaliser.centre, each.normaliser.spread)
        for each in judge.members
    }
    weights = dict(zip(judge.names, judge.weights, strict=True))
    judged = dict(zip(judge.names, judge.judged.tolist(), strict=True))
    rows = max(judged.values())
    for number, window in enumerate(windows[:, -rows:].clip(-CLIP, CLIP).astype(float)):
        outputs = dict(zip(judge.names, reconstructions[:, number].astype(float), strict=True))
        slow = naive.ensemble(window, outputs, scales, combine, weights, judged)
        assert scores[number] == pytest.approx(slow["combined"], rel=1e-5, abs=1e-5)
        assert shares[number] == pytest.approx(slow["shares"], rel=1e-5)
        assert (worst[number] - (TIME - rows)).tolist() == slow["worst"]
        assert expected[number] == pytest.approx(slow["expected"], rel=1e-5, abs=1e-6)


@given(cases, st.permutations(range(FEATURES)))
def test_the_order_of_features_changes_nothing(case, order):
    """With its features in another order an ensemble scores the same, and the blame follows the features."""
    rng, members, combine = case
    seed = rng.integers(2**32)
    usual = made(np.random.default_rng(seed), members, combine)
    other = made(np.random.default_rng(seed), members, combine, list(order))
    windows = noise(rng)
    assert combined(other, windows[:, :, order]) == pytest.approx(combined(usual, windows), rel=1e-9)
    blamed = other.blame(windows[:, :, order], other.examine(windows[:, :, order])[0])
    for ours, theirs in zip(usual.blame(windows, usual.examine(windows)[0]), blamed, strict=True):
        np.testing.assert_allclose(ours[:, order], theirs, rtol=1e-9)


@given(cases)
def test_parts_and_shares_sum_to_one(case):
    """Members' parts in a score sum to 1, features' shares in the blame too, and none is negative."""
    rng, members, combine = case
    judge, windows = made(rng, members, combine), noise(rng)
    reconstructions, errors = judge.examine(windows)
    for shares in (judge.parts(judge.standardise(errors)), judge.blame(windows, reconstructions)[0]):
        assert (shares >= 0).all()
        np.testing.assert_allclose(shares.sum(axis=1), 1, rtol=1e-12)


@given(st.lists(st.lists(st.floats(-3, 3), min_size=3, max_size=3), min_size=1))
def test_a_vote_is_over_one_when_a_majority_is(standardised):
    """Two of three over their own threshold carry a vote, and no fewer."""
    judge = made(np.random.default_rng(0), 3, "vote")
    votes = judge.combined(np.array(standardised)) > 1
    assert votes.tolist() == [sum(each > 1 for each in row) >= 2 for row in standardised]


def test_a_window_without_error_blames_all_alike():
    """Where nothing is wrong there is no one to blame more than others."""
    windows = np.zeros((2, TIME, FEATURES), np.float32)
    judge = made(np.random.default_rng(0), 2, "mean")
    shares, expected, _ = judge.blame(windows, judge.examine(windows)[0])
    assert shares.tolist() == [[0.25] * FEATURES] * 2
    assert not expected.any()


def test_a_broken_sensor_is_blamed_at_its_worst_row():
    """One value far off makes its feature guilty, names its row, and says what was expected there."""
    judge = Ensemble((Member("still", Louder(0.0), Normaliser(np.ones(FEATURES), 0, 1)),), "mean", (1.0,), 10.0)
    windows = np.full((1, TIME, FEATURES), 0.1, np.float32)
    windows[0, 3, 2] = 5
    shares, expected, worst = judge.blame(windows, judge.examine(windows)[0])
    assert shares[0, 2] > 0.98
    assert worst[0, 2] == 3
    assert expected[0, 2] == 0


def test_inputs_are_clipped():
    """Beyond the clip a value says nothing more: infinity scores as the clip does, and every score is finite."""
    judge = made(np.random.default_rng(0), 3, "mean")
    windows = noise(np.random.default_rng(1))
    wild = windows.copy()
    wild[0, 0, 0], wild[1, 2, 3] = np.inf, -3e38
    tame = wild.clip(-CLIP, CLIP)
    assert np.array_equal(combined(judge, wild), combined(judge, tame))
    assert np.isfinite(combined(judge, wild)).all()


@pytest.mark.parametrize("batch", [1, 2, 7, 30, 64])
def test_scores_do_not_depend_on_the_batch(batch):
    """However windows are batched, and chunked inside, their scores agree to a millionth."""
    torch.manual_seed(0)
    networks = [build(name, 16, FEATURES, NetworkConfig(hidden=8, latent=4)).eval() for name in NETWORKS]
    windows = np.random.default_rng(0).normal(size=(64, 16, FEATURES)).astype(np.float32)
    whole = measure(networks, windows, CLIP)
    cut = [examine(networks, windows[at : at + batch], CLIP, at_once=13)[1] for at in range(0, 64, batch)]
    np.testing.assert_allclose(np.concatenate(cut, axis=1), whole, rtol=1e-6)


def test_no_windows_are_no_errors():
    """A batch without windows is nothing special."""
    judge = made(np.random.default_rng(0), 2, "median")
    assert combined(judge, np.zeros((0, TIME, FEATURES), np.float32)).shape == (0,)
    assert measure([Louder(1.0)], np.zeros((0, TIME, FEATURES), np.float32), CLIP).shape == (1, 0, FEATURES)


def test_a_normaliser_puts_its_own_errors_around_zero():
    """On the errors it was fitted to, the standardised ones have mean 0 and deviation 1."""
    errors = np.random.default_rng(0).gamma(2, size=(500, FEATURES)) * [0.01, 1, 1, 50]
    standardised = fit_normaliser(errors, feature_floor=1).standardise(errors)
    assert standardised.mean() == pytest.approx(0, abs=1e-9)
    assert standardised.std() == pytest.approx(1)


def test_a_feature_without_error_does_not_shout():
    """A feature that is reconstructed exactly is measured by the floor, the median feature's error, not by nothing."""
    usual = np.array([[0.0, 1.0, 8.0], [0.0, 3.0, 8.0]])
    normaliser = fit_normaliser(usual, feature_floor=0.5)
    assert normaliser.feature_scale.tolist() == [1.0, 3.0, 9.0]


@pytest.mark.parametrize("errors", [np.zeros((5, 2)), np.ones((1, 2)), np.full((3, 2), 1e-30)])
def test_errors_without_spread_can_be_normalised(errors):
    """A constant series and a single window have no spread; nothing becomes infinite."""
    assert np.isfinite(fit_normaliser(errors, 1.0).standardise(np.array([[0.0, 0.0], [1e6, 1e6]]))).all()
