"""What every threshold must do: each check takes the name that a config uses."""

from __future__ import annotations

from collections.abc import Callable
from typing import get_args

import numpy as np
import pytest

from models.thresholds import FLOOR, Float64, State, Threshold, make
from schemas.training import ThresholdConfig

RATE = 0.01


def threshold(method: str) -> Threshold:
    """What a config with this method asks for."""
    return make(ThresholdConfig(method=method, rate=RATE))


def noise(n: int, seed: int = 1) -> Float64:
    """Errors with the long tail that errors have; the 99 % quantile is about 2.6 medians above the median."""
    return np.random.default_rng(seed).gamma(4.0, 0.25, n)


def at_release(method: str, n: int, seed: int = 2) -> Float64:
    """Scores (n,) of noise on the scale where this method's level is 1 and the median 0."""
    errors = noise(5000)
    zero, level = np.median(errors), threshold(method).fit(errors)
    return (noise(n, seed) - zero) / (level - zero)


def run(method: str, scores: Float64) -> tuple[Float64, Float64, State]:
    """One series' thresholds (n,) and is_anomaly (n,), and the state it ends with."""
    rule = threshold(method)
    state = rule.start(1)
    decided = [rule.decide(scores[k : k + 1], state) for k in range(len(scores))]
    return np.array([line[0] for line, _ in decided]), np.array([flag[0] for _, flag in decided]), state


def check_is_the_one_that_was_asked_for(method: str) -> None:
    """It carries the name it was made by, and says truly whether it keeps anything."""
    rule = threshold(method)
    assert rule.method == method
    assert rule.start(3).shape == (3, rule.state_size)
    assert rule.start(3).dtype == np.float32
    assert rule.adapts == (rule.state_size > 0)


def check_fits_whatever_errors_there_are(method: str) -> None:
    """One error, equal errors, errors of two values, huge and tiny ones: the level is a finite number."""
    few = [np.ones(1), np.zeros(100), np.full(1000, 7.5), np.r_[np.zeros(99), 1.0], np.array([-1.0, 1.0] * 50)]
    for errors in [*few, noise(300) * 1e-12, noise(300) * 1e12, np.r_[noise(300), 1e6], 1e9 + noise(2000) * 1e-9]:
        assert np.isfinite(threshold(method).fit(errors)), errors[:3]


def check_fits_between_typical_and_absurd(method: str) -> None:
    """On noise the level is above almost all of it, and not far above all of it."""
    errors = noise(5000)
    level = threshold(method).fit(errors)
    assert np.quantile(errors, 0.97) < level < 2 * errors.max()


def check_keeps_its_rate_where_it_was_fitted(method: str) -> None:
    """Of fresh noise of the same kind about the promised share is over the level (k-sigma promises none: a few %)."""
    over = (noise(50_000, seed=3) > threshold(method).fit(noise(20_000))).mean()
    assert over < 0.02 if method == "k_sigma" else RATE / 2 < over < RATE * 2


def check_fits_in_any_unit(method: str) -> None:
    """Errors in other units, or with another origin, give the same level in those units."""
    errors, rule = noise(2000), threshold(method)
    assert rule.fit(1000 * errors) == pytest.approx(1000 * rule.fit(errors), rel=1e-3)
    assert rule.fit(errors + 50) == pytest.approx(rule.fit(errors) + 50, rel=1e-4)


def check_fits_in_any_order(method: str) -> None:
    """The order of errors does not matter, nor does fitting change them."""
    errors = noise(1000)
    before = errors.copy()
    assert threshold(method).fit(errors[::-1]) == pytest.approx(threshold(method).fit(errors), rel=1e-6)
    np.testing.assert_array_equal(errors, before)


def check_starts_at_the_release(method: str) -> None:
    """A new series is held to exactly 1, and a score of exactly 1 is not over it."""
    rule = threshold(method)
    thresholds, is_anomaly = rule.decide(np.array([0.0, 1.0, np.nextafter(1.0, 2.0)]), rule.start(3))
    assert thresholds.tolist() == [1, 1, 1]
    assert is_anomaly.tolist() == [False, False, True]


def check_decides_before_it_learns(method: str) -> None:
    """A score is held to the threshold that was there before it: the same state gives the same line to any score."""
    rule = threshold(method)
    _, _, state = run(method, at_release(method, 200))
    lines = [rule.decide(np.array([score]), state.copy())[0][0] for score in (-5.0, 0.0, 3.0, 1e6)]
    assert len(set(lines)) == 1


def check_says_what_it_publishes(method: str) -> None:
    """`is_anomaly` is `score > threshold`, always."""
    scores = np.r_[at_release(method, 500), 3 * np.ones(100), at_release(method, 100)]
    thresholds, is_anomaly, _ = run(method, scores)
    np.testing.assert_array_equal(is_anomaly, scores > thresholds)


def check_repeats_itself(method: str) -> None:
    """The same scores give the same thresholds and the same state, bit for bit."""
    once, again = (run(method, at_release(method, 300)) for _ in range(2))
    for one, other in zip(once, again, strict=True):
        np.testing.assert_array_equal(one, other)


def check_series_do_not_see_each_other(method: str) -> None:
    """A series is judged the same alone and in a batch of any others, bit for bit."""
    rule = threshold(method)
    together = np.stack([at_release(method, 200, seed) for seed in range(37)]) * np.linspace(0.1, 5, 37)[:, None]
    state = rule.start(37)
    decided = [rule.decide(scores, state) for scores in together.T]
    for series in (0, 1, 17, 36):
        thresholds, is_anomaly, alone = run(method, together[series])
        np.testing.assert_array_equal(thresholds, [line[series] for line, _ in decided])
        np.testing.assert_array_equal(is_anomaly, [flag[series] for _, flag in decided])
        np.testing.assert_array_equal(alone[0], state[series])


def check_never_falls_below_the_floor(method: str) -> None:
    """However calm a series is, for however long, its threshold stays at half the release's or above."""
    rule = threshold(method)
    state = rule.start(1)
    lines = [rule.decide(np.zeros(1), state)[0][0] for _ in range(8000)]
    assert min(lines) >= FLOOR
    assert np.isfinite(state).all()


def check_outlives_absurd_scores(method: str) -> None:
    """After scores of any size the state is finite, and a normal score is still decided on."""
    thresholds, is_anomaly, state = run(method, np.r_[[1e300, -1e300, 1e18, np.inf, -np.inf] * 300, 0.0])
    assert np.isfinite(thresholds).all()
    assert np.isfinite(state).all()
    assert not is_anomaly[-1]


def check_keeps_its_rate_on_steady_noise(method: str) -> None:
    """Series by series and over all, about the promised share of normal scores is flagged (k-sigma promises none)."""
    rule = threshold(method)
    scores = np.stack([at_release(method, 4000, seed) for seed in range(20)])
    state = rule.start(20)
    rates = np.mean([rule.decide(each, state)[1] for each in scores.T[1000:]], axis=0)
    assert rates.max() < 0.03
    assert rates.mean() < 0.02 if method == "k_sigma" else RATE / 2 < rates.mean() < RATE * 2


def check_a_fault_stays_a_fault(method: str) -> None:
    """A step to twice the threshold is still flagged after 1,000 scores."""
    calm, fault = at_release(method, 2000), 2 + 0.1 * at_release(method, 1000, seed=5)
    _, is_anomaly, _ = run(method, np.r_[calm, fault])
    assert is_anomaly[-500:].mean() > 0.95


CHECKS: list[Callable[[str], None]] = [value for name, value in globals().items() if name.startswith("check_")]
METHODS: tuple[str, ...] = get_args(ThresholdConfig.model_fields["method"].annotation)
