"""A network being taught, epoch by epoch; a snapshot between two epochs holds all that the next one depends on."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import mse_loss

from models.networks.autoencoder import Autoencoder
from schemas.errors import TidewatchError
from schemas.training import TrainingConfig
from training.events import BatchDone, Observer
from training.history import Epoch, History
from training.loader import Windows

State = dict[str, Tensor]
AT_ONCE = 1024  # windows, where nothing is learnt step by step
FITTED = 16_384  # windows that are enough for what is found in closed form
STEPS, SMALLEST_BATCH = 32, 16  # a few hundred windows in one step an epoch would hardly teach anything


class Diverged(TidewatchError):
    """Training went astray, as it would again with the same config."""

    def __init__(self, name: str, epoch: Epoch, learning_rate: float) -> None:
        self.calmer = float(f"{learning_rate / 3:.1g}")
        super().__init__(
            f"{name}: the validation loss of epoch {epoch.number} is {epoch.validation_loss}; "
            f"lower training.learning_rate (it is {learning_rate:g})"
        )


class Learner:
    """Teaches a network until the validation loss has not fallen for `patience` epochs; the best epoch is kept.

    Epoch 0 is what it has of that which is found without training, in all windows that may be fitted to: if no later
    one is better, it is the best.

    What is random comes from torch's own state and from `shuffle`; both are part of a snapshot.
    """

    def __init__(self, name: str, network: Autoencoder, config: TrainingConfig) -> None:
        self.name, self.network = name, network
        self.options, self.clip = config.training, config.scaling.clip
        parameters = {"params": list(network.parameters())}  # none, if there is nothing to train
        self.optimiser = torch.optim.Adam([parameters], self.options.learning_rate, fused=True)
        self.shuffle = np.random.default_rng(self.options.seed)
        self.history = History()
        self.best = State()

    @property
    def is_done(self) -> bool:
        """Whether there is nothing more to learn."""
        if not self.history.epochs:
            return False
        last, best = self.history.epochs[-1].number, self.history.best.number
        return not self.network.learns or last >= self.options.epochs or last - best >= self.options.patience

    def epoch(self, train: Windows, validation: Windows, tell: Observer, fitted: Windows | None = None) -> Epoch:
        """One pass over the train part, or before the first what needs none. Diverged if it went astray.

        `fitted` are the windows in which closed forms are found, where they are not those of the train part.
        """
        began, number = time.perf_counter(), self._next
        if not number:
            fit_closed_forms(self.network, train if fitted is None else fitted, self.clip)
        train, validation = train.newest(self.network.rows), validation.newest(self.network.rows)
        learnt = self._learn(number, train, tell) if number else loss(self.network, train.spread(FITTED), self.clip)
        validated = loss(self.network, validation, self.clip)
        epoch = Epoch(number, learnt, validated, time.perf_counter() - began)
        if not math.isfinite(validated):
            raise Diverged(self.name, epoch, self.options.learning_rate)
        if not self.history.epochs or validated < self.history.best.validation_loss:
            self.best = {key: value.clone() for key, value in self.network.state_dict().items()}
        self.history = History((*self.history.epochs, epoch))
        return epoch

    def snapshot(self) -> dict[str, Any]:
        """Tensors, numbers and texts."""
        return {
            "network": self.network.state_dict(),
            "best": self.best,
            "optimiser": self.optimiser.state_dict(),
            "shuffle": self.shuffle.bit_generator.state,
            "torch": torch.get_rng_state(),
            "history": self.history.to_dict(),
        }

    def restore(self, snapshot: dict[str, Any]) -> None:
        """Go on from where a snapshot was taken."""
        self.network.load_state_dict(snapshot["network"])
        self.best = snapshot["best"]
        self.optimiser.load_state_dict(snapshot["optimiser"])
        self.shuffle.bit_generator.state = snapshot["shuffle"]
        torch.set_rng_state(snapshot["torch"])
        self.history = History.from_dict(snapshot["history"])

    def finished(self) -> Autoencoder:
        """The network with the weights of its best epoch, in eval mode."""
        self.network.load_state_dict(self.best)
        return self.network.eval()

    @property
    def _next(self) -> int:
        """The number of the epoch to come."""
        if self.history.epochs:
            return self.history.epochs[-1].number + 1
        return 0 if self.network.is_fitted else 1

    def _learn(self, number: int, train: Windows, tell: Observer) -> float:
        """Take all windows once, in random order; the mean loss on the way."""
        self.network.train()
        total = 0.0
        batches = np.array_split(self.shuffle.permutation(len(train)), steps_of(len(train), self.options.batch_size))
        done, most = (number - 1) * len(batches), self.options.epochs * len(batches)
        for step, index in enumerate(batches, start=1):
            windows = clipped(train.take(index), self.clip)
            error = mse_loss(self.network(windows), windows)
            self.optimiser.zero_grad()
            error.backward()  # type: ignore[no-untyped-call]
            self.optimiser.step()
            total += error.item() * len(index)
            tell(BatchDone(self.name, done + step, most, error.item()))
        return total / len(train)


def fit_closed_forms(network: Autoencoder, windows: Windows, clip: float) -> None:
    """Find what a network has that needs no training, in as many windows as are enough for it."""
    some = windows.spread(FITTED).newest(network.rows)
    network.fit(clipped(block, clip) for block in blocks(some))


def steps_of(windows: int, batch_size: int) -> int:
    """Steps in an epoch: of `batch_size` windows, or fewer so that there are `STEPS`, or `SMALLEST_BATCH`."""
    batch = min(batch_size, max(SMALLEST_BATCH, windows // STEPS))
    return math.ceil(windows / batch)


@torch.inference_mode()
def loss(network: Autoencoder, windows: Windows, clip: float) -> float:
    """The mean squared error over windows, in eval mode."""
    network.eval()
    total = 0.0
    for block in blocks(windows):
        batch = clipped(block, clip)
        total += mse_loss(network(batch), batch).item() * len(batch)
    return total / len(windows)


def blocks(windows: Windows) -> Iterator[NDArray[np.float32]]:
    """All windows in their order, some at a time."""
    for begin in range(0, len(windows), AT_ONCE):
        yield windows.take(np.arange(begin, min(begin + AT_ONCE, len(windows))))


def clipped(windows: NDArray[np.float32], clip: float) -> Tensor:
    """Windows as networks see them: within `clip` standard deviations."""
    return torch.from_numpy(np.clip(windows, -clip, clip))
