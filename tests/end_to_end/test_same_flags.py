"""The worker's flags are those of `tidewatch score`."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest

from schemas.flag import Flag
from tests.end_to_end.agreement import disagreements
from tests.end_to_end.rig import Rig, Trained
from tests.kafka_fixture import KafkaAtHand

pytestmark = pytest.mark.kafka


def test_of_a_simulated_plant_whatever_the_chunks(rig: Rig, plant: Trained, tmp_path: Path):
    """Two groups read the same topic in chunks of their own: each publishes what `score` says."""
    assert any(flag.is_anomaly for flag in plant.flags)
    assert any(flag.imputed for flag in plant.flags)
    rig.produce(plant.data, plant.dataset)
    other = Rig(rig.kafka, tmp_path, plant.store, rig.readings)
    with rig.worker("large", kafka__chunk_records=1000) as large, other.worker("odd", kafka__chunk_records=37) as odd:
        for worker, published in ((large, rig.published), (odd, other.published)):
            worker.wait_ready()
            assert disagreements(published(plant.flags), plant.flags) == []


def test_of_a_simulated_plant_reading_by_reading(rig: Rig, plant: Trained):
    """A worker with chunks of one reading has got some way: so far, it publishes what `score` says."""
    rig.produce(plant.data, plant.dataset)
    with rig.worker(kafka__chunk_records=1) as worker:
        worker.wait_ready()
        morning = early(plant.flags)
        assert disagreements(early(rig.published(morning)), morning) == []


def early(flags: Iterable[Flag]) -> list[Flag]:
    """Those of the first three hours of the plant's live part."""
    return [flag for flag in flags if flag.timestamp < "2025-03-04T03"]


def test_of_a_real_testbed(kafka: KafkaAtHand, skab: Trained, tmp_path: Path):
    """Two experiments in a folder, a series each."""
    rig = Rig(kafka, tmp_path, skab.store)
    rig.produce(skab.data, skab.dataset)
    with rig.worker() as worker:
        worker.wait_ready()
        assert disagreements(rig.published(skab.flags), skab.flags) == []
