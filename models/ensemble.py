"""Several networks' reconstruction errors become one number per window, with each feature's part in it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from models.networks.autoencoder import Autoencoder

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]
Index = NDArray[np.int64]

AT_ONCE = 1024  # windows a network sees: enough to hide the cost of a call, few enough for the cache
SMALLEST_SCALE = 1e-6  # squared standard deviations; an error below this is rounding, not news
SMALLEST_SPREAD = 1e-6  # of a window's normalised error, whose mean is below 1


@dataclass(frozen=True, eq=False)
class Normaliser:
    """One network's errors on the scale of its own normal errors: per feature first, then over windows."""

    feature_scale: Float64  # (feature,)
    centre: float
    spread: float

    def standardise(self, errors: Float64) -> Float64:
        """Errors (b, feature) -> (b,), by how many spreads each window is above the centre."""
        totals: Float64 = (errors / self.feature_scale).mean(axis=1)
        return (totals - self.centre) / self.spread


def fit_normaliser(normal: Float64, feature_floor: float) -> Normaliser:
    """From errors (window, feature) on normal windows that were held out.

    `feature_floor` times the median over features is added to each feature's own mean, so that one which is
    reconstructed almost exactly does not shout at the smallest change.
    """
    usual = normal.mean(axis=0)
    feature_scale = np.maximum(usual + feature_floor * np.median(usual), SMALLEST_SCALE)
    totals = (normal / feature_scale).mean(axis=1)
    return Normaliser(feature_scale, float(totals.mean()), max(float(totals.std()), SMALLEST_SPREAD))


@dataclass(frozen=True, eq=False)
class Member:
    """A trained network, in eval mode, and what its errors normally are."""

    name: str
    network: Autoencoder
    normaliser: Normaliser


@torch.inference_mode()
def examine(
    networks: Sequence[Autoencoder], windows: Float32, clip: float, at_once: int = AT_ONCE
) -> tuple[Float32, Float64]:
    """Reconstructions (member, b, row, feature) of scaled windows (b, time, feature), and errors (member, b, feature).

    An error is the mean over the rows that a member judges of the squared difference, in squared standard deviations.
    Networks and errors see inputs within `clip` standard deviations. Reconstructed are the newest rows that any member
    judges: one that judges fewer leaves the others as they are. How many go through a network `at_once` changes nothing
    but the speed.
    """
    b, _, features = windows.shape
    rows = max(network.judged for network in networks)
    reconstructions = torch.empty(len(networks), rows, features, b)  # as the networks write them, batch last
    errors = torch.empty(len(networks), features, b)
    for start in range(0, b, at_once):
        chunk = slice(start, start + at_once)
        inputs = torch.from_numpy(windows[chunk].clip(-clip, clip)).permute(1, 2, 0).contiguous()
        reconstructions[..., chunk] = inputs[-rows:]
        for member, network in enumerate(networks):
            outputs = network.reconstruct(inputs[-network.rows :])[-network.judged :]
            reconstructions[member, -network.judged :, :, chunk] = outputs
            errors[member, :, chunk] = outputs.sub_(inputs[-network.judged :]).square_().mean(dim=0)
    return reconstructions.numpy().transpose(0, 3, 1, 2), errors.numpy().transpose(0, 2, 1).astype(np.float64)


def measure(networks: Sequence[Autoencoder], windows: Float32, clip: float, at_once: int = AT_ONCE) -> Float64:
    """The errors of `examine` alone, (member, window, feature), for any number of windows."""
    chunks = range(0, max(len(windows), 1), at_once)
    each = [examine(networks, windows[at : at + at_once], clip, at_once)[1] for at in chunks]
    return np.concatenate(each, axis=1)


@dataclass(frozen=True, eq=False)
class Ensemble:
    """Members and the rule that makes their errors one.

    A rule gives each member a part in each window's score, parts summing to 1: the score is the sum of standardised
    errors by these parts, and the blame goes by the same parts.
    """

    members: tuple[Member, ...]
    combine: str
    weights: tuple[float, ...]  # one a member; only "weighted" looks at them
    clip: float  # networks and errors see inputs within this many standard deviations
    at_once: int = AT_ONCE  # windows that a network sees

    @property
    def names(self) -> tuple[str, ...]:
        """The members' names, in their order everywhere."""
        return tuple(member.name for member in self.members)

    @property
    def judged(self) -> Index:
        """How many of a window's newest rows each member judges, (member,)."""
        return np.array([member.network.judged for member in self.members])

    def examine(self, windows: Float32) -> tuple[Float32, Float64]:
        """Reconstructions (member, b, row, feature) and errors (member, b, feature) of scaled windows."""
        return examine([member.network for member in self.members], windows, self.clip, self.at_once)

    def standardise(self, errors: Float64) -> Float64:
        """Errors (member, b, feature) -> (b, member), each member in spreads above its own centre."""
        each = [member.normaliser.standardise(own) for member, own in zip(self.members, errors, strict=True)]
        return np.stack(each, axis=1)

    def parts(self, standardised: Float64) -> Float64:
        """Each member's part (b, member) in each window's score."""
        return RULES[self.combine](standardised, np.asarray(self.weights, dtype=np.float64))

    def combined(self, standardised: Float64) -> Float64:
        """Standardised errors (b, member) -> combined (b,)."""
        total: Float64 = (standardised * self.parts(standardised)).sum(axis=1)
        return total

    def blame(self, windows: Float32, reconstructions: Float32) -> tuple[Float64, Float64, Index]:
        """Each feature's share (b, feature) in the score, summing to 1, what was expected, and the worst row.

        Expected values (b, feature), in scaled units, are those at the feature's worst row (b, feature), which is
        counted from the window's oldest.
        """
        squares = self._squares(windows, reconstructions)
        heard = self._heard(squares)
        scales = np.stack([each.normaliser.feature_scale * each.normaliser.spread for each in self.members])
        guilt = (heard * squares / scales[:, None, None, :]).sum(axis=0)  # (b, row, feature)
        rows = guilt.argmax(axis=1)  # (b, feature)
        expected = np.take_along_axis(self._expected(heard, reconstructions), rows[:, None, :], axis=1)[:, 0]
        return _shares(guilt.sum(axis=1)), expected, rows + windows.shape[1] - guilt.shape[1]

    def expected(self, windows: Float32, reconstructions: Float32) -> Float64:
        """What was expected of the newest rows (b, row, feature), in scaled units."""
        return self._expected(self._heard(self._squares(windows, reconstructions)), reconstructions)

    def _expected(self, heard: Float64, reconstructions: Float32) -> Float64:
        """The members' reconstructions of the rows that they judge, by their parts in the score."""
        heard = heard * (self._share_of_rows(reconstructions.shape[2]) > 0)
        expected: Float64 = reconstructions[0].astype(np.float64)  # of a row that nobody judges: what it is
        total = np.broadcast_to(heard.sum(axis=0), expected.shape)
        np.divide((heard * reconstructions).sum(axis=0), total, out=expected, where=total > 0)
        return expected

    def _squares(self, windows: Float32, reconstructions: Float32) -> Float64:
        """Each row's part in the members' errors, (member, b, row, feature)."""
        rows = reconstructions.shape[2]
        inputs = windows[:, -rows:].clip(-self.clip, self.clip).astype(np.float64)
        squares: Float64 = (reconstructions - inputs) ** 2 * self._share_of_rows(rows)
        return squares

    def _share_of_rows(self, rows: int) -> Float64:
        """What each of the newest `rows` rows counts in a member's error, (member, 1, row, 1): 0 if not judged."""
        judged = self.judged[:, None]
        share: Float64 = (np.arange(rows) >= rows - judged) / judged
        return share[:, None, :, None]

    def _heard(self, squares: Float64) -> Float64:
        """Each member's part in the score of each window, (member, b, 1, 1)."""
        return self.parts(self.standardise(squares.sum(axis=2))).T[:, :, None, None]


def _shares(guilt: Float64) -> Float64:
    total = guilt.sum(axis=1, keepdims=True)
    shares = np.full_like(guilt, 1 / guilt.shape[1])
    np.divide(guilt, total, out=shares, where=total > 0)
    return shares


def _mean(standardised: Float64, weights: Float64) -> Float64:
    return np.full_like(standardised, 1 / standardised.shape[1])


def _weighted(standardised: Float64, weights: Float64) -> Float64:
    return np.broadcast_to(weights / weights.sum(), standardised.shape)


def _ranked(standardised: Float64, *ranks: int) -> Float64:
    """Even parts for the members at these ranks, 0 the smallest; a rank named twice counts twice."""
    order = standardised.argsort(axis=1, kind="stable")
    parts = np.zeros_like(standardised)
    for rank in ranks:
        parts[np.arange(len(parts)), order[:, rank]] += 1 / len(ranks)
    return parts


def _median(standardised: Float64, weights: Float64) -> Float64:
    members = standardised.shape[1]
    return _ranked(standardised, (members - 1) // 2, members // 2)


def _max(standardised: Float64, weights: Float64) -> Float64:
    return _ranked(standardised, standardised.shape[1] - 1)


def _vote(standardised: Float64, weights: Float64) -> Float64:
    """The smallest of the largest majority: over 1 exactly when a majority is over 1, each at its own threshold."""
    return _ranked(standardised, (standardised.shape[1] - 1) // 2)


RULES: dict[str, Callable[[Float64, Float64], Float64]] = {
    "mean": _mean,
    "median": _median,
    "max": _max,
    "weighted": _weighted,
    "vote": _vote,
}
