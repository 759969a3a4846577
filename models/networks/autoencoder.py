"""What the ensemble asks of a network."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import ClassVar, Self

import torch
from torch import Tensor, nn

from models.networks.linear import LinearPath
from schemas.training import NetworkConfig


class Autoencoder(nn.Module, ABC):
    """Sends a window through a bottleneck and back: what comes out badly did not look like training.

    It is given the newest `rows` rows of a detector's window, and judged by its error on the newest `judged` of them.
    With a linear path, which is fitted and frozen, what it learns is added to what that reconstructs.
    `forward` is for training, and has gradients. `reconstruct`, for serving, gives the same numbers without.
    """

    few: ClassVar[int]  # up to so many windows at once, `forward` is the faster of the two: `benchmarks.networks` tells

    def __init__(self, rows: int, judged: int, linear: LinearPath | None = None) -> None:
        super().__init__()
        self.rows = rows
        self.judged = judged
        self.linear = linear

    def forward(self, windows: Tensor) -> Tensor:
        """(batch, rows, feature) -> the same shape."""
        learnt = self.learnt(windows)
        return learnt if self.linear is None else learnt + self.linear(windows)

    @torch.inference_mode()
    def reconstruct(self, windows: Tensor) -> Tensor:
        """(rows, feature, batch) -> the same shape; equal to `forward` in eval mode, within float32 rounding."""
        if windows.shape[2] <= self.few:
            outputs: Tensor = self(windows.permute(2, 0, 1))
            return outputs.permute(1, 2, 0)
        learnt = self.in_columns(windows)
        return learnt if self.linear is None else learnt.add_(self.linear.in_columns(windows))

    def serving(self) -> Self:
        """Itself, in eval mode and with nothing left to learn.

        Where a weight might want its gradient, torch may sum in another order: what calibrates must be what serves.
        """
        return self.eval().requires_grad_(False)

    @property
    def is_fitted(self) -> bool:
        """Whether something in it is found without training."""
        return self.linear is not None

    @property
    def learns(self) -> bool:
        """Whether there is anything to train."""
        return next(self.parameters(), None) is not None

    def fit(self, batches: Iterable[Tensor]) -> None:
        """Find what needs no training in windows (batch, rows, feature)."""
        if self.linear is not None:
            self.linear.fit(batches)

    @abstractmethod
    def learnt(self, windows: Tensor) -> Tensor:
        """(batch, rows, feature) -> the same shape: all but the linear path."""

    @abstractmethod
    def in_columns(self, windows: Tensor) -> Tensor:
        """`learnt` for many windows, (rows, feature, batch): the batch stays last, each step works on long rows."""

    def add_nothing(self, last: nn.Module) -> None:
        """Before training nothing is added to the linear path; `last` is the layer that everything comes out of."""
        if self.linear is not None:
            for parameter in last.parameters():
                nn.init.zeros_(parameter)


def affine(layer: nn.Linear, columns: Tensor) -> Tensor:
    """A linear layer applied to columns: (input, batch) -> (output, batch)."""
    return torch.addmm(layer.bias[:, None], layer.weight, columns)


def scope(window: int, features: int, config: NetworkConfig) -> tuple[int, int, LinearPath | None]:
    """What a config says that a network sees of a detector's window: rows, how many are judged, and the linear path."""
    rows = min(config.rows or window, window)
    linear = LinearPath(rows, features, config.linear) if config.linear else None
    return rows, min(config.judged or rows, rows), linear
