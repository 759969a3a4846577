"""Sending on a real Kafka: in order, confirmed, and bounded in time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from stream_app.outgoing import Message, as_records
from stream_app.publisher import Publisher, SendFailed, TooLarge
from tests.kafka_fixture import KafkaAtHand

pytestmark = pytest.mark.kafka


def publishing(kafka: KafkaAtHand, work: Callable[[Publisher], Awaitable[Any]], seconds: float = 30) -> Any:
    """What `work` does with a publisher."""

    async def run() -> Any:
        publisher = Publisher(kafka.options, seconds)
        await publisher.start()
        try:
            return await work(publisher)
        finally:
            await publisher.stop()

    return asyncio.run(run())


def test_many_messages_are_several_batches_in_order(kafka: KafkaAtHand):
    """More than fits a batch: none vanishes, and each has the offset that is given."""
    topic = kafka.topic(partitions=2)
    messages = [Message(str(number).encode(), bytes(2000), [("n", str(number).encode())]) for number in range(1000)]
    offsets = publishing(kafka, lambda publisher: publisher.send(topic, 1, as_records(messages)))
    records = kafka.read(topic)
    assert [(record.partition, record.offset, record.key) for record in records] == [
        (1, offset, message.key) for offset, message in zip(offsets, messages, strict=True)
    ]
    assert dict(records[7].headers) == {"n": b"7"}


def test_a_batch_too_large_for_the_topic_is_sent_in_smaller_ones(kafka: KafkaAtHand):
    """The topic's limit is below a batch's size, but above a message's."""
    topic = kafka.topic(max_message_bytes="5000")
    messages = [Message(str(number).encode(), bytes(1500)) for number in range(20)]
    publishing(kafka, lambda publisher: publisher.send(topic, 0, as_records(messages)))
    keys = [record.key for record in kafka.read(topic)]
    assert list(dict.fromkeys(keys)) == [message.key for message in messages]


def test_a_message_too_large_for_the_topic_is_an_error_that_says_so(kafka: KafkaAtHand):
    """At once: waiting would not make it smaller."""
    topic = kafka.topic(max_message_bytes="1000")
    with pytest.raises(TooLarge, match=r"max\.message\.bytes"):
        publishing(kafka, lambda publisher: publisher.send(topic, 0, as_records([Message(b"k", bytes(5000))])))


def test_a_send_that_is_not_confirmed_in_time_fails(kafka: KafkaAtHand):
    """No broker is so fast; what to do is said."""
    topic = kafka.topic()
    with pytest.raises(SendFailed, match=r"partition 0 did not confirm 1 messages .* kafka\.send_timeout_seconds"):
        publishing(kafka, lambda publisher: publisher.send(topic, 0, as_records([Message(b"k", b"v")])), seconds=1e-5)


def test_an_error_of_one_partition_does_not_lose_another_ones_messages(kafka: KafkaAtHand):
    """The producer that all share is replaced after an error; whoever was on their way sends again."""
    small, large = kafka.topic(max_message_bytes="1000"), kafka.topic()

    async def work(publisher: Publisher) -> None:
        good = as_records([Message(str(number).encode(), bytes(3000)) for number in range(300)])
        results = await asyncio.gather(
            publisher.send(small, 0, as_records([Message(b"k", bytes(5000))])),
            publisher.send(large, 0, good),
            return_exceptions=True,
        )
        assert isinstance(results[0], TooLarge)
        assert len(results[1]) == 300  # type: ignore[arg-type]
        assert len(await publisher.send(large, 0, good.part(0, 1))) == 1

    publishing(kafka, work)
    keys = list(dict.fromkeys(record.key for record in kafka.read(large)))
    assert keys == [str(number).encode() for number in range(300)]
