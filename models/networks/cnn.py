"""The convolutional autoencoder."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, conv_transpose2d, pad

from models.networks.autoencoder import Autoencoder, affine, scope
from schemas.errors import TidewatchError
from schemas.training import NetworkConfig


class CNNAutoencoder(Autoencoder):
    """Strided convolutions halve the window `layers` times, rounding up; transposed ones double it again.

    `in_columns` writes each convolution as one matrix product over overlapping views of the window, (time, tap x
    channel, batch): nothing is copied, and torch's transposed convolution, which is slow on a CPU, is avoided.
    """

    few = 3

    def __init__(self, window: int, features: int, config: NetworkConfig) -> None:
        super().__init__(*scope(window, features, config))
        self.lengths = _lengths(self.rows, config.layers)
        channels = [features] + [config.hidden] * config.layers
        self.down = nn.ModuleList(
            nn.Conv1d(wide, narrow, kernel_size=3, stride=2, padding=1) for wide, narrow in pairwise(channels)
        )
        self.dropout = nn.Dropout(config.dropout)
        self.squeeze = nn.Linear(self.lengths[-1] * config.hidden, config.latent)
        self.spread = nn.Linear(config.latent, self.lengths[-1] * config.hidden)
        self.up = nn.ModuleList(
            nn.ConvTranspose1d(narrow, wide, kernel_size=3, stride=2, padding=1, output_padding=1 - length % 2)
            for (narrow, wide), length in zip(pairwise(channels[::-1]), self.lengths[-2::-1], strict=True)
        )
        self.add_nothing(self.up[-1])

    def learnt(self, windows: Tensor) -> Tensor:
        """As `Autoencoder.learnt`; in two dimensions, one of them 1: there torch works on channels last."""
        signal = windows.transpose(1, 2).unsqueeze(2)  # (batch, channel, 1, time)
        for down in self.down:
            weight, bias = down.parameters()
            signal = conv2d(signal, weight.unsqueeze(2), bias, stride=(1, 2), padding=(0, 1)).relu()
        latent = self.squeeze(self.dropout(signal.squeeze(2).transpose(1, 2).flatten(1)))  # (batch, latent)
        signal = self.spread(latent).view(len(windows), 1, self.lengths[-1], -1).permute(0, 3, 1, 2)
        for up, length in zip(self.up, self.lengths[-2::-1], strict=True):
            weight, bias = up.parameters()
            signal = conv_transpose2d(signal.relu(), weight.unsqueeze(2), bias, (1, 2), (0, 1), (0, 1 - length % 2))
        return signal.squeeze(2).transpose(1, 2)  # (batch, time, feature)

    def in_columns(self, windows: Tensor) -> Tensor:
        """As `Autoencoder.in_columns`."""
        signal = windows  # (time, channel, batch)
        for down in self.down:
            signal = halve(signal, *down.parameters()).relu_()
        latent = affine(self.squeeze, signal.flatten(0, 1))  # (latent, batch)
        signal = affine(self.spread, latent).view(self.lengths[-1], -1, windows.shape[2])
        for up, length in zip(self.up, self.lengths[-2::-1], strict=True):
            signal = double(signal.relu_(), length, *up.parameters())
        return signal  # (time, feature, batch)


def halve(signal: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """The convolution of 3 taps and stride 2 over (time, channel, batch), padded by one row at both ends."""
    triples = pad(signal, (0, 0, 0, 0, 1, 1)).unfold(0, 3, 2)
    return _product(weight.transpose(1, 2).flatten(1), bias, triples)


def double(signal: Tensor, length: int, weight: Tensor, bias: Tensor) -> Tensor:
    """Its transpose, cut to `length` rows: each row and its successor give two rows."""
    first, middle, last = weight.permute(2, 1, 0)  # the taps, each (out channel, in channel)
    both = torch.cat([torch.cat([middle, torch.zeros_like(middle)], 1), torch.cat([last, first], 1)])
    pairs = pad(signal, (0, 0, 0, 0, 0, 1)).unfold(0, 2, 1)
    return _product(both, bias.repeat(2), pairs).view(-1, len(bias), signal.shape[2])[:length]


def _product(weight: Tensor, bias: Tensor, taps: Tensor) -> Tensor:
    columns = taps.permute(0, 3, 1, 2).flatten(1, 2)  # (time, tap x channel, batch), still a view
    return torch.baddbmm(bias[:, None], weight.expand(len(columns), -1, -1), columns)


def _lengths(window: int, layers: int) -> list[int]:
    """The window's length before each halving and after the last; at least two rows are needed to halve."""
    if 2**layers > window:
        raise TidewatchError(
            f"networks.cnn_ae.layers is {layers}, but a window of {window} rows can be halved at most "
            f"{window.bit_length() - 1} times; lower it, or raise window.size to {2**layers}"
        )
    return [-(-window // 2**halvings) for halvings in range(layers + 1)]
