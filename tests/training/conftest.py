"""A small plant on disk, and a detector that was trained on it once for all tests."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models.store import open_store
from models.store.local import LocalStore
from schemas.manifest import Identity
from schemas.training import TrainingConfig
from training import outcome, runs
from training.artifacts import Artifacts
from training.events import Event, Observer, all_of, silent
from training.ingest import Wanted
from training.outcome import Outcome
from training.pipeline import Pipeline
from training.runs import Request, Run

NETWORK = {"hidden": 4, "latent": 2, "layers": 1}
TINY: dict[str, Any] = {
    "window": {"size": 8},
    "networks": {"lstm_ae": {**NETWORK, "rows": 6, "judged": 4, "linear": 0.8}, "cnn_ae": NETWORK},
    "training": {"epochs": 2, "threads": 1},
}
RELEASE, RENAMED = "20260829T101500Z-3f2a91", "20260829T101600Z-3f2a92"


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


@dataclass(frozen=True, eq=False)
class Trained:
    """A whole run, and where everything is."""

    file: Path
    config: TrainingConfig
    run: Run
    store: LocalStore
    outcome: Outcome

    @property
    def artifacts(self) -> Artifacts:
        """Where the run's files are."""
        return self.run.artifacts


def begin(file: Path, folder: Path, config: TrainingConfig, release: str = RELEASE) -> Run:
    """A run in a folder, with its store beside it."""
    request = Request(file, Wanted(), config, f"dir:{folder / 'store'}", promote=True)
    return runs.create(folder / release, request, Identity("plant", release, "2026-08-29T10:15:00Z", "test"))


def train_on(file: Path, folder: Path, config: TrainingConfig, release: str = RELEASE) -> Trained:
    """Run the whole pipeline in a folder."""
    store = LocalStore(folder / "store")
    run = begin(file, folder, config, release)
    play(run)
    return Trained(file, config, run, store, outcome.load(run.artifacts))


def play(
    run: Run,
    only: Collection[str] = (),
    request: Request | None = None,
    *,
    again: bool = False,
    observer: Observer = silent,
) -> list[Event]:
    """Run stages, perhaps asked for something else than before; all that was told, the observer before us."""
    told: list[Event] = []
    request = request or run.request
    tell = all_of(observer, told.append)
    Pipeline(run, request, open_store(request.store), tell, rename).play(only, again=again)
    return told


def rename() -> Identity:
    """The name of a release that is made again."""
    return Identity("plant", RENAMED, "2026-08-29T10:16:00Z", "test")


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """Trained once; not to be changed."""
    folder = tmp_path_factory.mktemp("trained")
    return train_on(write_plant(folder / "plant.csv"), folder, TrainingConfig.model_validate(TINY))
