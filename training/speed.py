"""How many threads a run uses, and how many windows at once: measured on its own networks before they are trained.

More threads than free cores make a step ten times slower, while two free cores save little on networks so small: so
more are taken only where they are clearly worth it. What was chosen is a file, and later stages go by that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from time import perf_counter

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import mse_loss

from models.ensemble import AT_ONCE, measure
from models.networks.autoencoder import Autoencoder
from schemas.training import TrainingConfig
from training import loader, train
from training.artifacts import Artifacts, read_json, write_json
from training.learner import clipped

WORTH = 1.2  # times faster is what twice the threads must be
TURNS, LONGEST = 6, 0.4  # of timing at most, and the seconds after which no other is begun
CANDIDATES = (256, 512, AT_ONCE)  # windows at once


@dataclass(frozen=True)
class Speed:
    """What was chosen, and for it what was measured, which is empty if the config names the threads."""

    threads: int
    windows_at_once: int
    step_ms: dict[str, float] = field(default_factory=dict)  # a training step of all networks, by threads
    window_us: dict[str, float] = field(default_factory=dict)  # errors of all members, by windows at once

    def __str__(self) -> str:
        """In a line."""
        threads = f"{self.threads} thread{'s' * (self.threads > 1)}, {self.windows_at_once:,} windows at once"
        steps = " and ".join(f"{taken:.0f} ms with {count}" for count, taken in self.step_ms.items())
        return f"{threads}; a training step takes {steps}" if steps else threads


def run(artifacts: Artifacts, config: TrainingConfig) -> Speed:
    """Choose, by windows of the train part; with a number of threads in the config nothing is measured."""
    speed = Speed(config.training.threads, AT_ONCE) if config.training.threads else _measured(artifacts, config)
    write_json(artifacts.speed, asdict(speed))
    return speed


def load(artifacts: Artifacts) -> Speed:
    """Read what was chosen."""
    return Speed(**read_json(artifacts.speed))


@contextmanager
def threads(count: int) -> Iterator[None]:
    """Use `count` threads within matrix products: with another count, sums round otherwise."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def fewest(seconds: Callable[[int], float], most: int) -> tuple[int, dict[int, float]]:
    """Of 1, 2, 4, ... and at most `most` threads, the fewest that no doubling makes `WORTH` times faster.

    `seconds` times something with so many threads. Also what it takes in the mean by threads, as far as was measured:
    a mean, for steps that take ten times as long now and then are what is to be avoided.
    """
    best, known = 1, dict[int, float]()
    while 2 * best <= most:
        known |= _in_turn(seconds, best, 2 * best)
        if known[2 * best] * WORTH > known[best]:
            break
        best *= 2
    return best, known


def _in_turn(seconds: Callable[[int], float], *candidates: int) -> dict[int, float]:
    """The mean of what each candidate takes, one after the other, so that none meets a quieter machine."""
    for candidate in candidates:
        seconds(candidate)  # what is slow only once
    began, taken = perf_counter(), list[list[float]]()
    while not taken or (len(taken) < TURNS and perf_counter() - began < LONGEST):
        taken.append([seconds(candidate) for candidate in candidates])
    return dict(zip(candidates, np.mean(taken, axis=0).tolist(), strict=True))


def _measured(artifacts: Artifacts, config: TrainingConfig) -> Speed:
    windows, batch = loader.load(artifacts, "train", config.window.size), config.training.batch_size
    sample = windows.take(np.resize(np.arange(len(windows)), max(*CANDIDATES, batch)))
    networks = [train.fresh(name, windows, config) for name in config.members]
    few = clipped(sample[:batch], config.scaling.clip)
    chosen, step_seconds = fewest(lambda count: _step(networks, few, count), torch.get_num_threads())
    with threads(chosen):
        many = _in_turn(lambda count: _look(networks, sample, config.scaling.clip, count), *CANDIDATES)
    at_once = min(many, key=many.__getitem__)
    return Speed(chosen, at_once, _by(step_seconds, 1e3), _by(many, 1e6 / len(sample)))


def _step(networks: Sequence[Autoencoder], windows: torch.Tensor, count: int) -> float:
    """Seconds that a step of training takes with `count` threads, all networks together."""
    began = perf_counter()
    with threads(count):
        for network in networks:
            newest = windows[:, -network.rows :]
            if network.learns:
                mse_loss(network.train()(newest), newest).backward()  # type: ignore[no-untyped-call]
    return perf_counter() - began


def _look(networks: Sequence[Autoencoder], windows: NDArray[np.float32], clip: float, at_once: int) -> float:
    """Seconds that the errors of windows take."""
    began = perf_counter()
    measure([network.eval() for network in networks], windows, clip, at_once)
    return perf_counter() - began


def _by(seconds: dict[int, float], unit: float) -> dict[str, float]:
    return {str(count): round(taken * unit, 3) for count, taken in seconds.items()}
