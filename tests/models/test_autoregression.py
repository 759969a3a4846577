"""The autoregression against plain least squares, and what it can know."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from models.networks import build_member
from models.networks.autoregression import Autoregression
from models.windows import cut
from schemas.training import AUTOREGRESSION, LEVEL, AutoregressionConfig, TrainingConfig

WINDOW, FEATURES, LAGS = 8, 2, 3


def rotating(rows: int, noise: float = 0.0) -> NDArray[np.float32]:
    """Two features that turn around each other: each row is a linear map of the one before, but for the noise."""
    turn = np.array([[np.cos(0.4), -np.sin(0.4)], [np.sin(0.4), np.cos(0.4)]])
    random = np.random.default_rng(0)
    made = [np.array([1.0, 0.0])]
    for _ in range(rows - 1):
        made.append(turn @ made[-1] + random.normal(scale=noise, size=2))
    return np.array(made, np.float32)


def fitted(rows: NDArray[np.float32], **options: float) -> Autoregression:
    """Fitted to all windows of rows, in two batches."""
    config = AutoregressionConfig.model_validate({"lags": LAGS, "judged": 4, **options})
    member = Autoregression(WINDOW, rows.shape[1], config)
    windows = torch.from_numpy(cut(rows, member.rows).copy())
    member.fit([windows[:10], windows[10:]])
    return member.eval()


def test_it_is_ridge_regression():
    """The coefficients are those of least squares with a penalty on all but the constant."""
    rows = rotating(300, noise=0.1) + 3
    member, ridge = fitted(rows, ridge=2.0), 2.0
    past = np.array([rows[end - LAGS : end].ravel() for end in range(member.rows - 1, len(rows))], float)
    now = rows[member.rows - 1 :].astype(float)
    centred = past - past.mean(axis=0)
    slopes = np.linalg.solve(centred.T @ centred + ridge * np.eye(past.shape[1]), centred.T @ (now - now.mean(axis=0)))
    np.testing.assert_allclose(member.coefficients[:, :-1].numpy(), slopes.T, rtol=1e-3, atol=1e-4)
    constant = now.mean(axis=0) - past.mean(axis=0) @ slopes
    np.testing.assert_allclose(member.coefficients[:, -1].numpy(), constant, rtol=1e-3, atol=1e-3)


def test_what_is_lawful_does_not_surprise_and_a_jump_does():
    """The rows of a law are foretold; one that breaks it is not, and nor are those it is the past of."""
    rows = rotating(200)
    member = fitted(rows, ridge=1e-6)
    window = torch.from_numpy(rows[50 : 50 + member.rows].copy()[None])
    assert (member(window) - window).abs().max() < 1e-3
    window[0, -2] += 1
    off = (member(window) - window).abs().amax(dim=(0, 2))
    assert off[-2] > 0.9
    assert (off[:-2] < 1e-3).all()


def test_the_rows_before_the_first_forecast_come_out_as_they_are():
    """They have no past in the window; and both paths give the same."""
    member = fitted(rotating(200, noise=0.2))
    windows = torch.randn(5, member.rows, FEATURES, generator=torch.Generator().manual_seed(1))
    outputs = member(windows)
    assert torch.equal(outputs[:, :LAGS], windows[:, :LAGS])
    served = member.reconstruct(windows.permute(1, 2, 0).contiguous()).permute(2, 0, 1)
    torch.testing.assert_close(served, outputs)


@pytest.mark.parametrize(("window", "lags", "judged"), [(8, 3, 4), (8, 3, 16), (4, 16, 16), (64, 3, 16)])
def test_it_fits_into_any_window(window: int, lags: int, judged: int):
    """Lags and judged rows are cut to what the window has, and one row is foretold at the least."""
    member = Autoregression(window, 1, AutoregressionConfig(lags=lags, judged=judged))
    assert 1 <= member.judged <= judged
    assert member.lags + member.judged == member.rows <= window


def test_it_is_a_member_that_has_nothing_to_train():
    """A config's members end with it, unless it is switched off."""
    config = TrainingConfig()
    assert config.members == (*config.networks, AUTOREGRESSION, LEVEL)
    member = build_member(AUTOREGRESSION, FEATURES, config)
    assert member.is_fitted
    assert not member.learns
    off = TrainingConfig(autoregression=AutoregressionConfig(use=False))
    assert off.members == (*config.networks, LEVEL)
