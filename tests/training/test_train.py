"""The training loop: the best epoch is kept, and the same seed gives the same tensors."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from models.networks import build
from schemas.errors import TidewatchError
from schemas.training import TrainingConfig
from tests.training.conftest import TINY, Silent, Trained
from training.loader import Windows, load
from training.pipeline import threads
from training.train import Fitted, State, fit, fresh, loss, steps_of


def config(**options: Any) -> TrainingConfig:
    """The tiny config with other options of training."""
    return TrainingConfig.model_validate({**TINY, "training": {**TINY["training"], **options}})


def waves(count: int, seed: int = 0) -> Windows:
    """Windows of two sines with noise."""
    rows = np.random.default_rng(seed).normal(scale=0.1, size=(count + 7, 2))
    rows += np.sin(np.arange(count + 7) / 3)[:, None]
    return Windows(rows.astype(np.float32), np.arange(count), 8)


def train(options: TrainingConfig, name: str = "cnn_ae") -> tuple[Fitted, list[State]]:
    """A network trained on waves, and the weights that were kept on the way."""
    kept: list[State] = []
    data = waves(200)
    with threads(1):
        return fit(name, fresh(name, data, options), data, waves(50, seed=1), options, Silent(), kept.append), kept


def same(one: Mapping[str, Tensor], other: Mapping[str, Tensor]) -> bool:
    """Whether all tensors are equal to the last bit."""
    return one.keys() == other.keys() and all(torch.equal(one[key], other[key]) for key in one)


@pytest.mark.parametrize("name", ["lstm_ae", "gru_ae", "cnn_ae"])
def test_the_weights_are_those_of_the_best_epoch(name):
    """They reproduce the lowest validation loss, though training went on, and got worse, after it."""
    options = config(epochs=15, patience=3, learning_rate=0.3)
    options = options.model_copy(update={"networks": {name: options.networks["cnn_ae"]}})
    fitted, kept = train(options, name)
    assert fitted.best.number < len(fitted.epochs)
    assert fitted.best.validation_loss == min(epoch.validation_loss for epoch in fitted.epochs)
    assert loss(fitted.network, waves(50, seed=1), options.scaling.clip) == fitted.best.validation_loss
    assert same(fitted.network.state_dict(), kept[-1])
    assert not fitted.network.training


def test_patience_counts_epochs_without_improvement():
    """Training stops so many epochs after the best one, or at the last."""
    fitted, _ = train(config(epochs=40, patience=2, learning_rate=0.1))
    assert len(fitted.epochs) == fitted.best.number + 2
    assert [epoch.number for epoch in fitted.epochs] == list(range(1, len(fitted.epochs) + 1))


def test_the_same_seed_gives_the_same_tensors():
    """With the same data, config and thread count, to the last bit; another seed gives others."""
    one, other, third = (train(config(seed=seed))[0].network.state_dict() for seed in (7, 7, 8))
    assert same(one, other)
    assert not same(one, third)


def test_networks_do_not_depend_on_their_order():
    """Each starts from the seed, whatever was trained before it."""
    train(config(epochs=1), "lstm_ae")
    after, _ = train(config())
    torch.manual_seed(99)
    assert same(after.network.state_dict(), train(config())[0].network.state_dict())


def test_few_windows_are_taken_in_small_steps():
    """An epoch has some 32 steps, unless that would be fewer than 16 windows each, or more than the config allows."""
    assert [steps_of(windows, 256) for windows in (10, 160, 3200, 8192, 100_000)] == [1, 10, 32, 32, 391]
    assert steps_of(3200, 8) == 400


def test_a_loss_that_is_no_number_is_explained():
    """The message names the network, the epoch and the way out."""
    data = waves(50)
    network = build("cnn_ae", 8, 2, config().networks["cnn_ae"])
    torch.nn.init.constant_(network.spread.bias, float("nan"))  # type: ignore[union-attr, arg-type]
    with pytest.raises(
        TidewatchError, match=r"cnn_ae: the validation loss of epoch 1 is nan; lower training\.learning"
    ):
        fit("cnn_ae", network, data, data, config(), Silent(), lambda _: None)


def test_inputs_are_clipped():
    """What is further away than the config's clip is seen at the clip."""
    data = waves(50)
    wild = Windows(np.where(data.rows > 0.5, np.float32(1e30), data.rows), data.starts, 8)
    calm = Windows(np.where(data.rows > 0.5, np.float32(10), data.rows), data.starts, 8)
    network = build("cnn_ae", 8, 2, config().networks["cnn_ae"])
    assert loss(network, wild, 10.0) == loss(network, calm, 10.0)


def test_what_the_stage_leaves(trained: Trained):
    """Logs with every epoch, the best checkpoint, and weights that reproduce the best validation loss."""
    logs = json.loads(trained.artifacts.training("training_logs.json").read_text())
    validation = load(trained.artifacts, "validation", trained.config.window.size)
    for name, options in trained.config.networks.items():
        network = build(name, 8, 3, options)
        network.load_state_dict(torch.load(trained.artifacts.training(f"{name}.pth"), weights_only=True))
        best = min(epoch["validation_loss"] for epoch in logs[name]["epochs"])
        assert logs[name]["epochs"][logs[name]["best_epoch"] - 1]["validation_loss"] == best
        assert loss(network, validation, trained.config.scaling.clip) == pytest.approx(best, rel=1e-6)
        kept = torch.load(trained.artifacts.training("checkpoints", f"{name}_best.pth"), weights_only=True)
        assert same(network.state_dict(), kept)
    by_loss = {name: min(epoch["validation_loss"] for epoch in log["epochs"]) for name, log in logs.items()}
    best_name = trained.artifacts.training("best_model_name.txt").read_text().strip()
    assert by_loss[best_name] == min(by_loss.values())
