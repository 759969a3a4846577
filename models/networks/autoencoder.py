"""What the ensemble asks of a network."""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn

from schemas.training import NetworkConfig


class Autoencoder(nn.Module, ABC):
    """Sends a window through a bottleneck and back: what comes out badly did not look like training.

    `forward`, for training, is plain torch. `reconstruct`, for serving, gives the same numbers without gradients: the
    batch comes last, so that each step works on long contiguous rows. It is faster where a batch has many hundreds of
    windows, and slower where it has few: `python -m benchmarks.networks` tells.
    """

    def __init__(self, window: int, features: int, config: NetworkConfig) -> None:
        super().__init__()

    @abstractmethod
    def forward(self, windows: Tensor) -> Tensor:
        """(batch, time, feature) -> the same shape."""

    @abstractmethod
    def reconstruct(self, windows: Tensor) -> Tensor:
        """(time, feature, batch) -> the same shape; equal to `forward` in eval mode, within float32 rounding."""


def affine(layer: nn.Linear, columns: Tensor) -> Tensor:
    """A linear layer applied to columns: (input, batch) -> (output, batch)."""
    return torch.addmm(layer.bias[:, None], layer.weight, columns)
