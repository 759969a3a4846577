"""Headers whose names are not UTF-8: they cost no reading, and dead letters keep them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from stream_app.batches import Record, read_by_batch
from stream_app.outgoing import Message
from tests.crafted import replaced
from tests.end_to_end.agreement import disagreements
from tests.end_to_end.rig import PARTITIONS, Rig, Trained

pytestmark = pytest.mark.kafka

NAME = b"\xff\xfe: a name that is not UTF-8"
PLACE = b"its place, while it is built".ljust(len(NAME))
TOGETHER = 1000  # records a batch
GARBAGE = Message(b"pump-1", b"no reading")
SECONDS = 30


def test_every_record_has_a_header_whose_name_is_not_utf_8(rig: Rig, plant: Trained):
    """All readings are scored; the garbage that each batch ends with is a dead letter, its header byte for byte."""
    batches = [[*readings, GARBAGE] for readings in chunks(plant.messages)]
    asyncio.run(send(rig, batches))
    with rig.worker() as worker:
        worker.wait_ready()
        assert disagreements(rig.published(plant.flags), plant.flags) == []
        letters = asyncio.run(dead_letters(rig, len(batches)))
        assert [(letter.key, letter.value) for letter in letters] == [(GARBAGE.key, GARBAGE.value)] * len(batches)
        named = [(name.encode(errors="surrogateescape"), value) for letter in letters for name, value in letter.headers]
        assert named.count((NAME, b"x")) == len(batches)
        assert worker.stop() == 0


def chunks(messages: Sequence[Message]) -> list[Sequence[Message]]:
    """As many as make a batch."""
    return [messages[start : start + TOGETHER] for start in range(0, len(messages), TOGETHER)]


async def send(rig: Rig, batches: Sequence[Sequence[Message]]) -> None:
    """Send each as one batch, with the header added to every record."""
    async with AIOKafkaProducer(**rig.kafka.options, max_batch_size=900_000) as producer:
        for messages in batches:
            builder = producer.create_batch()
            for message in messages:
                headers = [(PLACE.decode(), b"x")]
                assert builder.append(timestamp=None, key=message.key, value=message.value, headers=headers)
            builder._buffer = replaced(bytearray(builder._build()), PLACE, NAME)
            await (await producer.send_batch(builder, rig.readings, partition=0))


async def dead_letters(rig: Rig, count: int) -> list[Record]:
    """So many, read as the worker reads: aiokafka's own records can not have such a header."""
    letters: list[Record] = []
    async with asyncio.timeout(SECONDS), AIOKafkaConsumer(**rig.kafka.options) as consumer:
        read_by_batch(consumer, lambda seconds: None)
        partitions = [TopicPartition(rig.dead_letters, number) for number in range(PARTITIONS)]
        consumer.assign(partitions)
        await consumer.seek_to_beginning()
        while len(letters) < count:
            for batches in (await consumer.getmany(timeout_ms=200)).values():
                letters += [record for batch in batches for record in batch]
    return letters
