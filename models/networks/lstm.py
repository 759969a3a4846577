"""The LSTM autoencoder."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import torch
from torch import Tensor, nn

from models.networks.recurrent import RecurrentAutoencoder, project
from schemas.training import NetworkConfig


class LSTMAutoencoder(RecurrentAutoencoder):
    """Stacked LSTM encoder and decoder.

    `in_columns` writes every tanh(x) as 1 - 2 sigmoid(-2x): one sigmoid over all gates at once costs a third of torch's
    tanh. So the rows of the cell gate are scaled by -2, and the cell is kept as -2 times itself.
    """

    cell = nn.LSTM

    def __init__(self, window: int, features: int, config: NetworkConfig) -> None:
        super().__init__(window, features, config)
        for stack in (self.encoder, self.decoder):
            for _, _, bias, _ in stack.all_weights:
                nn.init.ones_(bias[config.hidden : 2 * config.hidden])  # to keep what it knows is what it starts with

    @staticmethod
    def states(steps: Iterable[Tensor], batch: int, wi: Tensor, wh: Tensor, bi: Tensor, bh: Tensor) -> Iterator[Tensor]:
        """As `RecurrentAutoencoder.states`."""
        hidden = wh.shape[1]
        scale = torch.ones_like(bi)
        scale[2 * hidden : 3 * hidden] = -2  # torch's order: input, forget, cell, output
        wi, wh, bias = wi * scale, wh * scale, (bi + bh) * scale
        gates, projected = wi.new_empty(2, 4 * hidden, batch)
        enter, keep, new, show = torch.split(gates, hidden)
        state, cell = wi.new_zeros(2, hidden, batch)
        for _ in project(wi, bias, steps, out=projected):
            torch.addmm(projected, wh, state, out=gates).sigmoid_()
            cell.mul_(keep).addcmul_(enter, new.sub_(0.5), value=4)  # -2 (keep c + enter tanh(new))
            state = torch.addcmul(show, show, cell.sigmoid(), value=-2)  # show tanh(c)
            yield state
