"""A small plant on disk, and a detector that was trained on it once for all tests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models.store.local import LocalStore
from schemas.training import TrainingConfig
from training import pipeline
from training.artifacts import Artifacts
from training.candidate import Identity
from training.ingest import Wanted
from training.pipeline import Outcome, Request
from training.train import Epoch

NETWORK = {"hidden": 4, "latent": 2, "layers": 1}
TINY: dict[str, Any] = {
    "window": {"size": 8},
    "networks": {"lstm_ae": NETWORK, "cnn_ae": NETWORK},
    "training": {"epochs": 2, "threads": 1},
}
RELEASE = "20260829T101500Z-3f2a91"


def write_plant(file: Path, rows: int = 500, machines: Sequence[str] = ("m1", "m2")) -> Path:
    """Three sensors of each machine, once a second; some values are missing, and twice something breaks."""
    noise = np.random.default_rng(0)
    lines = ["time,machine,flow,temp,level,anomaly"]
    for second in range(rows):
        broken = rows // 2 <= second < rows // 2 + 20 or rows - 40 <= second < rows - 20
        for machine in machines:
            flow, temp, level = noise.normal(size=3) + np.array([np.sin(second / 9), 20, 3 + 9 * broken])
            level_text = "" if second % 50 == 7 else f"{level:.6f}"
            lines.append(f"{1_700_000_000 + second},{machine},{flow:.6f},{temp:.6f},{level_text},{int(broken)}")
    file.write_text("\n".join(lines) + "\n")
    return file


class Silent:
    """An observer that only remembers the epochs."""

    def __init__(self) -> None:
        self.epochs: list[tuple[str, Epoch]] = []

    def ingested(self, *_: object) -> None: ...
    def preprocessed(self, *_: object) -> None: ...
    def batch(self, *_: object) -> None: ...
    def finished(self, *_: object) -> None: ...
    def evaluating(self) -> None: ...

    def epoch(self, name: str, epoch: Epoch) -> None:
        self.epochs.append((name, epoch))


@dataclass(frozen=True, eq=False)
class Trained:
    """A whole run, and where everything is."""

    file: Path
    config: TrainingConfig
    artifacts: Artifacts
    store: LocalStore
    outcome: Outcome


def train_on(file: Path, folder: Path, config: TrainingConfig, release: str = RELEASE) -> Trained:
    """Run the whole pipeline in a folder."""
    artifacts, store = Artifacts(folder / release), LocalStore(folder / "store")
    identity = Identity("plant", release, "2026-08-29T10:15:00Z", "test")
    outcome = pipeline.run(Request(file, Wanted(), config, identity, True), artifacts, store, Silent())
    return Trained(file, config, artifacts, store, outcome)


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """Trained once; not to be changed."""
    folder = tmp_path_factory.mktemp("trained")
    return train_on(write_plant(folder / "plant.csv"), folder, TrainingConfig.model_validate(TINY))
