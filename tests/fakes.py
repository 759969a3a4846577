"""Small stand-ins for what is slow or far away; each does truly, if simply, what its protocol asks."""

from __future__ import annotations

from collections.abc import Mapping
from threading import Lock
from typing import Any

import numpy as np
from torch import Tensor

from models.calibration import describe_errors, describe_features
from models.detector import Detector
from models.ensemble import Ensemble, Float32, Float64, Member, Normaliser
from models.networks.autoencoder import Autoencoder
from models.scaling import Scaler
from models.store.base import ReleaseExists, ReleaseMissing, check_names, check_whole, succeed
from models.thresholds import FlagBudget
from schemas.manifest import Champion
from schemas.reference import Reference


class Nothing(Autoencoder):
    """A network that expects the training mean of everything."""

    few = 0

    def learnt(self, windows: Tensor) -> Tensor:
        return windows * 0

    def in_columns(self, windows: Tensor) -> Tensor:
        return windows * 0


class PlainEnsemble(Ensemble):
    """Expects the training mean in numpy, one row after the other: the same bits whatever windows share a batch."""

    def examine(self, windows: Float32) -> tuple[Float32, Float64]:
        total = np.zeros((len(windows), windows.shape[2]))
        for row in range(windows.shape[1]):
            total += windows[:, row].astype(np.float64).clip(-self.clip, self.clip) ** 2
        reconstructions = np.zeros((len(self.members), *windows.shape), np.float32)
        return reconstructions, np.stack([total / windows.shape[1]] * len(self.members))


def detector(**changed: Any) -> Detector:
    """A detector that nobody had to train: two features, windows of four rows, a reading every second."""
    features = changed.get("features", ("flow", "temp"))
    width = len(features)
    scaler = Scaler(np.arange(10.0, 10 + width), np.arange(2.0, 2 + width))
    network = Nothing(changed.get("window", 4), changed.get("window", 4))
    members = tuple(
        Member(name, network, Normaliser(np.full(width, scale), 0.0, 1.0))
        for name, scale in (("narrow_ae", 1.0), ("wide_ae", 2.0))
    )
    usual: dict[str, Any] = {
        "release": "20260101T000000Z-000001",
        "dataset": "pumps",
        "features": features,
        "window": 4,
        "stride": 1,
        "hold_limit": 2,
        "interval_us": 1_000_000,
        "gap_us": 10_000_000,
        "scaler": scaler,
        "ensemble": PlainEnsemble(members, "mean", (1.0, 1.0), 10.0),
        "zero": 0.5,
        "unit": 1.0,
        "level": 1.5,
        "hold": 0.0,
        "threshold": FlagBudget(0.01),
        "reference": Reference(describe_features(np.zeros((width, 2)), features), describe_errors(np.ones(1)), 0.0),
    }
    return Detector(**(usual | changed))


class MemoryStore:
    """A store in a dictionary, for tests that are not about files."""

    def __init__(self) -> None:
        self._releases: dict[tuple[str, str], dict[str, bytes]] = {}
        self._champions: dict[str, Champion] = {}
        self._lock = Lock()

    def releases(self, dataset: str | None = None) -> list[tuple[str, str]]:
        if dataset is not None:
            check_names(dataset)
        return sorted((key for key in self._releases if dataset in {None, key[0]}), key=lambda key: key[::-1])

    def publish(self, dataset: str, release: str, files: Mapping[str, bytes]) -> None:
        check_names(dataset, release)
        check_whole(dataset, release, files)
        with self._lock:
            if (dataset, release) in self._releases:
                raise ReleaseExists(f"{dataset}/{release} exists")
            self._releases[dataset, release] = dict(files)

    def fetch(self, dataset: str, release: str) -> dict[str, bytes]:
        check_names(dataset, release)
        if (dataset, release) not in self._releases:
            raise ReleaseMissing(f"{dataset}/{release} is missing")
        return dict(self._releases[dataset, release])

    def champion(self, dataset: str) -> Champion | None:
        check_names(dataset)
        return self._champions.get(dataset)

    def promote(self, dataset: str, release: str, expected: int | None = None, *, back: bool = False) -> Champion:
        check_whole(dataset, release, self.fetch(dataset, release))
        with self._lock:
            champion = succeed(dataset, self._champions.get(dataset), release, expected, back=back)
            self._champions[dataset] = champion
            return champion
