"""The linear path against principal components by numpy's singular values."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from models.networks import linear
from models.networks.linear import LinearPath

ROWS, FEATURES = 6, 4


def windows(count: int, seed: int = 0, causes: int = 3) -> NDArray[np.float32]:
    """A few hidden causes, seen through all values of a window, with some noise: (window, time, feature)."""
    random = np.random.default_rng(seed)
    mixing = np.random.default_rng(99).normal(size=(causes, ROWS * FEATURES)) * np.arange(causes, 0, -1)[:, None]
    flat = 5 + random.normal(size=(count, causes)) @ mixing + random.normal(scale=0.1, size=(count, ROWS * FEATURES))
    return flat.reshape(count, ROWS, FEATURES).astype(np.float32)


def fitted(share: float, *batches: NDArray[np.float32]) -> LinearPath:
    """A path fitted to windows."""
    path = LinearPath(ROWS, FEATURES, share)
    path.fit(torch.from_numpy(batch) for batch in batches)
    return path


def oracle(train: NDArray[np.float32], test: NDArray[np.float32], share: float) -> tuple[NDArray[np.float64], int]:
    """What is left of windows by as many components as explain the share, and how many these are."""
    flat = train.reshape(len(train), -1).astype(float)
    mean = flat.mean(axis=0)
    _, values, vectors = np.linalg.svd(flat - mean, full_matrices=False)
    explained = np.cumsum(values**2) / (values**2).sum()
    used = next(count for count, total in enumerate(explained, start=1) if total >= share)
    centred = test.reshape(len(test), -1) - mean
    return (centred @ vectors[:used].T @ vectors[:used] + mean).reshape(test.shape), used


@pytest.mark.parametrize("share", [0.3, 0.8, 0.95])
@pytest.mark.parametrize("wide", [False, True])
def test_it_is_the_leading_components(monkeypatch: pytest.MonkeyPatch, share: float, wide: bool):
    """Whichever way they are found, and however the windows are cut into batches."""
    monkeypatch.setattr(linear, "SPREAD", 500 if wide is False else 20)
    train, test = windows(20 if wide else 300), windows(10, seed=1)
    path = fitted(share, train[:7], train[7:])
    expected, used = oracle(train, test, share)
    assert int(path.basis.any(dim=1).sum()) == used
    np.testing.assert_allclose(path(torch.from_numpy(test)).numpy(), expected, rtol=1e-4, atol=1e-3)


def test_it_is_never_as_wide_as_its_windows():
    """Windows of noise, of which any share needs nearly all components, do not pass unseen."""
    noise = np.random.default_rng(0).normal(size=(400, ROWS, FEATURES)).astype(np.float32)
    path = fitted(0.99, noise)
    assert len(path.basis) == ROWS * FEATURES // 4
    left = path(torch.from_numpy(noise)) - torch.from_numpy(noise)
    assert left.square().mean() > 0.5


def test_windows_that_never_change_come_out_as_they_are():
    """Nothing varies: the mean is all there is, and it is finite."""
    same = np.full((10, ROWS, FEATURES), 2.5, np.float32)
    np.testing.assert_allclose(fitted(0.9, same)(torch.from_numpy(same)).numpy(), same, rtol=1e-6)


def test_both_layouts_give_the_same():
    """Batch first and batch last."""
    path, test = fitted(0.9, windows(100)), torch.from_numpy(windows(5, seed=2))
    columns = path.in_columns(test.permute(1, 2, 0).contiguous()).permute(2, 0, 1)
    torch.testing.assert_close(columns, path(test), rtol=1e-5, atol=1e-5)
