from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.accuracy.bars import BARS, CLIP, LAGS, WINDOW, ridge_var, windowed_pca
from tests.benchmarks.labelled_folder import EVENT, wave

Rows = Any  # an array (row, feature)
TRAIN, TEST = wave(400, 3, seed=1), wave(200, 3, seed=2)


@pytest.mark.parametrize("name", BARS)
@given(row=st.integers(0, len(TEST) - 1), seed=st.integers(0, 99))
def test_no_bar_looks_ahead(name, row, seed):
    """Whatever comes after a row, its score is the same to the last bit."""
    changed = TEST.copy()
    changed[row + 1 :] = np.random.default_rng(seed).normal(0, 9, changed[row + 1 :].shape)
    before, after = BARS[name](TRAIN, TEST), BARS[name](TRAIN, changed)
    np.testing.assert_allclose(before[: row + 1], after[: row + 1], rtol=1e-9)


@pytest.mark.parametrize("name", BARS)
def test_a_bar_scores_every_row_and_finds_a_level_shift(name):
    """One score a test row, and those of a shifted stretch are above all that came before it."""
    shifted = TEST.copy()
    shifted[EVENT[0] : EVENT[1]] += 3
    scores = BARS[name](TRAIN, shifted)
    assert scores.shape == (len(TEST),)
    assert scores[EVENT[0] + WINDOW : EVENT[1]].min() > scores[: EVENT[0]].max()


@pytest.mark.parametrize("name", BARS)
def test_a_bar_bears_constant_and_missing_values(name):
    """A feature that never changed and a value that is missing give finite scores."""
    train, test = TRAIN.copy(), TEST.copy()
    train[:, 1] = test[:, 1] = 5
    train[7, 0] = test[3, 2] = np.nan
    assert np.isfinite(BARS[name](train, test)).all()


def scaled(rows: Rows) -> Rows:
    """As every bar sees rows."""
    return ((rows - TRAIN.mean(axis=0)) / TRAIN.std(axis=0)).clip(-CLIP, CLIP)


def test_windowed_pca_is_the_mean_squared_rest():
    """Against scikit-learn's own PCA, window by window."""
    from sklearn.decomposition import PCA

    def windows(rows: Rows) -> Rows:
        return np.array([rows[at : at + WINDOW].ravel() for at in range(len(rows) - WINDOW + 1)])

    both = scaled(np.concatenate([TRAIN, TEST]))
    fitted = PCA(n_components=0.9, svd_solver="full").fit(windows(both[: len(TRAIN)]))
    tested = windows(both[len(TRAIN) - WINDOW + 1 :])
    expected = ((fitted.inverse_transform(fitted.transform(tested)) - tested) ** 2).mean(axis=1)
    np.testing.assert_allclose(windowed_pca(TRAIN, TEST), expected, rtol=1e-6)


def test_ridge_var_is_the_mean_squared_surprise():
    """Against scikit-learn's own ridge regression, averaged over the last rows one by one."""
    from sklearn.linear_model import Ridge

    def past(rows: Rows) -> Rows:
        return np.array([rows[at - LAGS : at].ravel() for at in range(LAGS, len(rows))])

    both = scaled(np.concatenate([TRAIN, TEST]))
    before = both[: len(TRAIN)]
    inputs = np.column_stack([np.ones(len(before) - LAGS), past(before)])
    fitted = Ridge(alpha=1.0, fit_intercept=False).fit(inputs, before[LAGS:])
    surprise = ((fitted.predict(np.column_stack([np.ones(len(both) - LAGS), past(both)])) - both[LAGS:]) ** 2).mean(
        axis=1
    )
    expected = [surprise[at - LAGS - WINDOW + 1 : at - LAGS + 1].mean() for at in range(len(TRAIN), len(both))]
    np.testing.assert_allclose(ridge_var(TRAIN, TEST), expected, rtol=1e-6)
