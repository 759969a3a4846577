"""Readings for the benchmarks: thousands of series of correlated sensors, made in bulk, sent as the worker expects."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zlib import crc32

import msgspec
import numpy as np
from aiokafka import AIOKafkaProducer
from aiokafka.producer.message_accumulator import BatchBuilder
from numpy.typing import NDArray

from stream_app.topics import Topic, create_missing

FEATURES = tuple(f"sensor_{n}" for n in range(8))
START = datetime(2026, 1, 1, tzinfo=UTC)
Record = tuple[int, bytes, bytes]  # partition, key, value


def sensors(rows: int, seed: int) -> NDArray[np.float64]:
    """A walk of hidden causes seen by eight sensors: (rows, feature)."""
    random = np.random.default_rng(seed)
    causes = np.sin(np.arange(rows)[:, None] / np.array([5.0, 17.0, 61.0]) + random.uniform(0, 6, 3))
    mixing = np.random.default_rng(1).normal(size=(3, len(FEATURES)))
    made: NDArray[np.float64] = 20 + causes @ mixing + random.normal(scale=0.3, size=(rows, len(FEATURES)))
    return made


def training_file(path: Path, rows: int = 4000) -> None:
    """A CSV of one series to train the benchmark's detector on."""
    lines = ["timestamp," + ",".join(FEATURES)]
    for n, row in enumerate(sensors(rows, seed=0)):
        lines.append(f"{(START + timedelta(seconds=n)).isoformat()}," + ",".join(f"{value:.3f}" for value in row))
    path.write_text("\n".join(lines))


def partition_of(series: str, partitions: int) -> int:
    """Where the benchmarks put a series: any fixed rule will do, as the worker goes by what it is given."""
    return crc32(series.encode()) % partitions


def reading(series: str, timestamp: str, row: Iterable[float]) -> bytes:
    """One reading of about 200 bytes."""
    values = dict(zip(FEATURES, row, strict=True))
    return msgspec.json.encode({"series_id": series, "timestamp": timestamp, "values": values, "dataset": "bench"})


def rows(series: int, first: int, last: int, partitions: int) -> Iterator[list[Record]]:
    """All series' readings, one list of records for each moment from `first` to `last` - 1."""
    names = [f"machine-{n:05d}" for n in range(series)]
    places = [(partition_of(name, partitions), name.encode(), name) for name in names]
    walks = np.round(sensors(last + 977, seed=2), 3)
    for moment in range(first, last):
        timestamp = (START + timedelta(seconds=moment)).strftime("%Y-%m-%dT%H:%M:%SZ")
        values = walks[moment + np.arange(series) % 977].tolist()
        yield [
            (place, key, reading(name, timestamp, row)) for (place, key, name), row in zip(places, values, strict=True)
        ]


async def create_topics(broker: str, names: Iterable[str], partitions: int) -> None:
    """Make topics, empty."""
    await create_missing({"bootstrap_servers": broker}, [Topic(name, partitions, 1, {}) for name in names])


async def _send(producer: AIOKafkaProducer, topic: str, records: list[Record]) -> None:
    batches: dict[int, BatchBuilder] = {}
    for partition, key, value in records:
        batch = batches.setdefault(partition, producer.create_batch())
        if batch.append(key=key, value=value, timestamp=None) is None:
            await producer.send_batch(batch, topic, partition=partition)
            batch = batches[partition] = producer.create_batch()
            batch.append(key=key, value=value, timestamp=None)
    for partition, batch in batches.items():
        await producer.send_batch(batch, topic, partition=partition)


async def fill(broker: str, topic: str, lists: Iterable[list[Record]]) -> int:
    """Send all records as fast as they go; how many there were."""
    producer = AIOKafkaProducer(bootstrap_servers=broker, max_batch_size=900_000, linger_ms=0)
    await producer.start()
    sent = 0
    for records in lists:
        await _send(producer, topic, records)
        sent += len(records)
    await producer.stop()
    return sent


async def pace(broker: str, topic: str, per_second: float, seconds: float, series: int, partitions: int) -> int:
    """Send readings stamped with the time they are sent at, evenly, for some seconds; how many there were."""
    producer = AIOKafkaProducer(bootstrap_servers=broker, max_batch_size=900_000, linger_ms=0)
    await producer.start()
    walks = np.round(sensors(1000, seed=3), 3).tolist()
    started, sent = time.monotonic(), 0
    while (elapsed := time.monotonic() - started) < seconds:
        due = int(elapsed * per_second)
        records = [_now(n, series, partitions, walks) for n in range(sent, due)]
        await _send(producer, topic, records)
        sent = max(sent, due)
        await asyncio.sleep(0.005)
    await producer.stop()
    return sent


def _now(n: int, series: int, partitions: int, walks: list[list[float]]) -> Record:
    name = f"machine-{n % series:05d}"
    stamp = datetime.now(UTC).isoformat()
    row = walks[(n // series + n % series) % len(walks)]  # each series goes on where it was, as in `rows`
    return partition_of(name, partitions), name.encode(), reading(name, stamp, row)
