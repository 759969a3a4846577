"""A linear path through a network: principal components of windows, found in closed form and frozen."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize

from models.networks.moments import moments

MOST = 64  # components; each costs time in every window that is served
WIDTH_PER_COMPONENT = 4  # values in a window: a path as wide as its windows would let every anomaly through
SPREAD = 2048  # values in a window; of wider ones as many windows stand for all, so that theirs is the smaller matrix


class LinearPath(nn.Module):
    """Sends windows through their leading principal components and back; a network only adds to it.

    As many components are used as explain `share` of the variance, MOST at the most; the rest of `basis` is 0, so that
    its shape does not depend on data.
    """

    mean: Tensor  # (time x feature,)
    basis: Tensor  # (component, time x feature), orthonormal rows, or 0

    def __init__(self, rows: int, features: int, share: float) -> None:
        super().__init__()
        self.share = share
        width = rows * features
        components = min(MOST, max(1, width // WIDTH_PER_COMPONENT))
        self.register_buffer("mean", torch.zeros(width))
        self.register_buffer("basis", torch.zeros(components, width))

    def forward(self, windows: Tensor) -> Tensor:
        """(batch, time, feature) -> the same shape."""
        flat = windows.flatten(1) - self.mean
        return torch.addmm(self.mean, flat @ self.basis.T, self.basis).view_as(windows)

    def in_columns(self, windows: Tensor) -> Tensor:
        """(time, feature, batch) -> the same shape."""
        flat = windows.flatten(0, 1) - self.mean[:, None]
        return torch.addmm(self.mean[:, None], self.basis.T, self.basis @ flat).view_as(windows)

    @torch.no_grad()
    def fit(self, batches: Iterable[Tensor]) -> None:
        """Find the components of windows (batch, time, feature), each time they are asked for the same."""
        flat = (batch.flatten(1) for batch in batches)
        mean, variances, vectors = _wide(flat) if len(self.mean) > SPREAD else _narrow(flat)
        shares = variances.cumsum(0) / variances.sum().clamp(min=torch.finfo(variances.dtype).tiny)
        used = min(int((shares < self.share).sum()) + 1, len(self.basis), len(vectors))
        self.mean.copy_(mean)
        self.basis.zero_()[:used] = vectors[:used]


def _narrow(batches: Iterable[Tensor]) -> tuple[Tensor, Tensor, Tensor]:
    """Mean, variances (n,) falling, and components (n, n) in rows, by the covariance of all windows."""
    mean, covariance = moments(batches)
    variances, vectors = torch.linalg.eigh(covariance)
    return mean, variances.flip(0).clamp(min=0), vectors.T.flip(0)


def _wide(batches: Iterable[Tensor]) -> tuple[Tensor, Tensor, Tensor]:
    """The same by some windows, evenly spread: theirs are the leading components of all, nearly."""
    rows = torch.cat(list(batches))
    some = rows[torch.linspace(0, len(rows) - 1, min(SPREAD, len(rows))).long()].double()
    mean = some.mean(dim=0)
    centred = some - mean
    variances, left = torch.linalg.eigh(centred @ centred.T)  # as many as windows, which are fewer than values
    vectors = normalize(left.flip(1)[:, :MOST].T @ centred)
    return mean, variances.flip(0).clamp(min=0), vectors
