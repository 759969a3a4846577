"""How fast training is, beside the matrix products that it can not do without: `python -m benchmarks.training`.

Each network of the default config learns from random windows as `tidewatch train` teaches it, one thread; in turn with
that, plain products of the same shapes are done as often as a step needs them. Then the command itself, from a file of
30,000 rows and 8 features to a release in service. The figures go to `benchmarks/results/training.json`.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import numpy as np
import torch

from benchmarks.bed import say
from benchmarks.large import write
from benchmarks.worker import machine
from models.networks.autoencoder import Autoencoder
from models.networks.cnn import CNNAutoencoder
from models.networks.recurrent import RecurrentAutoencoder
from schemas.training import TrainingConfig
from training.events import silent
from training.learner import STEPS, Learner
from training.loader import Windows
from training.speed import threads
from training.train import fresh

RESULTS = Path(__file__).parent / "results" / "training.json"
ROWS, FEATURES = 30_000, 8
TURNS = 9  # an epoch of the least steps that are of whole batches, then the products, so often


@dataclass(frozen=True)
class Product:
    """A layer's product (m, k) x (k, n), done `times` in a step; the backward pass adds two of the same size."""

    m: int
    k: int
    n: int
    times: int = 1
    for_inputs: bool = True  # whether the inputs' gradient is needed: not those of windows
    for_weights: bool = True  # whether the weights' is: not that of what is frozen

    def shapes(self) -> Iterator[tuple[int, int, int]]:
        """Forward, then the gradients of the inputs and of the weights."""
        yield self.m, self.k, self.n
        if self.for_inputs:
            yield self.m, self.n, self.k
        if self.for_weights:
            yield self.k, self.m, self.n


def products(network: Autoencoder, batch: int) -> list[Product]:
    """All products of a step on a batch, least work for the same numbers: bias, gates and copies are not among them."""
    found = _recurrent(network, batch) if isinstance(network, RecurrentAutoencoder) else _convolutional(network, batch)
    if network.linear is not None:
        components, width = network.linear.basis.shape
        for k, n in ((width, components), (components, width)):
            found.append(Product(batch, k, n, for_inputs=False, for_weights=False))
    return found


def _recurrent(network: RecurrentAutoencoder, batch: int) -> list[Product]:
    rows, found = network.rows, []
    for stack, is_first in ((network.encoder, True), (network.decoder, False)):
        for layer, (wi, wh, _, _) in enumerate(stack.all_weights):
            found.append(Product(rows * batch, wi.shape[1], wi.shape[0], for_inputs=layer > 0 or not is_first))
            found.append(Product(batch, wh.shape[1], wh.shape[0], times=rows))
    squeeze, output = network.squeeze.weight, network.output.weight
    return [*found, Product(batch, *squeeze.T.shape), Product(rows * batch, *output.T.shape)]


def _convolutional(network: Autoencoder, batch: int) -> list[Product]:
    assert isinstance(network, CNNAutoencoder)
    lengths, found = network.lengths, list[Product]()
    for place, down in enumerate(network.down):
        narrow, wide, taps = next(down.parameters()).shape
        found.append(Product(lengths[place + 1] * batch, taps * wide, narrow, for_inputs=place > 0))
    for place, up in enumerate(network.up):
        narrow, wide, taps = next(up.parameters()).shape
        found.append(Product(lengths[-1 - place] * batch, narrow, taps * wide))
    inner = (network.squeeze, network.spread)
    return [*found, *(Product(batch, layer.in_features, layer.out_features) for layer in inner)]


class Multiplied:
    """The products of a step, ready to be done: operands and results are there."""

    def __init__(self, wanted: list[Product]) -> None:
        self.operands = [
            (torch.randn(m, k), torch.randn(k, n), torch.empty(m, n), product.times)
            for product in wanted
            for m, k, n in product.shapes()
        ]

    @property
    def flops(self) -> int:
        """Multiplications and additions."""
        return sum(2 * left.shape[0] * right.numel() * times for left, right, _, times in self.operands)

    @torch.inference_mode()
    def step(self) -> None:
        """Do them."""
        for left, right, out, times in self.operands:
            for _ in range(times):
                torch.mm(left, right, out=out)


def compare(name: str, config: TrainingConfig) -> dict[str, float]:
    """Medians of seconds a step, of training and of products, in turn; the ratio is taken turn by turn."""
    batch = config.training.batch_size
    windows = random_windows(STEPS * batch, config.window.size)
    learner = Learner(name, fresh(name, windows, config), config)
    learner.epoch(windows, random_windows(1, config.window.size), silent)  # the linear path
    multiplied = Multiplied(products(learner.network, batch))
    pairs = [(_learning(learner, windows), _multiplying(multiplied)) for _ in range(TURNS + 1)][1:]
    training = median(taken for taken, _ in pairs)
    return {
        "windows_per_second": round(batch / training),
        "step_ms": round(1e3 * training, 2),
        "products_ms": round(1e3 * median(needed for _, needed in pairs), 2),
        "products_gflops": round(multiplied.flops / median(needed for _, needed in pairs) / 1e9, 1),
        "products_over_training": round(median(needed / taken for taken, needed in pairs), 3),
    }


def random_windows(count: int, size: int) -> Windows:
    """Windows of noise, which overlap by all but a row."""
    rows = np.random.default_rng(0).normal(size=(count + size - 1, FEATURES)).astype(np.float32)
    return Windows(rows, np.arange(count), size)


def _learning(learner: Learner, windows: Windows) -> float:
    """Seconds a step in an epoch; the loss on one window is all that is validated."""
    began = perf_counter()
    learner.epoch(windows, windows.spread(1), silent)
    return (perf_counter() - began) / STEPS


def _multiplying(multiplied: Multiplied) -> float:
    began = perf_counter()
    for _ in range(STEPS):
        multiplied.step()
    return (perf_counter() - began) / STEPS


def command() -> float:
    """Seconds that `tidewatch train` takes with the default config, tracking included, from file to serving release."""
    with tempfile.TemporaryDirectory(prefix="tidewatch-training-") as folder:
        file = write(Path(folder, "plant.csv"), ROWS, 1)
        words = [sys.executable, "-m", "stream_app", "train", "--data", file.name, "--dataset", "plant"]
        environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
        began = perf_counter()
        subprocess.run(words, cwd=folder, env=environment, check=True, stdout=subprocess.DEVNULL)
        return round(perf_counter() - began, 1)


def measure() -> dict[str, Any]:
    """All figures."""
    config, figures = TrainingConfig(), dict[str, dict[str, float]]()
    with threads(1):
        for name in config.networks:
            say(f"training {name}")
            figures[name] = compare(name, config)
    say(f"the command, on {ROWS:,} rows")
    taken, needed = (sum(each[key] for each in figures.values()) for key in ("step_ms", "products_ms"))
    ratio = {"products_over_training": round(needed / taken, 3)}
    return {"machine": machine(), "networks": figures, **ratio, "command_seconds": command()}


def main() -> None:
    """Measure, print, and write the figures down."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, default=RESULTS, help="where the figures go")
    chosen, figures = parser.parse_args(), measure()
    chosen.output.write_text(json.dumps(figures, indent=2) + "\n")
    print(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
