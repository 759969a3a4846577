"""The networks' serving path against torch's own modules, one thread: `python -m benchmarks.networks`."""

from __future__ import annotations

import json
from collections.abc import Callable
from statistics import median
from time import perf_counter

import torch
from torch import Tensor

from models.networks import NETWORKS, build
from schemas.training import NetworkConfig

PLAIN = {name: NetworkConfig(layers=2 if name == "cnn_ae" else 1) for name in NETWORKS}
WINDOW, FEATURES, TURNS = 32, 8, 15
BATCHES = (1, 4, 16, 64, 100, 250, 1000)


def microseconds(reconstruct: Callable[[Tensor], Tensor], windows: Tensor) -> float:
    """Of one call."""
    started = perf_counter()
    reconstruct(windows)
    return (perf_counter() - started) * 1e6


@torch.inference_mode()
def compare(name: str, batch: int) -> dict[str, float]:
    """Medians, microseconds a window, of the two in turn; the ratio is taken turn by turn."""
    network = build(name, WINDOW, FEATURES, PLAIN[name]).serving()
    windows = torch.randn(batch, WINDOW, FEATURES)
    columns = windows.permute(1, 2, 0).contiguous()
    pairs = [(microseconds(network, windows), microseconds(network.reconstruct, columns)) for _ in range(TURNS)][1:]
    return {
        "torch": round(median(theirs for theirs, _ in pairs) / batch, 1),
        "ours": round(median(ours for _, ours in pairs) / batch, 1),
        "torch_over_ours": round(median(theirs / ours for theirs, ours in pairs), 2),
    }


def main() -> None:
    """Print the figures of every network and batch."""
    torch.set_num_threads(1)
    print(json.dumps({name: {batch: compare(name, batch) for batch in BATCHES} for name in NETWORKS}, indent=2))


if __name__ == "__main__":
    main()
