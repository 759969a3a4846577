"""Errors on windows that were held out: what a detector's scale and its threshold are set by.

What can be fitted goes through all windows before the test part, in order of time. These are cut into folds, and the
errors on each are those of members whose closed forms were fitted to the other folds. So the threshold knows all that
was normal at any time, and not only shortly before the test part, and no member is judged on what it was fitted to.
What a network learnt step by step, beside a linear path, it keeps: that is little, and hardly any window is known by
heart. A network without such a path is all learnt: then only the calibration part, which taught nothing, is looked at.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from copy import deepcopy

import numpy as np
from numpy.typing import NDArray

from models.ensemble import measure
from models.networks.autoencoder import Autoencoder
from schemas.training import TrainingConfig
from training import loader
from training.artifacts import Artifacts
from training.learner import fit_closed_forms
from training.loader import Windows
from training.split import FITTING

FOLDS = 5
MOST = 16_384  # windows of a fold that are looked at, in stretches
STRETCH = 1024  # windows

Float64 = NDArray[np.float64]
Index = NDArray[np.int64]


def errors(
    artifacts: Artifacts, config: TrainingConfig, networks: Mapping[str, Autoencoder], at_once: int
) -> tuple[Float64, Index]:
    """Errors (member, window, feature) on held-out windows, and the number of the unbroken stretch each is of."""
    windows = loader.load(artifacts, FITTING, config.window.size)
    judged = FITTING if all(network.is_fitted for network in networks.values()) else "calibration"
    fair = np.isin(windows.starts, loader.load(artifacts, judged, config.window.size).starts)
    owners = np.load(artifacts.timestamps(FITTING))["series"].astype(np.int64)
    found, stretches = [], []
    for fold in folds(owners):
        held = fold[fair[fold]]
        if not len(held):
            continue
        looked_at = _some(held)
        members = _without(held, windows, networks, config)
        found += [measure(members, windows.take(block), config.scaling.clip, at_once) for block in _blocks(looked_at)]
        stretches.append(_breaks(windows.starts[looked_at], config.window.stride))
    return np.concatenate(found, axis=1), np.cumsum(np.concatenate(stretches))


def folds(owners: Index) -> Iterator[Index]:
    """The windows (n,) of each fold: every series, given by its number for each window, is cut alike by time."""
    counts = np.bincount(owners)
    rank = np.arange(len(owners)) - (np.cumsum(counts) - counts)[owners]
    fold = rank * FOLDS // counts[owners]
    yield from (np.flatnonzero(fold == number) for number in np.unique(fold))


def _without(
    held: Index, windows: Windows, networks: Mapping[str, Autoencoder], config: TrainingConfig
) -> list[Autoencoder]:
    """The members with closed forms that know no row of the windows `held`; if no window is without, as they are."""
    others = windows.chosen(apart(windows.starts, windows.starts[held], windows.size))
    members = [deepcopy(network).serving() for network in networks.values()]
    if len(others):
        for member in members:
            fit_closed_forms(member, others, config.scaling.clip)
    return members


def apart(starts: Index, held: Index, size: int) -> NDArray[np.bool_]:
    """Which windows, beginning at `starts`, share no row with those that begin at `held`, ascending."""
    after = np.searchsorted(held, starts)
    before = starts - held[np.maximum(after - 1, 0)]
    behind = held[np.minimum(after, len(held) - 1)] - starts
    clear: NDArray[np.bool_] = np.minimum(np.abs(before), np.abs(behind)) >= size
    return clear


def _some(held: Index) -> Index:
    """All of a fold's windows, or evenly spread stretches of them."""
    every = -(-len(held) // MOST)
    chosen: Index = held[np.arange(len(held)) // STRETCH % every == 0]
    return chosen


def _blocks(index: Index) -> list[Index]:
    return np.array_split(index, -(-len(index) // STRETCH))


def _breaks(starts: Index, stride: int) -> Index:
    """1 at each window that does not follow on the one before it, 0 elsewhere; the first does not."""
    breaks: Index = (np.diff(starts, prepend=-stride - 1) != stride).astype(np.int64)
    return breaks
