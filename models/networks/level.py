"""The level: how far a window's mean is from the usual one."""

from __future__ import annotations

from torch import Tensor

from models.networks.autoencoder import Autoencoder
from schemas.training import LevelConfig


class Level(Autoencoder):
    """Moves the newest `rows` rows of a window to the training mean: its error is the distance, squared.

    There is nothing in it to be fitted. Autoencoders let through what moves as it always did, at another level; a fault
    that stays is often just that.
    """

    few = 0
    is_fitted = True

    def __init__(self, window: int, config: LevelConfig) -> None:
        rows = min(config.rows or window, window)
        super().__init__(rows, rows)

    def learnt(self, windows: Tensor) -> Tensor:
        """As `Autoencoder.learnt`: scaled values have a mean of 0 in training."""
        return windows - windows.mean(dim=1, keepdim=True)

    def in_columns(self, windows: Tensor) -> Tensor:
        """As `Autoencoder.in_columns`."""
        return windows - windows.mean(dim=0, keepdim=True)
