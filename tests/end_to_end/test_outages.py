"""Brokers that go, topics that take no flag, more flags than a batch holds: nothing is lost, or the worker says so."""

from __future__ import annotations

import asyncio
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from models.store.local import LocalStore
from stream_app.topics import admin
from tests.end_to_end.agreement import disagreements
from tests.end_to_end.rig import PARTITIONS, Rig, Trained, scored
from tests.kafka_fixture import KafkaAtHand
from tests.tiny_release import publish

pytestmark = pytest.mark.kafka

RATE = 600
SEND_SECONDS = 4
STOP_SECONDS = 10  # in which a worker that can not go on has ended
START_SECONDS = 30  # of a process, on a busy machine
USUAL_BATCH = 16_384  # bytes that a producer takes at once unless told otherwise


def test_flags_larger_than_a_batch(kafka: KafkaAtHand, tmp_path: Path):
    """150 features, every window flagged, 20 kB a flag; also where the topic takes no more than two in a batch."""
    features = tuple(f"sensor_{number:03d}" for number in range(150))
    store = tmp_path / "store"
    publish(LocalStore(store), "wide", features=features)
    data = far_out(features, tmp_path / "wide.csv")
    expected = scored(data, "wide", store)
    assert all(flag.is_anomaly for flag in expected)
    rig = Rig(kafka, tmp_path, store)
    narrow = Rig(kafka, tmp_path, store, rig.readings)
    narrow.anomalies = kafka.topic("anomalies", PARTITIONS, max_message_bytes="50000")
    rig.produce(data, "wide")
    with rig.worker("usual") as usual, narrow.worker("narrow") as halving:
        for worker, each in ((usual, rig), (halving, narrow)):
            worker.wait_ready()
            assert disagreements(each.published(expected), expected) == []
        assert "MessageSizeTooLarge" in halving.log
    assert min(len(record.value) for record in kafka.read(rig.anomalies)) > USUAL_BATCH


def far_out(features: tuple[str, ...], path: Path) -> Path:
    """A file of 80 series that are far from what a tiny release knows, ten seconds of each."""
    series, seconds = 80, 10
    values = np.random.default_rng(1).normal(30, 5, (series * seconds, len(features)))
    table = pd.DataFrame(values, columns=list(features))
    table.insert(0, "timestamp", np.tile(1_700_000_000_000 + 1000 * np.arange(seconds), series))
    table.insert(0, "series_id", np.repeat([f"machine-{number}" for number in range(series)], seconds))
    table.to_csv(path, index=False)
    return path


def test_a_topic_that_takes_no_flag_stops_the_worker(rig: Rig, plant: Trained):
    """It ends with 1; when the topic's limit is raised, the next one publishes all."""
    rig.anomalies = rig.kafka.topic("anomalies", PARTITIONS, max_message_bytes="100")
    rig.send(plant.messages)
    with rig.worker() as worker:
        assert worker.wait_end(START_SECONDS + STOP_SECONDS) == 1
        assert "max.message.bytes" in worker.log
        assert "Traceback" not in worker.log
        asyncio.run(change(rig, "max.message.bytes", "1000000"))
        worker.start()
        worker.wait_ready()
        assert disagreements(rig.published(plant.flags), plant.flags) == []


def test_a_topic_that_is_deleted_stops_the_worker(rig: Rig, plant: Trained):
    """It tries for as long as it is told to, and ends with 1; the next one makes the topic, and publishes the rest."""
    messages = plant.messages
    first = [flag for flag in plant.flags if flag.timestamp < "2025-03-04T06"]
    with rig.worker(kafka__send_timeout_seconds=SEND_SECONDS) as worker:
        rig.send(messages[: 5 * 6 * 60])
        worker.wait_ready()
        before = rig.published(first)
        asyncio.run(delete(rig))
        rig.send(messages[5 * 6 * 60 :])
        assert worker.wait_end(SEND_SECONDS + STOP_SECONDS) == 1
        assert f"topic '{rig.anomalies}' partition" in worker.log
        assert "Traceback" not in worker.log
        worker.start()
        worker.wait_ready()
        ids = {flag.id for flag in before}
        rest = [flag for flag in plant.flags if flag.id not in ids]
        assert disagreements([*before, *rig.published(rest)], plant.flags) == []


@pytest.mark.parametrize("how", ["stop", "kill"])
def test_the_broker_goes_and_returns(rig: Rig, plant: Trained, how: str):
    """Cleanly or by SIGKILL, while readings come and flags go: the worker goes on by itself."""
    server = rig.kafka.server
    with rig.worker() as worker:
        worker.wait_ready()
        with rig.sending(plant.messages, RATE):
            worker.wait_until(lambda: worker.metric("windows_scored_total") >= 1000)
            assert server.stop() if how == "stop" else server.kill()
            server.start()
        assert disagreements(rig.published(plant.flags), plant.flags) == []
        assert worker.stop() == 0


async def change(rig: Rig, key: str, value: str) -> None:
    """Change the configuration of the anomalies topic."""
    async with admin(rig.kafka.options) as client:
        await client.alter_configs([ConfigResource(ConfigResourceType.TOPIC, rig.anomalies, {key: value})])


async def delete(rig: Rig) -> None:
    """Delete the anomalies topic."""
    async with admin(rig.kafka.options) as client:
        await client.delete_topics([rig.anomalies])
