"""A release that took no training: random networks, calibrated on noise, published like any other."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache

import numpy as np
import torch

from models.bundle import pack
from models.calibration import calibrate, describe_features
from models.detector import Detector
from models.ensemble import measure
from models.networks import build_member
from models.scaling import Scaler
from models.store.base import Store, release_id
from models.thresholds import make
from schemas.reference import Reference
from schemas.training import (
    AutoregressionConfig,
    EnsembleConfig,
    LevelConfig,
    NetworkConfig,
    ThresholdConfig,
    TrainingConfig,
    WindowConfig,
)

FEATURES = ("flow", "temp")
WINDOW = 8
INTERVAL_US = 1_000_000


@cache
def release_files(
    dataset: str, seed: int = 0, features: tuple[str, ...] = FEATURES, window: int = WINDOW
) -> tuple[str, dict[str, bytes]]:
    """A release's name and files; values near 0 with a deviation of 1 are normal to it. Another seed, another one."""
    config = TrainingConfig(
        window=WindowConfig(size=window),
        networks={"gru_ae": NetworkConfig(hidden=4, latent=2), "cnn_ae": NetworkConfig(hidden=4, latent=2)},
        autoregression=AutoregressionConfig(use=False),
        level=LevelConfig(use=False),
        ensemble=EnsembleConfig(hold=0),
        threshold=ThresholdConfig(method="budget", rate=0.01),
    )
    created = datetime(2026, 1, 1, 0, 0, seed, tzinfo=UTC)
    release = release_id(created, f"{dataset}{seed}{features}{window}".encode())
    return release, pack(detector_of(config, dataset, release, seed, features), config, "test", created.isoformat())


def publish(
    store: Store, dataset: str, seed: int = 0, features: tuple[str, ...] = FEATURES, window: int = WINDOW
) -> str:
    """Publish a release, make it the champion, and name it."""
    release, files = release_files(dataset, seed, features, window)
    store.publish(dataset, release, files)
    store.promote(dataset, release)
    return release


def detector_of(
    config: TrainingConfig, dataset: str, release: str, seed: int = 0, features: tuple[str, ...] = FEATURES
) -> Detector:
    """A detector of a config, calibrated on noise; of its networks only what needs no training has learnt something."""
    torch.manual_seed(seed)
    size, width = config.window.size, len(features)
    networks = {name: build_member(name, width, config).serving() for name in config.members}
    windows = np.random.default_rng(seed).normal(size=(200, size, width)).astype(np.float32)
    for network in networks.values():
        network.fit([torch.from_numpy(windows[:, -network.rows :])])
    errors = measure(list(networks.values()), windows, config.scaling.clip)
    threshold = make(config.threshold)
    calibration = calibrate(networks, errors, np.zeros(len(windows), np.int64), config, threshold)
    rows = windows.reshape(-1, width).astype(np.float64)
    return Detector(
        release=release,
        dataset=dataset,
        features=features,
        window=size,
        stride=config.window.stride,
        hold_limit=config.missing.hold_limit,
        interval_us=INTERVAL_US,
        gap_us=int(INTERVAL_US * config.gap.factor),
        scaler=Scaler(np.zeros(width), np.ones(width)),
        ensemble=calibration.ensemble,
        zero=calibration.zero,
        unit=calibration.unit,
        level=calibration.level,
        hold=config.ensemble.hold,
        threshold=threshold,
        reference=Reference(describe_features(rows.T, features), calibration.error, calibration.anomaly_rate),
    )
