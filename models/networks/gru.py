"""The GRU autoencoder."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import torch
from torch import Tensor, nn
from torch.nn.functional import dropout

from models.networks.autoencoder import affine
from models.networks.gru_layer import unroll
from models.networks.recurrent import RecurrentAutoencoder, project


class GRUAutoencoder(RecurrentAutoencoder):
    """Stacked GRU encoder and decoder; `in_columns` writes tanh(x) as 1 - 2 sigmoid(-2x), as in the LSTM."""

    cell = nn.GRU

    def learnt(self, windows: Tensor) -> Tensor:
        """As `Autoencoder.learnt`; in training through layers of our own."""
        if not self.training:
            return super().learnt(windows)
        rows, steps = windows.shape[1], windows.permute(1, 2, 0).contiguous()  # (time, feature, batch)
        latent = affine(self.squeeze, self.dropout(_states(self.encoder, steps, rows)[-1]))  # (latent, batch)
        states = _states(self.decoder, latent[None], rows)  # (time, hidden, batch)
        return (self.output.weight @ states + self.output.bias[:, None]).permute(2, 0, 1)

    @staticmethod
    def states(steps: Iterable[Tensor], batch: int, wi: Tensor, wh: Tensor, bi: Tensor, bh: Tensor) -> Iterator[Tensor]:
        """As `RecurrentAutoencoder.states`."""
        hidden = wh.shape[1]
        split = [2 * hidden, hidden]  # torch's order: reset and update, then the candidate
        scale = torch.ones_like(bi)
        scale[2 * hidden :] = -2
        gate_weight, recall_weight = torch.split(wh * scale, split)
        gate_bias, recall_bias = torch.split(bh * scale, split)
        bias = bi * scale
        bias[: 2 * hidden] += gate_bias
        projected, gates = wi.new_empty(3 * hidden, batch), wi.new_empty(2 * hidden, batch)
        for_gates, for_candidate = torch.split(projected, split)
        reset, update = torch.split(gates, hidden)
        state = wi.new_zeros(hidden, batch)
        for _ in project(wi * scale, bias, steps, out=projected):
            torch.addmm(for_gates, gate_weight, state, out=gates).sigmoid_()
            recalled = torch.addmm(recall_bias, recall_weight, state)
            candidate = torch.addcmul(for_candidate, reset, recalled).sigmoid_()
            state = torch.lerp(torch.rsub(candidate, 1, alpha=2), state, update)  # from tanh(candidate) to what was
            yield state


def _states(stack: nn.LSTM | nn.GRU, steps: Tensor, rows: int) -> Tensor:
    for layer, parameters in enumerate(stack.all_weights):
        steps = unroll(parameters, dropout(steps, stack.dropout) if layer else steps, rows)
    return steps
