"""A vector autoregression: each row is foretold from the few before it, and what surprises is the error."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor

from models.networks.autoencoder import Autoencoder
from models.networks.moments import moments
from schemas.training import AutoregressionConfig


class Autoregression(Autoencoder):
    """Foretells the newest `judged` rows of a window, each by ridge regression on the `lags` rows before it.

    It learns in closed form, and there is no more in it than a matrix: beside the networks it is what tells a jump from
    a rhythm at once.
    """

    few = 0
    is_fitted = True
    coefficients: Tensor  # (feature, lag x feature + 1), the oldest lag first, the constant last

    def __init__(self, window: int, features: int, config: AutoregressionConfig) -> None:
        lags = min(config.lags, window - 1)
        rows = min(config.judged + lags, window)
        super().__init__(rows, rows - lags)
        self.lags, self.ridge = lags, config.ridge
        self.register_buffer("coefficients", torch.zeros(features, lags * features + 1))

    def learnt(self, windows: Tensor) -> Tensor:
        """As `Autoencoder.learnt`; the first rows, before which too little is known, come out as they are."""
        return self.in_columns(windows.permute(1, 2, 0)).permute(2, 0, 1)

    def in_columns(self, windows: Tensor) -> Tensor:
        """As `Autoencoder.in_columns`."""
        outputs = windows.clone()
        slopes, constant = self.coefficients[:, :-1], self.coefficients[:, -1:]
        for row in range(self.lags, len(windows)):
            torch.addmm(constant, slopes, windows[row - self.lags : row].flatten(0, 1), out=outputs[row])
        return outputs

    @torch.no_grad()
    def fit(self, batches: Iterable[Tensor]) -> None:
        """Regress each window's newest row on those before it; `ridge` is in rows of one standard deviation."""
        size = self.lags * len(self.coefficients)
        counted: list[int] = []
        mean, covariance = moments(_newest(batches, self.lags + 1, counted))
        penalty = self.ridge / sum(counted) * torch.eye(size, dtype=torch.float64)
        slopes = torch.linalg.solve(covariance[:size, :size] + penalty, covariance[:size, size:]).T
        constant = mean[size:] - slopes @ mean[:size]
        self.coefficients.copy_(torch.cat([slopes, constant[:, None]], dim=1))


def _newest(batches: Iterable[Tensor], rows: int, counted: list[int]) -> Iterable[Tensor]:
    """The newest rows of windows, flat; `counted` gets each batch's size."""
    for batch in batches:
        counted.append(len(batch))
        yield batch[:, -rows:].flatten(1)
