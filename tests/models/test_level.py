"""The level against a plain mean, and what it adds: it sees what stays away, and has nothing to train."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from models.ensemble import measure
from models.networks import build_member
from models.networks.level import Level
from schemas.training import LEVEL, LevelConfig, TrainingConfig

WINDOWS = np.random.default_rng(1).normal(1.0, 0.5, (40, 16, 3)).astype(np.float32)


@pytest.mark.parametrize(("rows", "seen"), [(0, 16), (5, 5), (64, 16)])
def test_its_error_is_the_mean_of_the_newest_rows_squared(rows: int, seen: int):
    """Of as many rows as the config says, and the window has; by feature."""
    found = measure([Level(16, LevelConfig(rows=rows))], WINDOWS, clip=10.0)[0]
    np.testing.assert_allclose(found, WINDOWS[:, -seen:].mean(axis=1) ** 2, rtol=1e-4)


def test_both_ways_of_serving_are_the_same():
    """Batch first, as in training, and batch last, as in the worker."""
    network, windows = Level(16, LevelConfig(rows=8)), torch.from_numpy(WINDOWS[:, -8:])
    columns = network.reconstruct(windows.permute(1, 2, 0).contiguous()).permute(2, 0, 1)
    torch.testing.assert_close(columns, network(windows))


def test_it_is_a_member_that_has_nothing_to_train():
    """A config's members end with it, unless it is switched off."""
    config = TrainingConfig()
    assert config.members[-1] == LEVEL
    member = build_member(LEVEL, 3, config)
    assert member.is_fitted
    assert not member.learns
    assert LEVEL not in TrainingConfig(level=LevelConfig(use=False)).members
