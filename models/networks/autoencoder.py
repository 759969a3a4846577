"""What the ensemble asks of a network."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

import torch
from torch import Tensor, nn

from schemas.training import NetworkConfig


class Autoencoder(nn.Module, ABC):
    """Sends a window through a bottleneck and back: what comes out badly did not look like training.

    `forward`, for training, is plain torch. `reconstruct`, for serving, gives the same numbers without gradients.
    """

    few: ClassVar[int]  # up to so many windows at once, `forward` is the faster of the two: `benchmarks.networks` tells

    def __init__(self, window: int, features: int, config: NetworkConfig) -> None:
        super().__init__()

    @abstractmethod
    def forward(self, windows: Tensor) -> Tensor:
        """(batch, time, feature) -> the same shape."""

    @torch.inference_mode()
    def reconstruct(self, windows: Tensor) -> Tensor:
        """(time, feature, batch) -> the same shape; equal to `forward` in eval mode, within float32 rounding."""
        if windows.shape[2] > self.few:
            return self.in_columns(windows)
        outputs: Tensor = self(windows.permute(2, 0, 1))
        return outputs.permute(1, 2, 0)

    @abstractmethod
    def in_columns(self, windows: Tensor) -> Tensor:
        """What `reconstruct` does for many windows: the batch stays last, so that each step works on long rows."""


def affine(layer: nn.Linear, columns: Tensor) -> Tensor:
    """A linear layer applied to columns: (input, batch) -> (output, batch)."""
    return torch.addmm(layer.bias[:, None], layer.weight, columns)
