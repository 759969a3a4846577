"""A real worker process on a real Kafka: the basics."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from aiokafka import ConsumerRecord

from models.bundle import load
from models.store.local import LocalStore
from models.stream import StreamDetector, to_batch
from schemas.decoding import decode
from schemas.flag import Flag
from tests.kafka_fixture import KafkaAtHand, Record
from tests.sent import parsed
from tests.tiny_release import publish, release_files
from tests.worker_process import WorkerProcess

pytestmark = pytest.mark.kafka

START_MS = 1_700_000_000_000
SERIES = 5


def readings(count: int, *, series: int = SERIES, dataset: str = "pumps", start: int = 0) -> list[Record]:
    """`count` readings of each series, all of a moment side by side."""
    generator = np.random.default_rng(start)
    return [
        reading(f"pump-{number}", moment, dataset, *generator.normal(size=2))
        for moment in range(start, start + count)
        for number in range(series)
    ]


def reading(series: str, moment: int, dataset: str, flow: float, temp: float) -> Record:
    """A reading as a record."""
    content = {
        "series_id": series,
        "timestamp": START_MS + moment * 1000,
        "values": {"flow": flow, "temp": temp},
        "dataset": dataset,
    }
    return series.encode(), json.dumps(content).encode()


def expected(records: Sequence[Record], dataset: str = "pumps", seed: int = 0) -> dict[str, Flag]:
    """Every window's flag by id, as the core alone gives them."""
    stream = StreamDetector(load(release_files(dataset, seed)[1]))
    seen = np.full(len(records), START_MS * 1000, np.int64)
    decoded = decode([value for _, value in records], seen, max_future_seconds=1e9)
    batch, _ = to_batch(decoded, np.arange(len(decoded)), seen, stream.detector.features)
    return {flag.id: flag for flag in parsed(stream.flags(stream.observe(batch), everything=True))}


def flags(records: Sequence[ConsumerRecord]) -> dict[str, Flag]:
    """The flags by id; of doubles, one."""
    return {flag.id: flag for flag in (msgspec.json.decode(record.value, type=Flag) for record in records)}


def same(mine: dict[str, Flag], others: dict[str, Flag]) -> bool:
    """The same ids, and scores that differ no more than by the batches they were computed in."""
    return mine.keys() == others.keys() and all(
        abs(mine[key].score - others[key].score) <= 1e-5 * max(1, abs(others[key].score)) for key in mine
    )


class Bench:
    """A folder with a store, topics of their own, and workers on them."""

    def __init__(self, kafka: KafkaAtHand, folder: Path) -> None:
        self.kafka = kafka
        self.folder = folder
        self.store = LocalStore(folder / "store")
        self.topic = kafka.topic("readings", partitions=4)
        self.anomalies = kafka.unique("anomalies")
        self.dead_letters = kafka.unique("dlq")
        self.group = kafka.unique("group")

    def worker(self, name: str = "worker", /, **settings: Any) -> WorkerProcess:
        told = {
            "publish": "all",
            "kafka.readings_topics": self.topic,
            "kafka.anomalies_topic": self.anomalies,
            "kafka.dead_letter_topic": self.dead_letters,
            "kafka.group": self.group,
            **{key.replace("__", "."): value for key, value in settings.items()},
        }
        return WorkerProcess(self.folder, self.kafka.environment, told, name)

    def flags(self, count: int) -> dict[str, Flag]:
        """The topic's flags when there are `count` different ones."""
        return flags(self.kafka.read_until(self.anomalies, lambda records: len(flags(records)) >= count))


@pytest.fixture
def bench(kafka: KafkaAtHand, tmp_path: Path) -> Bench:
    """Everything a worker needs."""
    return Bench(kafka, tmp_path)


def test_the_flags_are_those_of_the_core_and_a_stop_is_clean(bench: Bench):
    """What the core says of the readings comes out, on their partitions, as CloudEvents; SIGTERM ends with 0."""
    publish(bench.store, "pumps")
    sent = readings(40)
    bench.kafka.send(bench.topic, sent)
    with bench.worker() as worker:
        worker.wait_ready()
        wanted = expected(sent)
        assert same(bench.flags(len(wanted)), wanted)
        assert worker.metric("windows_scored_total", dataset="pumps") == len(wanted)
        assert worker.stop() == 0
    home = {record.key: record.partition for record in bench.kafka.read(bench.topic)}
    for record in bench.kafka.read(bench.anomalies):
        headers = dict(record.headers)
        assert record.partition == home[record.key]
        assert headers["ce_id"] == msgspec.json.decode(record.value)["id"].encode()
        assert headers["content-type"] == b"application/json"


def test_garbage_is_dead_letters_and_costs_nothing_else(bench: Bench):
    """Each bad record goes to the dead-letter topic byte for byte, and every good one is scored."""
    publish(bench.store, "pumps")
    good = readings(20)
    bad: list[Record] = [(b"pump-1", b"\xff\x00 not json"), (None, b"{}"), (b"", b'{"series_id": "pump-1"}')]
    bench.kafka.send(bench.topic, [*good[:50], *bad, (b"pump-2", None), *good[50:]])
    with bench.worker() as worker:
        worker.wait_ready()
        wanted = expected(good)
        assert same(bench.flags(len(wanted)), wanted)
        letters = bench.kafka.read_until(bench.dead_letters, lambda records: len(records) >= len(bad))
        assert worker.metric("tombstones_total") == 1
    assert sorted((record.key or b"", record.value) for record in letters) == sorted((k or b"", v) for k, v in bad)
    assert all(dict(record.headers)["tidewatch-topic"] == bench.topic.encode() for record in letters)


def test_a_dataset_gets_its_release_when_it_is_there(bench: Bench):
    """Readings without a release are counted and said; a release promoted later serves, and a bad one never does."""
    bench.kafka.send(bench.topic, readings(10))
    with bench.worker(store__poll_seconds=0.2) as worker:
        worker.wait_until(lambda: worker.metric("unserved_readings_total") == 10 * SERIES)
        worker.wait_until(lambda: "dataset 'pumps' has no release" in worker.log)
        publish(bench.store, "pumps")
        worker.wait_until(lambda: worker.metric("release_info", dataset="pumps") == 1)
        later = readings(10, start=10)
        bench.kafka.send(bench.topic, later)
        wanted = expected(later)
        assert same(bench.flags(len(wanted)), wanted)

        newer = publish(bench.store, "pumps", seed=1)
        worker.wait_until(lambda: worker.metric("release_info", release=newer) == 1)
        bench.kafka.send(bench.topic, readings(1, start=20))
        worker.wait_until(lambda: worker.metric("windows_scored_total") == len(wanted) + SERIES)
        assert "windows are kept" in worker.log
        assert {flag.release for flag in bench.flags(len(wanted) + SERIES).values()} == {
            release_files("pumps")[0],
            newer,
        }


def test_nothing_is_missing_after_a_kill(bench: Bench):
    """A worker killed in mid-stream and started again: every window's flag is there, and exact."""
    publish(bench.store, "pumps")
    first, second = readings(60), readings(60, start=60)
    bench.kafka.send(bench.topic, first)
    quick = {"kafka__session_timeout_seconds": 6, "kafka__heartbeat_seconds": 1, "state__checkpoint_seconds": 0.3}
    with bench.worker("worker", kafka__chunk_records=50, **quick) as worker:
        worker.wait_ready()
        worker.wait_until(lambda: worker.metric("checkpoint_seconds_count") >= 4)
        worker.kill()
        bench.kafka.send(bench.topic, second)
        worker.start()
        wanted = expected([*first, *second])
        assert same(bench.flags(len(wanted)), wanted)


def test_a_worker_that_can_not_publish_stops(bench: Bench):
    """An anomalies topic that takes no message stops the worker with 1, and nothing is committed."""
    bench.anomalies = bench.kafka.topic("anomalies", partitions=4, max_message_bytes="100")
    publish(bench.store, "pumps")
    bench.kafka.send(bench.topic, readings(10))
    with bench.worker(kafka__send_timeout_seconds=3) as worker:
        assert worker.wait_end(40) == 1
    assert "max.message.bytes" in worker.log
    assert "Traceback" not in worker.log
