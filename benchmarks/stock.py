"""The stock path that all of the worker but its model is held against.

aiokafka's getmany, orjson.loads, orjson.dumps of flags that the worker really published, send_batch: no windows, no
thresholds, nothing computed. `python -m benchmarks.stock BROKER READINGS FLAGS OUT COUNT` prints one JSON line.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import sys
import time
from collections.abc import Iterator
from typing import Any, NamedTuple

import orjson
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from stream_app.topics import partition_counts

SAMPLE = 10_000  # distinct flags, used in turn


class Sample(NamedTuple):
    """A published flag: its key, its parsed value, and its headers."""

    key: bytes
    flag: dict[str, Any]
    headers: list[tuple[str, bytes]]


def consumer(broker: str) -> AIOKafkaConsumer:
    """A consumer as the documentation shows it, with no group."""
    return AIOKafkaConsumer(bootstrap_servers=broker, enable_auto_commit=False, auto_offset_reset="earliest")


async def assign_all(client: AIOKafkaConsumer, broker: str, topic: str) -> None:
    """Give the client every partition of a topic, from its beginning."""
    count = (await partition_counts({"bootstrap_servers": broker}))[topic]
    await client.start()
    client.assign([TopicPartition(topic, partition) for partition in range(count)])
    await client.seek_to_beginning()


async def sample_flags(broker: str, topic: str) -> list[Sample]:
    """The first flags of a topic."""
    client = consumer(broker)
    await assign_all(client, broker, topic)
    samples: list[Sample] = []
    while len(samples) < SAMPLE:
        chunks = await client.getmany(timeout_ms=2000)
        if not chunks:
            break
        for records in chunks.values():
            samples += [Sample(r.key, orjson.loads(r.value), list(r.headers)) for r in records]
    await client.stop()
    return samples[:SAMPLE]


async def send(producer: AIOKafkaProducer, topic: str, partition: int, samples: list[Sample]) -> None:
    """Send flags with as few batches as they need."""
    batch = producer.create_batch()
    for key, flag, headers in samples:
        value = orjson.dumps(flag)
        if batch.append(key=key, value=value, timestamp=None, headers=headers) is None:
            await producer.send_batch(batch, topic, partition=partition)
            batch = producer.create_batch()
            batch.append(key=key, value=value, timestamp=None, headers=headers)
    await producer.send_batch(batch, topic, partition=partition)


async def run(broker: str, readings: str, flags: str, out: str, count: int) -> dict[str, float]:
    """Read `count` readings, send a flag for each, and say how long that took."""
    turn: Iterator[Sample] = itertools.cycle(await sample_flags(broker, flags))
    client = consumer(broker)
    await assign_all(client, broker, readings)
    producer = AIOKafkaProducer(bootstrap_servers=broker, acks="all", max_batch_size=500_000)
    await producer.start()
    done, started = 0, time.perf_counter()
    while done < count:
        for partition, records in (await client.getmany(timeout_ms=2000, max_records=1000)).items():
            loaded = [orjson.loads(record.value) for record in records]
            await send(producer, out, partition.partition, list(itertools.islice(turn, len(loaded))))
            done += len(loaded)
    await producer.flush()
    seconds = time.perf_counter() - started
    await producer.stop()
    await client.stop()
    return {"readings": done, "seconds": seconds}


if __name__ == "__main__":
    broker, readings, flags, out, count = sys.argv[1:]
    print(json.dumps(asyncio.run(run(broker, readings, flags, out, int(count)))))
