"""Several datasets and several readings topics in one worker."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator
from itertools import chain, zip_longest
from pathlib import Path
from typing import TypeVar

import numpy as np
import pandas as pd
import pytest

from models.store.local import LocalStore
from tests.end_to_end.agreement import disagreements
from tests.end_to_end.rig import Rig, Trained, messages, scored
from tests.kafka_fixture import KafkaAtHand
from tests.tiny_release import FEATURES, publish

pytestmark = pytest.mark.kafka

T = TypeVar("T")
MOMENTS = 200


@pytest.fixture
def rig(kafka: KafkaAtHand, plant: Trained, tmp_path: Path) -> Rig:
    """Topics of its own over a store of its own."""
    return Rig(kafka, tmp_path, Path(shutil.copytree(plant.store, tmp_path / "store")))


def test_datasets_and_topics_beside_each_other(rig: Rig, plant: Trained, tmp_path: Path):
    """The plant's pumps come by two topics, on one between readings of a dataset that has no release until late."""
    second = rig.kafka.topic("readings", partitions=3)
    early, late = (fans(tmp_path / f"{half}.csv", half * MOMENTS) for half in range(2))
    pumps = plant.messages
    with rig.worker(kafka__readings_topics=f"{rig.readings},{second}") as worker:
        worker.wait_ready()
        unserved = messages(early, "fans")
        rig.send(in_turn([pump for pump in pumps if pump.key != b"pump-3"], unserved))
        rig.send([pump for pump in pumps if pump.key == b"pump-3"], topic=second)
        assert disagreements(rig.published(plant.flags), plant.flags) == []
        worker.wait_until(lambda: worker.metric("unserved_readings_total") == len(unserved))
        worker.wait_until(lambda: "dataset 'fans' has no release" in worker.log)

        publish(LocalStore(rig.store), "fans")
        worker.wait_until(lambda: worker.metric("release_info", dataset="fans") == 1)
        rig.send(messages(late, "fans"), topic=second)
        expected = [*plant.flags, *scored(late, "fans", rig.store)]
        assert disagreements(rig.published(expected), expected) == []
        assert worker.metric("assigned_partitions") == 7
        assert worker.stop() == 0


def fans(path: Path, start: int) -> Path:
    """A file of three fans, second by second from `start` on; one has the name of a pump."""
    series = ("fan-1", "fan-2", "pump-1")
    table = pd.DataFrame(np.random.default_rng(start).normal(size=(len(series) * MOMENTS, 2)), columns=list(FEATURES))
    table.insert(0, "timestamp", np.tile(1_700_000_000_000 + 1000 * (start + np.arange(MOMENTS)), len(series)))
    table.insert(0, "series_id", np.repeat(series, MOMENTS))
    table.to_csv(path, index=False)
    return path


def in_turn(one: Iterable[T], other: Iterable[T]) -> Iterator[T]:
    """One of each in turn, until both have ended."""
    return (each for each in chain.from_iterable(zip_longest(one, other)) if each is not None)
