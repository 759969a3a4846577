"""The fixture `kafka`: one real broker for the whole test session, and what tests do with its topics.

It is a broker of the session's own, unless TIDEWATCH_KAFKA__BOOTSTRAP_SERVERS names another: there, tests that stop the
broker are skipped, and all topics of the session are deleted in the end.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any, Self
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition

from config.layers import variable
from config.settings import load
from stream_app.connection import LOCAL, client_options
from stream_app.local_kafka.ports import free_port
from stream_app.local_kafka.server import LocalKafka
from stream_app.topics import Topic, admin, create_missing, partition_counts

SESSION = uuid4().hex[:8]  # in every name: another broker may have topics of another session
NUMBERS = count(1)
BOOTSTRAP = variable("kafka.bootstrap_servers")
Record = tuple[bytes | None, bytes | None]  # key, value


@dataclass(frozen=True)
class KafkaAtHand:
    """A running broker. Its calls block; inside a loop, use the `async` functions below with `options`."""

    options: dict[str, Any]  # what every aiokafka client takes
    local: LocalKafka | None = None

    @classmethod
    def of(cls, server: LocalKafka) -> Self:
        """A broker of our own, which runs."""
        return cls({"bootstrap_servers": server.address}, server)

    @property
    def address(self) -> str:
        """host:port, several with commas."""
        return str(self.options["bootstrap_servers"])

    @property
    def server(self) -> LocalKafka:
        """The broker, to be stopped and started; skips the test if it is somebody else's."""
        if self.local is None:
            pytest.skip(f"{BOOTSTRAP} names a broker that is not ours to stop")
        return self.local

    @property
    def environment(self) -> dict[str, str]:
        """What a `tidewatch` process needs in its environment to use this broker."""
        return {BOOTSTRAP: self.address}

    def unique(self, prefix: str = "topic") -> str:
        """A name that no other test of the session has, for a topic or a group."""
        return f"{prefix}-{SESSION}-{next(NUMBERS)}"

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


async def delete_all(options: dict[str, Any]) -> None:
    """Delete the session's topics, those that workers made too: their names have those of the session in them."""
    async with admin(options) as client:
        await client.delete_topics([topic for topic in await client.list_topics() if f"-{SESSION}-" in topic])


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaAtHand]:
    """A real broker in a folder of its own, on a port of its own; or the one that the environment names."""
    if os.environ.get(BOOTSTRAP, LOCAL) != LOCAL:
        at_hand = KafkaAtHand(client_options(load().kafka))
        yield at_hand
        asyncio.run(delete_all(at_hand.options))
        return
    server = LocalKafka(tmp_path_factory.mktemp("kafka"), port=free_port())
    server.start()
    yield KafkaAtHand.of(server)
    server.kill()  # nothing of it is needed again
