"""The autoencoder around a recurrent cell: read the window, keep `latent` numbers, write it again from them."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Iterator
from itertools import repeat
from typing import ClassVar

import torch
from torch import Tensor, nn

from models.networks.autoencoder import Autoencoder, affine, scope
from schemas.training import NetworkConfig


class RecurrentAutoencoder(Autoencoder):
    """Encoder and decoder of the same cell and depth; the decoder is given the latent vector at every step."""

    few = 100
    cell: ClassVar[type[nn.LSTM] | type[nn.GRU]]

    def __init__(self, window: int, features: int, config: NetworkConfig) -> None:
        super().__init__(*scope(window, features, config))
        between = config.dropout if config.layers > 1 else 0.0
        self.encoder = self.cell(features, config.hidden, config.layers, batch_first=True, dropout=between)
        self.dropout = nn.Dropout(config.dropout)
        self.squeeze = nn.Linear(config.hidden, config.latent)
        self.decoder = self.cell(config.latent, config.hidden, config.layers, batch_first=True, dropout=between)
        self.output = nn.Linear(config.hidden, features)
        self.add_nothing(self.output)

    def learnt(self, windows: Tensor) -> Tensor:
        """As `Autoencoder.learnt`."""
        states, _ = self.encoder(windows)  # (batch, time, hidden)
        latent = self.squeeze(self.dropout(states[:, -1]))  # (batch, latent)
        states, _ = self.decoder(latent.unsqueeze(1).expand(-1, windows.shape[1], -1))  # (batch, time, hidden)
        return self.output(states)  # type: ignore[no-any-return]  # (batch, time, feature)

    def in_columns(self, windows: Tensor) -> Tensor:
        """As `Autoencoder.in_columns`."""
        for state in self._states(self.encoder, windows, windows.shape[2]):  # (hidden, batch), time after time
            last = state
        latent = affine(self.squeeze, last)  # (latent, batch)
        states = self._states(self.decoder, repeat(latent, len(windows)), windows.shape[2])
        weight, bias = self.output.weight, self.output.bias[:, None]
        return torch.stack([torch.addmm(bias, weight, state) for state in states])  # (time, feature, batch)

    def _states(self, stack: nn.LSTM | nn.GRU, steps: Iterable[Tensor], batch: int) -> Iterator[Tensor]:
        for wi, wh, bi, bh in stack.all_weights:
            steps = self.states(steps, batch, wi, wh, bi[:, None], bh[:, None])
        return iter(steps)

    @staticmethod
    @abstractmethod
    def states(steps: Iterable[Tensor], batch: int, wi: Tensor, wh: Tensor, bi: Tensor, bh: Tensor) -> Iterator[Tensor]:
        """One layer's state (hidden, batch) after each of its inputs (input, batch), in eval mode."""


def project(weight: Tensor, bias: Tensor, steps: Iterable[Tensor], out: Tensor) -> Iterator[None]:
    """Put `weight @ step + bias` into `out` for each step.

    A decoder is given the very same tensor at every step: then what is in `out` stands.
    """
    previous = None
    for step in steps:
        if step is not previous:
            torch.addmm(bias, weight, step, out=out)
        previous = step
        yield
