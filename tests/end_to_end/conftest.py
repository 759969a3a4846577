"""Detectors, each trained once a session by `tidewatch train`, and a rig for each test."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from stream_app.demo.plant import simulate
from stream_app.demo.scene import from_plant
from tests.end_to_end.rig import Rig, Trained, at, scored, tidewatch
from tests.kafka_fixture import KafkaAtHand

SMALL = (
    *("window.size=16", "training.epochs=1", "training.threads=1", "threshold.rate=0.05"),
    *("networks.lstm_ae.hidden=8", "networks.gru_ae.hidden=8", "networks.cnn_ae.hidden=8"),
)


def trained(history: Path, live: Path, dataset: str, folder: Path) -> Trained:
    """Train in seconds on one file, and score the other."""
    store = folder / "store"
    changes = [word for change in SMALL for word in ("--set", change)]
    words = ["--data", str(history), "--dataset", dataset, "--config", "quick", "--run-dir", str(folder / "run")]
    tidewatch("train", *words, *changes, environment=at(store))
    return Trained(dataset, live, store, scored(live, dataset, store))


@pytest.fixture(scope="session")
def plant(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """The demo's plant: 7,000 readings of five pumps, with labelled faults and missing values."""
    folder = tmp_path_factory.mktemp("plant")
    scene = from_plant(simulate(1, pumps=5, history_rows=1440, live_rows=1400), folder)
    return trained(scene.history, scene.live, "plant", folder)


@pytest.fixture(scope="session")
def skab(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """A real testbed: a water circuit whose valve is closed, second by second, two experiments of 20 minutes."""
    if "TIDEWATCH_DATA" not in os.environ:
        pytest.skip("TIDEWATCH_DATA names no folder of real data")
    data = Path(os.environ["TIDEWATCH_DATA"]) / "skab" / "valve2"
    return trained(data, data, "skab", tmp_path_factory.mktemp("skab"))


@pytest.fixture
def rig(kafka: KafkaAtHand, plant: Trained, tmp_path: Path) -> Rig:
    """Topics of its own over the plant's store, which is not to be changed."""
    return Rig(kafka, tmp_path, plant.store)
