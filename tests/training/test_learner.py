"""The training loop: the best epoch is kept, and the same seed gives the same tensors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from models.networks import build
from schemas.errors import TidewatchError
from schemas.training import AUTOREGRESSION, TrainingConfig
from tests.training.conftest import TINY
from training import checkpoint
from training.events import silent
from training.learner import Learner, loss, steps_of
from training.loader import Windows
from training.speed import threads
from training.train import fresh


def config(**options: Any) -> TrainingConfig:
    """The tiny config with other options of training."""
    return TrainingConfig.model_validate({**TINY, "training": {**TINY["training"], **options}})


def waves(count: int, seed: int = 0) -> Windows:
    """Windows of two sines with noise."""
    rows = np.random.default_rng(seed).normal(scale=0.1, size=(count + 7, 2))
    rows += np.sin(np.arange(count + 7) / 3)[:, None]
    return Windows(rows.astype(np.float32), np.arange(count), 8)


def learner(options: TrainingConfig, name: str = "cnn_ae") -> Learner:
    """A network that has learnt nothing of waves yet."""
    return Learner(name, fresh(name, waves(200), options), options)


def teach(taught: Learner) -> Learner:
    """Until there is nothing more to learn."""
    with threads(1):
        while not taught.is_done:
            taught.epoch(waves(200), waves(50, seed=1), silent)
    return taught


def train(options: TrainingConfig, name: str = "cnn_ae") -> Learner:
    """A network trained on waves, with the weights of its last epoch."""
    return teach(learner(options, name))


def losses(taught: Learner) -> list[tuple[float, float]]:
    """Of every epoch."""
    return [(epoch.train_loss, epoch.validation_loss) for epoch in taught.history.epochs]


def same(one: Mapping[str, Tensor], other: Mapping[str, Tensor]) -> bool:
    """Whether all tensors are equal to the last bit."""
    return one.keys() == other.keys() and all(torch.equal(one[key], other[key]) for key in one)


@pytest.mark.parametrize("name", ["lstm_ae", "gru_ae", "cnn_ae"])
def test_the_weights_are_those_of_the_best_epoch(name):
    """They reproduce the lowest validation loss, though training went on, and got worse, after it."""
    options = config(epochs=15, patience=3, learning_rate=0.3)
    options = options.model_copy(update={"networks": {name: options.networks["cnn_ae"]}})
    taught = train(options, name)
    best, epochs = taught.history.best, taught.history.epochs
    assert best.number < len(epochs)
    assert best.validation_loss == min(epoch.validation_loss for epoch in epochs)
    network = taught.finished()
    assert loss(network, waves(50, seed=1), options.scaling.clip) == best.validation_loss
    assert not network.training


def test_patience_counts_epochs_without_improvement():
    """Training stops so many epochs after the best one, or at the last."""
    history = train(config(epochs=40, patience=2, learning_rate=0.1)).history
    assert len(history.epochs) == history.best.number + 2
    assert [epoch.number for epoch in history.epochs] == list(range(1, len(history.epochs) + 1))


def test_the_same_seed_gives_the_same_tensors():
    """With the same data, config and thread count, to the last bit; another seed gives others."""
    one, other, third = (train(config(seed=seed)).best for seed in (7, 7, 8))
    assert same(one, other)
    assert not same(one, third)


def test_networks_do_not_depend_on_their_order():
    """Each starts from the seed, whatever was trained before it."""
    train(config(epochs=1), "lstm_ae")
    after = train(config())
    torch.manual_seed(99)
    assert same(after.best, train(config()).best)


@pytest.mark.parametrize("name", ["lstm_ae", "gru_ae", "cnn_ae"])
@pytest.mark.parametrize("epochs", [1, 4, 7])
def test_a_snapshot_goes_on_as_if_nothing_had_been(name, epochs, tmp_path):
    """Taken after any epoch, through a file, with dropout and with patience running out: to the last bit."""
    options = config(epochs=9, patience=3, learning_rate=0.1)
    size = options.networks["cnn_ae"].model_copy(update={"dropout": 0.3})
    options = options.model_copy(update={"networks": {name: size}})
    whole, first = train(options, name), learner(options, name)
    with threads(1):
        for _ in range(epochs):
            first.epoch(waves(200), waves(50, seed=1), silent)
    checkpoint.save(tmp_path / "file", "this", first.snapshot())
    torch.manual_seed(99)
    second = learner(options, name)
    snapshot = checkpoint.load(tmp_path / "file", "this")
    assert snapshot is not None
    second.restore(snapshot)
    teach(second)
    assert losses(second) == losses(whole)
    assert same(second.best, whole.best)
    assert same(second.network.state_dict(), whole.network.state_dict())
    assert str(second.optimiser.state_dict()) == str(whole.optimiser.state_dict())
    assert second.shuffle.bit_generator.state == whole.shuffle.bit_generator.state


def test_epoch_0_is_what_is_found_without_training():
    """A linear path is judged before the first step; where steps only harm, it is what is kept."""
    options = config(epochs=3, patience=3, learning_rate=10.0)
    size = options.networks["cnn_ae"].model_copy(update={"linear": 0.9, "rows": 6})
    taught = train(options.model_copy(update={"networks": {"cnn_ae": size}}))
    assert [epoch.number for epoch in taught.history.epochs] == [0, 1, 2, 3]
    assert taught.history.best.number == 0
    assert taught.history.best.validation_loss < 0.1
    network = taught.finished()
    assert network.linear is not None
    windows = torch.from_numpy(waves(20).newest(6).take(np.arange(20)))
    assert torch.equal(network(windows), network.linear(windows))


def test_a_member_without_parameters_is_done_at_once():
    """The autoregression has epoch 0 and no other, and foretells most of what is not noise."""
    taught = train(config(epochs=5), AUTOREGRESSION)
    assert [epoch.number for epoch in taught.history.epochs] == [0]
    assert taught.history.best.validation_loss < 0.1


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
        Learner("cnn_ae", network, config()).epoch(data, data, silent)


def test_inputs_are_clipped():
    """What is further away than the config's clip is seen at the clip."""
    data = waves(50)
    wild = Windows(np.where(data.rows > 0.5, np.float32(1e30), data.rows), data.starts, 8)
    calm = Windows(np.where(data.rows > 0.5, np.float32(10), data.rows), data.starts, 8)
    network = build("cnn_ae", 8, 2, config().networks["cnn_ae"])
    assert loss(network, wild, 10.0) == loss(network, calm, 10.0)
