"""Second moments of rows that come in batches: what is fitted without training is found from them."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor


def moments(batches: Iterable[Tensor]) -> tuple[Tensor, Tensor]:
    """Mean (n,) and covariance (n, n) of rows (batch, n), float64; at least one row must come."""
    count, total, products = 0, torch.zeros(()), torch.zeros(())
    for batch in batches:
        exact = batch.double()
        count += len(batch)
        total = total + exact.sum(dim=0)
        products = products + exact.T @ exact
    mean = total / count
    return mean, products / count - torch.outer(mean, mean)
