"""The stage that trains: what it leaves, and how it goes on after it was stopped."""

from __future__ import annotations

import json

import pytest
import torch

from models.networks import build_member
from tests.training.conftest import Trained
from training.learner import loss
from training.loader import load


def test_what_the_stage_leaves(trained: Trained):
    """Logs with every epoch, and weights that reproduce the best validation loss."""
    logs = json.loads(trained.artifacts.training("training_logs.json").read_text())
    validation = load(trained.artifacts, "validation", trained.config.window.size)
    for name in trained.config.members:
        network = build_member(name, 3, trained.config)
        network.load_state_dict(torch.load(trained.artifacts.training(f"{name}.pth"), weights_only=True))
        best = min(epoch["validation_loss"] for epoch in logs[name]["epochs"])
        kept = next(each for each in logs[name]["epochs"] if each["number"] == logs[name]["best_epoch"])
        assert kept["validation_loss"] == best
        newest = validation.newest(network.rows)
        assert loss(network, newest, trained.config.scaling.clip) == pytest.approx(best, rel=1e-6)
    by_loss = {name: min(epoch["validation_loss"] for epoch in log["epochs"]) for name, log in logs.items()}
    best_name = trained.artifacts.training("best_model_name.txt").read_text().strip()
    assert by_loss[best_name] == min(by_loss[name] for name in trained.config.networks)
