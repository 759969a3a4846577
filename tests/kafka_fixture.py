"""The fixture `kafka`: one real broker for the whole test session, and what tests do with its topics."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition

from stream_app.local_kafka.ports import free_port
from stream_app.local_kafka.server import LocalKafka
from stream_app.topics import Topic, create_missing, partition_counts

NUMBERS = count(1)
Record = tuple[bytes | None, bytes | None]  # key, value


@dataclass(frozen=True)
class KafkaAtHand:
    """A running broker. Its calls block; inside a loop, use the `async` functions below with `options`."""

    server: LocalKafka

    @property
    def address(self) -> str:
        """host:port."""
        return self.server.address

    @property
    def options(self) -> dict[str, Any]:
        """What every aiokafka client takes."""
        return {"bootstrap_servers": self.address}

    @property
    def environment(self) -> dict[str, str]:
        """What a `tidewatch` process needs in its environment to use this broker."""
        return {"TIDEWATCH_KAFKA__BOOTSTRAP_SERVERS": self.address}

    def unique(self, prefix: str = "topic") -> str:
        """A name that no other test of the session has, for a topic or a group."""
        return f"{prefix}-{next(NUMBERS)}"

    def topic(self, prefix: str = "readings", partitions: int = 1, **config: str) -> str:
        """Make a topic of a unique name; `config` with underscores for dots (cleanup_policy="compact")."""
        topic = Topic(self.unique(prefix), partitions, 1, {key.replace("_", "."): v for key, v in config.items()})
        asyncio.run(create_missing(self.options, [topic]))
        return topic.name

    def partitions(self) -> dict[str, int]:
        """The partition count of every topic."""
        return asyncio.run(partition_counts(self.options))

    def send(self, topic: str, records: Iterable[Record], partition: int | None = None) -> None:
        """Send records in order and wait until the broker has them."""
        asyncio.run(send(self.options, topic, records, partition))

    def read(self, topic: str) -> list[ConsumerRecord]:
        """All records from the topic's beginning to its end of now, by partition and offset."""
        return asyncio.run(read_to_end(self.options, topic))

    def read_until(
        self, topic: str, enough: Callable[[list[ConsumerRecord]], bool], seconds: float = 60
    ) -> list[ConsumerRecord]:
        """Read the topic from its beginning until `enough` says so of all records; fails after `seconds`."""
        return asyncio.run(read_until(self.options, topic, enough, seconds))


async def send(options: dict[str, Any], topic: str, records: Iterable[Record], partition: int | None = None) -> None:
    """Send records in order and wait until the broker has them."""
    async with AIOKafkaProducer(**options, acks="all", linger_ms=5) as producer:
        sent: list[Awaitable[Any]] = [
            await producer.send(topic, key=key, value=value, partition=partition) for key, value in records
        ]
        await asyncio.gather(*sent)


async def read_to_end(options: dict[str, Any], topic: str) -> list[ConsumerRecord]:
    """All records from the topic's beginning to its end of now, by partition and offset."""
    async with AIOKafkaConsumer(**options, auto_offset_reset="earliest") as consumer:
        ends = await consumer.end_offsets(await _assign_all(consumer, options, topic))
        records: list[ConsumerRecord] = []
        while any([await consumer.position(partition) < end for partition, end in ends.items()]):
            for chunk in (await consumer.getmany(timeout_ms=200)).values():
                records.extend(chunk)
    return sorted(records, key=lambda record: (record.partition, record.offset))


async def read_until(
    options: dict[str, Any], topic: str, enough: Callable[[list[ConsumerRecord]], bool], seconds: float
) -> list[ConsumerRecord]:
    """Read the topic from its beginning until `enough` says so of all records; TimeoutError after `seconds`."""
    records: list[ConsumerRecord] = []
    async with asyncio.timeout(seconds), AIOKafkaConsumer(**options, auto_offset_reset="earliest") as consumer:
        await _assign_all(consumer, options, topic)
        while not enough(records):
            for chunk in (await consumer.getmany(timeout_ms=200)).values():
                records.extend(chunk)
    return records


async def _assign_all(consumer: AIOKafkaConsumer, options: dict[str, Any], topic: str) -> list[TopicPartition]:
    partitions = [TopicPartition(topic, number) for number in range((await partition_counts(options))[topic])]
    consumer.assign(partitions)
    await consumer.seek_to_beginning()
    return partitions


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaAtHand]:
    """A real broker in a folder of its own, on a port of its own."""
    server = LocalKafka(tmp_path_factory.mktemp("kafka"), port=free_port())
    server.start()
    yield KafkaAtHand(server)
    server.kill()  # nothing of it is needed again
