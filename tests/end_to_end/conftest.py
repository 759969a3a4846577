"""Detectors, each trained once a session by `tidewatch train`, and a rig for each test."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from stream_app.demo.plant import simulate
from stream_app.demo.scene import from_plant
from tests.end_to_end.rig import Rig, Trained, scored, train
from tests.kafka_fixture import KafkaAtHand


@pytest.fixture(scope="session")
def plant(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """The demo's plant: 7,000 readings of five pumps, with labelled faults and missing values."""
    folder = tmp_path_factory.mktemp("plant")
    scene = from_plant(simulate(1, pumps=5, history_rows=1440, live_rows=1400), folder)
    return trained("plant", scene.history, scene.live, folder / "store")


@pytest.fixture(scope="session")
def skab(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """A real testbed: a water circuit whose valve is closed, second by second, two experiments of 20 minutes."""
    if "TIDEWATCH_DATA" not in os.environ:
        pytest.skip("TIDEWATCH_DATA names no folder of real data")
    data = Path(os.environ["TIDEWATCH_DATA"]) / "skab" / "valve2"
    return trained("skab", data, data, tmp_path_factory.mktemp("skab") / "store")


def trained(dataset: str, history: Path, data: Path, store: Path) -> Trained:
    """Train on one file, and score the other."""
    train(dataset, history, store)
    return Trained(dataset, history, data, store, scored(data, dataset, store))


@pytest.fixture
def rig(kafka: KafkaAtHand, plant: Trained, tmp_path: Path) -> Rig:
    """Topics of its own over the plant's store, which is not to be changed."""
    return Rig(kafka, tmp_path, plant.store)
