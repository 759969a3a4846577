"""Teach each network to reconstruct normal windows; the epoch that validates best is the one that is kept."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import mse_loss

from models.networks import build
from models.networks.autoencoder import Autoencoder
from schemas.errors import TidewatchError
from schemas.training import OptimiserConfig, TrainingConfig
from training.artifacts import Artifacts, write_json
from training.loader import Windows, load

State = dict[str, Tensor]
VALIDATION_BATCH = 1024
STEPS, SMALLEST_BATCH = 32, 16  # a few hundred windows in one step an epoch would hardly teach anything


@dataclass(frozen=True)
class Epoch:
    """One pass over the train part; losses are mean squared errors in scaled, clipped units."""

    number: int  # from 1
    train_loss: float
    validation_loss: float
    seconds: float


@dataclass(frozen=True, eq=False)
class Fitted:
    """A network with the weights of its best epoch, in eval mode, and how it went."""

    name: str
    network: Autoencoder
    epochs: tuple[Epoch, ...]

    @property
    def best(self) -> Epoch:
        """The epoch whose weights were kept: the first with the lowest validation loss."""
        return min(self.epochs, key=lambda epoch: epoch.validation_loss)

    @property
    def seconds(self) -> float:
        """How long it took."""
        return sum(epoch.seconds for epoch in self.epochs)


class Watch(Protocol):
    """Looks on while a network is trained."""

    def batch(self, name: str, done: int, total: int, loss: float) -> None:
        """`done` of at most `total` steps are made; `loss` is the newest step's."""

    def epoch(self, name: str, epoch: Epoch) -> None:
        """An epoch is over."""

    def finished(self, name: str) -> None:
        """The network is trained, perhaps before all its steps."""


def run(artifacts: Artifacts, config: TrainingConfig, watch: Watch) -> tuple[Fitted, ...]:
    """Train every network of the config on what preprocessing left; leave weights, checkpoints and logs."""
    train, validation = (load(artifacts, part, config.window.size) for part in ("train", "validation"))
    fitted = []
    for name in config.networks:
        network = fresh(name, train, config)
        keep = partial(torch.save, f=artifacts.training("checkpoints", f"{name}_best.pth"))
        fitted.append(fit(name, network, train, validation, config, watch, keep))
    write_json(artifacts.training("training_logs.json"), {one.name: logs(one) for one in fitted})
    best = min(fitted, key=lambda one: one.best.validation_loss)
    artifacts.training("best_model_name.txt").write_text(best.name + "\n")
    return tuple(fitted)


def logs(fitted: Fitted) -> dict[str, object]:
    """What `training_logs.json` says of a network."""
    return {"best_epoch": fitted.best.number, "epochs": [asdict(epoch) for epoch in fitted.epochs]}


def fresh(name: str, windows: Windows, config: TrainingConfig) -> Autoencoder:
    """A network that has learnt nothing; the seed alone decides its weights."""
    torch.manual_seed(config.training.seed)
    return build(name, windows.size, windows.rows.shape[1], config.networks[name])


def fit(
    name: str,
    network: Autoencoder,
    train: Windows,
    validation: Windows,
    config: TrainingConfig,
    watch: Watch,
    keep: Callable[[State], None],
) -> Fitted:
    """Train until the validation loss has not fallen for `patience` epochs, then go back to the best one.

    `keep` is given the weights each time they are the best so far.
    """
    options, clip = config.training, config.scaling.clip
    optimiser = torch.optim.Adam(network.parameters(), options.learning_rate)
    shuffle = np.random.default_rng(options.seed)
    epochs: list[Epoch] = []
    best, best_number = State(), 0
    while len(epochs) < options.epochs and len(epochs) - best_number < options.patience:
        began = time.perf_counter()
        network.train()
        total = 0.0
        batches = np.array_split(shuffle.permutation(len(train)), steps_of(len(train), options.batch_size))
        for step, index in enumerate(batches, start=1):
            windows = clipped(train.take(index), clip)
            error = mse_loss(network(windows), windows)
            optimiser.zero_grad()
            error.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            total += error.item() * len(index)
            watch.batch(name, len(epochs) * len(batches) + step, options.epochs * len(batches), error.item())
        validated = loss(network, validation, clip)
        epochs.append(Epoch(len(epochs) + 1, total / len(train), validated, time.perf_counter() - began))
        watch.epoch(name, epochs[-1])
        if not math.isfinite(validated):
            raise diverged(name, epochs[-1], options)
        if validated < min((epoch.validation_loss for epoch in epochs[:-1]), default=math.inf):
            best, best_number = {key: value.clone() for key, value in network.state_dict().items()}, len(epochs)
            keep(best)
    network.load_state_dict(best)
    watch.finished(name)
    return Fitted(name, network.eval(), tuple(epochs))


def steps_of(windows: int, batch_size: int) -> int:
    """Steps in an epoch: of `batch_size` windows, or fewer so that there are `STEPS`, or `SMALLEST_BATCH`."""
    batch = min(batch_size, max(SMALLEST_BATCH, windows // STEPS))
    return math.ceil(windows / batch)


@torch.inference_mode()
def loss(network: Autoencoder, windows: Windows, clip: float) -> float:
    """The mean squared error over windows, in eval mode."""
    network.eval()
    total = 0.0
    for begin in range(0, len(windows), VALIDATION_BATCH):
        batch = clipped(windows.take(np.arange(begin, min(begin + VALIDATION_BATCH, len(windows)))), clip)
        total += mse_loss(network(batch), batch).item() * len(batch)
    return total / len(windows)


def clipped(windows: NDArray[np.float32], clip: float) -> Tensor:
    """Windows as networks see them: within `clip` standard deviations."""
    return torch.from_numpy(np.clip(windows, -clip, clip))


def diverged(name: str, epoch: Epoch, options: OptimiserConfig) -> TidewatchError:
    """Training went wrong, and what may help."""
    return TidewatchError(
        f"{name}: the validation loss of epoch {epoch.number} is {epoch.validation_loss}; "
        f"lower training.learning_rate (it is {options.learning_rate:g})"
    )
